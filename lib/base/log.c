/*
 * The log formats a line, escapes it and hands it to the hook. See log.h.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LOG_MAX_LINES 100 /* of a level in a second */
#define LOG_LINE_SIZE 1024

/* Whether a character's second byte makes it a control character, a surrogate, longer than need be
 * or beyond U+10FFFF. U+0080 to U+009F are control characters: terminals obey them like ESC. */
static bool
log_second_is_bad(const unsigned char *c)
{
        return ((c[0] == 0xc2 || c[0] == 0xe0) && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
               (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f);
}

/* Returns the bytes of the UTF-8 character at text; 0 if there is none, or a control character. */
static size_t
log_character_length(const char *text)
{
        const unsigned char *c = (const unsigned char *)text;
        size_t length = c[0] < 0x80 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;

        if (c[0] < 0x20 || c[0] == 0x7f || (c[0] >= 0x80 && c[0] < 0xc2) || c[0] > 0xf4 ||
            log_second_is_bad(c))
                return 0;
        for (size_t i = 1; i < length; i++) {
                if ((c[i] & 0xc0) != 0x80)
                        return 0;
        }
        return length;
}

/* Writes the character at text. Returns how many bytes of text that took, 0 if there is no room. */
static size_t
log_escape_one(char *out, size_t room, const char *text)
{
        size_t length = log_character_length(text);

        if (*text == '\n' || *text == '\t' || *text == '\r') {
                if (room < 2)
                        return 0;
                snprintf(out, room, " ");
                return strspn(text, "\n\t\r ");
        }
        if (length == 0) {
                if (room < 5)
                        return 0;
                snprintf(out, room, "\\x%02x", (unsigned char)*text);
                return 1;
        }
        /* A character is written whole or not at all. */
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
                size_t taken = log_escape_one(out, size, text);
                if (taken == 0)
                        return;
                size_t written = strlen(out);
                out += written;
                size -= written;
                text += taken;
        }
}

/* Whether one more line may be written now; counts the line either way. */
static bool
quota_admits(struct log_quota *quota, int64_t now_ms)
{
        if (now_ms / 1000 != quota->second) {
                quota->second = now_ms / 1000;
                quota->lines = 0;
        }
        if (quota->lines == LOG_MAX_LINES) {
                quota->dropped++;
                return false;
        }
        quota->lines++;
        return true;
}

/* Formats a line and calls the hook. A function of its own keeps the two buffers off the stack of
 * callers that have no hook. */
static void __attribute__((noinline))
log_write(struct log *log, enum pipit_log_level level, const char *format, va_list args)
{
        struct log_quota *quota = &log->quotas[level];
        char raw[LOG_LINE_SIZE];
        char line[LOG_LINE_SIZE];

        vsnprintf(raw, sizeof raw, format, args);
        pipit__log_escape(line, sizeof line, raw);
        if (quota->dropped > 0) {
                snprintf(raw, sizeof raw, "%lld lines were left out: more than %d in a second",
                         (long long)quota->dropped, LOG_MAX_LINES);
                quota->dropped = 0;
                log->fn(level, raw, log->arg);
        }
        log->fn(level, line, log->arg);
}

void
pipit__log(struct log *log, int64_t now_ms, enum pipit_log_level level, const char *format, ...)
{
        va_list args;

        if (log->fn == NULL || level < log->least || !quota_admits(&log->quotas[level], now_ms))
                return;
        va_start(args, format);
        log_write(log, level, format, args);
        va_end(args);
}
