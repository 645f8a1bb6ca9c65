/*
 * Statements. See statement.h.
 */
#include "statement.h"
#include "codec.h"

#include <pipit/error.h>
#include <stdio.h>
#include <string.h>

static int
problem_set(struct statement_problem *problem, int code, int parameter, const char *text)
{
        problem->code = code;
        if (parameter > 0)
                snprintf(problem->text, sizeof problem->text, "parameter $%d: %s", parameter, text);
        else
                snprintf(problem->text, sizeof problem->text, "%s", text);
        return code;
}

static const char *
value_problem(int code)
{
        if (code == PIPIT_ETYPE)
                return "a text value holds a zero byte, which PostgreSQL cannot store";
        return "a value of a type that PIPIT_PARAMS does not know";
}

int
pipit__statement_measure(const char *sql, struct pipit_params params, size_t *ret_size,
                         struct statement_problem *ret_problem)
{
        size_t size = sizeof(struct statement);

        if (sql == NULL || params.n < 0 || (params.n > 0 && params.values == NULL))
                return problem_set(ret_problem, PIPIT_EINVAL, 0,
                                   "pipit_query() needs an SQL text and its parameters");
        if (params.n > STATEMENT_MAX_PARAMS)
                return problem_set(ret_problem, PIPIT_ELIMIT, 0,
                                   "a statement takes at most 65535 parameters");
        size += (size_t)params.n * sizeof(char *) + strlen(sql) + 1;
        for (int i = 0; i < params.n; i++) {
                size_t bytes;
                int code = pipit__codec_measure(&params.values[i], &bytes);
                if (code != 0)
                        return problem_set(ret_problem, code, i + 1, value_problem(code));
                if (bytes > SIZE_MAX / 2 - size)
                        return problem_set(ret_problem, PIPIT_ELIMIT, i + 1, "too long");
                size += bytes;
        }
        *ret_size = size;
        return 0;
}

struct statement *
pipit__statement_write(void *block, const char *sql, struct pipit_params params)
{
        struct statement *statement = block;
        char *out = (char *)(statement + 1) + (size_t)params.n * sizeof(char *);
        char *start = out;
        size_t length = strlen(sql) + 1;

        statement->n = params.n;
        statement->values = (const char **)(void *)(statement + 1);
        statement->sql = memcpy(out, sql, length);
        out += length;
        for (int i = 0; i < params.n; i++) {
                size_t bytes;
                statement->values[i] = NULL;
                if (pipit__codec_measure(&params.values[i], &bytes) != 0 || bytes == 0)
                        continue;
                statement->values[i] = out;
                out += pipit__codec_encode(&params.values[i], out) + 1;
        }
        statement->bytes = (size_t)(out - start);
        return statement;
}
