/*
 * Sending of subscopes. See subscope_send.h.
 */
#include "scope/subscope_send.h"

#include "conn/conn.h"
#include "loop/deadline.h"
#include "request/request.h"
#include "request/stmt.h"
#include "request/stmt_text.h"
#include "scope/lease.h"
#include "scope/subscope_int.h"

/* How much later than here a deadline passes on the server, which is asked to cancel first. */
#define SERVER_SLACK_MS 1000

/* Whether the server is to have that time as its statement_timeout. A stricter one, of the server
 * or the role, is not lifted; nor is one that nobody here knows, as the user's own in a session. */
static bool
subscope_may_limit(const struct subscope *subscope, int64_t limit_ms)
{
        int64_t own_ms = pipit__lease_statement_timeout_ms(subscope->lease);

        return subscope->up == NULL && (own_ms == 0 || own_ms > limit_ms);
}

/* Milliseconds after which the server is to end a statement by itself; 0: never. */
static int64_t
subscope_server_timeout(const struct subscope *subscope)
{
        int64_t all_ms = subscope->options.timeout_ms;
        int64_t left_ms = pipit__request_deadline_ms(subscope->request) -
                          pipit__lease_now_ms(subscope->lease);

        if (all_ms <= 0)
                return 0;
        if (left_ms > all_ms) /* a deadline begins with the next tick of a clock */
                left_ms = all_ms;
        left_ms = pipit__deadline_after(left_ms, SERVER_SLACK_MS);
        if (left_ms > INT32_MAX)
                left_ms = INT32_MAX;
        return subscope_may_limit(subscope, left_ms) ? left_ms : 0;
}

/* Begins what is not begun yet, from the outermost subscope on. */
static void
subscope_begin(struct subscope *subscope)
{
        if (subscope->up != NULL && pipit__subscope_is_transaction(subscope->up))
                subscope_begin(subscope->up);
        if (subscope->begun)
                return;
        subscope->begun = true;
        if (subscope->level > 0)
                pipit__lease_savepoint(subscope->lease, subscope->level);
        else
                pipit__lease_begin(subscope->lease, &subscope->options,
                                   subscope_server_timeout(subscope));
}

/* Takes the statements that can travel together off the queue. Returns whether it is one whose
 * types are to be asked for first. */
static bool
subscope_take(struct subscope *subscope, struct list *requests)
{
        int room = pipit__lease_leases(subscope->lease)->max_batch;

        for (; room > 0 && !list_empty(&subscope->queue); room--) {
                struct request *req = pipit__request_first(&subscope->queue);
                if (pipit__subscope_of(req) != NULL)
                        return false;
                bool asks = pipit__lease_lacks_types(subscope->lease, pipit__request_stmt(req));
                bool alone = pipit__request_may_fail(req) || subscope->kind == SUBSCOPE_TEST;
                if ((alone || asks) && !list_empty(requests))
                        return false;
                pipit__request_append(req, requests);
                if (alone)
                        pipit__lease_expect_failure(subscope->lease, subscope->level + 1);
                if (alone || asks)
                        return asks;
                /* The next one may have to ask. */
                if ((pipit__stmt_traits(pipit__request_stmt(req)) & STMT_CHANGES_STYLE) != 0)
                        return false;
        }
        return false;
}

/* Whether COMMIT can go along with what is sent now. */
static bool
subscope_commits_along(const struct subscope *subscope, const struct list *requests)
{
        int n = 0;

        LIST_EACH(link, requests)
                n++;
        return subscope->options.commit_early && subscope->body != NULL && subscope->level == 0 &&
               subscope->holds == 0 && !pipit__lease_has_stmt_savepoint(subscope->lease) &&
               list_empty(&subscope->queue) && n == pipit__scope_n_requests(&subscope->scope);
}

/*
 * Whether BEGIN and COMMIT can be left out of a transaction that is sent as a whole: what lies
 * between two Syncs is committed together. Only statements that are known to have no say in that
 * themselves: CALL may commit, VACUUM wants to be alone, LOCK TABLE wants to be told of BEGIN.
 */
static bool
subscope_is_implicit(const struct subscope *subscope, const struct list *requests)
{
        const struct pipit_transaction *options = &subscope->options;

        if (subscope->begun || pipit__lease_has_commands(subscope->lease) ||
            options->timeout_ms > 0 || options->isolation != PIPIT_ISOLATION_DEFAULT ||
            options->read_only || options->deferrable)
                return false;
        LIST_EACH(link, requests) {
                if (!pipit__stmt_is_plain(pipit__request_stmt(pipit__request_of(link))))
                        return false;
        }
        return true;
}

void
pipit__subscope_send_commit(struct subscope *subscope, struct list *requests, bool implicit)
{
        struct bracket bracket = {.ops = &pipit__subscope_sent_ops,
                                  .commit = subscope->request,
                                  .commit_ops = &pipit__subscope_own_ops,
                                  .commit_holder = subscope,
                                  .implicit = implicit};
        struct list none;

        list_init(&none);
        pipit__subscope_enter(subscope, SUBSCOPE_ENDING);
        pipit__scope_enter(&subscope->scope, SCOPE_CLOSED);
        pipit__lease_send(subscope->lease, requests != NULL ? requests : &none, &bracket);
        if (pipit__request_state(subscope->request) == REQUEST_HELD)
                pipit__subscope_enter(subscope, SUBSCOPE_RUNNING);
}

/* Sends the next statements of a transaction, and what goes around them. */
static void
subscope_send_bracket(struct subscope *subscope, struct list *requests)
{
        struct bracket bracket = {.ops = &pipit__subscope_sent_ops};
        struct lease *lease = subscope->lease;

        pipit__lease_end_stmt_savepoint(lease);
        bracket.asks = subscope_take(subscope, requests);
        bool commits = !bracket.asks && subscope_commits_along(subscope, requests);
        bool implicit = commits && subscope_is_implicit(subscope, requests);
        if (!implicit)
                subscope_begin(subscope);
        pipit__lease_begin_stmt_savepoint(lease);
        if (commits)
                pipit__subscope_send_commit(subscope, requests, implicit);
        else
                pipit__lease_send(lease, requests, &bracket);
}

void
pipit__subscope_send(struct subscope *subscope)
{
        struct list requests;

        list_init(&requests);
        if (subscope->kind == SUBSCOPE_SESSION) {
                bool asks = subscope_take(subscope, &requests);
                pipit__lease_send_singles(subscope->lease, &requests, &pipit__subscope_sent_ops,
                                          asks);
        } else {
                subscope_send_bracket(subscope, &requests);
        }
        /* The connection was lost: they are told at the subscope's end. */
        list_splice(&requests, &subscope->queue);
        list_splice(&subscope->queue, &requests);
}
