/*
 * Results. See result.h and <pipit/result.h>.
 */
#include "result.h"
#include "arena.h"
#include "codec.h"
#include "pq.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pipit_result {
        struct list link; /* in its home */
        struct result_home *home;
        int refs; /* 0: a constant */
        bool failed;
        PGresult *pg;
        char *text; /* of the message, when it is pipit's */
        char *host;
        void *attached;
        const void *owner;
        struct pipit_arena *arena; /* decoded values; NULL until there is one */
        struct pipit_error error;
};

void
pipit__result_home_init(struct result_home *home, struct pipit *scope)
{
        list_init(&home->results);
        home->scope = scope;
}

void
pipit__result_home_fini(struct result_home *home)
{
        while (!list_empty(&home->results)) {
                struct list *link = list_pop_first(&home->results);
                container_of(link, struct pipit_result, link)->home = NULL;
        }
}

struct pipit_result *
pipit__result_new(struct result_home *home)
{
        struct pipit_result *res = calloc(1, sizeof *res);

        if (res == NULL)
                return NULL;
        res->refs = 1;
        res->home = home;
        res->error.message = "";
        list_push_back(&home->results, &res->link);
        return res;
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
        static struct pipit_result *const constants[] = {&invalid, &nested, &closed, &thread,
                                                         &fork};

        for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
                if (constants[i]->error.code == code)
                        return constants[i];
        }
        return &invalid;
}

/* Frees what the server sent and what was made of it. */
static void
result_clear(struct pipit_result *res)
{
        pipit_arena_free(res->arena);
        PQclear(res->pg);
        free(res->text);
        free(res->host);
        free(res->attached);
        res->arena = NULL;
        res->pg = NULL;
        res->text = NULL;
        res->host = NULL;
        res->attached = NULL;
        res->owner = NULL;
        res->failed = false;
        res->error = (struct pipit_error){.message = ""};
}

struct pipit_result *
pipit_result_ref(struct pipit_result *res)
{
        if (res != NULL && res->refs > 0)
                res->refs++;
        return res;
}

struct pipit_result *
pipit_result_unref(struct pipit_result *res)
{
        if (res == NULL || res->refs == 0 || --res->refs > 0)
                return NULL;
        if (res->home != NULL)
                list_remove(&res->link);
        result_clear(res);
        free(res);
        return NULL;
}

static int
position_read(const char *text)
{
        long position = text != NULL ? strtol(text, NULL, 10) : 0;

        return position > 0 && position < 1 << 30 ? (int)position : 0;
}

static void
result_read_error(struct pipit_result *res)
{
        const PGresult *pg = res->pg;
        struct pipit_error *error = &res->error;
        const char *sqlstate = PQresultErrorField(pg, PG_DIAG_SQLSTATE);
        const char *message = PQresultErrorField(pg, PG_DIAG_MESSAGE_PRIMARY);

        error->code = PIPIT_ESERVER;
        error->phase = PIPIT_PHASE_EXECUTE;
        if (sqlstate != NULL)
                snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
        error->message = message != NULL ? message : pipit_code_text(PIPIT_ESERVER);
        error->severity = PQresultErrorField(pg, PG_DIAG_SEVERITY_NONLOCALIZED);
        error->detail = PQresultErrorField(pg, PG_DIAG_MESSAGE_DETAIL);
        error->hint = PQresultErrorField(pg, PG_DIAG_MESSAGE_HINT);
        error->context = PQresultErrorField(pg, PG_DIAG_CONTEXT);
        error->schema = PQresultErrorField(pg, PG_DIAG_SCHEMA_NAME);
        error->table = PQresultErrorField(pg, PG_DIAG_TABLE_NAME);
        error->column = PQresultErrorField(pg, PG_DIAG_COLUMN_NAME);
        error->type = PQresultErrorField(pg, PG_DIAG_DATATYPE_NAME);
        error->constraint = PQresultErrorField(pg, PG_DIAG_CONSTRAINT_NAME);
        error->position = position_read(PQresultErrorField(pg, PG_DIAG_STATEMENT_POSITION));
        error->internal_position = position_read(PQresultErrorField(pg, PG_DIAG_INTERNAL_POSITION));
        error->internal_query = PQresultErrorField(pg, PG_DIAG_INTERNAL_QUERY);
        error->source_file = PQresultErrorField(pg, PG_DIAG_SOURCE_FILE);
        error->source_line = PQresultErrorField(pg, PG_DIAG_SOURCE_LINE);
        error->source_function = PQresultErrorField(pg, PG_DIAG_SOURCE_FUNCTION);
}

void
pipit__result_take(struct pipit_result *res, struct pg_result *pg, enum pipit_executed executed)
{
        result_clear(res);
        res->pg = pg;
        if (pipit__pq_kind(pg) != PQ_KIND_ERROR)
                return;
        res->failed = true;
        res->error.executed = executed;
        result_read_error(res);
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
        char *text = NULL;

        /* Before anything is cleared: an argument may be part of it. */
        if (vasprintf(&text, format, args) < 0)
                text = NULL;
        result_clear(res);
        res->failed = true;
        res->text = text;
        res->error.code = code;
        res->error.executed = executed;
        res->error.phase = phase;
        res->error.message = text != NULL ? text : pipit_code_text(code);
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
        free(res->host);
        res->host = strdup(host);
        res->error.host = res->host;
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
        return res != NULL && res->home != NULL ? res->home->scope : NULL;
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
        return result_rows(res) != NULL ? PQntuples(res->pg) : 0;
}

int
pipit_result_columns(const struct pipit_result *res)
{
        return result_rows(res) != NULL ? PQnfields(res->pg) : 0;
}

int64_t
pipit_result_affected(const struct pipit_result *res)
{
        int64_t n = 0;
        const char *text = result_rows(res) != NULL ? PQcmdTuples(res->pg) : "";

        return pipit__codec_read_int64(text, strlen(text), &n) == 0 ? n : 0;
}

const char *
pipit_result_tag(const struct pipit_result *res)
{
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

static bool
result_has(const struct pipit_result *res, int row, int column)
{
        return row >= 0 && row < pipit_result_rows(res) && column >= 0 &&
               column < pipit_result_columns(res);
}

const char *
pipit__result_cell(const struct pipit_result *res, int row, int column, size_t *ret_length)
{
        if (!result_has(res, row, column) || PQgetisnull(res->pg, row, column))
                return NULL;
        *ret_length = (size_t)PQgetlength(res->pg, row, column);
        return PQgetvalue(res->pg, row, column);
}

bool
pipit_result_null(const struct pipit_result *res, int row, int column)
{
        size_t length;

        return pipit__result_cell(res, row, column, &length) == NULL;
}

const char *
pipit_result_text(const struct pipit_result *res, int row, int column)
{
        size_t length;

        return pipit__result_cell(res, row, column, &length);
}

size_t
pipit_result_length(const struct pipit_result *res, int row, int column)
{
        size_t length = 0;

        pipit__result_cell(res, row, column, &length);
        return length;
}

void *
pipit__result_alloc(struct pipit_result *res, size_t size)
{
        if (res->arena == NULL)
                res->arena = pipit_arena_new();
        return res->arena != NULL ? pipit__arena_alloc(res->arena, size) : NULL;
}

void *
pipit__result_attach(struct pipit_result *res, size_t size, const void *owner)
{
        free(res->attached);
        res->attached = calloc(1, size > 0 ? size : 1);
        res->owner = owner;
        return res->attached;
}

void *
pipit__result_attached(const struct pipit_result *res, const void *owner)
{
        return res != NULL && !res->failed && res->owner == owner ? res->attached : NULL;
}
