/*
 * Results. See result.h and <pipit/result.h>.
 */
#include "result/result.h"

#include <libpq-fe.h>
#include <pipit/transaction.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cold.h"
#include "pq/pq.h"
#include "value/codec.h"
#include "value/decode.h"

/* A text that was made of a value in binary form. */
struct made_text {
        const char *data; /* NULL: not yet */
        size_t length;
};

/* Columns whose types are at hand. */
#define RESULT_COLUMNS 8

/* What a column is, so that libpq is not asked for each value. */
struct column {
        uint32_t type;
        uint16_t number; /* of the column, from 1; 0: none yet */
        bool binary;
};

/* What a success has, and what was made of it. */
struct rows {
        struct pipit_result *whole; /* whose rows it shows a part of; NULL: pg is its own */
        int first;                  /* of that part */
        int n;                      /* rows */
        int n_columns;
        const char *tag; /* of a part */
        struct column columns[RESULT_COLUMNS];
        void *attached;
        const void *owner;
        struct pipit_arena *arena; /* decoded values; NULL until there is one */
        struct made_text **texts;  /* in the arena: for each column NULL, or for each row a text */
};

struct pipit_result {
        _Alignas(max_align_t) struct list link; /* in its home, once it is kept */
        struct result_owner *owner;
        int refs; /* 0: a constant */
        bool failed;
        bool owns_message; /* of the error */
        uint16_t attempts; /* of a transaction */
        PGresult *pg;
        union {
                struct rows rows;         /* of a success */
                struct pipit_error error; /* of a failure, which owns its host */
        };
};

void
pipit__result_owner_init(struct result_owner *owner, struct pipit *scope)
{
        list_init(&owner->results);
        owner->scope = scope;
        owner->n_requests = 0;
}

void
pipit__result_owner_fini(struct result_owner *owner)
{
        while (!list_empty(&owner->results)) {
                struct list *link = list_pop_first(&owner->results);
                container_of(link, struct pipit_result, link)->owner = NULL;
        }
}

struct pipit_result *
pipit__result_new_with(struct result_owner *owner, size_t room)
{
        struct pipit_result *res = malloc(sizeof *res + room); /* quicker than calloc() */

        if (res == NULL)
                return NULL;
        *res = (struct pipit_result){.refs = 1, .owner = owner};
        list_init(&res->link);
        return res;
}

struct pipit_result *
pipit__result_new(struct result_owner *owner)
{
        return pipit__result_new_with(owner, 0);
}

void *
pipit__result_room(struct pipit_result *res)
{
        return res + 1;
}

const struct pipit_result *
pipit__result_of_room(const void *room)
{
        return (const struct pipit_result *)room - 1;
}

#define RESULT_CONSTANT(c, text)                                                                   \
        {                                                                                          \
                .failed = true, .error = {.code = (c), .message = (text) }                         \
        }

/* They are never written to: refs is 0. */
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

/* Gives up a text of an error, which the result owns. */
static COLD void
error_free(const char *text)
{
        free((char *)(uintptr_t)text);
}

/* Frees what the server sent and what was made of it. */
static void
result_release(struct pipit_result *res)
{
        if (res->failed) {
                PQclear(res->pg);
                error_free(res->owns_message ? res->error.message : NULL);
                error_free(res->error.host);
        } else if (res->rows.whole != NULL) { /* rows and what is attached are there */
                pipit_arena_free(res->rows.arena);
                pipit_result_unref(res->rows.whole);
        } else {
                PQclear(res->pg);
                pipit_arena_free(res->rows.arena);
                free(res->rows.attached);
        }
}

/* The same, and it is empty and successful again. */
static void
result_clear(struct pipit_result *res)
{
        result_release(res);
        res->pg = NULL;
        res->failed = false;
        res->owns_message = false;
        res->rows = (struct rows){0};
}

struct pipit_result *
pipit_result_ref(struct pipit_result *res)
{
        if (res == NULL || res->refs == 0)
                return res;
        res->refs++;
        if (res->owner != NULL && !list_linked(&res->link))
                list_push_back(&res->owner->results, &res->link);
        return res;
}

struct pipit_result *
pipit__result_hold(struct pipit_result *res)
{
        res->refs++;
        return res;
}

struct pipit_result *
pipit_result_unref(struct pipit_result *res)
{
        if (res == NULL || res->refs == 0 || --res->refs > 0)
                return NULL;
        list_remove(&res->link);
        result_release(res);
        free(res);
        return NULL;
}

void
pipit__result_reset(struct pipit_result *res)
{
        result_clear(res);
}

