/*
 * A plain libpq connection. See plain.h.
 */
#include "plain.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conn/session_settings.h"
#include "live.h"
#include "result/result.h"
#include "result/rows.h"

enum { RESULTS_MAX = 2000 };

static PGconn *plain_pq;
static struct result_owner plain_home;
static struct pipit_result *plain_results[RESULTS_MAX];
static int plain_n_results;

void
plain_setup(void)
{
        struct session_settings settings = {.n = 0};

        plain_pq = PQconnectdb(live_url());
        ck_assert_msg(PQstatus(plain_pq) == CONNECTION_OK, "%s", PQerrorMessage(plain_pq));
        pipit__session_settings_init(&settings, PQserverVersion(plain_pq), "", 0);
        PQclear(PQexec(plain_pq, settings.sql));
        ck_assert_str_eq(PQparameterStatus(plain_pq, "IntervalStyle"), "iso_8601");
        pipit__result_owner_init(&plain_home, NULL);
}

void
plain_teardown(void)
{
        while (plain_n_results > 0)
                pipit_result_unref(plain_results[--plain_n_results]);
        pipit__result_owner_fini(&plain_home);
        PQfinish(plain_pq);
}

struct pipit_result *
plain_query(const char *sql, bool binary)
{
        struct pipit_result *res = pipit__result_new(&plain_home);

        ck_assert_int_lt(plain_n_results, RESULTS_MAX);
        plain_results[plain_n_results++] = res;
        pipit__rows_take(res, PQexecParams(plain_pq, sql, 0, NULL, NULL, NULL, NULL, binary),
                         PIPIT_EXECUTED_YES);
        ck_assert_msg(!pipit_failed(res), "%s: %s", sql, pipit_error_text(res));
        return res;
}

char *
plain_echo(const struct plain_param *param)
{
        int length = (int)param->length;
        int format = param->binary;
        char *text = NULL;
        PGresult *pg = PQexecParams(plain_pq, "SELECT $1", 1, &param->oid, &param->data, &length,
                                    &format, 0);

        if (PQresultStatus(pg) == PGRES_TUPLES_OK)
                text = strdup(PQgetisnull(pg, 0, 0) ? "NULL" : PQgetvalue(pg, 0, 0));
        else if (asprintf(&text, "error %s", PQresultErrorField(pg, PG_DIAG_SQLSTATE)) < 0)
                text = NULL;
        PQclear(pg);
        ck_assert_ptr_nonnull(text);
        return text;
}

char *
plain_cast(const char *type, const char *const *texts)
{
        struct buf sql;

        pipit__buf_init(&sql);
        pipit__buf_add_text(&sql, "SELECT v::");
        pipit__buf_add_text(&sql, type);
        pipit__buf_add_text(&sql, " FROM (VALUES ");
        for (int i = 0; texts[i] != NULL; i++) {
                char *literal = PQescapeLiteral(plain_pq, texts[i], strlen(texts[i]));

                pipit__buf_add_text(&sql, i > 0 ? "),(" : "(");
                pipit__buf_add_text(&sql, literal);
                PQfreemem(literal);
        }
        pipit__buf_add_text(&sql, ")) t(v)");
        return pipit__buf_take(&sql);
}
