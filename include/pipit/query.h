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

#ifdef __cplusplus
}
#endif

#endif
