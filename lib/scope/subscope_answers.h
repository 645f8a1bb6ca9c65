/*
 * How a subscope gets its connection, and what becomes of what is sent there.
 */
#ifndef PIPIT_SUBSCOPE_ANSWERS_INTERNAL_H
#define PIPIT_SUBSCOPE_ANSWERS_INTERNAL_H

struct conn;
struct request;

/* Gives a free connection to the outermost subscope whose own request this is. */
void pipit__subscope_leased(struct request *request, struct conn *conn);

#endif
