/*
 * Transactions
 *
 * A transaction is a scope whose statements are committed together, or not at all.
 *
 * Statements of a transaction run on one connection, in the order of the calls. BEGIN travels with
 * the first of them, and statements that are started in one turn of the loop travel together. The
 * success of a statement says that it was executed; the done callback of the transaction says that
 * all of them were committed.
 *
 * A transaction is doomed, and can only roll back, after one of these events:
 * - the server reported an error, unless the statement was marked with pipit_may_fail() or was part
 *   of a nested transaction;
 * - the server says that the transaction has failed or is over, whatever its statements were told;
 * - a statement that had been sent was cancelled, or its deadline passed;
 * - a start on the transaction returned 0;
 * - pipit_rollback() was called, or the connection was lost.
 *
 * A request that is started on a doomed transaction, or waits on it, fails with PIPIT_EROLLBACK,
 * and the message names the cause. A row that was not found dooms nothing, nor does an error that
 * came before anything was sent.
 *
 * While a transaction is nested in another, requests that are started on the outer one wait for the
 * end of the nested one.
 *
 * After a statement that changes the session (SET, PREPARE, CREATE TEMPORARY TABLE …) the
 * connection is cleaned before others use it, which costs a round trip and all that was prepared on
 * it. SET LOCAL and pipit_set_local() end with the transaction, and need no cleaning. pipit notices
 * statements that change the session by their command tags, so the effect of a function, as of
 * SELECT pg_advisory_lock() or set_config(), stays: call these on a session.
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

/** The isolation level of a transaction, as PostgreSQL defines it. */
enum pipit_isolation {
        PIPIT_ISOLATION_DEFAULT, /**< the level that server, database or role have set */
        PIPIT_READ_COMMITTED,    /**< each statement sees what was committed before it began */
        PIPIT_REPEATABLE_READ,   /**< all statements see one snapshot */
        PIPIT_SERIALIZABLE       /**< as if transactions ran one after the other, or fail */
};

/**
 * The options of a transaction. `{0}` is the default of everything. All members but timeout_ms are
 * for outermost transactions; a nested one that sets one of them fails with PIPIT_EINVAL.
 */
struct pipit_transaction {
        /** Isolation level. Default: that of server, database or role. */
        enum pipit_isolation isolation;
        /** Makes the transaction read-only: a statement that writes fails with SQLSTATE 25006. */
        bool read_only;
        /** Makes the transaction wait at its start until it can run without the risk of a
         * serialization failure. Matters only together with PIPIT_SERIALIZABLE and read_only. */
        bool deferrable;
        /** Runs of the body, at most, when the server reports a serialization failure or a deadlock
         * (40001, 40P01). Default 3; 1 never runs it again. For pipit_atomic_with() only: a
         * transaction begun by hand has no body to run again. */
        int max_attempts;
        /** Sends COMMIT with the statements, if all that the body has started can travel at once:
         * the transaction is one round trip, and statements that are known from earlier runs need
         * neither BEGIN nor COMMIT. The callbacks run when the outcome is decided already, so a
         * request that they start on the transaction fails with PIPIT_ECLOSED. */
        bool commit_early;
        /** Time for the transaction as a whole, its attempts and its waits included, in
         * milliseconds. Default: timeout_ms of the database; -1 none. With any other negative
         * number the transaction fails with PIPIT_EINVAL. */
        int64_t timeout_ms;
        /** Room for later versions, whose options take its place: so the size never changes. Leave
         * all of it NULL: otherwise the transaction fails with PIPIT_EINVAL. */
        void *reserved[8];
};

