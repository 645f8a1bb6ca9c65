/*
 * A server time is an estimate of how long the server takes for one statement, and so of whether
 * the statement may share a Sync with others, who would wait for it.
 *
 * conn/segment_time.c has each statement learn from its answers; the policy, the batches and the
 * coalescing of pool/ ask.
 *
 * 1. The time is the server's, never the network's: a statement is not slow because the server is
 *    far away.
 * 2. Only answers teach, and failures: nothing here has a clock of its own.
 * 3. Each doubt makes an estimate smaller. One that is too small sends more, and the next answer
 *    tells; one that is too large holds back, and nothing would prove it wrong.
 */
#ifndef PIPIT_SERVER_TIME_INTERNAL_H
#define PIPIT_SERVER_TIME_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cold.h"
#include "request/round_trip.h"

enum server_class {
        SERVER_NEW,   /* too few uses: has a Sync of its own */
        SERVER_QUICK, /* may share */
        SERVER_SLOW   /* nothing quick follows it, and it has a Sync of its own */
};

/* An estimate; all zero at first. */
struct server_time {
        enum server_class class;
        unsigned uses;    /* that were timed; stays where it is once there are enough */
        float server_us;  /* of one use, slow ones left out unless they are the rule */
        float odd;        /* the part of the last segments that were slow for once, 0 to 1 */
        int64_t sure_us;  /* when it was learned last what was surely the server's time */
        unsigned alone;   /* uses that are still to have a Sync of their own */
        unsigned penalty; /* how many there are after the next failure */
};

/* The quickest statement of some time, as quick as it is now. */
struct least {
        float us;
        const struct server_time *of; /* only compared: it may be gone; NULL: none was answered */
};

/* The pace of a server is what all statements of a database have in common: how far the server is,
 * and how busy. */
struct server_pace {
        struct round_trip round_trip;
        float prior_us;          /* the time of a statement of which nothing is known */
        struct least least;      /* of those that were answered lately */
        struct least next_least; /* of those since least_since_us */
        int64_t least_since_us;
        float busy_us;      /* server time of all answers since the quantum adapted */
        float gap_us;       /* time in which connections owed nothing to their processes */
        unsigned n_changes; /* of the class of any statement */
};

/* A lesson is what one answered segment says of one of its statements. */
struct server_lesson {
        float us;     /* of one use */
        float part;   /* of the segment, that this statement was */
        int n;        /* uses */
        bool is_sure; /* nothing of the network is in that time */
        bool is_odd;  /* the segment took much longer than was foretold */
        int64_t now_us;
};

void pipit__server_pace_init(struct server_pace *pace);

/* Returns how long the server is foretold to take for one use, in microseconds; never 0. */
float pipit__server_time_foretell(const struct server_time *time, const struct server_pace *pace);
/* Returns from which time on a statement is slow. */
float pipit__server_time_slow_us(const struct server_pace *pace);
/* Whether it is slow, or, if nothing is known of it, new statements mostly are. */
bool pipit__server_time_is_slow(const struct server_time *time, const struct server_pace *pace);
/* Whether it may share a Sync. */
bool pipit__server_time_may_share(const struct server_time *time);
/* Whether much quicker statements than this were answered lately. */
bool pipit__server_time_has_quicker(const struct server_time *time, const struct server_pace *pace,
                                    int64_t now_us);

/* ---- learning */

void pipit__server_time_answered(struct server_time *time, struct server_pace *pace,
                                 const struct server_lesson *lesson);
/* Learns from n uses that ran as one statement, which takes many. */
void pipit__server_time_coalesced(struct server_time *time, const struct server_time *many, int n);
/* Learns that a use failed in a group: the next ones are alone, and after each failure more. */
COLD void pipit__server_time_failed(struct server_time *time);

#endif
