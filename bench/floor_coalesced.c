/*
 * The floor that asks for many keys at once: WHERE id = ANY($1), and each row goes back to whoever
 * asked for its key.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"
#include "link.h"
#include "workload.h"

#define INT4_OID       23
#define INT4_ARRAY_OID 1007

static const char sql[] = "SELECT id, value FROM bench_read WHERE id = ANY($1)";

/* The words of an array in binary form: what stands in front, and two for each element. */
#define ARRAY_HEAD 5

struct extra {
        uint32_t *array;     /* what is sent */
        struct pair *places; /* the rows that came, by a hash of their key; id 0 is free */
        unsigned mask;
};

static unsigned
place_of(const struct extra *extra, int32_t id)
{
        unsigned place = ((uint32_t)id * 2654435769U) >> 7;

        while (extra->places[place & extra->mask].id != 0 &&
               extra->places[place & extra->mask].id != id)
                place++;
        return place & extra->mask;
}

static void
coalesced_send(struct link *link)
{
        const struct extra *extra = link->floor->extra;
        unsigned due = link->end - link->sent;
        uint32_t *word = extra->array + ARRAY_HEAD;

        if (due == 0 || link->syncs > 0)
                return;
        uint32_t head[ARRAY_HEAD] = {htonl(1), 0, htonl(INT4_OID), htonl(due), htonl(1)};
        memcpy(extra->array, head, sizeof head);
        while (link->sent != link->end) {
                *word++ = htonl(sizeof(int32_t));
                *word++ = htonl((uint32_t)link->ring[link->sent++ & link->mask]->values[0]);
        }
        const char *values[] = {(const char *)extra->array};
        int lengths[] = {(int)((ARRAY_HEAD + 2 * due) * sizeof(uint32_t))};
        int binary[] = {1};
        if (PQsendQueryPrepared(link->pq, "coalesced", 1, values, lengths, binary, 1) != 1)
                link_fail(link, "coalesced");
        link_send_sync(link);
        link_flush(link);
}

static void
coalesced_take(struct link *link, const PGresult *result)
{
        struct extra *extra = link->floor->extra;
        int n = PQntuples(result);

        memset(extra->places, 0, (extra->mask + 1) * sizeof(extra->places[0]));
        for (int i = 0; i < n; i++) {
                int32_t id = link_int(result, i, 0);
                struct pair *place = &extra->places[place_of(extra, id)];
                *place = (struct pair){.id = id, .value = link_int(result, i, 1)};
        }
        for (unsigned last = link->sent; link->head != last;) {
                struct ask *ask = link->ring[link->head++ & link->mask];
                const struct pair *place = &extra->places[place_of(extra, ask->values[0])];
                link->got++;
                ask_answered(ask, place, place->id != 0);
        }
}

static const struct form coalesced = {
        .pipelined = true, .send = coalesced_send, .take = coalesced_take};

/* Room for the largest burst, and a table that is at most half full. */
static struct extra *
extra_new(const struct run *run)
{
        unsigned most = (unsigned)(run->options->in_flight / run->options->connections + 1);
        unsigned size = 1;

        while (size < 2 * most)
                size *= 2;
        size_t places = size * sizeof(struct pair);
        size_t array = (ARRAY_HEAD + 2 * (size_t)most) * sizeof(uint32_t);
        struct extra *extra = calloc(1, sizeof *extra + places + array);
        if (extra == NULL)
                run_fail(run, "start", "out of memory");
        extra->places = (struct pair *)(void *)(extra + 1);
        extra->array = (uint32_t *)(void *)((char *)(extra + 1) + places);
        extra->mask = size - 1;
        return extra;
}

/* A statement cannot be prepared in a pipeline without taking its answer. */
static void
coalesced_open(struct run *run)
{
        floor_open(run, &coalesced);
        struct floor *floor = run->state;
        floor->extra = extra_new(run);
        for (int i = 0; i < floor->n_links; i++) {
                struct link *link = &floor->links[i];
                if (PQexitPipelineMode(link->pq) != 1)
                        link_fail(link, "pipeline");
                link_prepare(link, "coalesced", sql, 1, INT4_ARRAY_OID);
                if (PQenterPipelineMode(link->pq) != 1)
                        link_fail(link, "pipeline");
        }
}

static bool
serves_gets(const struct workload *workload)
{
        return workload->statements[0]->call == CALL_GET;
}

const struct subject subject_floor_coalesced = {.name = "floor-coalesced",
                                                .serves = serves_gets,
                                                .open = coalesced_open,
                                                .ask = floor_ask,
                                                .loop = floor_loop,
                                                .close = floor_close};