/**
 * Runs a body in a transaction. The transaction commits when nothing is outstanding on it any more,
 * and rolls back if it is doomed. On a transaction this makes a nested one, a savepoint, and if
 * that fails the outer one goes on. At most 100 transactions can be nested; one more fails with
 * PIPIT_EINVAL.
 *
 * If the server reports a serialization failure or a deadlock, at COMMIT too, an outermost
 * transaction is rolled back and its body runs again from the start, after a short random pause. By
 * then the callbacks of the first run have had their errors. pipit_attempt() tells the body which
 * run this is. A body never runs again if the outcome of the last run is unknown.
 *
 * @param scope  a database, a blocking scope, a session or a transaction; NULL returns 0. On a
 *               session that is inside a transaction in plain SQL, this fails with PIPIT_EINVAL
 * @param body   called once for each attempt; if it starts nothing, no transaction is begun. NULL
 *               fails with PIPIT_EINVAL
 * @param done   called once, after the last callback of the transaction's requests. Success says
 *               committed, or, for a nested transaction, executed. Otherwise the error is the one
 *               that doomed the transaction, PIPIT_EROLLBACK after pipit_rollback(). Its member
 *               executed is PIPIT_EXECUTED_UNKNOWN only if the connection was lost, the time was
 *               over or the transaction was cancelled after COMMIT had been sent. The result's
 *               scope is @a scope; pipit_result_attempts() says how often the body ran. May be NULL
 * @param arg    passed to both; not touched
 * @return the number of a request on @a scope; to cancel it rolls the transaction back. 0 if memory
 *         ran out, and then neither @a body nor @a done is called
 */
PIPIT_API pipit_request pipit_atomic(struct pipit *scope, pipit_body body, pipit_cb done,
                                     void *arg);

/**
 * Runs a body in a transaction with options; see pipit_atomic().
 *
 * @param scope    as for pipit_atomic()
 * @param options  copied; NULL for the defaults; values out of range fail with PIPIT_EINVAL
 * @param body     as for pipit_atomic()
 * @param done     as for pipit_atomic()
 * @param arg      as for pipit_atomic()
 * @return as pipit_atomic()
 */
PIPIT_API pipit_request pipit_atomic_with(struct pipit *scope,
                                          const struct pipit_transaction *options, pipit_body body,
                                          pipit_cb done, void *arg);

/**
 * Begins a transaction by hand, or one that is nested in another. Requests that are started on it
 * wait for its connection.
 *
 * The transaction may be used until the callback of its end has returned; a request that is started
 * after its end fails with PIPIT_ECLOSED. When its time is over or its connection is lost, it can
 * only roll back, and its scope stays until the caller ends it.
 *
 * @param scope    as for pipit_atomic(); NULL returns NULL
 * @param options  copied; NULL for the defaults; values out of range make a transaction on which
 *                 every request fails with PIPIT_EINVAL. Its time begins now
 * @return a scope; the caller ends it with pipit_commit(), pipit_rollback() or pipit_close(), which
 *         rolls back. Closing @a scope closes it, too. NULL if memory ran out and on another thread
 */
PIPIT_API struct pipit *pipit_begin(struct pipit *scope, const struct pipit_transaction *options);

/**
 * Commits a transaction that was begun by hand, after all that was started on it; of a nested one,
 * releases the savepoint. The transaction takes no request from now on.
 *
 * @param tx   a transaction from pipit_begin(). One of pipit_atomic(), which commits by itself, and
 *             every other scope fail with PIPIT_EINVAL; one that was ended already fails with
 *             PIPIT_ECLOSED. NULL returns 0
 * @param cb   called once: with success if the transaction is committed, otherwise with the error
 *             that doomed it, or with that of the COMMIT. The result's scope is the one that @a tx
 *             was begun on, and the memory of @a tx is freed after the callback. May be NULL
 * @param arg  passed to @a cb; not touched
 * @return the number of a request on the scope that @a tx was begun on; 0 on another thread, and if
 *         memory ran out for the failure of a wrong @a tx
 */
PIPIT_API pipit_request pipit_commit(struct pipit *tx, pipit_cb cb, void *arg);

