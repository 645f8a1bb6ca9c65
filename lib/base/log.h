/*
 * The log tells a program's hook, pipit_log_cb, what happened.
 *
 * A log is a member of its database and owns nothing. What always holds:
 * 1. A line has no control character and is well-formed UTF-8, whatever a server sent.
 * 2. At most 100 lines of each level are written in a second, so that many of one keep none of
 *    another out. One more says how many were left out, in front of the level's next line.
 * 3. Without a hook nothing is formatted.
 *
 * connect/, conn/ and pool/ write lines.
 */
#ifndef PIPIT_LOG_INTERNAL_H
#define PIPIT_LOG_INTERNAL_H

#include <pipit/options.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"

/* The quota of one level says how many of its lines were written. */
struct log_quota {
        int64_t second;  /* the second that lines counts, by the monotonic clock */
        int lines;       /* that were written in this second */
        int64_t dropped; /* lines that were left out since the last one that was written */
};

struct log {
        pipit_log_cb fn;            /* NULL if nobody listens */
        void *arg;                  /* the program's; passed on to fn */
        enum pipit_log_level least; /* lines of a lower level are not for fn */
        struct log_quota quotas[PIPIT_LOG_WARNING + 1];
};

/* Writes one line; does nothing if nobody listens to its level, or if that has had its lines in
 * this second. The texts are borrowed until the call returns. */
COLD void pipit__log(struct log *log, int64_t now_ms, enum pipit_log_level level,
                     const char *format, ...) PIPIT_PRINTF(4, 5);

/* Copies text into out, size bytes with its NUL, as one line: a run of line ends, tabs and spaces
 * becomes a space, another control character or a byte that is no UTF-8 becomes \xNN. A long text
 * is cut between two characters. */
void pipit__log_escape(char *out, size_t size, const char *text);

#endif
