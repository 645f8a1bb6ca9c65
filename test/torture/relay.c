#include "relay.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 65536

/* One direction of a session: what is read at one end and waits to be written at the other. */
struct flow {
        struct relay_session *session;
        enum relay_way way;
        struct event *readable; /* of the source */
        struct event *writable; /* of the sink */
        size_t first;
        size_t n;
        char bytes[CHUNK];
};

struct relay_session {
        struct relay_session *next;
        struct relay *relay;
        bool counts; /* the first one */
        int client;
        int server;
        struct flow flows[RELAY_WAYS];
};

static void
session_free(struct relay_session *session, enum relay_end end)
{
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        struct relay_session **at = &session->relay->sessions;

        while (*at != session)
                at = &(*at)->next;
        *at = session->next;
        for (int way = 0; way < RELAY_WAYS; way++) {
                event_free(session->flows[way].readable);
                event_free(session->flows[way].writable);
        }
        if (end == RELAY_RST)
                setsockopt(session->client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        close(session->client);
        close(session->server);
        free(session);
}

/* How many of n bytes may pass before the cut. */
static size_t
flow_allowed(const struct flow *flow, size_t n)
{
        const struct relay_session *session = flow->session;
        const struct relay_cut *cut = &session->relay->cut;

        if (!session->counts || cut->at < 0 || cut->way != flow->way)
                return n;
        size_t left = (size_t)(cut->at - session->relay->n_bytes[flow->way]);
        return n < left ? n : left;
}

static bool
flow_is_cut(const struct flow *flow)
{
        const struct relay *relay = flow->session->relay;

        return flow->session->counts && relay->cut.at >= 0 && relay->cut.way == flow->way &&
               relay->n_bytes[flow->way] >= relay->cut.at;
}

static void
flow_count(struct flow *flow, const char *bytes, size_t n)
{
        struct relay *relay = flow->session->relay;
        long before = relay->n_bytes[flow->way];

        if (!flow->session->counts)
                return;
        if (relay->bytes[flow->way] != NULL && before + (long)n <= RELAY_MAX_BYTES)
                memcpy(relay->bytes[flow->way] + before, bytes, n);
        relay->n_bytes[flow->way] += (long)n;
}

/* Writes what waits; whether the session is still there. */
static bool
flow_write(struct flow *flow)
{
        struct relay_session *session = flow->session;
        int sink = flow->way == RELAY_UP ? session->server : session->client;
        size_t n = flow_allowed(flow, flow->n);
        ssize_t written = send(sink, flow->bytes + flow->first, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (written < 0 && errno != EAGAIN) {
                session_free(session, RELAY_FIN);
                return false;
        }
        if (written > 0) {
                flow_count(flow, flow->bytes + flow->first, (size_t)written);
                flow->first += (size_t)written;
                flow->n -= (size_t)written;
        }
        if (flow_is_cut(flow)) {
                session->relay->cut.done = true;
                session_free(session, session->relay->cut.end);
                return false;
        }
        event_add(flow->n > 0 ? flow->writable : flow->readable, NULL);
        return true;
}

static void
flow_on_writable(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        flow_write(arg);
}

static void
flow_on_readable(evutil_socket_t fd, short what, void *arg)
{
        struct flow *flow = arg;
        ssize_t n = read(fd, flow->bytes, sizeof flow->bytes);

        (void)what;
        if (n <= 0) {
                session_free(flow->session, RELAY_FIN);
                return;
        }
        flow->first = 0;
        flow->n = (size_t)n;
        flow_write(flow);
}

static int
server_connect(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        return fd;
}

static void
relay_on_accept(evutil_socket_t fd, short what, void *arg)
{
        struct relay *relay = arg;
        int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int at_once = 1; /* else a small answer waits 40 ms for the client's acknowledgement */

        (void)what;
        if (client < 0)
                return;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        struct relay_session *session = calloc(1, sizeof *session);
        ck_assert_ptr_nonnull(session);
        session->relay = relay;
        session->client = client;
        session->server = server_connect(relay->path);
        session->counts = relay->n_accepted++ == 0;
        session->next = relay->sessions;
        relay->sessions = session;
        for (int way = 0; way < RELAY_WAYS; way++) {
                struct flow *flow = &session->flows[way];
                int source = way == RELAY_UP ? client : session->server;
                int sink = way == RELAY_UP ? session->server : client;
                flow->session = session;
                flow->way = (enum relay_way)way;
                flow->readable = event_new(relay->base, source, EV_READ, flow_on_readable, flow);
                flow->writable = event_new(relay->base, sink, EV_WRITE, flow_on_writable, flow);
        }
        /* A cut at 0 comes with the first turn, as all others do. */
        for (int way = 0; way < RELAY_WAYS; way++) {
                if (!flow_write(&session->flows[way]))
                        return;
        }
}

struct relay *
relay_new(struct event_base *base, const char *path)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        struct relay *relay = calloc(1, sizeof *relay);

        ck_assert_ptr_nonnull(relay);
        *relay = (struct relay){.base = base, .path = path, .cut = {.at = -1}};
        relay->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(relay->fd, (struct sockaddr *)&address, length), 0);
        ck_assert_int_eq(getsockname(relay->fd, (struct sockaddr *)&address, &length), 0);
        ck_assert_int_eq(listen(relay->fd, 16), 0);
        relay->port = ntohs(address.sin_port);
        relay->listener = event_new(base, relay->fd, EV_READ | EV_PERSIST, relay_on_accept, relay);
        ck_assert_int_eq(event_add(relay->listener, NULL), 0);
        return relay;
}

void
relay_end(struct relay *relay)
{
        while (relay->sessions != NULL)
                session_free(relay->sessions, RELAY_FIN);
}

void
relay_arm(struct relay *relay, const struct relay_cut *cut)
{
        relay_end(relay);
        relay->cut = *cut;
        relay->n_accepted = 0;
        memset(relay->n_bytes, 0, sizeof relay->n_bytes);
}

void
relay_record(struct relay *relay)
{
        for (int way = 0; way < RELAY_WAYS; way++) {
                relay->bytes[way] = malloc(RELAY_MAX_BYTES);
                ck_assert_ptr_nonnull(relay->bytes[way]);
        }
}

void
relay_free(struct relay *relay)
{
        relay_end(relay);
        event_free(relay->listener);
        close(relay->fd);
        for (int way = 0; way < RELAY_WAYS; way++)
                free(relay->bytes[way]);
        free(relay);
}
