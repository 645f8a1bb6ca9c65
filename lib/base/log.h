/*
 * The log: one hook, lines without control characters, not more than a few a second.
 */
#ifndef PIPIT_LOG_INTERNAL_H
#define PIPIT_LOG_INTERNAL_H

#include <pipit/options.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"

struct log {
        pipit_log_cb fn; /* NULL: nobody listens */
        void *arg;
        int64_t second;  /* the one that is counted now */
        int lines;       /* in this second */
        int64_t dropped; /* since the last line */
};

/* Writes one line; nothing when nobody listens, or too many lines came in this second. */
COLD void pipit__log(struct log *log, int64_t now_ms, enum pipit_log_level level,
                     const char *format, ...) PIPIT_PRINTF(4, 5);

/* Copies text into out, of that size, in one line: line ends become spaces, other control
 * characters and what is no UTF-8 \xNN; what is too long is cut between two characters. */
void pipit__log_escape(char *out, size_t size, const char *text);

#endif
