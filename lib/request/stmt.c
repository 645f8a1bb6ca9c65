/*
 * Statements. See stmt.h.
 */
#include "request/stmt.h"

#include <stdlib.h>
#include <string.h>

#include "pq/pq.h"
#include "request/stmt_int.h"

void
pipit__stmt_free(struct stmt *stmt)
{
        free(stmt->types);
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

bool
pipit__stmt_is_named_in(const struct stmt *stmt, const char *text)
{
        return strstr(text, stmt->name) != NULL;
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

bool
pipit__stmt_is_known(const struct stmt *stmt)
{
        return stmt->is_known;
}

struct latency *
pipit__stmt_latency(struct stmt *stmt)
{
        return &stmt->latency;
}

bool
pipit__stmt_sets(const struct stmt *stmt)
{
        return stmt->sets;
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

bool
pipit__stmt_is_typed(const struct stmt *stmt)
{
        return stmt->n_types >= 0;
}

const uint32_t *
pipit__stmt_types(const struct stmt *stmt, int n)
{
        return stmt->n_types == n ? stmt->types : NULL;
}

void
pipit__stmt_learn(struct stmt *stmt, int n_types, const uint32_t *types, bool is_binary)
{
        size_t size = (size_t)n_types * sizeof *types;

        /* The server may have been asked on several connections. */
        if (stmt->n_types >= 0)
                return;
        uint32_t *copy = malloc(size > 0 ? size : 1);
        if (copy == NULL)
                return;
        memcpy(copy, types, size);
        stmt->types = copy;
        stmt->n_types = n_types;
        stmt->is_binary = is_binary;
}

/* ---- libpq */

int
pipit__stmt_send_prepare(const struct stmt *stmt, struct pg_conn *pq)
{
        return pipit__pq_prepare(pq, stmt->name, stmt->sql, stmt->n_types > 0 ? stmt->n_types : 0,
                                 stmt->types);
}

int
pipit__stmt_send_describe(const struct stmt *stmt, struct pg_conn *pq)
{
        return pipit__pq_describe(pq, stmt->name);
}

int
pipit__stmt_send(const struct stmt *stmt, struct pg_conn *pq, const struct pq_params *params,
                 bool by_name)
{
        if (by_name)
                return pipit__pq_send_prepared(pq, stmt->name, params, stmt->is_binary);
        return pipit__pq_send(pq, stmt->sql, params->formats != NULL ? stmt->types : NULL, params);
}
