/*
 * Plain SQL.
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
 * Sent at the end of this turn of the loop. On a database several requests run at once, on several
 * connections, in no order; one that must come after another is started in its callback. Success
 * means that the statement is committed. Statements that change their session or open a
 * transaction (BEGIN, SET, LISTEN, PREPARE and the like), and COPY from or to the client, fail with
 * PIPIT_EUNSHARED and cost the connection: what was sent behind them on it ends as "unknown".
 *
 * @param scope   where it runs; NULL returns 0
 * @param sql     one statement, NUL-terminated UTF-8, parameters as $1, $2 …; copied. NULL fails
 *                with PIPIT_EINVAL
 * @param params  the values, $1 first; copied; PIPIT_NO_PARAMS for none. The server infers their
 *                types from the statement: write $1::int where it cannot
 * @param cb      called exactly once, from the loop, never before this returns; may be NULL
 * @param arg     passed to @a cb; not touched
 * @return the request's number, to cancel it by; 0 when memory ran out, for a NULL scope and on
 *         another thread: then @a cb is not called
 */
PIPIT_API pipit_request pipit_query(struct pipit *scope, const char *sql,
                                    struct pipit_params params, pipit_cb cb, void *arg);

/**
 * The same for a statement that is declared a read: it has no effect at all. It writes nothing,
 * notifies nobody, takes no lock that outlives it (as SELECT … FOR UPDATE does not), and changes no
 * setting.
 *
 * Such statements are several times as fast when there are many at once: they share round trips and
 * transactions with other reads, and one that fails is the only one to fail. In return one may run
 * twice, when a neighbour failed, and it completes as soon as its rows are there. pipit never
 * guesses this from the text; selects and gets of a model are reads by themselves. A statement that
 * does write fails with SQLSTATE 25006 when it shared, and is executed when it ran alone.
 *
 * @param scope   as pipit_query()
 * @param sql     as pipit_query()
 * @param params  as pipit_query()
 * @param cb      as pipit_query()
 * @param arg     as pipit_query()
 * @return as pipit_query()
 */
PIPIT_API pipit_request pipit_read(struct pipit *scope, const char *sql, struct pipit_params params,
                                   pipit_cb cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
