/*
 * Blocking scopes, from the inside: they keep the results of their requests.
 */
#ifndef PIPIT_SYNC_INTERNAL_H
#define PIPIT_SYNC_INTERNAL_H

struct pipit;
struct request;
struct sync;

/* What a blocking scope has besides; NULL when memory ran out. */
struct sync *pipit__sync_new(void);
void pipit__sync_free(struct sync *sync);

/* Has the result of a new request kept. 0 or PIPIT_ENOMEM. */
int pipit__sync_keep(struct sync *sync, struct request *req);

#endif
