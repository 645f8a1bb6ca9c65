/*
 * Transactions: scopes whose statements are committed together, or not at all.
 *
 * Statements of a transaction run on one connection in the order of the calls. BEGIN travels with
 * the first of them, and what is started in one turn of the loop travels together. The success of a
 * statement says that it was executed; the done callback of the transaction says that it was
 * committed.
 *
 * A transaction is doomed, and can only roll back, after
 * - an error of the server, unless pipit_may_fail() or a nested transaction has healed it,
 * - a cancel or a passed deadline of a statement that was sent,
 * - a start on it that returned 0,
 * - pipit_rollback(), and the loss of its connection.
 * What is started on it from then on fails with PIPIT_EROLLBACK, which names the cause. A row that
 * was not found, and an error that came before anything was sent, do not doom it.
 *
 * What is started on the parent while a transaction is nested in it waits behind that.
 *
 * Statements leave the connection as they found it: after a statement that changes the session
 * (SET, LISTEN, PREPARE, CREATE TEMPORARY TABLE ...) it is cleaned before others use it. What no
 * command tag tells, as SELECT pg_advisory_lock() or set_config(), stays: that is for sessions.
 */
#ifndef PIPIT_TRANSACTION_H
#define PIPIT_TRANSACTION_H

#include <pipit/export.h>
#include <pipit/request.h>
#include <pipit/result.h>
#include <pipit/session.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Isolation levels of PostgreSQL. */
enum pipit_isolation {
        PIPIT_ISOLATION_DEFAULT, /**< what the server, the database or the role has set */
        PIPIT_READ_COMMITTED,
        PIPIT_REPEATABLE_READ,
        PIPIT_SERIALIZABLE
};

/** How a transaction runs. `{0}` is the default of everything; the first four are for outermost
 * transactions, and PIPIT_EINVAL for one that is nested. */
struct pipit_transaction {
        enum pipit_isolation isolation;
        bool read_only;    /**< it can only read */
        bool deferrable;   /**< with PIPIT_SERIALIZABLE and read_only: waits until it cannot fail */
        int max_attempts;  /**< how often the body runs at most when serialization fails or there is
                              a deadlock (40001, 40P01). Default 3; 1 never runs it again. Only for
                              pipit_atomic_with(): there is no body to run again by hand */
        bool commit_early; /**< when all statements that the body has started can travel at once,
                              COMMIT goes with them: the whole transaction is one round trip, and
                              known statements need neither BEGIN nor COMMIT for it. Their
                              callbacks run when it is decided already: what they start then fails
                              with PIPIT_ECLOSED. Not for nested ones */
        int64_t timeout_ms; /**< time for all of it, its attempts and its waits included. Default:
                               timeout_ms of the database; -1 none */
};

/**
 * Runs a body in a transaction, which commits when nothing is outstanding on it any more, and rolls
 * back when it is doomed. On a transaction it is a nested one, a savepoint, whose failure leaves
 * the outer one to go on; what is nested in more than 100 fails with PIPIT_EINVAL.
 *
 * When the server reports a serialization failure or a deadlock, COMMIT included, an outermost
 * transaction is rolled back and its body runs again from the start, after a short random pause:
 * callbacks of the first run have had their errors then. pipit_attempt() tells the body which run
 * this is. It never runs again when the outcome is unknown.
 *
 * @param scope  a database, a blocking scope, a session or a transaction; NULL returns 0. A session
 *               inside of a transaction in plain SQL fails it with PIPIT_EINVAL
 * @param body   called once for each attempt; may start nothing: then there is no transaction
 * @param done   called once, behind the last callback of the transaction's requests. Success:
 *               committed, or, of a nested one, executed. Else the error that doomed it;
 *               PIPIT_EROLLBACK after pipit_rollback(). executed says what became of it: "unknown"
 *               only when the connection was lost, or the time was over, while COMMIT was out. Its
 *               result belongs to @a scope; pipit_result_attempts() says how often the body ran.
 *               May be NULL
 * @param arg    passed to both; not touched
 * @return the request's number, on @a scope: cancelled, the transaction rolls back; 0 when memory
 *         ran out, then nothing is called
 */
PIPIT_API pipit_request pipit_atomic(struct pipit *scope, pipit_body body, pipit_cb done,
                                     void *arg);

