/*
 * The floors: libpq by hand, without pipit. What a client can do at most is what they do.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "run.h"

/* One statement at a time on each connection, without a pipeline. */
extern const struct subject subject_floor_single;
/* A pipeline, and a Sync behind each statement. */
extern const struct subject subject_floor_sync_each;
/* A pipeline, and one Sync for all that is due on a connection when its last one was answered. */
extern const struct subject subject_floor_sync_shared;
/* One statement for all the keys that are due on a connection, as batching loaders do. */
extern const struct subject subject_floor_coalesced;
/* A connection for each task: floor-single of the workload "connect". */
extern const struct subject subject_floor_connect;
/* Transactions, statement by statement: floor-single of the workload "transaction". */
extern const struct subject subject_transaction_single;
/* Each in one flight, one at a time on each connection. */
extern const struct subject subject_transaction_one_trip;
/* Each in one flight, one behind the other: its floor-sync-each. */
extern const struct subject subject_transaction_sync_each;

#endif
