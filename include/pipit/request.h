/*
 * Requests
 *
 * A request is one outstanding operation: a query, a get, a session, a transaction, a drain. The
 * call that starts it returns its number, and a callback tells how it ended. Every function that
 * takes a pipit_cb keeps this contract:
 *
 * - The call returns the request's number, or 0. A 0 means that memory ran out, that the scope is
 *   NULL, or that the caller is another thread or a forked child; then the callback is never
 *   called. Every other failure arrives through the callback.
 * - After a number the callback runs exactly once, whatever happens: success, error, lost
 *   connection, deadline, cancel, close.
 * - The callback never runs inside the call that started the request. The event loop calls it, or,
 *   in a blocking scope, pipit_wait() or pipit_close() does.
 * - A callback may call any function of pipit; it may close its own scope.
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
 * The number of one outstanding request.
 *
 * A number never dangles: from the moment at which the first callback of the request is about to
 * run it names nothing, and using it does nothing. 0 names nothing, ever. Requests of different
 * databases may have equal numbers.
 */
typedef uint64_t pipit_request;

/**
 * A callback: pipit calls it once, when a request has completed.
 *
 * @param res  the rows or the error; never NULL; borrowed until the callback returns, and
 *             pipit_result_ref() keeps it for longer
 * @param arg  the pointer that the start was given; pipit does not touch what it points to
 */
typedef void (*pipit_cb)(struct pipit_result *res, void *arg);

/**
 * Cancels a request.
 *
 * The request's callback still runs once, from the loop, with PIPIT_ECANCELED. If the statement had
 * not been sent, the error's member executed is PIPIT_EXECUTED_NO. If it had been sent, executed is
 * PIPIT_EXECUTED_UNKNOWN, the answer is thrown away when it comes, and the server is asked to stop
 * the statement: only while that statement is the one that executes, and only if nobody waits for
 * another statement that shares its Sync. The connection takes nothing new until the statement has
 * been answered and the cancel has ended. If the server cannot be asked within 2 seconds, or does
 * not stop within 1 more, the connection is closed as soon as nobody waits on it.
 *
 * PostgreSQL cancels whatever executes when the cancel arrives, and that may be the next statement
 * on the connection. If a declared read, or a write that may be grouped, is hit, pipit runs it
 * again; any other statement fails with PIPIT_ESERVER, SQLSTATE 57014 and
 * PIPIT_EXECUTED_ROLLED_BACK.
 *
 * @param scope    the scope that the request was started on; NULL does nothing
 * @param request  its number; 0 does nothing, and so does a request that has ended, even if its
 *                 callback has not run yet
 */
PIPIT_API void pipit_cancel(struct pipit *scope, pipit_request request);

/**
 * Cancels a request, as pipit_cancel() does, when the other side of a descriptor hangs up: when the
 * client goes away that the request is for. <pipit/evhttp.h> has this for servers made with evhttp.
 *
 * The watch ends by itself when the request completes. Nothing of the descriptor's events and data
 * is touched, and the program may close it at any time, which counts as a hang-up. A request that
 * has completed within some 10 milliseconds has cost one system call for this; one that is still
 * open then takes a descriptor of its own (dup()) until it completes, so a server needs up to one
 * more for each request that lasts. While none is to be had, pipit tries again.
 *
 * A client that ends its side and still waits for an answer counts as gone. If a proxy is in front
 * of the server, the client is the proxy.
 *
 * @param scope    the scope that the request was started on; NULL fails with PIPIT_EINVAL
 * @param request  its number; another call for it takes the place of the one before
 * @param fd       a socket, a pipe or the like, borrowed
 * @return 0; PIPIT_EINVAL if the request has completed, @a fd is not open or is a file, the event
 *         base cannot tell of hang-ups (epoll can), or the caller is another thread; PIPIT_ENOMEM.
 *         After a failure nothing happens when the client goes away
 */
PIPIT_API int pipit_cancel_on_close_fd(struct pipit *scope, pipit_request request, int fd);

/**
 * Sets a request's deadline: the time, from now, for waiting, connecting and executing together.
 *
 * When the time is over, the callback runs with PIPIT_ETIMEDOUT, and the message says what the
 * request had been waiting for. If the statement had been sent, executed is PIPIT_EXECUTED_UNKNOWN,
 * and the server is asked to stop it as pipit_cancel() does. The option acquire_timeout_ms still
 * limits the wait for a connection.
 *
 * @param scope       the scope that the request was started on; NULL does nothing
 * @param request     its number; 0 does nothing, and so does a request that has ended, even if its
 *                    callback has not run yet
 * @param timeout_ms  milliseconds; 0 ends the request as soon as the loop turns, -1 or any other
 *                    negative number removes the deadline
 */
PIPIT_API void pipit_set_timeout(struct pipit *scope, pipit_request request, int64_t timeout_ms);

/**
 * Adds a callback to a request. The callback gets the same result as the request's own one, after
 * it and after those that were added before.
 *
 * @param scope    the scope that the request was started on; NULL fails with PIPIT_EINVAL
 * @param request  its number
 * @param cb       called exactly once, from the loop, if this returned 0; otherwise never. NULL
 *                 fails with PIPIT_EINVAL
 * @param arg      passed to @a cb; not touched
 * @return 0; PIPIT_EINVAL if the request has completed, an argument is missing or the caller is
 *         another thread; PIPIT_ENOMEM
 */
PIPIT_API int pipit_then(struct pipit *scope, pipit_request request, pipit_cb cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
