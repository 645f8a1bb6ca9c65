/*
 * Results, from the inside. See <pipit/result.h>.
 *
 * A request owns its result from the start, so that it can complete without memory. Results know
 * the home they were made in: when that goes, those that are kept lose their scope.
 */
#ifndef PIPIT_RESULT_INTERNAL_H
#define PIPIT_RESULT_INTERNAL_H

#include "list.h"

#include <pipit/result.h>
#include <stdarg.h>

struct pg_result;

/* The results that belong to one scope. */
struct result_home {
        struct list results;
        struct pipit *scope;
};

void pipit__result_home_init(struct result_home *home, struct pipit *scope);
/* Cuts the results that are still referenced off from the scope. */
void pipit__result_home_fini(struct result_home *home);

/* An empty, successful result; NULL when memory ran out. */
struct pipit_result *pipit__result_new(struct result_home *home);

/* What pipit_wait() gives when it cannot wait: PIPIT_EINVAL, PIPIT_EBLOCKING or PIPIT_ECLOSED.
 * Never freed. */
struct pipit_result *pipit__result_constant(enum pipit_code code);

/* Takes pg over: rows, or the server's error with what became of the statement. */
void
pipit__result_take(struct pipit_result *res, struct pg_result *pg, enum pipit_executed executed);
/* Whether it holds something from the server. */
bool pipit__result_is_taken(const struct pipit_result *res);

/* Turns it into a failure; rows are gone. Without memory the code's text is the message. */
void
pipit__result_fail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                   enum pipit_phase phase, const char *format, ...) PIPIT_PRINTF(5, 6);
void
pipit__result_vfail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                    enum pipit_phase phase, const char *format, va_list args) PIPIT_PRINTF(5, 0);
/* Copies another error into it: its code, texts and SQLSTATE. */
void pipit__result_fail_like(struct pipit_result *res, const struct pipit_error *error);
/* Says where the connection of a failed request went; copied. */
void pipit__result_set_host(struct pipit_result *res, const char *host);

/* A value; NULL for SQL NULL and for what is not there. */
const char *
pipit__result_cell(const struct pipit_result *res, int row, int column, size_t *ret_length);

/* Zeroed memory that is freed with the result; NULL when memory ran out. */
void *pipit__result_alloc(struct pipit_result *res, size_t size);

/* A zeroed block that is freed with the result, at most one; NULL when memory ran out. */
void *pipit__result_attach(struct pipit_result *res, size_t size, const void *owner);
/* The block, when it is of that owner; else NULL. */
void *pipit__result_attached(const struct pipit_result *res, const void *owner);

#endif
