/*
 * A backlog is what one connection owes: the segments that were sent and not answered, and how long
 * the server is foretold to take for them.
 *
 * The connection tells what it sends and what is answered, in that order; the policy of pool/ asks.
 *
 * 1. Nothing is owed, by number and by time, once no segment is.
 * 2. The server's time for a segment counts from when it can have begun: from the answer in front,
 * or from the longest round trip on. When in doubt, the network did it.
 */
#ifndef PIPIT_BACKLOG_INTERNAL_H
#define PIPIT_BACKLOG_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct server_pace;
struct server_time;

/* A segment that is owed: when it was sent, and what is foretold of it. */
struct owed_segment {
        int64_t sent_us;   /* 0: nothing has been sent yet */
        float foretold_us; /* of all its statements together */
        float longest_us;  /* the longest that is foretold of one of them */
        int n_statements;  /* 0: a Sync alone, or a command of pipit's own */
        bool is_slow;      /* one of them is */
        bool is_ping;      /* a Sync alone, on a connection that owed nothing */
};

/* All zero at first, and when the connection is lost. */
struct backlog {
        int n_segments;
        int n_statements;
        int n_slow;          /* segments with a slow statement */
        float owed_us;       /* foretold of all that is owed */
        float front_us;      /* the longest of one statement since nothing was owed */
        int64_t began_us;    /* when something was sent after nothing was owed */
        int64_t answered_us; /* when the last segment was answered; 0: never */
        bool dries;          /* nothing more is given until nothing is owed */
};

/* How long the server had for one segment. */
struct answered_segment {
        int64_t now_us;
        float us;          /* the server's time */
        float foretold_us; /* that it was foretold to take */
        int n_statements;  /* 0: the segment teaches nothing */
        bool is_sure;      /* another was answered in front: nothing of the network is in it */
        bool is_odd;       /* much longer than was foretold */
};

/* Notes that a segment was sent. */
void pipit__backlog_sent(struct backlog *backlog, const struct owed_segment *segment);

/* Notes that the first segment is answered, and returns what that took the server. A ping teaches
 * the round trip. */
struct answered_segment pipit__backlog_answered(struct backlog *backlog, struct server_pace *pace,
                                                const struct owed_segment *segment, int64_t now_us);

/* Teaches the time of one statement that n uses of it were in a segment. */
void pipit__answered_segment_teach(const struct answered_segment *timing, struct server_pace *pace,
                                   struct server_time *time, int n);

/* Forgets what was owed: the connection is lost. */
void pipit__backlog_lose(struct backlog *backlog);

/* How long nothing has been answered that is owed, in microseconds. */
int64_t pipit__backlog_silent_us(const struct backlog *backlog, int64_t now_us);

#endif
