/*
 * Answers without a server. See answers.h.
 */
#include "answers.h"

#include <check.h>
#include <libpq-fe.h>
#include <string.h>

enum { COLUMNS_MAX = 16, BYTES_MAX = 64 };

struct pg_result *
answer_new(const char *tag, int n_columns, const struct answer_column *columns)
{
        ExecStatusType status = n_columns > 0 ? PGRES_TUPLES_OK : PGRES_COMMAND_OK;
        PGresult *answer = PQmakeEmptyPGresult(NULL, status);
        PGresAttDesc descs[COLUMNS_MAX] = {{0}};

        ck_assert_ptr_nonnull(answer);
        ck_assert_int_le(n_columns, COLUMNS_MAX);
        for (int i = 0; i < n_columns; i++) {
                descs[i].name = (char *)(uintptr_t)columns[i].name; /* copied */
                descs[i].typid = columns[i].type;
                descs[i].format = columns[i].binary;
                descs[i].atttypmod = -1;
        }
        if (n_columns > 0)
                ck_assert_int_eq(PQsetResultAttrs(answer, n_columns, descs), 1);
        strcpy(PQcmdStatus(answer), tag);
        return answer;
}

void
answer_set(struct pg_result *answer, int row, int column, const char *bytes, int length)
{
        char copy[BYTES_MAX];

        ck_assert_int_lt(length, BYTES_MAX);
        if (length > 0)
                memcpy(copy, bytes, (size_t)length);
        ck_assert_int_eq(PQsetvalue(answer, row, column, length < 0 ? NULL : copy, length), 1);
}
