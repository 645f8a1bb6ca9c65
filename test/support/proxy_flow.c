/*
 * One direction of a connection through the fault proxy: messages go from `in` to `out`, and rules
 * act on the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy_part.h"

/* A reader that does not read keeps the writer waiting, as it would without the proxy. */
#define MAX_OUT  ((size_t)1 << 20)
#define MAX_SEND ((size_t)1 << 16)

static void
emit(struct flow *flow, size_t n)
{
        evbuffer_remove_buffer(flow->in, flow->out, n);
}

static void
wait_enter(struct flow *flow, enum flow_wait wait, int64_t ms)
{
        struct timeval tv = {ms / 1000, ms % 1000 * 1000};

        flow->wait = wait;
        if (wait == FLOW_STOPS)
                event_del(flow->readable);
        if (wait != FLOW_STOPS || ms > 0)
                event_add(flow->timer, &tv);
}

/* What follows is read and goes away. */
static void
end_enter(struct flow *flow, enum flow_end end)
{
        if (flow->end == FLOW_GOES_ON)
                flow->end = end;
        evbuffer_drain(flow->in, evbuffer_get_length(flow->in));
        evbuffer_drain(flow->swapped, evbuffer_get_length(flow->swapped));
        flow->rest = 0;
}

static size_t
smaller(size_t a, int64_t b)
{
        return b >= 0 && (size_t)b < a ? (size_t)b : a;
}

static void
corrupt(struct flow *flow, size_t at, size_t length)
{
        unsigned char *bytes = evbuffer_pullup(flow->in, (ev_ssize_t)length);

        if (bytes != NULL && length > 0)
                bytes[smaller(length - 1, (int64_t)at)] ^= 0xff;
}

/* The part of a message from byte `at` on is left for later; the timer lets it go. */
static void
postpone(struct flow *flow, size_t at, size_t length, int64_t ms)
{
        emit(flow, at);
        flow->rest = length - at;
        wait_enter(flow, FLOW_DELAYS, ms);
}

/* Acts on the message at the front of `in`, or on nothing when length is 0. */
static void
act(struct flow *flow, const struct proxy_rule *rule, size_t at, size_t length)
{
        unsigned char *bytes;

        switch (rule->action) {
        case PROXY_N_ACTIONS:
        case PROXY_PASS: emit(flow, length); break;
        case PROXY_DELAY: postpone(flow, at, length, rule->k); break;
        case PROXY_SLICE:
                flow->slice = (size_t)rule->k;
                emit(flow, length);
                break;
        case PROXY_COALESCE:
                if (flow->wait == FLOW_RUNS)
                        wait_enter(flow, FLOW_GATHERS, rule->k);
                emit(flow, length);
                break;
        case PROXY_STOP:
                emit(flow, length);
                wait_enter(flow, FLOW_STOPS, rule->k);
                break;
        case PROXY_DROP:
                flow->n_drop = rule->k > 0 ? rule->k - (length > 0) : -1;
                emit(flow, at);
                evbuffer_drain(flow->in, length - at);
                break;
        case PROXY_TRUNCATE:
                emit(flow, smaller(length, (int64_t)at + rule->k));
                end_enter(flow, FLOW_FIN);
                break;
        case PROXY_HALF_CLOSE:
        case PROXY_FIN:
        case PROXY_RST:
                emit(flow, at);
                end_enter(flow, rule->action == PROXY_FIN   ? FLOW_FIN
                                : rule->action == PROXY_RST ? FLOW_RST
                                                            : FLOW_HALF_CLOSE);
                break;
        case PROXY_CORRUPT:
                corrupt(flow, at + (size_t)rule->k, length);
                emit(flow, length);
                break;
        case PROXY_INSERT:
                emit(flow, at);
                evbuffer_add(flow->out, rule->bytes, rule->n_bytes);
                emit(flow, length - at);
                break;
        case PROXY_DUPLICATE:
                bytes = evbuffer_pullup(flow->in, (ev_ssize_t)length);
                evbuffer_add(flow->out, bytes, length);
                emit(flow, length);
                break;
        case PROXY_SWAP: evbuffer_remove_buffer(flow->in, flow->swapped, length); break;
        }
}

/* A message for which no rule holds. */
static void
pass(struct flow *flow, size_t length)
{
        if (flow->n_drop == 0) {
                emit(flow, length);
                evbuffer_add_buffer(flow->out, flow->swapped);
                return;
        }
        evbuffer_drain(flow->in, length);
        if (flow->n_drop > 0)
                flow->n_drop--;
}

static void
flow_deal(struct flow *flow, const struct unit *unit)
{
        size_t at;
        struct rule *rule = rule_find(flow, unit, &at);
        const unsigned char *body = evbuffer_pullup(flow->in, (ev_ssize_t)unit->length);

        unit_passed(flow, unit, body);
        if (rule == NULL || flow->n_drop != 0) {
                pass(flow, unit->length);
                return;
        }
        rule_acted(flow->link->proxy, rule);
        act(flow, &rule->is, at, unit->length);
        if (rule->is.action != PROXY_SWAP)
                evbuffer_add_buffer(flow->out, flow->swapped);
}

