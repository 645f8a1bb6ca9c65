/*
 * Answers of a server that is not there, made with libpq: rows of any types in either form. An
 * error cannot be made like that; wire and live tests have those.
 */
#ifndef TEST_ANSWERS_H
#define TEST_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

struct pg_result;

struct answer_column {
        const char *name;
        uint32_t type;
        bool binary;
};

/* Makes an answer without rows and with that command tag; the caller gives it to a result. */
struct pg_result *answer_new(const char *tag, int n_columns, const struct answer_column *columns);

/* Sets a value; rows are added in their order. A length of -1 makes SQL NULL. */
void answer_set(struct pg_result *answer, int row, int column, const char *bytes, int length);

/* Sets a value to a literal, whose NUL is not part of it. */
#define ANSWER_SET(answer, row, column, literal)                                                   \
        answer_set((answer), (row), (column), (literal), (int)sizeof(literal) - 1)

#endif
