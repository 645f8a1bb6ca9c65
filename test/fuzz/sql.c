/*
 * The builder of SQL. The input is a list of pieces, each a letter and a text up to the next NUL:
 * what the builder made of them is parsed again and must give the same texts, and none of a
 * condition's values may be in the SQL.
 */
#include "sql/sql.h"

#include <pipit/expr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/sql/models.h"
#include "fuzz.h"
#include "sql/expr.h"

/* Reads what stands between quotes, as PostgreSQL does with standard strings; behind the end. */
static const char *
quoted_match(const char *at, char quote, const char *text)
{
        MUST(*at++ == quote);
        for (; *text != '\0'; text++) {
                MUST(*at++ == *text);
                if (*text == quote)
                        MUST(*at++ == quote);
        }
        MUST(*at++ == quote);
        MUST(*at != quote);
        return at;
}

static void
piece_add(struct sql *sql, const char *piece)
{
        pipit__sql_raw(sql, " ");
        switch (piece[0]) {
        case 'i': pipit__sql_ident(sql, piece + 1); break;
        case 'l': pipit__sql_literal(sql, piece + 1); break;
        case 'p': pipit__sql_param(sql, pipit_value_text(piece + 1)); break;
        default: pipit__sql_number(sql, piece[0]); break;
        }
}

static const char *
piece_match(const char *at, const char *piece, int *n_params)
{
        char text[32];

        MUST(*at++ == ' ');
        switch (piece[0]) {
        case 'i': return quoted_match(at, '"', piece + 1);
        case 'l': return quoted_match(at, '\'', piece + 1);
        case 'p': snprintf(text, sizeof text, "$%d", ++*n_params); break;
        default: snprintf(text, sizeof text, "%d", piece[0]); break;
        }
        MUST(strncmp(at, text, strlen(text)) == 0);
        return at + strlen(text);
}

static void
builder_try(const char *text, size_t size)
{
        struct sql sql;
        int n_params = 0;

        pipit__sql_init(&sql);
        for (const char *at = text; at < text + size; at += strlen(at) + 1)
                piece_add(&sql, at);
        if (pipit__sql_error(&sql) == 0) {
                const char *made = pipit__sql_text(&sql);
                MUST(pipit__sql_error_text(&sql)[0] == '\0');
                for (const char *at = text; at < text + size; at += strlen(at) + 1)
                        made = piece_match(made, at, &n_params);
                MUST(*made == '\0');
                MUST(pipit__sql_params(&sql).n == n_params);
        } else {
                const char *why = pipit__sql_error_text(&sql);
                MUST(why[0] != '\0' && pipit__sql_is_utf8(why, strlen(why)));
        }
        pipit__sql_fini(&sql);
}

/* What SQL a condition with this value gives; the caller ends the builder. */
static void
condition_render(struct sql *sql, const char *value)
{
        pipit__sql_init(sql);
        pipit__expr_sql(pipit_or(pipit_eq(page_block_model.key, value),
                                 pipit_not(pipit_like(page_block_model.text, value)),
                                 pipit_in(page_block_model.key, PIPIT_PARAMS("a", value, value))),
                        &page_block_model.model, sql);
}

/* The same for every value: so nothing of it is in there. */
static void
condition_try(const char *value)
{
        struct sql plain;
        struct sql sql;

        condition_render(&plain, "x");
        condition_render(&sql, value);
        MUST(pipit__sql_error(&plain) == 0 && pipit__sql_error(&sql) == 0);
        MUST(strcmp(pipit__sql_text(&plain), pipit__sql_text(&sql)) == 0);
        MUST(pipit__sql_params(&plain).n == pipit__sql_params(&sql).n);
        pipit__sql_fini(&plain);
        pipit__sql_fini(&sql);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = fuzz_text(data, size);

        builder_try(text, size);
        condition_try(text);
        free(text);
        return 0;
}
