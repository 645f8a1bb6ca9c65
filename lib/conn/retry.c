/*
 * Groups. See retry.h.
 */
#include "conn/retry.h"

#include <stdio.h>
#include <string.h>

#include "base/cold.h"
#include "conn/prepared.h"
#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/stmt_cache.h"
#include "result/result_error.h"

/* How often a statement is prepared anew for one request. */
#define RETRY_MAX_REPREPARES 3

/*
 * Whether an error can be a neighbour's fault: locks and snapshots that were held for it, time and
 * memory that it took.
 */
static COLD bool
error_is_of_sharing(const struct pipit_error *error)
{
        static const char *const states[] = {"40", "53", "55P03", "57014", "25P03", "25P04"};

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
 * Then nothing has run. Not told by messages: they are translated, but for the name.
 */
static COLD bool
error_is_of_prepared(const struct reply *reply, const struct pipit_error *error,
                     struct prepared *prepared)
{
        static const char *const of_types[] = {"42883", "42804", "42725", "42846",
                                               "42P08", "42P18", "22P03", NULL};
        struct stmt *stmt = reply->stmt;
        const char *function = error->source_function != NULL ? error->source_function : "";

        if (strcmp(error->sqlstate, "26000") == 0 && strstr(error->message, stmt->name) != NULL) {
                pipit__prepared_drop(prepared, stmt);
                return true;
        }
        /* Without types nothing was known: the error is the statement's. */
        bool typed = reply->typed && sqlstate_is_one_of(error->sqlstate, of_types);
        bool stale = strcmp(error->sqlstate, "0A000") == 0 &&
                     strcmp(function, "RevalidateCachedQuery") == 0;
        if (typed || stale)
                pipit__prepared_expire(prepared, stmt);
        return (typed || stale) && request_renew_stmt(reply->req) == 0;
}

static COLD bool
reply_reprepares(const struct reply *reply, struct prepared *prepared)
{
        struct request *req = reply->req;
        const struct pipit_error *error = pipit_result_error(pipit__request_result(req));
        bool is_group = reply->segment == SEGMENT_READS || reply->segment == SEGMENT_WRITES;
        /* Skipped, and not for its own Prepare: the end of an older statement failed. */
        bool skipped = error == NULL && !is_group && reply->skipped;

        if (pipit__request_reprepares(req) >= RETRY_MAX_REPREPARES)
                return false;
        if (!skipped && (error == NULL || !error_is_of_prepared(reply, error, prepared)))
                return false;
        pipit__request_add_reprepare(req);
        return true;
}

void
pipit__retry_note(const struct reply *reply, struct prepared *prepared)
{
        const struct pipit_error *error = pipit_result_error(pipit__request_result(reply->req));

        if (error != NULL && reply->stmt != NULL)
                error_is_of_prepared(reply, error, prepared);
}

/* It wrote: what was declared cannot be right. */
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

/* It was not the one that was to be cancelled. */
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

static COLD enum retry_decision
decide_read(const struct reply *reply)
{
        struct request *req = reply->req;
        const struct pipit_error *error = pipit_result_error(pipit__request_result(req));

        if (error == NULL) {
                pipit__request_skipped(req);
                return RETRY_AGAIN;
        }
        pipit__latency_failed(&reply->stmt->latency);
        if (error_is_of_sharing(error)) {
                pipit__request_run_alone(req);
                return RETRY_AGAIN;
        }
        if (strcmp(error->sqlstate, "25006") == 0)
                fail_not_a_read(pipit__request_result(req));
        return RETRY_NONE;
}

enum retry_decision
pipit__retry_decide(const struct reply *reply, bool failed, struct prepared *prepared)
{
        struct request *req = reply->req;

        if (!failed)
                return RETRY_NONE;
        if (reply_reprepares(reply, prepared))
                return RETRY_AGAIN;
        switch (reply->segment) {
        case SEGMENT_READS: return decide_read(reply);
        case SEGMENT_WRITES: pipit__request_run_alone(req); return RETRY_AGAIN;
        case SEGMENT_SINGLE:
        case SEGMENT_SESSION:
        case SEGMENT_TRANSACTION:
        case SEGMENT_COMMIT: break;
        }
        if (!pipit_failed(pipit__request_result(req)) && reply->skipped)
                pipit__result_fail(pipit__request_result(req), PIPIT_ESERVER,
                                   PIPIT_EXECUTED_ROLLED_BACK, PIPIT_PHASE_EXECUTE,
                                   "the server skipped the statement time and again: what was "
                                   "prepared in front of it could not be closed");
        return RETRY_NONE;
}

enum retry_decision
pipit__retry_decide_stray(const struct reply *reply)
{
        struct request *req = reply->req;
        const struct pipit_error *error = pipit_result_error(pipit__request_result(req));

        if (error == NULL || strcmp(error->sqlstate, "57014") != 0)
                return RETRY_NONE;
        if (pipit__request_may_share(req))
                return RETRY_AGAIN;
        fail_stray(pipit__request_result(req));
        return RETRY_NONE;
}

struct segment_timing
pipit__segment_time(struct latency_scale *scale, const struct reply *sync,
                    const struct flight *flight, bool is_last, int64_t read_us, int64_t now_us)
{
        int64_t since_us = sync->sent_us > read_us ? sync->sent_us : read_us;
        int64_t flight_us = now_us - flight->sent_us;
        struct segment_timing timing = {.now_ms = now_us / 1000, .us = now_us - since_us};

        /* What is usual is the usual of statements, not of connecting. */
        if (sync->n_statements == 0)
                return timing;
        timing.slow = pipit__latency_is_slow(scale, timing.us, sync->estimated_us);
        if (is_last && flight->n_statements > 0) {
                pipit__latency_learn(scale, flight_us, flight->estimated_us);
                timing.each_us = (float)flight_us / (float)flight->n_statements;
                timing.most_us = pipit__latency_most(scale);
        }
        return timing;
}

static void
lesson_end(struct segment_lesson *lesson)
{
        const struct segment_timing *timing = lesson->timing;
        struct latency *latency = &lesson->stmt->latency;

        pipit__latency_answered(latency, lesson->n, timing->us, timing->slow, timing->now_ms);
        if (timing->each_us > 0)
                pipit__latency_took(latency, lesson->n, timing->each_us);
        if (lesson->segment == SEGMENT_READS || lesson->segment == SEGMENT_WRITES)
                pipit__latency_took_together(latency, lesson->n);
        else if (timing->each_us > 0 && lesson->segment == SEGMENT_SINGLE)
                pipit__latency_took_alone(latency, timing->each_us, timing->most_us);
        pipit__stmt_unref(lesson->stmt);
        lesson->stmt = NULL;
}

void
pipit__segment_teach(struct segment_lesson *lesson, const struct reply *reply)
{
        if (lesson->stmt != reply->stmt) {
                pipit__segment_taught(lesson);
                lesson->stmt = pipit__stmt_ref(reply->stmt);
                lesson->segment = reply->segment;
                lesson->n = 0;
        }
        lesson->n++;
}

void
pipit__segment_taught(struct segment_lesson *lesson)
{
        if (lesson->stmt != NULL)
                lesson_end(lesson);
}
