#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server_part.h"

#define STARTUP_CODE 196608u
#define CANCEL_CODE  80877102u
#define SSL_CODE     80877103u
#define GSS_CODE     80877104u

/* As an assertion, but one that costs nothing while it holds: Check reports each that it passes. */
static void
must(bool holds)
{
        if (!holds)
                ck_abort_msg("the server is out of memory");
}

static void
session_want_write(struct session *session)
{
        if (!session->server->held)
                must(event_add(session->writable, NULL) == 0);
}

void
session_flush(struct session *session)
{
        session->released = evbuffer_get_length(session->out);
        session_want_write(session);
}

void
session_finish(struct session *session, enum session_end end)
{
        session->end = end;
        session_want_write(session);
}

void
session_stop_reading(struct session *session)
{
        event_del(session->readable);
}

void
session_start_reading(struct session *session)
{
        must(event_add(session->readable, NULL) == 0);
}

void
server_echo(struct session *session, const char *sql, void *arg)
{
        (void)arg;
        session_text(session, session->value != NULL ? session->value : sql);
}

static void
session_free(struct session *session)
{
        struct session **at = &session->server->sessions;
        struct linger linger = {.l_onoff = 1, .l_linger = 0};

        while (*at != session)
                at = &(*at)->next;
        *at = session->next;
        session->server->n_closed++;
        event_free(session->readable);
        event_free(session->writable);
        evbuffer_free(session->in);
        evbuffer_free(session->out);
        if (session->end == SESSION_RST)
                setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        close(session->fd);
        session_free_statements(session);
        free(session);
}

/* Whether the client has read everything that was written. */
static bool
session_is_read(const struct session *session)
{
        int unread = 0;

        return ioctl(session->fd, TIOCOUTQ, &unread) != 0 || unread == 0;
}

/* Writes what may go now. A client that is gone takes it all. */
static void
session_write(struct session *session)
{
        size_t n = session->released;
        size_t slice = session->server->slice;
        char bytes[65536];

        if (slice > 0 && !session_is_read(session))
                return;
        if (slice > 0 && n > slice)
                n = slice;
        if (n > sizeof bytes)
                n = sizeof bytes;
        evbuffer_copyout(session->out, bytes, n);
        ssize_t written = send(session->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written < 0)
                written = errno == EAGAIN ? 0 : (ssize_t)n;
        evbuffer_drain(session->out, (size_t)written);
        session->released -= (size_t)written;
        session->server->n_written += (size_t)written;
}

void
session_flush_now(struct session *session)
{
        session->released = evbuffer_get_length(session->out);
        while (session->released > 0)
                session_write(session);
}

void
session_close_now(struct session *session)
{
        session_flush_now(session);
        session_free(session);
}

static void
session_on_writable(evutil_socket_t fd, short what, void *arg)
{
        struct session *session = arg;

        (void)fd;
        (void)what;
        if (session->released > 0)
                session_write(session);
        if (session->released == 0 && session->reads_when_written)
                session_start_reading(session);
        if (session->released > 0)
                session_want_write(session);
        else if (session->end != SESSION_GOES_ON)
                session_free(session);
}

static uint32_t
read_int(const char *at, size_t size)
{
        uint32_t n = 0;

        for (size_t i = 0; i < size; i++)
                n = n << 8 | (unsigned char)at[i];
        return n;
}

static void
session_on_execute(struct session *session)
{
        struct server *server = session->server;

        if (!session->is_set_up) {
                session_set_up(session);
                return;
        }
        if (session_takes_role(session) || session_takes_close(session))
                return;
        session->n_statements++;
        server->n_statements++;
        (server->on_statement != NULL ? server->on_statement : server_echo)(session, session->sql,
                                                                            server->arg);
}

static void
session_on_sync(struct session *session)
{
        session_ready(session);
        session_flush(session);
}

/* A session that takes data. One that is sent anything else does not know any more where it is. */
static void
session_on_copying(struct session *session, const struct message *message)
{
        switch (message->kind) {
        case MESSAGE_COPY_DATA:
        case MESSAGE_SYNC: return;
        case MESSAGE_COPY_DONE: session_complete(session, "COPY 0"); break;
        case MESSAGE_COPY_FAIL: session_error(session, "ERROR", "57014", "COPY failed"); break;
        case MESSAGE_TERMINATE: session_finish(session, SESSION_FIN); break;
        default:
                session_error(session, "ERROR", "08P01", "unexpected message during COPY");
                session_error(session, "FATAL", "08P01", "protocol synchronization was lost");
                session_flush(session);
                session_finish(session, SESSION_FIN);
        }
        session->copying = false;
}

static bool
session_skips(const struct session *session, const struct message *message)
{
        return session->failed && message->kind != MESSAGE_SYNC &&
               message->kind != MESSAGE_TERMINATE;
}

void
server_default(struct session *session, const struct message *message)
{
        if (session->copying) {
                session_on_copying(session, message);
                return;
        }
        if (session_skips(session, message))
                return;
        switch (message->kind) {
        case MESSAGE_STARTUP:
                session_welcome(session);
                session_flush(session);
                break;
        case MESSAGE_SSL:
                session_raw(session, "N", 1);
                session_flush(session);
                break;
        case MESSAGE_PARSE: session_on_parse(session, message); break;
        case MESSAGE_BIND: session_on_bind(session, message); break;
        case MESSAGE_DESCRIBE: session_on_describe(session, message); break;
        case MESSAGE_EXECUTE: session_on_execute(session); break;
        case MESSAGE_CLOSE: session_on_close(session, message); break;
        case MESSAGE_SYNC: session_on_sync(session); break;
        case MESSAGE_CANCEL:
        case MESSAGE_TERMINATE: session_finish(session, SESSION_FIN); break;
        }
}

