/*
 * Requests: the numbers of outstanding operations, and how they end.
 *
 * The callback contract, for every function that takes a pipit_cb:
 *
 * - the call returns the request's number, or 0 when memory ran out; after a 0 there is no
 *   callback. Everything else that can go wrong arrives through the callback;
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
 * not sent yet. When it was sent, the server goes on with it, executed is "unknown", and its
 * answer is thrown away when it comes.
 *
 * @param scope    the scope it was started on; NULL does nothing
 * @param request  its number; one that has completed, or 0, does nothing
 */
PIPIT_API void pipit_cancel(struct pipit *scope, pipit_request request);

/**
 * Sets the time that is left to a request, from now: waiting, connecting and executing together.
 *
 * At its end the callback runs with PIPIT_ETIMEDOUT, and the message says what was waited for.
 * When the request was already sent, executed is "unknown".
 *
 * @param scope       the scope it was started on; NULL does nothing
 * @param request     its number; one that has completed, or 0, does nothing
 * @param timeout_ms  milliseconds; 0 lets it end in this turn of the loop, -1 takes the deadline
 * away
 */
PIPIT_API void pipit_set_timeout(struct pipit *scope, pipit_request request, int64_t timeout_ms);

/**
 * Adds a completion to a request: it is called with the same result, behind those already there.
 *
 * @param scope    the scope it was started on
 * @param request  its number
 * @param cb       called exactly once when 0 was returned, never otherwise
 * @param arg      passed to @a cb; not touched
 * @return 0; PIPIT_EINVAL when the request has completed or an argument is missing; PIPIT_ENOMEM
 */
PIPIT_API int pipit_then(struct pipit *scope, pipit_request request, pipit_cb cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
