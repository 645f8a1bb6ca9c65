/*
 * The builder is a buf for the text and an array for the values. See sql.h.
 *
 * Quoting relies on two settings that every connection of pipit has: client_encoding UTF8 and
 * standard_conforming_strings on.
 */
#include "sql/sql.h"

#include <pipit/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value/codec.h"

enum { SQL_FIRST_VALUES = 8 };

/* Returns how many bytes follow a first byte in UTF-8; -1 if the byte is no first byte. */
static int
sql_utf8_tail(unsigned char first)
{
        if (first < 0x80)
                return 0;
        if (first >= 0xc2 && first < 0xe0)
                return 1;
        if (first >= 0xe0 && first < 0xf0)
                return 2;
        return first >= 0xf0 && first < 0xf5 ? 3 : -1;
}

/* Whether a second byte makes a code point too long, a surrogate or beyond U+10FFFF. */
static bool
sql_utf8_pair_is_bad(unsigned char first, unsigned char second)
{
        return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
               (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
}

bool
pipit__sql_is_utf8(const char *text, size_t length)
{
        const unsigned char *at = (const unsigned char *)text;
        const unsigned char *end = at + length;

        while (at < end) {
                int tail = sql_utf8_tail(*at);

                if (tail < 0 || end - at <= tail ||
                    (tail > 0 && sql_utf8_pair_is_bad(at[0], at[1])))
                        return false;
                for (int i = 1; i <= tail; i++) {
                        if ((at[i] & 0xc0) != 0x80)
                                return false;
                }
                at += 1 + tail;
        }
        return true;
}

void
pipit__sql_init(struct sql *sql)
{
        *sql = (struct sql){.values = NULL};
        pipit__buf_init(&sql->text);
}

void
pipit__sql_fini(struct sql *sql)
{
        pipit__buf_fini(&sql->text);
        free(sql->values);
        pipit__sql_init(sql);
}

void
pipit__sql_fail(struct sql *sql, int code, const char *format, ...)
{
        va_list args;

        if (pipit__sql_error(sql) != 0)
                return;
        sql->error = code;
        va_start(args, format);
        vsnprintf(sql->message, sizeof sql->message, format, args);
        va_end(args);
        /* A message that was cut may end inside of a character, which is cut off, too. */
        size_t length = strlen(sql->message);
        while (!pipit__sql_is_utf8(sql->message, length))
                sql->message[--length] = '\0';
}

void
pipit__sql_raw(struct sql *sql, const char *syntax)
{
        if (sql->error == 0)
                pipit__buf_add_text(&sql->text, syntax);
}

/* Appends a text between quotes, with every quote in it doubled. */
static void
sql_quote(struct sql *sql, const char *text, char quote)
{
        pipit__buf_add_char(&sql->text, quote);
        for (const char *c = text; *c; c++) {
                if (*c == quote)
                        pipit__buf_add_char(&sql->text, quote);
                pipit__buf_add_char(&sql->text, *c);
        }
        pipit__buf_add_char(&sql->text, quote);
}

void
pipit__sql_ident(struct sql *sql, const char *name)
{
        size_t length = name != NULL ? strlen(name) : 0;

        if (sql->error != 0)
                return;
        if (length == 0)
                pipit__sql_fail(sql, PIPIT_EINVAL, "an identifier is missing");
        else if (!pipit__sql_is_utf8(name, length))
                pipit__sql_fail(sql, PIPIT_EINVAL, "an identifier of %zu bytes is not UTF-8",
                                length);
        else if (length > PIPIT__SQL_IDENT_MAX)
                pipit__sql_fail(sql, PIPIT_EINVAL, "identifier longer than 63 bytes: \"%s\"", name);
        else
                sql_quote(sql, name, '"');
}

void
pipit__sql_literal(struct sql *sql, const char *text)
{
        if (sql->error != 0)
                return;
        if (text == NULL || !pipit__sql_is_utf8(text, strlen(text)))
                pipit__sql_fail(sql, PIPIT_EINVAL, "a string constant is not UTF-8");
        else
                sql_quote(sql, text, '\'');
}

void
pipit__sql_number(struct sql *sql, int64_t number)
{
        char text[PIPIT__CODEC_SCALAR_SIZE];
        struct pipit_value value = pipit_value_int(number);

        pipit__codec_encode(&value, text);
        pipit__sql_raw(sql, text);
}

/* Makes room for one more value; false if memory ran out. */
static bool
sql_reserve(struct sql *sql)
{
        if (sql->n_values < sql->capacity)
                return true;
        int capacity = sql->capacity > 0 ? 2 * sql->capacity : SQL_FIRST_VALUES;
        struct pipit_value *values = realloc(sql->values, (size_t)capacity * sizeof *values);
        if (values == NULL)
                return false;
        sql->values = values;
        sql->capacity = capacity;
        return true;
}

void
pipit__sql_param(struct sql *sql, struct pipit_value value)
{
        if (sql->error != 0)
                return;
        if (sql->n_values == PIPIT__SQL_PARAMS_MAX) {
                pipit__sql_fail(sql, PIPIT_ELIMIT, "more than %d parameters in one statement",
                                PIPIT__SQL_PARAMS_MAX);
                return;
        }
        if (!sql_reserve(sql)) {
                pipit__sql_fail(sql, PIPIT_ENOMEM, "out of memory");
                return;
        }
        sql->values[sql->n_values++] = value;
        pipit__sql_raw(sql, "$");
        pipit__sql_number(sql, sql->n_values);
}

int
pipit__sql_error(const struct sql *sql)
{
        if (sql->error != 0)
                return sql->error;
        return sql->text.failed ? PIPIT_ENOMEM : 0;
}

const char *
pipit__sql_error_text(const struct sql *sql)
{
        if (sql->error != 0)
                return sql->message;
        return sql->text.failed ? "out of memory" : "";
}

const char *
pipit__sql_text(const struct sql *sql)
{
        return pipit__buf_text(&sql->text);
}

struct pipit_params
pipit__sql_params(const struct sql *sql)
{
        return (struct pipit_params){sql->values, sql->n_values};
}
