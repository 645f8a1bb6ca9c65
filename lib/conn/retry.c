/*
 * Retries. See retry.h.
 */
#include "conn/retry.h"

#include <stdio.h>
#include <string.h>

#include "base/cold.h"
#include "conn/prepared.h"
#include "request/bound_stmt.h"
#include "request/latency.h"
#include "request/request.h"
#include "request/stmt_cache.h"
#include "result/result_error.h"

/* How often a statement is prepared anew for one request. */
#define RETRY_MAX_REPREPARES 3
/* How often a request runs again whose connections are lost. */
#define RETRY_MAX_LOSSES 2

/*
 * Whether an error can be a neighbour's fault: locks and snapshots that were held for the
 * neighbour, time and memory that it took.
 */
static COLD bool
error_is_of_sharing(const struct pipit_error *error)
{
        static const char *const states[] = {"40", "53", "55P03", "57014", "25P03", "25P04"};

        if (pipit__error_leaves_doubt(error))
                return false;
        for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
                if (strncmp(error->sqlstate, states[i], strlen(states[i])) == 0)
                        return true;
        }
        return false;
}

static bool
sqlstate_is_one_of(const char *sqlstate, const char *const *states)
{
        for (; *states != NULL; states++) {
                if (strcmp(sqlstate, *states) == 0)
                        return true;
        }
        return false;
}

/* Has a request run a fresh statement of its text, of which nothing is known. 0 or PIPIT_ENOMEM. */
static COLD int
request_renew_stmt(struct request *req)
{
        struct stmt *stmt = pipit__stmt_renew(pipit__request_stmt(req));
        struct bound_stmt *bound =
                stmt != NULL ? pipit__bound_stmt_rewrite(pipit__request_bound(req), stmt) : NULL;

        if (bound == NULL) {
                pipit__stmt_unref(stmt);
                return PIPIT_ENOMEM;
        }
        pipit__request_replace_stmt(req, bound);
        return 0;
}

/*
 * Whether an error is about what was prepared, or about what was known of the statement, and not
 * about the statement itself: somebody has changed a table, or has closed what others prepared.
 * Then nothing has run. Messages do not tell, because they are translated; the name in them does.
 */
static COLD bool
error_is_of_prepared(const struct retry_case *it, const struct pipit_error *error)
{
        static const char *const of_types[] = {"42883", "42804", "42725", "42846",
                                               "42P08", "42P18", "22P03", NULL};
        const char *function = error->source_function != NULL ? error->source_function : "";

        if (strcmp(error->sqlstate, "26000") == 0 &&
            pipit__stmt_is_named_in(it->stmt, error->message)) {
                pipit__prepared_drop(it->prepared, it->stmt);
                return true;
        }
        /* Without types nothing was known: the error is the statement's. */
        bool typed = it->typed && sqlstate_is_one_of(error->sqlstate, of_types);
        bool stale = strcmp(error->sqlstate, "0A000") == 0 &&
                     strcmp(function, "RevalidateCachedQuery") == 0;
        if (typed || stale)
                pipit__prepared_expire(it->prepared, it->stmt);
        return (typed || stale) && request_renew_stmt(it->req) == 0;
}

/* Whether a statement runs again because what was prepared for it was out of date. */
static COLD bool
case_reprepares(const struct retry_case *it)
{
        const struct pipit_error *error = pipit_result_error(pipit__request_result(it->req));

        if (pipit__request_reprepares(it->req) >= RETRY_MAX_REPREPARES || error == NULL ||
            !error_is_of_prepared(it, error))
                return false;
        pipit__request_add_reprepare(it->req);
        return true;
}

void
pipit__retry_note(const struct retry_case *it)
{
        const struct pipit_error *error = pipit_result_error(pipit__request_result(it->req));

        if (error != NULL && it->stmt != NULL)
                error_is_of_prepared(it, error);
}

/* Tells that a statement which was declared a read has tried to write. */
static COLD void
fail_not_a_read(struct pipit_result *res)
{
        char text[512];
        struct pipit_error error = {.code = PIPIT_ESERVER,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .sqlstate = "25006",
                                    .message = text};

        snprintf(text, sizeof text, "a statement that was declared a read is none: %s",
                 pipit_error_text(res));
        pipit__result_fail_like(res, &error);
}

/* Tells that a statement was hit by the cancel of another one. */
static COLD void
fail_stray(struct pipit_result *res)
{
        char text[512];
        struct pipit_error error = {.code = PIPIT_ESERVER,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .sqlstate = "57014",
                                    .message = text};

        snprintf(text, sizeof text,
                 "the cancel of another request hit this one, which is rolled back and can be "
                 "started again: %s",
                 pipit_error_text(res));
        pipit__result_fail_like(res, &error);
}

