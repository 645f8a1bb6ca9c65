/*
 * The parts of a simulation: random numbers, queues, events.
 */
#include "sim.h"

#include <math.h>
#include <stdlib.h>

static void *
grow(void *array, int *max, size_t size)
{
        *max = *max > 0 ? 2 * *max : 1024;
        array = reallocarray(array, (size_t)*max, size);
        if (array == NULL)
                abort();
        return array;
}

double
random_uniform(uint64_t *random)
{
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        return (double)(*random >> 11) / 9007199254740992.0;
}

double
random_exponential(uint64_t *random, double mean)
{
        return -mean * log(1 - random_uniform(random));
}

/* ---- requests and segments */

int
request_new(struct sim *sim)
{
        int i = sim->free_request;

        if (i >= 0) {
                sim->free_request = sim->requests[i].next;
                return i;
        }
        if (sim->n_requests == sim->max_requests)
                sim->requests = grow(sim->requests, &sim->max_requests, sizeof *sim->requests);
        return sim->n_requests++;
}

void
request_free(struct sim *sim, int request)
{
        sim->requests[request].next = sim->free_request;
        sim->free_request = request;
}

int
segment_new(struct sim *sim, int conn)
{
        int i = sim->free_segment;

        if (i >= 0) {
                sim->free_segment = sim->segments[i].next;
        } else {
                if (sim->n_segments == sim->max_segments)
                        sim->segments =
                                grow(sim->segments, &sim->max_segments, sizeof *sim->segments);
                i = sim->n_segments++;
        }
        sim->segments[i] = (struct sim_segment){.conn = conn, .first = SIM_NONE, .last = SIM_NONE};
        return i;
}

void
segment_free(struct sim *sim, int segment)
{
        sim->segments[segment].next = sim->free_segment;
        sim->free_segment = segment;
}

void
requests_push(struct sim *sim, struct sim_queue *queue, int request)
{
        sim->requests[request].next = SIM_NONE;
        if (queue->n++ > 0)
                sim->requests[queue->last].next = request;
        else
                queue->first = request;
        queue->last = request;
}

int
requests_pop(struct sim *sim, struct sim_queue *queue)
{
        int request = queue->first;

        queue->first = sim->requests[request].next;
        queue->n--;
        return request;
}

void
segments_push(struct sim *sim, struct sim_queue *queue, int segment)
{
        sim->segments[segment].next = SIM_NONE;
        if (queue->n++ > 0)
                sim->segments[queue->last].next = segment;
        else
                queue->first = segment;
        queue->last = segment;
}

int
segments_pop(struct sim *sim, struct sim_queue *queue)
{
        int segment = queue->first;

        queue->first = sim->segments[segment].next;
        queue->n--;
        return segment;
}

/* ---- events: a heap, by time and by number */

static bool
event_before(const struct event *a, const struct event *b)
{
        return a->at < b->at || (a->at <= b->at && a->number < b->number);
}

void
event_add(struct sim *sim, double at, enum sim_event kind, int a, int b)
{
        struct event event = {at, sim->n_event++, kind, a, b};
        int i = sim->n_events++;

        if (i == sim->max_events)
                sim->events = grow(sim->events, &sim->max_events, sizeof *sim->events);
        for (int up = (i - 1) / 2; i > 0 && event_before(&event, &sim->events[up]);
             up = (i - 1) / 2) {
                sim->events[i] = sim->events[up];
                i = up;
        }
        sim->events[i] = event;
}

double
event_next(const struct sim *sim)
{
        return sim->n_events > 0 ? sim->events[0].at : INFINITY;
}

bool
event_pop(struct sim *sim, struct event *ret_event)
{
        struct event *events = sim->events;
        int i = 0;

        if (sim->n_events == 0)
                return false;
        *ret_event = events[0];
        struct event last = events[--sim->n_events];
        for (int down = 1; down < sim->n_events; down = 2 * i + 1) {
                if (down + 1 < sim->n_events && event_before(&events[down + 1], &events[down]))
                        down++;
                if (event_before(&last, &events[down]))
                        break;
                events[i] = events[down];
                i = down;
        }
        events[i] = last;
        return true;
}
