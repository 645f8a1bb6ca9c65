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

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/util.h>
#include <pipit/error.h>
#include <pipit/request.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A watch has one request, and a descriptor of its own for the client's socket, so that nothing of
 * evhttp's is kept. */
struct pipit_on_close_ {
        struct pipit *scope;
        pipit_request request;
        struct event *event;
        int fd;
        pid_t pid; /* a forked child has the event, but not the request */
};

static inline void
pipit_on_close_free_(struct pipit_on_close_ *watch)
{
        if (watch->event != NULL)
                event_free(watch->event);
        if (watch->fd >= 0)
                close(watch->fd);
        free(watch);
}

/* Ends the watch: its request has completed, for whatever reason. */
static inline void
pipit_on_close_done_(struct pipit_result *res, void *arg)
{
        (void)res;
        pipit_on_close_free_((struct pipit_on_close_ *)arg);
}

/* Whether the client has ended its side. Data that came before its end are evhttp's to read. */
static inline int
pipit_on_close_is_gone_(evutil_socket_t fd)
{
        struct sockaddr_storage address;
        socklen_t length = sizeof address;
        char byte;

        /* A connection that was reset has no peer, although data may still be there to read. */
        if (getpeername(fd, (struct sockaddr *)&address, &length) != 0)
                return 1;
        ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* Looks at the socket: either the client has ended its side, or it has sent more data. */
static inline void
pipit_on_close_event_(evutil_socket_t fd, short what, void *arg)
{
        struct pipit_on_close_ *watch = (struct pipit_on_close_ *)arg;

        if ((what & EV_CLOSED) == 0 && !pipit_on_close_is_gone_(fd))
                return;
        event_del(watch->event);
        if (watch->pid == getpid())
                pipit_cancel(watch->scope, watch->request);
}

/* Starts to watch the socket of a connection. 0, or PIPIT_ENOMEM. */
static inline int
pipit_on_close_watch_(struct pipit_on_close_ *watch, struct evhttp_connection *connection)
{
        struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

        watch->pid = getpid();
        watch->fd = dup(bufferevent_getfd(bev));
        if (watch->fd < 0 || evutil_make_socket_closeonexec(watch->fd) != 0)
                return PIPIT_ENOMEM;
        watch->event =
                event_new(bufferevent_get_base(bev), watch->fd,
                          EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, pipit_on_close_event_, watch);
        return watch->event != NULL && event_add(watch->event, NULL) == 0 ? 0 : PIPIT_ENOMEM;
}

/* Whether the loop tells of the end of a connection that nobody reads, and of each event once. */
static inline int
pipit_on_close_can_(struct evhttp_connection *connection)
{
        struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
        int needed = EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE;

        return (event_base_get_features(bufferevent_get_base(bev)) & needed) == needed;
}

/**
 * Cancels a request, as pipit_cancel() does, when the client of an HTTP request goes away.
 *
 * Any number of requests may be watched, for one HTTP request or for many on one connection. The
 * watch ends by itself when the request completes. The connection's close callback stays the
 * program's, because the watch touches nothing of evhttp's. The program answers the HTTP request,
 * or gives it up, in the callback of the request, which runs in any case. A client that ends its
 * side of the connection and still waits for an answer counts as gone. If a proxy is in front of
 * the server, the client is the proxy.
 *
 * @param scope    the scope that the request was started on, on the event base of the server; NULL
 *                 fails with PIPIT_EINVAL
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
        if (!pipit_on_close_can_(connection))
                return PIPIT_EINVAL;
        struct pipit_on_close_ *watch = (struct pipit_on_close_ *)calloc(1, sizeof *watch);
        if (watch == NULL)
                return PIPIT_ENOMEM;
        watch->scope = scope;
        watch->request = request;
        watch->fd = -1;
        int code = pipit_on_close_watch_(watch, connection);
        if (code == 0)
                code = pipit_then(scope, request, pipit_on_close_done_, watch);
        if (code != 0)
                pipit_on_close_free_(watch);
        return code;
}

#ifdef __cplusplus
}
#endif

#endif
