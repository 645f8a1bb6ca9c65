/*
 * A failure is built out of a message and a few facts, or read out of the server's answer. See
 * result_error.h.
 *
 * Always:
 * 1. owns_message says whether the message is a block of its own. Without it the message is a
 *    constant, or it is in pg.
 * 2. The host is a block of its own, and every other text is in pg, which the failure keeps.
 */
#include "result/result_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pq/pq.h"
#include "result/result.h"
#include "result/result_int.h"

/* ---- building */

/* Writes a message into a block of its own; NULL if memory ran out. vasprintf() is no choice:
 * without memory glibc's writes past the end of a text of 100 bytes. */
static COLD PIPIT_PRINTF(1, 0) char *message_new(const char *format, va_list args)
{
        va_list again;

        va_copy(again, args);
        int length = vsnprintf(NULL, 0, format, again);
        va_end(again);
        char *text = length >= 0 ? malloc((size_t)length + 1) : NULL;
        if (text != NULL)
                vsnprintf(text, (size_t)length + 1, format, args);
        return text;
}

void
pipit__result_vfail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                    enum pipit_phase phase, const char *format, va_list args)
{
        /* The message comes first: arguments may be part of what is cleared. */
        char *text = message_new(format, args);

        pipit__result_reset(res);
        res->failed = true;
        res->owns_message = text != NULL;
        res->error = (struct pipit_error){.code = code,
                                          .executed = executed,
                                          .phase = phase,
                                          .message = text != NULL ? text : pipit_code_text(code)};
}

void
pipit__result_fail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                   enum pipit_phase phase, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        pipit__result_vfail(res, code, executed, phase, format, args);
        va_end(args);
}

void
pipit__result_fail_like(struct pipit_result *res, const struct pipit_error *error)
{
        pipit__result_fail(res, error->code, error->executed, error->phase, "%s", error->message);
        memcpy(res->error.sqlstate, error->sqlstate, sizeof res->error.sqlstate);
        pipit__result_set_host(res, error->host);
}

bool
pipit__sqlstate_leaves_doubt(const char *sqlstate)
{
        return strncmp(sqlstate, "08", 2) == 0 || strcmp(sqlstate, "40003") == 0;
}

bool
pipit__error_leaves_doubt(const struct pipit_error *error)
{
        const char *function = error->source_function != NULL ? error->source_function : "";

        /* A server that is given too few parameters says 08P01, too, and has run nothing. */
        return pipit__sqlstate_leaves_doubt(error->sqlstate) &&
               strcmp(function, "exec_bind_message") != 0;
}

void
pipit__result_fail_by_answer(struct pipit_result *res, enum pipit_executed executed)
{
        res->failed = true;
        res->error = (struct pipit_error){
                .code = PIPIT_ESERVER, .executed = executed, .phase = PIPIT_PHASE_EXECUTE};
        pipit__pq_read_error(res->pg, &res->error);
        if (pipit__error_leaves_doubt(&res->error))
                res->error.executed = PIPIT_EXECUTED_UNKNOWN;
}

void
pipit__result_set_host(struct pipit_result *res, const char *host)
{
        if (!res->failed || host == NULL)
                return;
        char *copy = strdup(host);
        pipit__result_free_text(res->error.host);
        res->error.host = copy;
}

/* ---- constants */

#define RESULT_CONSTANT(c, text)                                                                   \
        {                                                                                          \
                .failed = true, .error = {.code = (c), .message = (text) }                         \
        }

struct pipit_result *
pipit__result_constant(enum pipit_code code)
{
        static struct pipit_result invalid =
                RESULT_CONSTANT(PIPIT_EINVAL, "pipit_wait() needs a blocking scope and the number "
                                              "of a request that was started on it");
        static struct pipit_result nested =
                RESULT_CONSTANT(PIPIT_EBLOCKING, "pipit_wait() inside a callback of the scope that "
                                                 "it waits on would never end");
        static struct pipit_result closed =
                RESULT_CONSTANT(PIPIT_ECLOSED, "a callback closed the scope that was waited on");
        static struct pipit_result thread = RESULT_CONSTANT(
                PIPIT_ETHREAD, "the scope belongs to another thread: give each thread its own");
        static struct pipit_result fork = RESULT_CONSTANT(
                PIPIT_EFORK, "the scope belongs to the parent process: open another");
        static struct pipit_result endless = RESULT_CONSTANT(
                PIPIT_EDEADLK, "it waits behind a transaction or a session that is open, and that "
                               "only the waiting caller could end: end that first");
        static struct pipit_result *const constants[] = {&invalid, &nested, &closed,
                                                         &thread,  &fork,   &endless};

        for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
                if (constants[i]->error.code == code)
                        return constants[i];
        }
        return &invalid;
}

/* ---- reading */

bool
pipit_failed(const struct pipit_result *res)
{
        return res == NULL || res->failed;
}

const struct pipit_error *
pipit_result_error(const struct pipit_result *res)
{
        return res != NULL && res->failed ? &res->error : NULL;
}

const char *
pipit_error_text(const struct pipit_result *res)
{
        if (res == NULL)
                return "no result";
        return res->failed ? res->error.message : "";
}
