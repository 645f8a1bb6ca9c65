/*
 * HTTP servers
 *
 * This header lets a server made with evhttp cancel a request when its HTTP client goes away.
 *
 * <pipit/pipit.h> does not include it, and all of its code stands here, so that pipit itself needs
 * no evhttp. A program that includes it links with libevent_extra, as evhttp servers do.
 */
#ifndef PIPIT_EVHTTP_H
#define PIPIT_EVHTTP_H

#include <event2/bufferevent.h>
#include <event2/http.h>
#include <pipit/error.h>
#include <pipit/request.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Cancels a request, as pipit_cancel() does, when the client of an HTTP request goes away.
 *
 * Any number of requests may be watched, for one HTTP request or for many on one connection. The
 * watch ends by itself when the request completes. The connection's close callback stays the
 * program's, because the watch touches nothing of evhttp's. The program answers the HTTP request,
 * or gives it up, in the callback of the request, which runs in any case. The watch is that of
 * pipit_cancel_on_close_fd(), whose comment says what it costs, and who counts as gone: a request
 * that lasts takes one descriptor more.
 *
 * @param scope    the scope that the request was started on; NULL fails with PIPIT_EINVAL
 * @param request  its number
 * @param http     the HTTP request that it serves; borrowed until this returns; NULL fails with
 *                 PIPIT_EINVAL. If its connection is gone already, the request is cancelled at once
 * @return 0; PIPIT_EINVAL if the request has completed, an argument is missing, or the event base
 *         cannot tell when a client goes away (epoll can); PIPIT_ENOMEM. After a failure nothing
 *         happens when the client goes away
 */
static inline int
pipit_cancel_on_close(struct pipit *scope, pipit_request request, struct evhttp_request *http)
{
        struct evhttp_connection *connection =
                http != NULL ? evhttp_request_get_connection(http) : NULL;

        if (http == NULL || scope == NULL)
                return PIPIT_EINVAL;
        if (connection == NULL) {
                pipit_cancel(scope, request);
                return 0;
        }
        return pipit_cancel_on_close_fd(
                scope, request, bufferevent_getfd(evhttp_connection_get_bufferevent(connection)));
}

#ifdef __cplusplus
}
#endif

#endif
