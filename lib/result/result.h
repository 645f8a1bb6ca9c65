/*
 * Results, from the inside. See <pipit/result.h>.
 *
 * A request owns its result from the start, so that it can complete without memory. Results know
 * the home they were made in: when that goes, those that are kept lose their scope.
 */
#ifndef PIPIT_RESULT_INTERNAL_H
#define PIPIT_RESULT_INTERNAL_H

#include <pipit/item.h>
#include <pipit/result.h>
#include <stdarg.h>

#include "base/cold.h"
#include "base/list.h"

struct pg_result;

/* The results that belong to one scope. */
struct result_owner {
        struct list results; /* those that may outlive it: somebody keeps them */
        struct pipit *scope;
        int n_requests; /* outstanding on the scope, until the last callback has returned */
};

void pipit__result_owner_init(struct result_owner *owner, struct pipit *scope);
/* Cuts the results that are still referenced off from the scope. */
void pipit__result_owner_fini(struct result_owner *owner);

/* An empty, successful result; NULL when memory ran out. */
struct pipit_result *pipit__result_new(struct result_owner *owner);
/* The same with room for something else in its block, which lives as long as the result. */
struct pipit_result *pipit__result_new_with(struct result_owner *owner, size_t room);
void *pipit__result_room(struct pipit_result *res);
const struct pipit_result *pipit__result_of_room(const void *room);

/* A reference for one that surely goes before the scope does. */
struct pipit_result *pipit__result_hold(struct pipit_result *res);

/* What pipit_wait() gives when it cannot wait: PIPIT_EINVAL, PIPIT_EBLOCKING or PIPIT_ECLOSED.
 * Never freed. */
struct pipit_result *pipit__result_constant(enum pipit_code code);

/* Makes it empty and successful again. */
void pipit__result_reset(struct pipit_result *res);

/* Takes pg over: rows, or the server's error with what became of the statement. */
void
pipit__result_take(struct pipit_result *res, struct pg_result *pg, enum pipit_executed executed);
/* Of a result: what is the answer to one of many. */
struct result_part {
        int row;       /* -1: none */
        int n_columns; /* the first of them */
        const char *tag;
};

/* Makes it show a part of another's, which it refers to from then on; the tag is borrowed. */
void pipit__result_show(struct pipit_result *res, struct pipit_result *whole,
                        const struct result_part *part);
/* Whether it holds something from the server. */
bool pipit__result_is_taken(const struct pipit_result *res);

/* Turns it into a failure; rows are gone. Without memory the code's text is the message. */
COLD void
pipit__result_fail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                   enum pipit_phase phase, const char *format, ...) PIPIT_PRINTF(5, 6);
COLD void
pipit__result_vfail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                    enum pipit_phase phase, const char *format, va_list args) PIPIT_PRINTF(5, 0);
/* Copies another error into it: its code, texts and SQLSTATE. */
COLD void pipit__result_fail_like(struct pipit_result *res, const struct pipit_error *error);
/* How often the body of its transaction ran. */
void pipit__result_set_attempts(struct pipit_result *res, int attempts);
/* Says where the connection of a failed request went; copied. */
void pipit__result_set_host(struct pipit_result *res, const char *host);

/* For many values of a column that is there: what is the same in all of them; and each of them. */
void pipit__result_column(const struct pipit_result *res, int column, struct pipit_item *item);
void pipit__result_cell(int row, int column, struct pipit_item *item);

/* The bytes of a value of this type, in binary form, and of this size; NULL when it is not so. */
const void *pipit__result_plain(const struct pipit_result *res, int row, int column, uint32_t type,
                                size_t size);

/* A value, NULL included; whether it is there at all. */
bool
pipit__result_item(const struct pipit_result *res, int row, int column, struct pipit_item *ret);

/* The text of a value that is not NULL, owned by its result, where each call makes it anew if it
 * has to be made: 0, PIPIT_ETYPE when it is no such value, or PIPIT_ENOMEM. */
int pipit__result_text(const struct pipit_item *item, const char **ret_text, size_t *ret_length);

/* Zeroed memory that is freed with the result; NULL when memory ran out. */
void *pipit__result_alloc(struct pipit_result *res, size_t size);

/* A zeroed block that is freed with the result, at most one; NULL when memory ran out. */
void *pipit__result_attach(struct pipit_result *res, size_t size, const void *owner);
/* The block, when it is of that owner; else NULL. */
void *pipit__result_attached(const struct pipit_result *res, const void *owner);

#endif
