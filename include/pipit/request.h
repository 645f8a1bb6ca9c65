/*
 * Requests: the numbers of outstanding operations, and how they end.
 *
 * The callback contract, for every function that takes a pipit_cb:
 *
 * - the call returns the request's number, or 0: when memory ran out, for a NULL scope, on another
 *   thread and in a forked child. After a 0 there is no callback. Everything else that can go wrong
 *   arrives through the callback;
 * - after a number the callback runs exactly once, whatever happens: success, error, lost
 *   connection, deadline, cancel, close;
 * - it never runs inside the call that started it. It runs from the event loop, or, in a blocking
 *   scope, from pipit_wait() or pipit_close();
 * - inside it any function of pipit may be called, closing the scope included.
 */
#ifndef PIPIT_REQUEST_H
#define PIPIT_REQUEST_H

#include <pipit/export.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pipit;
struct pipit_result;

/**
 * The number of one outstanding operation. Never dangles: from the moment its first callback is
 * about to run it names nothing any more, and using it does nothing. 0 names nothing.
 * Numbers of different databases may be equal.
 */
typedef uint64_t pipit_request;

/**
 * How a request ended.
 *
 * @param res  rows or error; borrowed until the callback returns, pipit_result_ref() keeps it
 * @param arg  what the start was given; pipit never touches it
 */
typedef void (*pipit_cb)(struct pipit_result *res, void *arg);

/**
 * Gives a request up.
 *
 * Its callback still runs once, from the loop, with PIPIT_ECANCELED: executed is "no" when it was
 * not sent yet. When it was sent, executed is "unknown", its answer is thrown away when it comes,
 * and the server is asked to stop: about what it executes now, and only when nobody waits for
 * another statement that shares its Sync. Its connection takes nothing new until it is answered and
 * the cancel has ended. When the server cannot be asked within 2 seconds, or does not stop within 5
 * more, the connection is closed as soon as nobody waits on it.
 *
 * A statement that was sent behind it can be hit in its place. A declared read, and a write that
 * may be grouped, is then run again; any other fails with PIPIT_ESERVER, SQLSTATE 57014 and
 * executed "rolled back".
 *
 * @param scope    the scope it was started on; NULL does nothing
 * @param request  its number; 0, or one that has completed or failed already, does nothing
 */
PIPIT_API void pipit_cancel(struct pipit *scope, pipit_request request);

/**
 * Sets the time that is left to a request, from now: waiting, connecting and executing together.
 *
 * At its end the callback runs with PIPIT_ETIMEDOUT, and the message says what was waited for.
 * When the request was already sent, executed is "unknown", and the server is asked to stop, as by
 * pipit_cancel(). acquire_timeout_ms of the options holds besides.
 *
 * @param scope       the scope it was started on; NULL does nothing
 * @param request     its number; 0, or one that has completed or failed already, does nothing
 * @param timeout_ms  milliseconds; 0 ends it as soon as the loop turns, -1 takes the deadline away
 */
PIPIT_API void pipit_set_timeout(struct pipit *scope, pipit_request request, int64_t timeout_ms);

/**
 * Adds a callback to a request: it is called with the same result, behind those already there.
 *
 * @param scope    the scope it was started on
 * @param request  its number
 * @param cb       called exactly once, from the loop, when 0 was returned; never otherwise
 * @param arg      passed to @a cb; not touched
 * @return 0; PIPIT_EINVAL when the request has completed, an argument is missing or this is another
 *         thread; PIPIT_ENOMEM
 */
PIPIT_API int pipit_then(struct pipit *scope, pipit_request request, pipit_cb cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