void
pipit__result_take(struct pipit_result *res, struct pg_result *pg, enum pipit_executed executed)
{
        if (res->pg != NULL || res->failed)
                result_clear(res);
        res->pg = pg;
        if (pipit__pq_kind(pg) != PQ_KIND_ERROR) {
                res->rows.n = PQntuples(pg);
                res->rows.n_columns = PQnfields(pg);
                return;
        }
        res->failed = true;
        res->error = (struct pipit_error){
                .code = PIPIT_ESERVER, .executed = executed, .phase = PIPIT_PHASE_EXECUTE};
        pipit__pq_read_error(pg, &res->error);
}

void
pipit__result_show(struct pipit_result *res, struct pipit_result *whole,
                   const struct result_part *part)
{
        result_clear(res);
        res->pg = whole->pg;
        res->rows.whole = pipit_result_ref(whole);
        res->rows.first = part->row >= 0 ? part->row : 0;
        res->rows.n = part->row >= 0;
        res->rows.n_columns = part->n_columns;
        res->rows.tag = part->tag;
}

bool
pipit__result_is_taken(const struct pipit_result *res)
{
        return res->pg != NULL;
}

void
pipit__result_vfail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                    enum pipit_phase phase, const char *format, va_list args)
{
        va_list again;

        va_copy(again, args);
        /* Before anything is cleared: an argument may be part of it. Not vasprintf(): without
         * memory glibc's writes behind the end of a text of 100 bytes. */
        int length = vsnprintf(NULL, 0, format, again);
        va_end(again);
        char *text = length >= 0 ? malloc((size_t)length + 1) : NULL;
        if (text != NULL)
                vsnprintf(text, (size_t)length + 1, format, args);
        result_clear(res);
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

void
pipit__result_set_host(struct pipit_result *res, const char *host)
{
        if (!res->failed || host == NULL)
                return;
        char *copy = strdup(host);
        error_free(res->error.host);
        res->error.host = copy;
}

void
pipit__result_set_attempts(struct pipit_result *res, int attempts)
{
        res->attempts = attempts < UINT16_MAX ? (uint16_t)attempts : UINT16_MAX;
}

int
pipit_result_attempts(const struct pipit_result *res)
{
        return res != NULL ? res->attempts : 0;
}

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

struct pipit *
pipit_result_scope(const struct pipit_result *res)
{
        return res != NULL && res->owner != NULL ? res->owner->scope : NULL;
}

/* NULL when there are no rows to look at. */
static const PGresult *
result_rows(const struct pipit_result *res)
{
        return res != NULL && !res->failed ? res->pg : NULL;
}

int
pipit_result_rows(const struct pipit_result *res)
{
        return res != NULL && !res->failed ? res->rows.n : 0;
}

int
pipit_result_columns(const struct pipit_result *res)
{
        return res != NULL && !res->failed ? res->rows.n_columns : 0;
}

int64_t
pipit_result_affected(const struct pipit_result *res)
{
        int64_t n = 0;

        if (result_rows(res) != NULL && res->rows.whole != NULL)
                return res->rows.n;
        const char *text = result_rows(res) != NULL ? PQcmdTuples(res->pg) : "";

        return pipit__codec_read_int64(text, strlen(text), &n) == 0 ? n : 0;
}

const char *
pipit_result_tag(const struct pipit_result *res)
{
        if (result_rows(res) != NULL && res->rows.whole != NULL)
                return res->rows.tag;
        return result_rows(res) != NULL ? pipit__pq_tag(res->pg) : "";
}

const char *
pipit_result_column_name(const struct pipit_result *res, int column)
{
        if (column < 0 || column >= pipit_result_columns(res))
                return NULL;
        return PQfname(res->pg, column);
}

int
pipit_column(const struct pipit_result *res, const char *name)
{
        int n = pipit_result_columns(res);

        for (int i = 0; name != NULL && i < n; i++) {
                if (strcmp(PQfname(res->pg, i), name) == 0)
                        return i;
        }
        return -1;
}

static inline bool
result_has(const struct pipit_result *res, int row, int column)
{
        return res != NULL && !res->failed && row >= 0 && row < res->rows.n && column >= 0 &&
               column < res->rows.n_columns;
}

/* What a column is that is there. */
static inline const struct column *
result_known(const struct pipit_result *res, int column)
{
        struct pipit_result *self = (struct pipit_result *)(uintptr_t)res;
        struct column *known = &self->rows.columns[(unsigned)column % RESULT_COLUMNS];

        if (known->number != column + 1)
                *known = (struct column){.type = PQftype(res->pg, column),
                                         .number = (uint16_t)(column + 1),
                                         .binary = PQfformat(res->pg, column) == 1};
        return known;
}

void
pipit__result_column(const struct pipit_result *res, int column, struct pipit_item *item)
{
        const struct column *known = result_known(res, column);

        /* Member by member: as a whole it would be made twice, once here and once there. */
        item->result = (struct pipit_result *)(uintptr_t)res;
        item->type = known->type;
        item->binary = known->binary;
}

void
pipit__result_cell(int row, int column, struct pipit_item *item)
{
        const PGresult *pg = item->result->pg;

        row += item->result->rows.first;
        item->length = (size_t)PQgetlength(pg, row, column);
        /* Of no bytes, too, a value is somewhere; NULL is nowhere. */
        item->data = item->length == 0 && PQgetisnull(pg, row, column)
                             ? NULL
                             : PQgetvalue(pg, row, column);
}

const void *
pipit__result_plain(const struct pipit_result *res, int row, int column, uint32_t type, size_t size)
{
        if (!result_has(res, row, column))
                return NULL;
        const struct column *known = result_known(res, column);
        if (known->type != type || !known->binary)
                return NULL;
        row += res->rows.first;
        return (size_t)PQgetlength(res->pg, row, column) == size ? PQgetvalue(res->pg, row, column)
                                                                 : NULL;
}

bool
pipit__result_item(const struct pipit_result *res, int row, int column, struct pipit_item *ret)
{
        if (!result_has(res, row, column))
                return false;
        pipit__result_column(res, column, ret);
        pipit__result_cell(row, column, ret);
        return true;
}

bool
pipit_result_null(const struct pipit_result *res, int row, int column)
{
        return !result_has(res, row, column) || PQgetisnull(res->pg, res->rows.first + row, column);
}

int
pipit__result_text(const struct pipit_item *item, const char **ret_text, size_t *ret_length)
{
        struct buf buf;
        const char *text = pipit__decode_inside(item, ret_length);

        if (text != NULL) {
                *ret_text = text;
                return 0;
        }
        pipit__buf_init(&buf);
        int code = pipit__decode_text(item, &buf);
        char *copy = code == 0 ? pipit__result_alloc(item->result, buf.length + 1) : NULL;
        if (copy != NULL) {
                *ret_text = memcpy(copy, pipit__buf_text(&buf), buf.length);
                *ret_length = buf.length;
        } else if (code == 0) {
                code = PIPIT_ENOMEM;
        }
        pipit__buf_fini(&buf);
        return code;
}

/* Where a made text is kept; NULL when memory ran out. */
static struct made_text *
result_made(struct pipit_result *res, int row, int column)
{
        if (res->rows.texts == NULL)
                res->rows.texts = pipit__result_alloc(res, (size_t)PQnfields(res->pg) *
                                                                   sizeof *res->rows.texts);
        if (res->rows.texts == NULL)
                return NULL;
        if (res->rows.texts[column] == NULL)
                res->rows.texts[column] = pipit__result_alloc(
                        res, (size_t)pipit_result_rows(res) * sizeof **res->rows.texts);
        return res->rows.texts[column] != NULL ? &res->rows.texts[column][row] : NULL;
}

/* The text of a value, which is made no more than once. */
static const char *
result_text(const struct pipit_result *res, int row, int column, size_t *ret_length)
{
        struct pipit_item item;

        if (!pipit__result_item(res, row, column, &item) || item.data == NULL)
                return NULL;
        const char *text = pipit__decode_inside(&item, ret_length);
        if (text != NULL)
                return text;
        struct made_text *made = result_made(item.result, row, column);
        if (made == NULL)
                return NULL;
        if (made->data == NULL && pipit__result_text(&item, &made->data, &made->length) != 0)
                return NULL;
        *ret_length = made->length;
        return made->data;
}

const char *
pipit_result_text(const struct pipit_result *res, int row, int column)
{
        size_t length;

        return result_text(res, row, column, &length);
}

size_t
pipit_result_length(const struct pipit_result *res, int row, int column)
{
        size_t length = 0;

        return result_text(res, row, column, &length) != NULL ? length : 0;
}

void *
pipit__result_alloc(struct pipit_result *res, size_t size)
{
        if (res->failed)
                return NULL;
        if (res->rows.arena == NULL)
                res->rows.arena = pipit_arena_new();
        return res->rows.arena != NULL ? pipit__arena_alloc(res->rows.arena, size) : NULL;
}

void *
pipit__result_attach(struct pipit_result *res, size_t size, const void *owner)
{
        if (res->failed)
                return NULL;
        if (res->rows.whole != NULL) { /* together with those of all other parts */
                res->rows.attached = pipit__result_alloc(res->rows.whole, size);
        } else {
                free(res->rows.attached);
                res->rows.attached = malloc(size > 0 ? size : 1); /* quicker than calloc() */
                if (res->rows.attached != NULL)
                        memset(res->rows.attached, 0, size);
        }
        res->rows.owner = owner;
        return res->rows.attached;
}

void *
pipit__result_attached(const struct pipit_result *res, const void *owner)
{
        return res != NULL && !res->failed && res->rows.owner == owner ? res->rows.attached : NULL;
}
