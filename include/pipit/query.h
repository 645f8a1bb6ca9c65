/*
 * Queries
 *
 * A query is one SQL statement as text, with its values beside it. Values travel apart from the
 * text and never become a part of it.
 */
#ifndef PIPIT_QUERY_H
#define PIPIT_QUERY_H

#include <pipit/export.h>
#include <pipit/request.h>
#include <pipit/result.h>
#include <pipit/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Runs one statement and hands its result to @a cb.
 *
 * The statement is sent at the end of this turn of the loop. On a database, several requests run
 * at the same time, on several connections and in no order: start a request that must come after
 * another in the other's callback. Success means that the statement is committed; on a transaction,
 * that it was executed. On a database, statements that change their session or open a transaction
 * (BEGIN, SET, LISTEN, PREPARE and the like) and COPY from or to the client fail with
 * PIPIT_EUNSHARED, and their connection is closed: statements that were sent after them on that
 * connection end with PIPIT_EXECUTED_UNKNOWN. LISTEN fails so on any scope, because pipit has
 * nobody to give notifications to; a session and a transaction go on after it.
 *
 * @param scope   where the statement runs; NULL returns 0
 * @param sql     one statement, NUL-terminated UTF-8, with parameters as $1, $2 …; copied. NULL
 *                fails with PIPIT_EINVAL
 * @param params  the values, that of $1 first; copied; PIPIT_NO_PARAMS for none. The server infers
 *                their types from the statement; where it cannot, write $1::int or the like
 * @param cb      called exactly once, from the loop, never before this returns; may be NULL
 * @param arg     passed to @a cb; not touched
 * @return the request's number, to cancel it by; 0 if memory ran out, for a NULL scope and on
 *         another thread, and then @a cb is not called
 */
PIPIT_API pipit_request pipit_query(struct pipit *scope, const char *sql,
                                    struct pipit_params params, pipit_cb cb, void *arg);

/**
 * Runs one statement that its caller declares to be a read: a statement without any effect. A read
 * writes nothing, notifies nobody, changes no setting, and takes no lock that outlives it, so
 * SELECT … FOR UPDATE is no read.
 *
 * Many reads at once are several times as fast as many queries, because reads share round trips and
 * transactions, and one that fails is still the only one to fail. In return, a read may run more
 * than once: if another that shared its transaction failed, and, on a database, if its connection
 * was lost or it was in conflict with what a replica replays (SQLSTATE 40001, 40P01). Of the latter
 * it runs again twice within its deadline, the second time alone on a connection, and then has the
 * error. A read completes as soon as its rows are there.
 * pipit never guesses from the text that a statement is a read. Selects and gets of a model are
 * reads by themselves. A statement that does write, although it was declared a read, fails with
 * SQLSTATE 25006 if it shared a transaction, and is executed if it ran alone; with the option
 * strict_reads, for tests, it fails in either case.
 *
 * @param scope   as for pipit_query()
 * @param sql     as for pipit_query()
 * @param params  as for pipit_query()
 * @param cb      as for pipit_query()
 * @param arg     as for pipit_query()
 * @return as pipit_query()
 */
PIPIT_API pipit_request pipit_read(struct pipit *scope, const char *sql, struct pipit_params params,
                                   pipit_cb cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
