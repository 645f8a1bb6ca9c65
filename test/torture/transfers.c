/*
 * Transfers: what is taken from one account is given to another, or neither. The body does not look
 * whether its statements could be started, as the example of doc/guide.md does not.
 */
#include "run.h"

static void
move_on(struct run *run, struct pipit *tx, const char *sql)
{
        struct ticket *ticket = ticket_new(run, sql, NULL);

        ticket_take(ticket, pipit_query(tx, sql, PIPIT_PARAMS("10"), ticket_on_end, ticket));
}

static void
transfer(struct pipit *tx, void *arg)
{
        struct run *run = ((struct ticket *)arg)->run;

        move_on(run, tx, "take $1");
        move_on(run, tx, "give $1");
}

static void
transfer_in_vain(struct pipit *tx, void *arg)
{
        struct run *run = ((struct ticket *)arg)->run;

        move_on(run, tx, "take $1");
        move_on(run, tx, "fail $1");
}

static void
start(struct pipit *scope, const struct pipit_transaction *options, pipit_body body,
      const char *what, struct run *run)
{
        struct ticket *ticket = ticket_new(run, what, NULL);

        ticket_take(ticket, pipit_atomic_with(scope, options, body, ticket_on_end, ticket));
}

/* A nested one fails, and so does a statement that may; the money moves all the same. */
static void
transfer_behind_failures(struct pipit *tx, void *arg)
{
        struct run *run = ((struct ticket *)arg)->run;

        start(tx, NULL, transfer_in_vain, "in vain", run);
        move_on(run, tx, "take $1");
        struct ticket *ticket = ticket_new(run, "may fail", NULL);
        pipit_request request = ticket_take(
                ticket, pipit_query(tx, "fail $1", PIPIT_PARAMS("10"), ticket_on_end, ticket));
        pipit_may_fail(tx, request);
        move_on(run, tx, "give $1");
}

static void
transfer_in_session(struct pipit *session, void *arg)
{
        start(session, NULL, transfer, "in a session", ((struct ticket *)arg)->run);
}

/* The first run of it meets another transaction. */
static void
transfer_in_conflict(struct pipit *tx, void *arg)
{
        transfer(tx, arg);
        if (pipit_attempt(tx) == 1)
                move_on(((struct ticket *)arg)->run, tx, "conflict $1");
}

static void
run_by_hand(struct run *run)
{
        struct pipit *tx = pipit_begin(run->db, NULL);
        struct ticket *ticket = ticket_new(run, "commit", NULL);

        run->inside = false;
        transfer(tx, ticket);
        run->inside = true;
        ticket_take(ticket, pipit_commit(tx, ticket_on_end, ticket));
        run_join(run);
}

void
run_transactions(struct run *run)
{
        static const struct pipit_transaction early = {.commit_early = true};
        static const struct pipit_transaction options = {.isolation = PIPIT_SERIALIZABLE,
                                                         .timeout_ms = 2000};

        start(run->db, NULL, transfer_behind_failures, "transaction", run);
        run_join(run);
        start(run->db, &early, transfer, "early", run);
        struct ticket *ticket = ticket_new(run, "session", NULL);
        ticket_take(ticket, pipit_session(run->db, transfer_in_session, ticket_on_end, ticket));
        run_join(run);
        run_by_hand(run);
        start(run->db, &options, transfer_in_conflict, "in conflict", run);
        run_join(run);
}