/**
 * The same with options.
 *
 * @param scope    as above
 * @param options  copied; NULL for the defaults
 * @param body     as above
 * @param done     as above
 * @param arg      as above
 * @return as above
 */
PIPIT_API pipit_request pipit_atomic_with(struct pipit *scope,
                                          const struct pipit_transaction *options, pipit_body body,
                                          pipit_cb done, void *arg);

/**
 * Begins a transaction by hand, or a nested one. What is started on it waits for its connection.
 *
 * @param scope    as above; NULL returns NULL
 * @param options  copied; NULL for the defaults; the time begins now
 * @return a scope, to be ended with pipit_commit(), pipit_rollback() or pipit_close(), which rolls
 *         back. Closing @a scope closes it. It may be used until the callback of its end has
 *         returned; what is started after its end fails with PIPIT_ECLOSED. When its time is over
 * or its connection is lost it can only roll back, and it is there until it is ended. NULL when
 *         memory ran out and on another thread
 */
PIPIT_API struct pipit *pipit_begin(struct pipit *scope, const struct pipit_transaction *options);

/**
 * Commits a transaction that was begun by hand, behind all that was started on it; of a nested one,
 * releases its savepoint. It takes nothing from then on.
 *
 * @param tx   from pipit_begin(); a transaction of pipit_atomic(), which commits by itself, and
 *             every other scope fail with PIPIT_EINVAL; one that was ended already with
 *             PIPIT_ECLOSED. NULL returns 0
 * @param cb   called once: success when committed, else the error that doomed it, or that of the
 *             COMMIT. The result belongs to the scope that @a tx was begun on, and @a tx goes
 *             behind it. May be NULL
 * @param arg  passed to @a cb; not touched
 * @return the request's number, on the scope that @a tx was begun on; 0 for another thread
 */
PIPIT_API pipit_request pipit_commit(struct pipit *tx, pipit_cb cb, void *arg);

/**
 * Rolls a transaction back. What was sent comes to its end first; what was not fails with
 * PIPIT_EROLLBACK. In a body or a callback of pipit_atomic() it is doomed by this, and its done
 * callback gets PIPIT_EROLLBACK; it does not run again.
 *
 * @param tx   a transaction; other scopes fail with PIPIT_EINVAL, ended ones with PIPIT_ECLOSED.
 *             NULL returns 0
 * @param cb   called once: success when it is, or surely will be, rolled back. May be NULL
 * @param arg  passed to @a cb; not touched
 * @return the request's number: on the scope that @a tx was begun on, or on @a tx in a body; 0 when
 *         memory ran out: it is doomed all the same
 */
PIPIT_API pipit_request pipit_rollback(struct pipit *tx, pipit_cb cb, void *arg);

/**
 * Lets a request of a transaction fail without dooming it: it runs in a savepoint of its own.
 *
 * @param tx       the transaction it was started on
 * @param request  one that was started in this turn of the loop, or is not sent yet
 * @return 0; PIPIT_EINVAL when it was sent already, has completed, or @a tx is no transaction
 */
PIPIT_API int pipit_may_fail(struct pipit *tx, pipit_request request);

/**
 * Which run of its body this is.
 *
 * @param tx  a transaction
 * @return from 1; 0 for any other scope, and for NULL
 */
PIPIT_API int pipit_attempt(const struct pipit *tx);

/**
 * How often the body ran.
 *
 * @param res  what the done callback of pipit_atomic() is given
 * @return 1 and more; 0 when the body did not run, and for any other result
 */
PIPIT_API int pipit_result_attempts(const struct pipit_result *res);

/**
 * Opens a scope for tests: everything that runs on it happens in one transaction, which is rolled
 * back when it is closed. Code under test may take it for a database: each statement has its own
 * savepoint, so an error harms no other; pipit_atomic() and pipit_begin() work on it, and their
 * COMMITs only release savepoints. Deferred constraints are not checked, and now() stands still.
 *
 * @param db  a database or a blocking scope; NULL returns NULL
 * @return a scope, to be ended with pipit_close(); it has no deadline of its own. NULL when memory
 *         ran out and on another thread
 */
PIPIT_API struct pipit *pipit_test_scope(struct pipit *db);

#ifdef __cplusplus
}
#endif

#endif
