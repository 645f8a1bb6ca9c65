/*
 * Answers of libpq: what kind a result is, and what stands in it. See pq.h.
 */
#include <libpq-fe.h>
#include <limits.h>
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "pq/pq.h"

void
pipit__pq_clear(struct pg_result *result)
{
        PQclear(result);
}

static enum pq_kind
pq_kind_of_error(const PGresult *result)
{
        /* An error without SQLSTATE is libpq's own, and libpq may have lost its place. */
        return PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL ? PQ_KIND_ERROR
                                                                    : PQ_KIND_BROKEN;
}

enum pq_kind
pipit__pq_kind(const struct pg_result *result)
{
        ExecStatusType status = PQresultStatus(result);

        if (status == PGRES_TUPLES_OK)
                return PQ_KIND_ROWS;
        if (status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
                return PQ_KIND_COMMAND;
        if (status == PGRES_PIPELINE_SYNC)
                return PQ_KIND_SYNC;
        if (status == PGRES_PIPELINE_ABORTED)
                return PQ_KIND_ABORTED;
        return status == PGRES_FATAL_ERROR ? pq_kind_of_error(result) : PQ_KIND_BROKEN;
}

const char *
pipit__pq_tag(const struct pg_result *result)
{
        union {
                const PGresult *in;
                PGresult *out;
        } result_without_const = {.in = result};

        return PQcmdStatus(result_without_const.out);
}

int64_t
pipit__pq_selected(const char *tag)
{
        int64_t n = 0;

        if (strncmp(tag, "SELECT ", 7) != 0)
                return -1;
        for (tag += 7; *tag >= '0' && *tag <= '9' && n <= INT_MAX; tag++)
                n = 10 * n + (*tag - '0');
        return n;
}

int
pipit__pq_rows(const struct pg_result *result)
{
        return PQntuples(result);
}

const char *
pipit__pq_sqlstate(const struct pg_result *result)
{
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

        return sqlstate != NULL ? sqlstate : "";
}

const char *
pipit__pq_error(const struct pg_result *result)
{
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

        return message != NULL ? message : PQresultErrorMessage(result);
}

/* Servers add a severity that is not translated; poolers do not, and translate nothing. */
const char *
pipit__pq_severity(const struct pg_result *result)
{
        const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

        return severity != NULL ? severity : PQresultErrorField(result, PG_DIAG_SEVERITY);
}

/* Returns a position in a statement, from 1 on; 0 if text is NULL or no such number. */
static int
pq_position_read(const char *text)
{
        long position = text != NULL ? strtol(text, NULL, 10) : 0;

        return position > 0 && position < 1 << 30 ? (int)position : 0;
}

void
pipit__pq_read_error(const struct pg_result *result, struct pipit_error *error)
{
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

        if (sqlstate != NULL)
                snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
        error->message = message != NULL ? message : pipit_code_text(PIPIT_ESERVER);
        error->severity = pipit__pq_severity(result);
        error->detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
        error->hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
        error->context = PQresultErrorField(result, PG_DIAG_CONTEXT);
        error->schema = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME);
        error->table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
        error->column = PQresultErrorField(result, PG_DIAG_COLUMN_NAME);
        error->type = PQresultErrorField(result, PG_DIAG_DATATYPE_NAME);
        error->constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
        error->position = pq_position_read(PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
        error->internal_position =
                pq_position_read(PQresultErrorField(result, PG_DIAG_INTERNAL_POSITION));
        error->internal_query = PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY);
        error->source_file = PQresultErrorField(result, PG_DIAG_SOURCE_FILE);
        error->source_line = PQresultErrorField(result, PG_DIAG_SOURCE_LINE);
        error->source_function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
}

bool
pipit__pq_is_own_error(const struct pg_result *result)
{
        return PQresultErrorField(result, PG_DIAG_SEVERITY) == NULL;
}

bool
pipit__pq_is_fatal(const struct pg_result *result)
{
        const char *severity = pipit__pq_severity(result);

        return severity != NULL &&
               (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

const char *
pipit__pq_value(const struct pg_result *result, const char *column)
{
        int i = PQfnumber(result, column);

        return i >= 0 && PQntuples(result) > 0 ? PQgetvalue(result, 0, i) : "";
}

int
pipit__pq_param_types(const struct pg_result *result, int max, uint32_t *ret_types)
{
        int n = PQnparams(result);

        for (int i = 0; i < n && i < max; i++)
                ret_types[i] = PQparamtype(result, i);
        return n;
}

int
pipit__pq_column_types(const struct pg_result *result, int max, uint32_t *ret_types)
{
        int n = PQnfields(result);

        for (int i = 0; i < n && i < max; i++)
                ret_types[i] = PQftype(result, i);
        return n;
}

bool
pipit__pq_has_column_types(const struct pg_result *result, int n, const uint32_t *types)
{
        if (PQnfields(result) != n)
                return false;
        for (int i = 0; i < n; i++) {
                if (PQftype(result, i) != types[i])
                        return false;
        }
        return true;
}

/* Returns the bytes of the DataRow message that a row came in. */
static size_t
pq_row_bytes(const PGresult *result, int row)
{
        int columns = PQnfields(result);
        size_t taken = 7 + 4 * (size_t)columns;

        for (int column = 0; column < columns; column++)
                taken += (size_t)PQgetlength(result, row, column);
        return taken;
}

size_t
pipit__pq_size(const struct pg_result *result)
{
        return PQresultMemorySize(result);
}

bool
pipit__pq_is_over(const struct pg_result *result, size_t bytes)
{
        int rows = PQntuples(result);
        size_t taken = 0;

        for (int row = 0; row < rows && taken <= bytes; row++)
                taken += pq_row_bytes(result, row);
        return taken > bytes;
}

bool
pipit__pq_has_large_row(const struct pg_result *result, size_t bytes)
{
        int rows = PQntuples(result);

        for (int row = 0; row < rows; row++) {
                if (pq_row_bytes(result, row) > bytes)
                        return true;
        }
        return false;
}
