/*
 * Batches: which of the requests that wait go to a connection together.
 */
#ifndef PIPIT_BATCH_INTERNAL_H
#define PIPIT_BATCH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "conn/conn.h"

/* Requests that were taken out of their queue, for one connection. */
struct batch {
        struct list requests;
        int n;
        bool may_pack;          /* one of them has a rule */
        enum segment_kind kind; /* SEGMENT_SINGLE: each is a segment of its own */
};

/* How many of a queue, which is not empty, are worth a batch of their own, where they may share a
 * Sync: to send fewer of them costs more than it gains. */
int pipit__batch_least(const struct list *queue);

/*
 * Takes the first of a queue, which is not empty, and of the next ones what may go with it, at
 * most max in all. shares: whether the connection is one on which statements may share a Sync.
 */
void pipit__batch_take(struct batch *batch, struct list *queue, int max, bool shares);

#endif
