/*
 * Subscopes send the statements whose turn has come, with what goes around them.
 */
#ifndef PIPIT_SUBSCOPE_SEND_INTERNAL_H
#define PIPIT_SUBSCOPE_SEND_INTERNAL_H

#include <stdbool.h>

struct list;
struct subscope;

/* Sends the statements at the start of the queue that can travel together. */
void pipit__subscope_send(struct subscope *subscope);

/* Sends the statements of a list, NULL for none, and then COMMIT; implicit: the Sync is the COMMIT.
 * If sending fails the connection is lost and nothing was committed; what comes of the loss ends
 * the subscope. */
void pipit__subscope_send_commit(struct subscope *subscope, struct list *requests, bool implicit);

#endif
