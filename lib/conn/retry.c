/*
 * Retries. See retry.h.
 */
#include "conn/retry.h"

#include <stdio.h>
#include <string.h>

#include "base/cold.h"
#include "conn/prepared.h"
#include "request/latency.h"
#include "request/request.h"
#include "request/stmt.h"
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

/*
 * Whether a context is the one line that the server adds to an error about the value of a parameter
 * of Bind, and not the call stack of a function that ran. The line may be translated: what it has
 * is the parameter, as $1.
 */
static COLD bool
context_is_of_parameter(const char *context)
{
        const char *dollar = strstr(context, " $");

        return dollar != NULL && dollar[2] >= '0' && dollar[2] <= '9' &&
               strchr(context, '\n') == NULL;
}

/* Whether an error was raised by Parse or Bind, or by the statement itself, but not within
 * something that the statement called, which may have had an effect that nobody takes back. */
static COLD bool
error_came_before_run(const struct pipit_error *error)
{
        if (error->internal_query != NULL || error->internal_position > 0)
                return false;
        return error->context == NULL || error->context[0] == '\0' ||
               context_is_of_parameter(error->context);
}

/* Whether an error is one that types cause which are out of date. */
static COLD bool
error_is_of_types(const struct pipit_error *error)
{
        static const char *const states[] = {"22003", "22007", "22008", "22P02", "22P03",
                                             "42704", "42725", "42804", "42846", "42883",
                                             "42P08", "42P18", "XX000", NULL};

        return sqlstate_is_one_of(error->sqlstate, states) && error_came_before_run(error);
}

/*
 * Whether an error is about what was prepared, or about what was known of the statement, and not
 * about the statement itself: somebody has changed a table, or has closed what others prepared.
 * Then nothing has run. Messages do not tell, because they are translated; the name in them does.
 */
static COLD bool
error_is_of_prepared(const struct retry_case *it, const struct pipit_error *error)
{
        const char *function = error->source_function != NULL ? error->source_function : "";

        if (strcmp(error->sqlstate, "26000") == 0 &&
            pipit__stmt_is_named_in(it->stmt, error->message)) {
                pipit__prepared_drop(it->prepared, it->stmt);
                return true;
        }
        /* Without types nothing was known: the error is the statement's. */
        bool typed = it->typed && error_is_of_types(error);
        bool stale = strcmp(error->sqlstate, "0A000") == 0 &&
                     strcmp(function, "RevalidateCachedQuery") == 0;
        if (typed || stale)
                pipit__prepared_expire(it->prepared, it->stmt);
        return typed || stale;
}

/* Whether a statement failed because what was prepared for it was out of date, and may be prepared
 * anew for its request once more. */
static COLD bool
case_is_stale(const struct retry_case *it)
{
        const struct pipit_error *error = pipit_result_error(pipit__request_result(it->req));

        return error != NULL && it->stmt != NULL && error_is_of_prepared(it, error) &&
               pipit__request_reprepares(it->req) < RETRY_MAX_REPREPARES;
}

/* Whether a statement runs again because what was prepared for it was out of date. */
static COLD bool
case_reprepares(const struct retry_case *it)
{
        if (!case_is_stale(it))
                return false;
        pipit__request_add_reprepare(it->req);
        return true;
}

bool
pipit__retry_note(const struct retry_case *it)
{
        return case_reprepares(it);
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

/* Tells that a statement was skipped though it was alone. */
static COLD enum retry_decision
fail_skipped(const struct retry_case *it)
{
        if (it->doubt != NULL)
                pipit__retry_fail_skipped(it->req, it->doubt);
        else
                pipit__result_fail(pipit__request_result(it->req), PIPIT_ESERVER,
                                   PIPIT_EXECUTED_ROLLED_BACK, PIPIT_PHASE_EXECUTE,
                                   "the server skipped the statement: something that pipit had put "
                                   "in front of it failed");
        return RETRY_NONE;
}

/* Decides about a statement that was skipped though it was alone: something of pipit's own failed
 * before it. */
static COLD enum retry_decision
decide_skipped(const struct retry_case *it)
{
        if (it->doubt != NULL || pipit__request_reprepares(it->req) >= RETRY_MAX_REPREPARES)
                return fail_skipped(it);
        pipit__request_add_reprepare(it->req);
        return RETRY_AGAIN;
}

static bool
case_is_hit(const struct retry_case *it, const struct pipit_error *error)
{
        return it->may_be_hit && strcmp(error->sqlstate, "57014") == 0;
}

/* Whether a statement runs again because its server has become read-only, though the program asked
 * for another one. The server refuses before it does anything. */
static COLD bool
case_goes_elsewhere(const struct retry_case *it, const struct pipit_error *error)
{
        if (!it->unsuited || it->leased || strcmp(error->sqlstate, "25006") != 0 ||
            pipit__request_is_read(it->req) ||
            pipit__request_reprepares(it->req) >= RETRY_MAX_REPREPARES)
                return false;
        pipit__request_add_reprepare(it->req);
        return true;
}

COLD enum retry_decision
pipit__retry_single(const struct retry_case *it)
{
        const struct pipit_error *error = pipit_result_error(pipit__request_result(it->req));

        if (error == NULL)
                return it->skipped ? decide_skipped(it) : RETRY_NONE;
        if (case_reprepares(it) || conflict_is_retried(it, error) || case_goes_elsewhere(it, error))
                return RETRY_AGAIN;
        if (!case_is_hit(it, error))
                return RETRY_NONE;
        if (pipit__request_may_share(it->req))
                return RETRY_AGAIN;
        fail_stray(pipit__request_result(it->req));
        return RETRY_NONE;
}

COLD enum retry_decision
pipit__retry_session(const struct retry_case *it)
{
        const struct pipit_error *error = pipit_result_error(pipit__request_result(it->req));

        if (!it->is_bound_to_order)
                return pipit__retry_single(it);
        if (error == NULL)
                return it->skipped ? fail_skipped(it) : RETRY_NONE;
        pipit__retry_note(it);
        if (case_is_hit(it, error))
                fail_stray(pipit__request_result(it->req));
        return RETRY_NONE;
}
