/*
 * The floors that do transactions: BEGIN, two updates and COMMIT, all of them prepared. One asks
 * for each when the one before is answered; the others send a whole transaction with one Sync, and
 * one of these does not even wait for the transaction before.
 */
#include <stdlib.h>
#include <string.h>

#include "floor.h"
#include "link.h"
#include "workload.h"

/* BEGIN and COMMIT, and what is between them. */
#define N_STEPS 4

static const char *
step_name(const struct ask *ask, int step)
{
        const struct statement *const *statements = ask->task->run->workload->statements;

        if (step == 0)
                return statements[1]->name;
        return step == N_STEPS - 1 ? statements[2]->name : statements[0]->name;
}

static void
send_step(struct link *link, const struct ask *ask, int step)
{
        bool updates = step > 0 && step < N_STEPS - 1;
        const int32_t *values = updates ? &ask->values[2 * (step - 1)] : NULL;

        link_send_prepared(link, step_name(ask, step), updates ? 2 : 0, values);
}

/* It is answered when its last step is. */
static void
take_step(struct link *link, const PGresult *result)
{
        struct ask *ask = link->ring[link->got & link->mask];
        PGresult *own = (PGresult *)(uintptr_t)result;

        if (link->step == 0)
                ask->n_rows = 0;
        if (link->step == N_STEPS - 1 && strcmp(PQcmdStatus(own), "COMMIT") != 0)
                link_fail(link, "not committed");
        ask->n_rows += atoi(PQcmdTuples(own));
        link->step = (link->step + 1) % N_STEPS;
        if (link->step == 0)
                link->got++;
}

/* ---- one statement at a time */

static void
single_send(struct link *link)
{
        if (link->syncs > 0 || link->got == link->end)
                return;
        send_step(link, link->ring[link->got & link->mask], link->step);
        link->syncs++; /* the statement has its own */
        link_flush(link);
}

static const struct form single = {.pipelined = false, .send = single_send, .take = take_step};

static void
single_open(struct run *run)
{
        floor_open(run, &single);
}

/* ---- one transaction at a time */

static void
send_transaction(struct link *link)
{
        const struct ask *ask = link->ring[link->sent++ & link->mask];

        for (int step = 0; step < N_STEPS; step++)
                send_step(link, ask, step);
        link_send_sync(link);
}

static void
one_trip_send(struct link *link)
{
        if (link->syncs > 0 || link->sent == link->end)
                return;
        send_transaction(link);
        link_flush(link);
}

static const struct form one_trip = {.pipelined = true, .send = one_trip_send, .take = take_step};

static void
one_trip_open(struct run *run)
{
        floor_open(run, &one_trip);
}

/* ---- all that are due */

static void
each_send(struct link *link)
{
        if (link->sent == link->end)
                return;
        while (link->sent != link->end)
                send_transaction(link);
        link_flush(link);
}

static const struct form each = {.pipelined = true, .send = each_send, .take = take_step};

static void
each_open(struct run *run)
{
        floor_open(run, &each);
}

/* ---- */

static bool
serves_transactions(const struct workload *workload)
{
        return workload->statements[0]->call == CALL_TRANSACTION;
}

#define FLOOR                                                                                      \
        .serves = serves_transactions, .ask = floor_ask, .loop = floor_loop, .close = floor_close

const struct subject subject_transaction_single = {
        .name = "floor-single", .open = single_open, FLOOR};
const struct subject subject_transaction_one_trip = {
        .name = "floor-one-trip", .open = one_trip_open, FLOOR};
const struct subject subject_transaction_sync_each = {
        .name = "floor-sync-each", .open = each_open, FLOOR};
