/*
 * What lib/pool does in a turn, by the policy that ships: the dispatcher with its sockets left out.
 */
#include "sim.h"

/* The place of a class in the queues: reads, then others. */
enum { QUICK_READS, QUICK_OTHERS, SLOW, NEW, QUEUES };

static struct sim_queue *
queue_of(struct sim *sim, int request)
{
        switch (sim->texts[sim->requests[request].text].class) {
        case SERVER_QUICK:
                return &sim->queues[sim->requests[request].writes ? QUICK_OTHERS : QUICK_READS];
        case SERVER_SLOW: return &sim->queues[SLOW];
        case SERVER_NEW: break;
        }
        return &sim->queues[NEW];
}

void
shipped_init(struct sim *sim)
{
        pipit__server_pace_init(&sim->pace);
        pipit__policy_init(&sim->policy, &sim->pace, 128);
        pipit__round_trip_guess(&sim->pace.round_trip, (int64_t)sim->point.rtt + 100, 0);
}

/* The queue whose first has waited longest, of those that are not stuck; NULL: none. */
static struct sim_queue *
oldest(struct sim *sim, struct sim_queue *queues, const bool *stuck)
{
        struct sim_queue *oldest = NULL;

        for (int i = 0; i < QUEUES; i++) {
                if (queues[i].n == 0 || (stuck != NULL && stuck[i]))
                        continue;
                if (oldest == NULL ||
                    sim->requests[queues[i].first].since < sim->requests[oldest->first].since)
                        oldest = &queues[i];
        }
        return oldest;
}

/* Puts all that waits into the queues of their classes, by age. */
static void
sort_again(struct sim *sim)
{
        struct sim_queue old[QUEUES];
        struct sim_queue *queue;

        for (int i = 0; i < QUEUES; i++) {
                old[i] = sim->queues[i];
                sim->queues[i].n = 0;
        }
        while ((queue = oldest(sim, old, NULL)) != NULL) {
                int request = requests_pop(sim, queue);
                requests_push(sim, queue_of(sim, request), request);
        }
        sim->n_changes = sim->pace.n_changes;
}

static void
offer(struct sim *sim, struct policy_choice *choice, int conn)
{
        struct policy_offer offer = {
                .backlog = &sim->conns[conn].backlog, .may_take = true, .conn = &sim->conns[conn]};

        pipit__policy_offer(choice, &offer);
}

/* Of those that owe nothing the one that was used last. */
static void
offer_empty(struct sim *sim, struct policy_choice *choice)
{
        int last = SIM_NONE;

        for (int i = 0; i < sim->point.conns; i++) {
                if (sim->conns[i].backlog.n_segments == 0 &&
                    (last < 0 || sim->conns[i].used > sim->conns[last].used))
                        last = i;
        }
        if (last >= 0)
                offer(sim, choice, last);
}

/* How many of a queue fit into a segment: what the batch of the dispatcher does. */
static int
fit(struct sim *sim, const struct sim_queue *queue, const struct policy_deal *deal)
{
        float us = 0;
        int n = 0;

        for (int request = queue->first; n < deal->n && n < queue->n; n++) {
                const struct server_time *time = &sim->texts[sim->requests[request].text];
                us += pipit__server_time_foretell(time, &sim->pace);
                if (n > 0 && us > deal->us)
                        break;
                request = sim->requests[request].next;
        }
        return n;
}

/* Notes what was sent in the segment that was made last. */
static void
note_sent(struct sim *sim, bool is_ping)
{
        struct sim_segment *segment = &sim->segments[sim->out.last];
        struct owed_segment *sending = &segment->sending;

        *sending = (struct owed_segment){
                .sent_us = (int64_t)sim->now, .n_statements = segment->n, .is_ping = is_ping};
        for (int request = segment->first; request >= 0; request = sim->requests[request].next) {
                const struct server_time *time = &sim->texts[sim->requests[request].text];
                float us = pipit__server_time_foretell(time, &sim->pace);
                sending->foretold_us += us;
                if (us > sending->longest_us)
                        sending->longest_us = us;
                sending->is_slow = sending->is_slow || pipit__server_time_is_slow(time, &sim->pace);
        }
        pipit__backlog_sent(&sim->conns[segment->conn].backlog, sending);
}

/* Deals some of a queue to a connection; false: none can be. */
static bool
place(struct sim *sim, struct sim_queue *queue)
{
        const struct sim_request *first = &sim->requests[queue->first];
        struct policy_ask ask = {.time = &sim->texts[first->text],
                                 .n_waiting = queue->n,
                                 .shares = queue == &sim->queues[QUICK_READS],
                                 .now_us = (int64_t)sim->now};
        struct policy_choice choice;
        struct policy_deal deal;

        pipit__policy_begin(&choice, &sim->policy, &ask, sim->point.conns);
        offer_empty(sim, &choice);
        for (int i = 0; i < sim->point.conns; i++) {
                if (sim->conns[i].backlog.n_segments > 0)
                        offer(sim, &choice, i);
        }
        if (!pipit__policy_decide(&choice, &deal))
                return false;
        int conn = (int)((struct sim_conn *)deal.conn - sim->conns);
        if (deal.pings) {
                segments_push(sim, &sim->out, segment_new(sim, conn));
                sim->conns[conn].n_segments++;
                note_sent(sim, true);
                sim->pace.round_trip.asked_us = ask.now_us;
        }
        client_send(sim, conn, queue, fit(sim, queue, &deal), true);
        note_sent(sim, false);
        return true;
}

/* Has a connection run dry for a ping. */
static void
run_dry(struct sim *sim)
{
        struct backlog *least = NULL;

        for (int i = 0; i < sim->point.conns; i++) {
                struct backlog *backlog = &sim->conns[i].backlog;
                if (backlog->n_segments == 0 || backlog->dries)
                        return;
                if (least == NULL || backlog->owed_us < least->owed_us)
                        least = backlog;
        }
        if (least != NULL)
                least->dries = true;
}

void
shipped_turn(struct sim *sim)
{
        int64_t now_us = (int64_t)sim->now;
        bool stuck[QUEUES] = {false};
        struct sim_queue *queue;

        if (sim->n_changes != sim->pace.n_changes)
                sort_again(sim);
        if (pipit__quantum_is_due(&sim->policy.quantum, &sim->pace, now_us))
                pipit__quantum_adapt(&sim->policy.quantum, &sim->pace, sim->waits, now_us);
        while (sim->fresh.n > 0) {
                int request = requests_pop(sim, &sim->fresh);
                requests_push(sim, queue_of(sim, request), request);
        }
        if (pipit__policy_wants_dry(&sim->policy, now_us))
                run_dry(sim);
        while ((queue = oldest(sim, sim->queues, stuck)) != NULL) {
                if (!place(sim, queue))
                        stuck[queue - sim->queues] = true;
        }
}

void
shipped_answered(struct sim *sim, int segment)
{
        const struct sim_segment *answered = &sim->segments[segment];
        struct backlog *backlog = &sim->conns[answered->conn].backlog;
        struct answered_segment timing =
                pipit__backlog_answered(backlog, &sim->pace, &answered->sending, (int64_t)sim->now);
        int request = answered->first;

        while (request >= 0) {
                int text = sim->requests[request].text;
                int n = 0;
                for (; request >= 0 && sim->requests[request].text == text; n++)
                        request = sim->requests[request].next;
                pipit__answered_segment_teach(&timing, &sim->pace, &sim->texts[text], n);
        }
}
