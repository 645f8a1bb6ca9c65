/*
 * The log. See log.h.
 */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LOG_MAX_LINES 100 /* a second */
#define LOG_LINE_SIZE 1024

/* Whether the character at text fits; how many bytes it takes, and as what it is written. */
static size_t
escape_one(char *out, size_t room, const char *text)
{
        unsigned char c = (unsigned char)*text;
        size_t length = 1;

        if (c == '\n' || c == '\t' || c == '\r') {
                if (room < 2)
                        return 0;
                snprintf(out, room, " ");
                return strspn(text, "\n\t\r ");
        }
        if (c < 0x20 || c == 0x7f) {
                if (room < 5)
                        return 0;
                snprintf(out, room, "\\x%02x", c);
                return 1;
        }
        /* A UTF-8 sequence goes whole or not at all. */
        while (c >= 0xc0 && length < 4 && ((unsigned char)text[length] & 0xc0) == 0x80)
                length++;
        if (room < length + 1)
                return 0;
        memcpy(out, text, length);
        out[length] = '\0';
        return length;
}

void
pipit__log_escape(char *out, size_t size, const char *text)
{
        if (size == 0)
                return;
        out[0] = '\0';
        while (*text != '\0') {
                size_t taken = escape_one(out, size, text);
                if (taken == 0)
                        return;
                size_t written = strlen(out);
                out += written;
                size -= written;
                text += taken;
        }
}

/* Whether one more line may be written now. */
static bool
log_admits(struct log *log, int64_t now_ms)
{
        if (now_ms / 1000 != log->second) {
                log->second = now_ms / 1000;
                log->lines = 0;
        }
        if (log->lines == LOG_MAX_LINES) {
                log->dropped++;
                return false;
        }
        log->lines++;
        return true;
}

void
pipit__log(struct log *log, int64_t now_ms, enum pipit_log_level level, const char *format, ...)
{
        char raw[LOG_LINE_SIZE];
        char line[LOG_LINE_SIZE];
        va_list args;

        if (log->fn == NULL || !log_admits(log, now_ms))
                return;
        va_start(args, format);
        vsnprintf(raw, sizeof raw, format, args);
        va_end(args);
        pipit__log_escape(line, sizeof line, raw);
        if (log->dropped > 0) {
                snprintf(raw, sizeof raw, "%lld lines were left out: more than %d in a second",
                         (long long)log->dropped, LOG_MAX_LINES);
                log->dropped = 0;
                log->fn(PIPIT_LOG_WARNING, raw, log->arg);
        }
        log->fn(level, line, log->arg);
}
