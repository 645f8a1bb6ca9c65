/*
 * Text of the server, on its way into the log and into the error of a connect: one line without
 * control characters comes out of it, whatever it was.
 */
#include "base/log.h"

#include <pipit/options.h>
#include <stdlib.h>
#include <string.h>

#include "connect/conn_error.h"
#include "fuzz.h"

static void
escape_try(const char *text, size_t size)
{
        char *out = malloc(size);

        MUST(out != NULL);
        pipit__log_escape(out, size, text);
        MUST(memchr(out, '\0', size) != NULL);
        MUST(fuzz_is_clean(out));
        free(out);
}

static void
log_take(enum pipit_log_level level, const char *line, void *arg)
{
        int *n = arg;

        MUST(level == PIPIT_LOG_NOTICE);
        MUST(fuzz_is_clean(line));
        *n += 1;
}

static void
log_try(const char *text)
{
        int n = 0;
        struct log log = {.fn = log_take, .arg = &n};

        pipit__log(&log, 0, PIPIT_LOG_NOTICE, "%s", text);
        MUST(n == 1);
}

static void
message_try(const char *text)
{
        struct conn_error failure = {.sqlstate = "?"};

        pipit__conn_error_read(&failure, text);
        MUST(fuzz_is_clean(failure.text));
        MUST(failure.sqlstate[0] == '\0' || strlen(failure.sqlstate) == 5);
        for (const char *c = failure.sqlstate; *c != '\0'; c++)
                MUST((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z'));
        MUST(strstr(text, failure.sqlstate) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = fuzz_text(data, size);

        for (size_t room = 1; room < 12; room++)
                escape_try(text, room);
        escape_try(text, 5 * size + 1);
        log_try(text);
        message_try(text);
        free(text);
        return 0;
}
