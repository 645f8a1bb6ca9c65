/*
 * What is on its way through the relay. See relay.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay.h"

/* So much is read at once, and so much may be on its way in one direction: beyond that the relay
 * does not read, as a network would not take more. */
#define PIECE_SIZE ((size_t)1 << 16)
#define FLOW_ROOM  ((size_t)1 << 24)

struct pair *
pair_new(struct relay *relay, int client, int server)
{
        struct pair *pair = calloc(1, sizeof *pair);
        int fds[] = {client, server};

        if (pair == NULL)
                return NULL;
        for (int i = 0; i < 2; i++) {
                struct end *end = &pair->ends[i];
                *end = (struct end){.pair = pair, .fd = fds[i]};
                end->flow.last = &end->flow.first;
        }
        pair->relay = relay;
        pair->next = relay->pairs;
        relay->pairs = pair;
        return pair;
}

/* When a piece that was read now is due at the other end: never before the one in front of it. */
static int64_t
piece_due(struct flow *flow, struct relay *relay, size_t length)
{
        int64_t now = now_ns();
        int64_t due = now + relay->delay_ns;

        if (relay->bytes_a_second > 0) {
                double takes_ns = (double)length / relay->bytes_a_second * 1e9;
                flow->sent_ns = (flow->sent_ns > now ? flow->sent_ns : now) + (int64_t)takes_ns;
                due = flow->sent_ns + relay->delay_ns;
        }
        if (relay->jitter_ns > 0)
                due += (int64_t)((double)rand_r(&relay->dice) / RAND_MAX *
                                 (double)relay->jitter_ns);
        flow->last_ns = due > flow->last_ns ? due : flow->last_ns;
        return flow->last_ns;
}

static void
flow_add(struct end *end, const char *bytes, size_t length)
{
        struct flow *flow = &end->flow;
        struct piece *piece = malloc(sizeof *piece + length);

        if (piece == NULL) {
                end->pair->broken = true;
                return;
        }
        *piece = (struct piece){.due_ns = piece_due(flow, end->pair->relay, length),
                                .length = length};
        memcpy(piece->bytes, bytes, length);
        *flow->last = piece;
        flow->last = &piece->next;
        flow->bytes += length;
}

/* Reads what is there, as long as there is room for it. */
static void
end_read(struct end *end)
{
        static char bytes[PIECE_SIZE];
        struct flow *flow = &end->flow;

        while (flow->may_read && !flow->ended && flow->bytes < FLOW_ROOM) {
                ssize_t n = recv(end->fd, bytes, sizeof bytes, 0);
                if (n > 0) {
                        flow_add(end, bytes, (size_t)n);
                } else if (n < 0 && errno == EAGAIN) {
                        flow->may_read = false;
                } else if (n == 0 || errno != EINTR) {
                        flow->ended = true;
                        flow->last_ns = piece_due(flow, end->pair->relay, 0);
                }
        }
}

void
end_ready(struct end *end)
{
        end->flow.may_read = true;
        end_read(end);
}

static void
flow_drop_first(struct flow *flow)
{
        struct piece *piece = flow->first;

        flow->first = piece->next;
        if (flow->first == NULL)
                flow->last = &flow->first;
        flow->bytes -= piece->length;
        free(piece);
}

/* Writes to an end what is due of the other end's flow. */
static void
flow_deliver(struct flow *flow, struct end *to, int64_t now)
{
        flow->blocked = false;
        while (flow->first != NULL && flow->first->due_ns <= now) {
                struct piece *piece = flow->first;
                ssize_t n = send(to->fd, piece->bytes + piece->written,
                                 piece->length - piece->written, MSG_NOSIGNAL);
                if (n < 0) {
                        flow->blocked = errno == EAGAIN;
                        to->pair->broken |= errno != EAGAIN && errno != EINTR;
                        return;
                }
                piece->written += (size_t)n;
                if (piece->written == piece->length)
                        flow_drop_first(flow);
        }
        if (flow->first == NULL && flow->ended && !flow->shut && flow->last_ns <= now) {
                shutdown(to->fd, SHUT_WR);
                flow->shut = true;
        }
}

static void
pair_free(struct pair *pair)
{
        for (int i = 0; i < 2; i++) {
                while (pair->ends[i].flow.first != NULL)
                        flow_drop_first(&pair->ends[i].flow);
                close(pair->ends[i].fd);
        }
        free(pair);
}

void
relay_deliver(struct relay *relay)
{
        int64_t now = now_ns();

        for (struct pair **at = &relay->pairs; *at != NULL;) {
                struct pair *pair = *at;
                for (int i = 0; i < 2; i++) {
                        flow_deliver(&pair->ends[i].flow, &pair->ends[1 - i], now);
                        end_read(&pair->ends[i]);
                }
                if (pair->broken || (pair->ends[0].flow.shut && pair->ends[1].flow.shut)) {
                        *at = pair->next;
                        pair_free(pair);
                } else {
                        at = &pair->next;
                }
        }
}

/* When there is something to do for a flow; what is blocked waits for its socket instead. */
static int64_t
flow_due(const struct flow *flow)
{
        if (flow->first != NULL)
                return flow->blocked ? INT64_MAX : flow->first->due_ns;
        return flow->ended && !flow->shut ? flow->last_ns : INT64_MAX;
}

int64_t
relay_next_due(const struct relay *relay)
{
        int64_t next = INT64_MAX;

        for (const struct pair *pair = relay->pairs; pair != NULL; pair = pair->next) {
                for (int i = 0; i < 2; i++) {
                        int64_t due = flow_due(&pair->ends[i].flow);
                        if (due < next)
                                next = due;
                }
        }
        return next;
}