/* What is left of a message in front of the end, and what was to go out behind it. */
static void
flow_leave(struct flow *flow)
{
        if (flow->n_drop == 0) {
                evbuffer_add_buffer(flow->out, flow->in);
                evbuffer_add_buffer(flow->out, flow->swapped);
        }
        if (flow->end == FLOW_GOES_ON)
                flow->end = FLOW_HALF_CLOSE;
}

static void
flow_take(struct flow *flow)
{
        struct unit unit = {0};

        while (flow->end == FLOW_GOES_ON &&
               (flow->wait == FLOW_RUNS || flow->wait == FLOW_GATHERS)) {
                if (flow->rest > 0) {
                        emit(flow, flow->rest);
                        flow->rest = 0;
                } else if (unit_find(flow, &unit)) {
                        flow_deal(flow, &unit);
                } else {
                        if (flow->eof)
                                flow_leave(flow);
                        return;
                }
        }
}

static void
flow_finish(struct flow *flow)
{
        enum flow_end end = flow->end;

        if (end == FLOW_GOES_ON || end == FLOW_OVER)
                return;
        flow->end = FLOW_OVER;
        if (end == FLOW_HALF_CLOSE) {
                shutdown(flow->to, SHUT_WR);
                link_check(flow->link);
        } else {
                link_end(flow->link, end);
        }
}

static bool
flow_has_failed(ssize_t n)
{
        return n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
}

/* As much as goes at once; whether the link still stands. */
static bool
flow_send(struct flow *flow)
{
        size_t most = flow->slice > 0 ? flow->slice : MAX_SEND;
        size_t n = smaller(evbuffer_get_length(flow->out), (int64_t)most);
        ssize_t sent;

        if (n == 0)
                return true;
        sent = send(flow->to, evbuffer_pullup(flow->out, (ev_ssize_t)n), n, MSG_NOSIGNAL);
        if (flow_has_failed(sent)) {
                link_end(flow->link, FLOW_RST);
                return false;
        }
        if (sent > 0)
                evbuffer_drain(flow->out, (size_t)sent);
        return true;
}

/* What is left, the next slice for one, goes out in a turn of its own. */
static void
flow_write(struct flow *flow)
{
        if (flow->wait == FLOW_GATHERS || flow->link->dead || !flow_send(flow))
                return;
        if (evbuffer_get_length(flow->out) > 0)
                event_add(flow->writable, NULL);
        else
                flow_finish(flow);
}

static void
flow_set_reading(struct flow *flow)
{
        bool full = evbuffer_get_length(flow->out) > MAX_OUT ||
                    (flow->wait == FLOW_DELAYS && evbuffer_get_length(flow->in) > MAX_OUT);

        if (flow->link->dead)
                return;
        if (full || flow->eof || flow->wait == FLOW_STOPS)
                event_del(flow->readable);
        else
                event_add(flow->readable, NULL);
}

void
flow_run(struct flow *flow)
{
        flow_take(flow);
        if (!event_pending(flow->writable, EV_WRITE, NULL))
                flow_write(flow);
        flow_set_reading(flow);
}

void
flow_on_readable(int fd, short what, void *arg)
{
        struct flow *flow = arg;
        struct evbuffer *in = flow->in;
        int n = evbuffer_read(in, fd, 65536);

        (void)what;
        if (flow_has_failed(n)) {
                link_end(flow->link, FLOW_RST);
                return;
        }
        flow->eof = flow->eof || n == 0;
        if (flow->link->ending || flow->end != FLOW_GOES_ON)
                evbuffer_drain(in, evbuffer_get_length(in));
        if (flow->link->ending) {
                flow_set_reading(flow);
                link_check(flow->link);
                return;
        }
        flow_run(flow);
        link_check(flow->link);
}

void
flow_on_writable(int fd, short what, void *arg)
{
        struct flow *flow = arg;

        (void)fd;
        (void)what;
        flow_write(flow);
        flow_set_reading(flow);
}

void
flow_on_timer(int fd, short what, void *arg)
{
        struct flow *flow = arg;

        (void)fd;
        (void)what;
        flow->wait = FLOW_RUNS;
        flow_run(flow);
}

/* What needs a message waits for one; the rest acts at once. */
void
flow_alarm(struct flow *flow, struct rule *rule)
{
        enum proxy_action action = rule->is.action;

        if (flow->link->ending || flow->end != FLOW_GOES_ON || !rule_holds(rule, flow->link))
                return;
        if (action == PROXY_CORRUPT || action == PROXY_DUPLICATE || action == PROXY_TRUNCATE ||
            action == PROXY_SWAP) {
                flow->armed = rule;
                return;
        }
        rule_acted(flow->link->proxy, rule);
        act(flow, &rule->is, 0, 0);
        flow_run(flow);
}

void
flow_clear(struct flow *flow)
{
        if (flow->link->ending)
                return;
        event_del(flow->timer);
        flow->armed = NULL;
        flow->slice = 0;
        flow->n_drop = 0;
        flow->wait = FLOW_RUNS;
        flow_run(flow);
}
