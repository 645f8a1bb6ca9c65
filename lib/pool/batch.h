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

/* The limits of a batch come from the connection that it is for. */
struct batch_limits {
        int max;       /* requests in all */
        bool shares;   /* statements may share a Sync there */
        bool one_sync; /* no more than one Sync may be on its way there */
};

/* Takes the first of a queue, which is not empty, and of the next ones what may go with it. */
void pipit__batch_take(struct batch *batch, struct list *queue, const struct batch_limits *limits);

#endif