static void
session_handle(struct session *session, const struct message *message)
{
        struct server *server = session->server;
        bool was_set_up = session->is_set_up;
        bool had_failed = session->failed;

        if (message->kind == MESSAGE_SYNC && was_set_up && !session->sets_role)
                server->n_syncs++;
        if (server->on_message == NULL || !server->on_message(session, message, server->arg))
                server_default(session, message);
        if (message->kind == MESSAGE_SYNC) {
                session->is_set_up = was_set_up || !had_failed;
                session->sets_role = false;
        }
}

/* The message at the head of the input: its size there, or 0 when it is not whole. */
static size_t
session_parse(struct session *session, struct message *ret_message)
{
        size_t have = evbuffer_get_length(session->in);
        size_t head = session->started ? 5 : 8;

        if (have < head)
                return 0;
        const char *at = (const char *)evbuffer_pullup(session->in, (ev_ssize_t)head);
        size_t size = session->started ? 1 + (size_t)read_int(at + 1, 4) : read_int(at, 4);
        if (have < size)
                return 0;
        at = (const char *)evbuffer_pullup(session->in, (ev_ssize_t)size);
        *ret_message = (struct message){at[0], at + head, size - head};
        if (session->started)
                return size;
        uint32_t code = read_int(at + 4, 4);
        ret_message->kind = code == SSL_CODE || code == GSS_CODE ? MESSAGE_SSL
                            : code == CANCEL_CODE                ? MESSAGE_CANCEL
                                                                 : MESSAGE_STARTUP;
        session->started = code == STARTUP_CODE;
        return size;
}

static void
session_on_readable(evutil_socket_t fd, short what, void *arg)
{
        struct session *session = arg;
        struct message message;

        (void)what;
        if (evbuffer_read(session->in, fd, 65536) <= 0) {
                session_free(session);
                return;
        }
        for (;;) {
                size_t size = session_parse(session, &message);
                if (size == 0)
                        return;
                if (session->end == SESSION_GOES_ON)
                        session_handle(session, &message);
                evbuffer_drain(session->in, size);
        }
}

static void
server_on_accept(evutil_socket_t fd, short what, void *arg)
{
        struct server *server = arg;
        struct session *session = calloc(1, sizeof *session);

        (void)what;
        ck_assert_ptr_nonnull(session);
        session->fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (session->fd < 0) {
                free(session);
                return;
        }
        session->server = server;
        session->status = 'I';
        session->number = ++server->n_accepted;
        session->next = server->sessions;
        server->sessions = session;
        session->in = evbuffer_new();
        session->out = evbuffer_new();
        session->readable = event_new(server->base, session->fd, EV_READ | EV_PERSIST,
                                      session_on_readable, session);
        session->writable =
                event_new(server->base, session->fd, EV_WRITE, session_on_writable, session);
        session_start_reading(session);
}

static void
server_listen_unix(struct server *server)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        const char *parent = getenv("TMPDIR"); /* what a test that crashed leaves goes with it */

        snprintf(server->folder, sizeof server->folder, "%s/pipit-wire-XXXXXX",
                 parent != NULL && strlen(parent) < 40 ? parent : "/tmp");
        ck_assert_ptr_nonnull(mkdtemp(server->folder));
        snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", server->folder);
        snprintf(server->url, sizeof server->url,
                 "postgresql:///db?host=%s&port=5432&user=u&sslmode=disable", server->folder);
        server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
}

static void
server_listen_tcp(struct server *server)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;

        server->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&address, length), 0);
        ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
        server->port = ntohs(address.sin_port);
        snprintf(server->url, sizeof server->url,
                 "postgresql:///db?host=127.0.0.1&port=%d&user=u&sslmode=disable", server->port);
}

struct server *
server_new(struct event_base *base, enum server_kind kind)
{
        struct server *server = calloc(1, sizeof *server);

        ck_assert_ptr_nonnull(server);
        server->base = base;
        server->kind = kind;
        if (kind == SERVER_UNIX)
                server_listen_unix(server);
        else
                server_listen_tcp(server);
        ck_assert_int_eq(listen(server->fd, 128), 0);
        server->listener =
                event_new(base, server->fd, EV_READ | EV_PERSIST, server_on_accept, server);
        ck_assert_int_eq(event_add(server->listener, NULL), 0);
        return server;
}

void
server_fork(struct server *server)
{
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                /* A test that fails does not come to its end, where it would be killed. */
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                event_reinit(server->base);
                event_base_dispatch(server->base);
                _exit(0);
        }
        server->child = pid;
        event_del(server->listener);
}

void
server_stop_listening(struct server *server)
{
        char path[120];

        if (server->listener == NULL)
                return;
        event_free(server->listener);
        server->listener = NULL;
        close(server->fd);
        if (server->kind == SERVER_TCP)
                return;
        snprintf(path, sizeof path, "%s/.s.PGSQL.5432", server->folder);
        unlink(path);
        rmdir(server->folder);
}

void
server_free(struct server *server)
{
        if (server == NULL)
                return;
        if (server->child > 0) {
                kill(server->child, SIGKILL);
                waitpid(server->child, NULL, 0);
        }
        server_stop_listening(server);
        while (server->sessions != NULL)
                session_free(server->sessions);
        free(server);
}

void
server_release(struct server *server)
{
        server->held = false;
        for (struct session *session = server->sessions; session != NULL; session = session->next)
                session_want_write(session);
}

void
server_end_all(struct server *server, enum session_end end)
{
        for (struct session *session = server->sessions; session != NULL; session = session->next)
                session_finish(session, end);
}