void
pipit__retry_fail_skipped(struct request *req, const struct segment_error *error)
{
        bool doubt = error->leaves_doubt;
        char text[sizeof error->text + 120];
        struct pipit_error failure = {.code = PIPIT_ESERVER,
                                      .executed = doubt ? PIPIT_EXECUTED_UNKNOWN
                                                        : PIPIT_EXECUTED_ROLLED_BACK,
                                      .phase = PIPIT_PHASE_EXECUTE,
                                      .message = text};

        memcpy(failure.sqlstate, error->sqlstate, sizeof failure.sqlstate);
        snprintf(text, sizeof text, "%s: %s",
                 doubt ? "nobody knows whether the statement was executed, for one in front of it "
                         "failed"
                       : "the server skipped the statement, because what was sent in front of it "
                         "failed",
                 error->text);
        pipit__result_fail_like(pipit__request_result(req), &failure);
}

enum retry_decision
pipit__retry_lost(struct request *req, bool did_not_run)
{
        bool may = did_not_run || pipit__request_is_read(req);

        if (!may || pipit__request_is_coalesced(req) ||
            pipit__request_losses(req) >= RETRY_MAX_LOSSES)
                return RETRY_NONE;
        if (pipit__request_add_loss(req) == RETRY_MAX_LOSSES)
                pipit__request_isolate(req);
        return RETRY_AGAIN;
}

/* Whether a read runs again because of a conflict with others, as a replica has them with what it
 * replays. */
static COLD bool
conflict_is_retried(const struct retry_case *it, const struct pipit_error *error)
{
        bool is_conflict =
                strcmp(error->sqlstate, "40001") == 0 || strcmp(error->sqlstate, "40P01") == 0;

        return is_conflict && !it->leased && pipit__retry_lost(it->req, false) == RETRY_AGAIN;
}

COLD enum retry_decision
pipit__retry_read(const struct retry_case *it)
{
        struct request *req = it->req;
        const struct pipit_error *error = pipit_result_error(pipit__request_result(req));

        if (case_reprepares(it))
                return RETRY_AGAIN;
        if (error == NULL) {
                pipit__request_skipped(req);
                return RETRY_AGAIN;
        }
        pipit__latency_failed(pipit__stmt_latency(it->stmt));
        if (conflict_is_retried(it, error) || error_is_of_sharing(error)) {
                pipit__request_run_alone(req);
                return RETRY_AGAIN;
        }
        if (strcmp(error->sqlstate, "25006") == 0)
                fail_not_a_read(pipit__request_result(req));
        return RETRY_NONE;
}

COLD enum retry_decision
pipit__retry_write(const struct retry_case *it)
{
        const struct pipit_error *error = pipit_result_error(pipit__request_result(it->req));

        if (it->doubt != NULL) {
                if (!pipit_failed(pipit__request_result(it->req)))
                        pipit__retry_fail_skipped(it->req, it->doubt);
                return RETRY_NONE;
        }
        /* Such an error is pipit's own: the answer was not read to its end. */
        if (error != NULL && error->executed == PIPIT_EXECUTED_UNKNOWN)
                return RETRY_NONE;
        if (!case_reprepares(it))
                pipit__request_run_alone(it->req);
        return RETRY_AGAIN;
}

/* Decides about a statement that was skipped though it was alone: the Close of an older prepared
 * statement failed before it. */
static COLD enum retry_decision
decide_skipped(const struct retry_case *it)
{
        struct request *req = it->req;

        if (it->doubt != NULL) {
                pipit__retry_fail_skipped(req, it->doubt);
                return RETRY_NONE;
        }
        if (pipit__request_reprepares(req) < RETRY_MAX_REPREPARES) {
                pipit__request_add_reprepare(req);
                return RETRY_AGAIN;
        }
        pipit__result_fail(pipit__request_result(req), PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK,
                           PIPIT_PHASE_EXECUTE,
                           "the server skipped the statement time and again: what was prepared in "
                           "front of it could not be closed");
        return RETRY_NONE;
}

COLD enum retry_decision
pipit__retry_single(const struct retry_case *it)
{
        const struct pipit_error *error = pipit_result_error(pipit__request_result(it->req));

        if (error == NULL)
                return it->skipped ? decide_skipped(it) : RETRY_NONE;
        if (case_reprepares(it) || conflict_is_retried(it, error))
                return RETRY_AGAIN;
        if (!it->may_be_hit || strcmp(error->sqlstate, "57014") != 0)
                return RETRY_NONE;
        if (pipit__request_may_share(it->req))
                return RETRY_AGAIN;
        fail_stray(pipit__request_result(it->req));
        return RETRY_NONE;
}
