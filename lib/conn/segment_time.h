/*
 * Segment times: how long a segment took to be answered, and what that teaches its statements.
 *
 * A sending is noted when something goes out. When a Sync is answered the connection makes a timing
 * of it, and the statements of the segment learn from that, one lesson a segment and text: they
 * were answered together, and say one thing.
 *
 * 1. A segment without statements teaches nothing: what it took was connecting, or cleaning up.
 * 2. A lesson refers to its statement until it has ended.
 */
#ifndef PIPIT_SEGMENT_TIME_INTERNAL_H
#define PIPIT_SEGMENT_TIME_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct latency_scale;
struct stmt;

/* When statements were sent, and what they were: those of one segment, or of a flight, which is all
 * that was sent to a connection from one time when nothing was owed to the next. */
struct sending {
        int64_t sent_us;    /* 0: nothing has been sent yet */
        float estimated_us; /* of all statements together, each at its best */
        int n_statements;
};

struct segment_timing {
        int64_t now_ms;
        int64_t us;
        bool slow;
        float each_us; /* of each statement in the flight; 0 while some of that are unanswered */
        float most_us; /* longer than that would be slow */
};

/* Times a segment that is answered now. is_last: its flight is answered with it. read_us: when the
 * segment before it was answered. */
struct segment_timing
pipit__segment_time(struct latency_scale *scale, const struct sending *segment,
                    const struct sending *flight, bool is_last, int64_t read_us, int64_t now_us);

/* How the statements of a segment stand to each other: what they say of one by itself. */
enum segment_sharing {
        SHARING_NONE, /* a statement had the Sync to itself: its time is its own */
        SHARING_SYNC, /* statements shared the Sync: none is timed by itself */
        SHARING_LEASE /* a session's statement: what else its lease does is in the time */
};

struct segment_lesson {
        const struct segment_timing *timing;
        struct stmt *stmt; /* a reference; NULL while no lesson has begun */
        enum segment_sharing sharing;
        int n; /* statements that this lesson is for */
};

/* Tells that one more statement of the segment was answered. */
void pipit__segment_teach(struct segment_lesson *lesson, struct stmt *stmt,
                          enum segment_sharing sharing);
/* Tells that all of the segment were. */
void pipit__segment_taught(struct segment_lesson *lesson);

#endif
