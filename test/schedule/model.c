/*
 * The model: who is let in, what comes and goes. See model.h; answer.c answers.
 */
#include "model.h"
#include "model_session.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_SESSIONS 200
#define OUT_BUFFER   8192

static struct {
        int fd; /* -1: nobody listens */
        enum welcome welcome;
        int n_accepted;
        int n; /* sessions so far, those that are gone included */
        struct session sessions[MAX_SESSIONS];
} model = {.fd = -1};

static socklen_t
model_address(struct sockaddr_un *ret_address)
{
        *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
        /* An abstract name begins with a zero byte, and its length tells where it ends. */
        int n = snprintf(ret_address->sun_path + 1, sizeof ret_address->sun_path - 1,
                         "pipit-schedule-%d/.s.PGSQL.5432", (int)getpid());
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

const char *
model_url(void)
{
        static char url[160];

        snprintf(url, sizeof url,
                 "host=@pipit-schedule-%d port=5432 dbname=db user=u sslmode=disable "
                 "gssencmode=disable passfile=/nowhere/at/all",
                 (int)getpid());
        return url;
}

void
model_listen(bool on)
{
        struct sockaddr_un address;
        socklen_t length = model_address(&address);

        if (!on && model.fd >= 0) {
                close(model.fd);
                model.fd = -1;
        }
        if (!on || model.fd >= 0)
                return;
        model.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (model.fd < 0 || bind(model.fd, (struct sockaddr *)&address, length) != 0 ||
            listen(model.fd, 64) != 0)
                broken("the model cannot listen: %s", strerror(errno));
}

void
model_set_welcome(enum welcome welcome)
{
        model.welcome = welcome;
}

void
model_start(void)
{
        model.n = model.n_accepted = 0;
        model.welcome = WELCOME_YES;
        model_listen(true);
}

void
session_close(struct session *session)
{
        if (session->fd >= 0)
                close(session->fd);
        session->fd = -1;
        bytes_clear(&session->in);
        bytes_clear(&session->out);
        session->released = 0;
}

void
session_release(struct session *session)
{
        session->released = bytes_length(&session->out);
}

void
model_end(void)
{
        for (int i = 0; i < model.n; i++)
                session_close(&model.sessions[i]);
}

static void
session_open(struct session *session, int fd)
{
        struct bytes in = session->in;
        struct bytes out = session->out;

        *session = (struct session){
                .fd = fd, .number = model.n, .in = in, .out = out, .op = NO_OP, .last_op = -1};
        session->welcome = model.welcome;
        trace("server: session %d begins", session->number);
}

static void
model_accept(void)
{
        /* Nobody can have come when nobody has begun to. */
        while (model.fd >= 0 && model.n_accepted < world.n_attempts) {
                int fd = accept4(model.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0)
                        return;
                model.n_accepted++;
                if (model.n == MAX_SESSIONS)
                        close(fd);
                else
                        session_open(&model.sessions[model.n++], fd);
        }
}

/* Takes in what the client has sent. */
static void
session_take_in(struct session *session)
{
        for (;;) {
                unsigned char *at = bytes_reserve(&session->in, 32768);
                ssize_t n = recv(session->fd, at, 32768, MSG_DONTWAIT);
                if (n <= 0) {
                        session->eof = n == 0 || errno != EAGAIN;
                        return;
                }
                bytes_grew(&session->in, (size_t)n);
                if (n < 32768)
                        return;
        }
}

void
model_read(void)
{
        model_accept();
        for (int i = 0; i < model.n; i++) {
                struct session *session = &model.sessions[i];
                if (session->fd >= 0 && !session->stalled && !session->eof)
                        session_take_in(session);
        }
}

int
model_count(void)
{
        int n = 0;

        for (int i = 0; i < model.n; i++)
                n += model.sessions[i].fd >= 0;
        return n;
}

struct session *
model_session(int n)
{
        for (int i = 0; i < model.n; i++) {
                if (model.sessions[i].fd >= 0 && n-- == 0)
                        return &model.sessions[i];
        }
        return NULL;
}

const struct session *
model_numbered(int number)
{
        return &model.sessions[number - 1];
}

bool
session_step(struct session *session)
{
        struct message message;

        if (session->fd < 0 || session->stalled || session->ending)
                return false;
        if (!session_parse(session, &message)) {
                if (session->eof)
                        session_close(session);
                return false;
        }
        session_handle(session, &message);
        if (bytes_length(&session->out) > OUT_BUFFER)
                session_release(session);
        if (session->fd >= 0)
                bytes_eat(&session->in, message.size);
        return true;
}

size_t
session_deliver(struct session *session, size_t n)
{
        size_t length = session->released;

        if (session->fd < 0 || session->stalled)
                return 0;
        if (n > length)
                n = length;
        ssize_t sent =
                n > 0 ? send(session->fd, bytes_head(&session->out), n, MSG_NOSIGNAL | MSG_DONTWAIT)
                      : 0;
        /* A client that is gone takes all there is. */
        if (sent < 0)
                sent = errno == EAGAIN ? 0 : (ssize_t)length;
        if (sent > 0 && (session->ending || session->harmed_at > 0))
                ledger_disturb();
        bytes_eat(&session->out, (size_t)sent);
        session->delivered += (size_t)sent;
        session->released -= (size_t)sent;
        if (session->ending && bytes_length(&session->out) == 0)
                session_close(session);
        return (size_t)sent;
}

size_t
session_next_message(const struct session *session)
{
        if (session->released < 5)
                return session->released;
        return 1 + (size_t)read_number(bytes_head(&session->out) + 1, 4);
}

void
session_set_trap(struct session *session, enum trap trap)
{
        session->trap = trap;
}

void
session_stall(struct session *session, bool on)
{
        session->stalled = on;
}

void
session_cut(struct session *session, bool rst)
{
        /* A Unix socket that is closed with something unread in it resets its peer. */
        if (!rst)
                session_take_in(session);
        trace("server: session %d is cut", session->number);
        session_close(session);
}

bool
model_work(void)
{
        bool worked = false;

        model_read();
        for (int i = 0; i < model.n; i++) {
                while (session_step(&model.sessions[i]))
                        worked = true;
                worked |= session_deliver(&model.sessions[i], SIZE_MAX) > 0;
        }
        return worked;
}

void
model_heal(void)
{
        model.welcome = WELCOME_YES;
        model_listen(true);
        for (int i = 0; i < model.n; i++) {
                struct session *session = &model.sessions[i];
                session->trap = TRAP_NONE;
                session->stalled = false;
                if (session->fd >= 0 && session->welcome == WELCOME_SILENCE)
                        session_close(session);
        }
}
