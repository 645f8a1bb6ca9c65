/*
 * The model: who is let in, what comes and goes. See model.h; answer.c answers.
 */
#include "model.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model_session.h"
#include "net.h"
#include "world.h"

#define MAX_SESSIONS 200
#define OUT_BUFFER   8192

static struct {
        enum welcome welcome;
        bool serializable;
        int n; /* sessions so far, those that are gone included */
        struct session sessions[MAX_SESSIONS];
} model;

const char *
model_url(void)
{
        return "host=@pipit-schedule port=5432 dbname=db user=u sslmode=disable "
               "gssencmode=disable passfile=/nowhere/at/all";
}

void
model_listen(bool on)
{
        net_listen(on);
}

void
model_set_welcome(enum welcome welcome)
{
        model.welcome = welcome;
}

void
model_set_serializable(bool on)
{
        model.serializable = on;
}

void
model_start(void)
{
        model.n = 0;
        model.welcome = WELCOME_YES;
        model.serializable = false;
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

        *session = (struct session){.fd = fd,
                                    .number = model.n,
                                    .in = in,
                                    .out = out,
                                    .op = NO_OP,
                                    .last_op = -1,
                                    .status = 'I'};
        session->welcome = model.welcome;
        session->serializable = model.serializable;
        trace("server: session %d begins", session->number);
}

static void
model_accept(void)
{
        for (int fd = net_accept(); fd >= 0; fd = net_accept()) {
                if (model.n == MAX_SESSIONS)
                        close(fd);
                else
                        session_open(&model.sessions[model.n++], fd);
        }
}

/* Takes in what the client has sent; whether there was something. */
static bool
session_take_in(struct session *session)
{
        bool took = false;

        for (;;) {
                unsigned char *at = bytes_reserve(&session->in, NET_CAPACITY);
                ssize_t n = recv(session->fd, at, NET_CAPACITY, MSG_DONTWAIT);
                if (n <= 0) {
                        session->eof = n == 0 || errno != EAGAIN;
                        return took;
                }
                took = true;
                bytes_grew(&session->in, (size_t)n);
                if (n < NET_CAPACITY)
                        return true;
        }
}

bool
model_read(void)
{
        bool took = false;

        model_accept();
        for (int i = 0; i < model.n; i++) {
                struct session *session = &model.sessions[i];
                if (session->fd >= 0 && !session->stalled && !session->eof)
                        took |= session_take_in(session);
        }
        return took;
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
model_strike(int number)
{
        struct session *session =
                number >= 1 && number <= model.n ? &model.sessions[number - 1] : NULL;
        struct message message;

        if (session == NULL || session->fd < 0)
                return false;
        /* One that waits for its next statement takes no notice. */
        session->struck = session_parse(session, &message);
        trace("server: session %d is to stop, %d", number, session->struck);
        return true;
}

bool
session_step(struct session *session)
{
        struct message message;

        if (session->fd < 0 || session->stalled || session->ending)
                return false;
        if (!session_parse(session, &message)) {
                session->struck = false;
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
        if (sent > 0)
                session->told = world_turns();
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
session_forget(struct session *session)
{
        /* No other statement runs amid a segment. */
        session->forgets = session->begun;
        if (!session->begun)
                session->n_named = 0;
}

void
session_cut(struct session *session, bool rst)
{
        /* A Unix socket that is closed with something unread in it resets its peer. */
        if (!rst)
                session_take_in(session);
        trace("server: session %d is cut", session->number);
        /* Its last words are read with its end. */
        if (session->told == world_turns())
                ledger.torn = world_turns();
        session_close(session);
}

bool
model_work(void)
{
        /* Room for the rest of a long message is work done, though nothing answers to it yet. */
        bool worked = model_read();

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