/**
 * Rolls a transaction back. Statements that were sent come to their end first; statements that were
 * not fail with PIPIT_EROLLBACK. A transaction of pipit_atomic() is doomed by this: its done
 * callback gets PIPIT_EROLLBACK, and its body does not run again.
 *
 * @param tx   a transaction; other scopes fail with PIPIT_EINVAL, and one that has ended with
 *             PIPIT_ECLOSED. NULL returns 0
 * @param cb   called once: with success if the transaction is rolled back, or surely will be. May
 *             be NULL
 * @param arg  passed to @a cb; not touched
 * @return the request's number: on the scope that @a tx was begun on, or, for a transaction of
 *         pipit_atomic(), on @a tx; 0 if memory ran out, and the transaction is doomed all the same
 */
PIPIT_API pipit_request pipit_rollback(struct pipit *tx, pipit_cb cb, void *arg);

/**
 * Sets a setting of the server for the rest of a transaction, as SET LOCAL does: the tenant that
 * row-level security looks at, statement_timeout, search_path, role. The setting travels with the
 * statements around it, in the order of the calls, costs no round trip, and the connection needs no
 * cleaning afterwards. Around a nested transaction that rolls back it is as before.
 *
 * If the setting cannot be set, for a wrong argument or in the opinion of the server, the
 * transaction is doomed, so that nothing runs without it.
 *
 * @param tx     a transaction or a test scope; any other scope fails with PIPIT_EINVAL; NULL
 *               returns 0
 * @param name   of letters, digits, _ and dots, up to 63 bytes; copied. client_encoding and
 *               standard_conforming_strings, which pipit relies on, fail with PIPIT_EINVAL, as do
 *               NULL and what is no such name
 * @param value  its value as text, which never becomes SQL; copied. NULL fails with PIPIT_EINVAL
 * @return the number of a request without a callback, to which pipit_then() adds one; 0 if memory
 *         ran out, and then the transaction is doomed, and on another thread
 */
PIPIT_API pipit_request pipit_set_local(struct pipit *tx, const char *name, const char *value);

/**
 * Lets a statement fail without dooming its transaction: the statement runs in a savepoint of its
 * own. This costs a round trip, because the statements after it wait for its end.
 *
 * @param tx       the transaction that the statement was started on
 * @param request  its number; one that was started in this turn of the loop has not been sent yet
 * @return 0; PIPIT_EINVAL if the statement has been sent or has completed, if the request is a
 *         nested transaction, which is a savepoint already, or if @a tx is no transaction
 */
PIPIT_API int pipit_may_fail(struct pipit *tx, pipit_request request);

/**
 * Tells which run of its body a transaction is in.
 *
 * @param tx  a transaction
 * @return 1 for the first run, and so on; 0 for any other scope, and for NULL
 */
PIPIT_API int pipit_attempt(const struct pipit *tx);

/**
 * Tells how often the body of a transaction ran.
 *
 * @param res  the result that the done callback of pipit_atomic() is given
 * @return 1 or more; 0 if the body did not run, and for any other result
 */
PIPIT_API int pipit_result_attempts(const struct pipit_result *res);

/**
 * Opens a scope for tests. Everything that runs on it happens in one transaction, which is rolled
 * back when the scope is closed.
 *
 * Code under test may take the scope for a database. Each statement has its own savepoint, so an
 * error harms no other statement; pipit_atomic() and pipit_begin() work on it, and their COMMITs
 * only release savepoints. Deferred constraints are not checked, now() stands still, and sequences
 * are not set back. The scope itself has no deadline; its requests have theirs.
 *
 * @param db  a database or a blocking scope; any other scope makes one on which every request fails
 *            with PIPIT_EINVAL; NULL returns NULL
 * @return a scope; the caller ends it with pipit_close(). NULL if memory ran out and on another
 *         thread
 */
PIPIT_API struct pipit *pipit_test_scope(struct pipit *db);

#ifdef __cplusplus
}
#endif

#endif
