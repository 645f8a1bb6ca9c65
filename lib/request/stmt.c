/*
 * Statements. See stmt.h.
 */
#include "request/stmt.h"

#include <stdlib.h>
#include <string.h>

#include "pq/pq.h"
#include "request/stmt_int.h"
#include "request/stmt_types.h"
#include "value/binary.h"

void
pipit__stmt_free(struct stmt *stmt)
{
        pipit__stmt_types_unref(stmt->types);
        free(stmt);
}

struct stmt *
pipit__stmt_ref(struct stmt *stmt)
{
        stmt->refs++;
        return stmt;
}

void
pipit__stmt_unref(struct stmt *stmt)
{
        if (stmt != NULL && --stmt->refs == 0 && !stmt->is_known)
                pipit__stmt_free(stmt);
}

const char *
pipit__stmt_sql(const struct stmt *stmt)
{
        return stmt->sql;
}

size_t
pipit__stmt_length(const struct stmt *stmt)
{
        return stmt->length;
}

unsigned
pipit__stmt_traits(const struct stmt *stmt)
{
        return stmt->traits;
}

bool
pipit__stmt_is_named_in(const struct stmt *stmt, const char *text)
{
        /* All of its names end like this. */
        return strstr(text, stmt->name + STMT_NAME_PLACE + STMT_NAME_DIGITS) != NULL;
}

int
pipit__stmt_slot(const struct stmt *stmt)
{
        return stmt->slot;
}

uint64_t
pipit__stmt_serial(const struct stmt *stmt)
{
        return stmt->serial;
}

struct latency *
pipit__stmt_latency(struct stmt *stmt)
{
        return &stmt->latency;
}

bool
pipit__stmt_is_plain(const struct stmt *stmt)
{
        return stmt->is_plain;
}

void
pipit__stmt_set_plain(struct stmt *stmt, bool is_plain)
{
        stmt->is_plain = is_plain;
}

/* ---- types */

struct stmt_types *
pipit__stmt_types(const struct stmt *stmt, int n)
{
        return stmt->types != NULL && stmt->types->n_params == n ? stmt->types : NULL;
}

struct stmt_types *
pipit__stmt_learn(struct stmt *stmt, struct stmt_types *types)
{
        if (stmt->types != NULL && pipit__stmt_types_equal(stmt->types, types)) {
                pipit__stmt_types_unref(types);
        } else {
                types->is_binary = pipit__binary_suits(types->columns, types->n_columns);
                pipit__stmt_types_unref(stmt->types);
                stmt->types = types;
        }
        return pipit__stmt_types_ref(stmt->types);
}

/* ---- libpq */

int
pipit__stmt_send_prepare(const struct stmt *stmt, struct pg_conn *pq, uint32_t name)
{
        char text[STMT_NAME_SIZE];

        pipit__stmt_name(stmt->name, name, text);
        if (pipit__pq_prepare(pq, text, stmt->sql) != 0)
                return -1;
        return pipit__pq_describe(pq, text);
}

int
pipit__stmt_send_prepared(const struct stmt *stmt, struct pg_conn *pq, uint32_t name,
                          const struct pq_params *params, bool is_binary)
{
        char text[STMT_NAME_SIZE];

        pipit__stmt_name(stmt->name, name, text);
        return pipit__pq_send_prepared(pq, text, params, is_binary);
}

int
pipit__stmt_send_text(const struct stmt *stmt, struct pg_conn *pq, const struct pq_params *params,
                      bool is_binary)
{
        return pipit__pq_send(pq, stmt->sql, params, is_binary);
}
