/*
 * Groups: what becomes of statements that shared a Sync, and of what was prepared for them.
 *
 * In a group of reads the culprit alone gets its error, and those that the server skipped are run
 * again: together once, in halves, then alone. After a failure in a group of writes all are run
 * alone: there may be no culprit.
 */
#ifndef PIPIT_RETRY_INTERNAL_H
#define PIPIT_RETRY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "conn/reply_queue.h"

struct list;
struct latency_scale;

enum retry_decision {
        RETRY_NONE, /* its result is what its caller gets */
        RETRY_AGAIN /* the server surely did not run it, or undid it: it is run once more */
};

/* What becomes of a statement whose segment is complete, has failed, and that somebody waits for.
 * What the answer says of its statement, and of what is prepared, is noted. */
enum retry_decision
pipit__retry_decide(const struct reply *reply, bool failed, struct prepared *prepared);

/* What the error of a statement of a transaction says of its statement, and of what is prepared, is
 * noted: it cannot be run again there, but the next one can. */
void pipit__retry_note(const struct reply *reply, struct prepared *prepared);

/* The same of one that was alone, on a connection where another one was cancelled: it can have been
 * hit in that one's place. When it must not run again, its error says so. */
enum retry_decision pipit__retry_decide_stray(const struct reply *reply);

/* How long a segment took, and what was sent with it. */
struct segment_timing {
        int64_t now_ms;
        int64_t us;
        bool slow;
        float each_us; /* of all that was sent at once; 0 while more of that is to come */
        float most_us; /* what is longer would be slow */
};

/* When a connection that was free was sent something, and what that was. */
struct flight {
        int64_t sent_us;
        float estimated_us;
        int n_statements;
};

/* sync is the end of the segment, is_last whether the flight's as well. */
struct segment_timing
pipit__segment_time(struct latency_scale *scale, const struct reply *sync,
                    const struct flight *flight, bool is_last, int64_t read_us, int64_t now_us);

/* What that says of the statements of a segment: one lesson for those of one statement that stand
 * one behind the other. */
struct segment_lesson {
        const struct segment_timing *timing;
        struct stmt *stmt; /* a reference; NULL: none is open */
        enum segment_kind segment;
        int n;
};

/* A statement was answered; and all of the segment were. */
void pipit__segment_teach(struct segment_lesson *lesson, const struct reply *reply);
void pipit__segment_taught(struct segment_lesson *lesson);

#endif
