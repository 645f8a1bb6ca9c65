/*
 * A simulation of one client with a few connections, and of its server, without either: discrete
 * events in virtual time. It drives the policy of lib/pool, the very module that ships, and rivals
 * that are simpler, against servers of any size at any distance.
 *
 * Times are microseconds. A point is what is simulated; a run of it gives a figure for each policy.
 */
#ifndef TEST_SIM_H
#define TEST_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "conn/backlog.h"
#include "pool/policy.h"
#include "request/server_time.h"

#define SIM_CONNS 64
#define SIM_TEXTS 260
#define SIM_NONE  (-1)

enum sim_policy {
        SIM_SHIPPED, /* lib/pool/policy.c */
        SIM_SINGLE,  /* one at a time on each connection */
        SIM_EACH,    /* each at once on the least loaded, with a Sync each */
        SIM_SHARED,  /* all that waits is split evenly, one Sync for each part */
        SIM_FLOOR,   /* as the benchmark's floor, which knows how many are in flight */
        SIM_POLICIES
};

struct point {
        int cores; /* of the server */
        int conns;
        int in_flight;     /* the loop is closed; 0: it is open */
        double per_second; /* offered in an open loop */
        double rtt;        /* 0: the client is on the server's machine, and has one of its cores */
        double jitter;     /* mean of what each way takes more */
        int workload;
        double step_at; /* when the rest changes; 0: never */
        double step_rtt;
        double step_cpu; /* of each statement; 0: as before */
};

struct figure {
        double per_second;
        double p50;
        double p99;    /* of what is quick */
        bool keeps_up; /* with what an open loop offers */
};

/* ---- what is asked */

struct sim_request {
        double since;
        double cpu;
        double sleep;
        int text;
        bool writes;
        bool slow; /* it is not in the percentiles */
        int next;
};

struct sim_queue {
        int first;
        int last;
        int n;
};

struct sim_segment {
        int conn;
        int first; /* request */
        int last;
        int n;
        int next;
        int at;       /* the request that runs */
        double extra; /* work in front of the next request */
        struct owed_segment sending;
};

/* ---- machines: processes that share cores */

struct machine {
        int cores;
        int n; /* processes that run */
        int ids[SIM_CONNS + 1];
        double left[SIM_CONNS + 1];
        double left_at[SIM_CONNS + 1]; /* when it stopped last */
        double at;
        double full_until;
};

struct backend {
        struct sim_queue segments;
        int at; /* the segment that runs */
        bool busy;
        double out_last; /* when what it sent last arrives */
};

struct sim_conn {
        struct sim_queue arrived; /* segments */
        int n_segments;
        int n_requests;
        double out_last;
        long used;
        struct backlog backlog;
};

enum sim_event { SIM_AT_SERVER, SIM_AT_CLIENT, SIM_WAKE, SIM_AWAKE, SIM_ARRIVAL };

struct event {
        double at;
        long number;
        enum sim_event kind;
        int a;
        int b;
};

enum client_state { CLIENT_IDLE, CLIENT_WAKING, CLIENT_READING, CLIENT_SENDING };

struct sim {
        struct point point;
        enum sim_policy kind;
        double now;
        uint64_t random;
        uint64_t asks_random; /* of what is asked and when: the same for each policy */
        struct machine server;
        struct machine client; /* the server's, when the client is on it */
        struct backend backends[SIM_CONNS];
        struct sim_conn conns[SIM_CONNS];
        struct sim_request *requests;
        struct sim_segment *segments;
        int n_requests, max_requests, free_request;
        int n_segments, max_segments, free_segment;
        struct event *events;
        int n_events, max_events;
        long n_event;
        /* the client */
        enum client_state state;
        bool has_arrived;
        struct sim_queue fresh; /* they came while the client was at something */
        struct sim_queue reads; /* rivals */
        struct sim_queue writes;
        struct sim_queue got;     /* segments that this turn reads */
        struct sim_queue out;     /* segments that this turn sends */
        struct sim_queue flushed; /* segments that are being written to one connection */
        uint64_t waits;
        /* what was measured */
        bool measures;
        bool stepped;
        bool behind;
        long n_done;
        long *counts;
        /* SIM_SHIPPED */
        struct server_pace pace;
        struct policy policy;
        struct server_time texts[SIM_TEXTS];
        struct sim_queue queues[4];
        unsigned n_changes;
};

/* sim.c: random numbers, queues, events */
double random_uniform(uint64_t *random);
double random_exponential(uint64_t *random, double mean);
void requests_push(struct sim *sim, struct sim_queue *queue, int request);
int requests_pop(struct sim *sim, struct sim_queue *queue);
void segments_push(struct sim *sim, struct sim_queue *queue, int segment);
int segments_pop(struct sim *sim, struct sim_queue *queue);
int request_new(struct sim *sim);
void request_free(struct sim *sim, int request);
int segment_new(struct sim *sim, int conn);
void segment_free(struct sim *sim, int segment);
void event_add(struct sim *sim, double at, enum sim_event kind, int a, int b);
bool event_pop(struct sim *sim, struct event *ret_event);
double event_next(const struct sim *sim);

/* machine.c */
void machine_advance(struct machine *machine, double now);
void machine_add(struct sim *sim, struct machine *machine, int id, double work);
void machine_remove(struct machine *machine, int place);
/* When the next of them is done; *ret_place is where it is. */
double machine_next(const struct machine *machine, int *ret_place);
double machine_wake(const struct sim *sim, const struct machine *machine, int id);

/* server.c */
double sim_way(struct sim *sim);
void backend_arrives(struct sim *sim, int conn, int segment);
void backend_wakes(struct sim *sim, int conn);
void backend_awakes(struct sim *sim, int conn);
void backend_done(struct sim *sim, int conn);

/* client.c */
struct machine *sim_client(struct sim *sim);
void client_kick(struct sim *sim);
void client_turn(struct sim *sim);
void client_done(struct sim *sim);
/* Sends n requests of a queue on a connection, which share a Sync or have one each. */
void client_send(struct sim *sim, int conn, struct sim_queue *queue, int n, bool shares);

/* rivals.c, shipped.c: what is done in a turn */
void rival_turn(struct sim *sim);
void shipped_init(struct sim *sim);
void shipped_turn(struct sim *sim);
void shipped_answered(struct sim *sim, int segment);

/* workload.c */
enum { WORKLOADS = 11 };
extern const char *const workload_names[WORKLOADS];
/* The processor time that a request takes the server in the mean. */
double workload_mean(int workload);
int workload_request(struct sim *sim);

/* run.c */
struct figure sim_run(const struct point *point, enum sim_policy kind);

/* ---- grid.c: points, how the policy that ships stands at each, and the sum of that */

struct points {
        struct point *all;
        int n;
};

enum grid_kind {
        GRID_CLOSED, /* a fixed number is in flight */
        GRID_OPEN,   /* they come at random times */
        GRID_STEPS,  /* the round trip, or what a statement takes, changes in the middle */
        GRID_OTHERS, /* jitter, and fewer connections: told, not judged */
        GRID_KINDS
};

/* What the policy that ships has, as a part of the best of the others: of their throughput, and of
 * the least percentiles of those that have that throughput. */
struct standing {
        double throughput;
        double p50;
        double p99;
};

/* The points of a grid; one of every stride. */
struct points grid_points(enum grid_kind kind, int stride);
/* with_floor: the benchmark's floor, which knows how many are in flight, is one of the others. */
struct standing
standing_of(const struct point *point, const struct figure *figures, bool with_floor);
void point_print(const struct point *point, FILE *out);

#endif
