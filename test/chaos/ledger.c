/*
 * The ledger: how each write ended here, against the rows that are there.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"

#define CHUNK 50000

bool
ledger_init(struct ledger *ledger, int64_t n_states, uint64_t seed)
{
        *ledger = (struct ledger){.n_states = n_states, .seed = seed};
        ledger->states = malloc((size_t)n_states);
        if (ledger->states == NULL)
                return false;
        /* Touched now, so that it does not look like growth later. */
        memset(ledger->states, LEDGER_NONE, (size_t)n_states);
        return true;
}

void
ledger_fini(struct ledger *ledger)
{
        free(ledger->states);
}

int64_t
ledger_nonce(const struct ledger *ledger, int64_t op)
{
        struct dice dice = {ledger->seed ^ (uint64_t)op * 0x2545f4914f6cdd1d};

        return (int64_t)(dice_next(&dice) >> 2);
}

static bool
execute(PGconn *conn, const char *sql)
{
        PGresult *res = PQexec(conn, sql);
        bool good = PQresultStatus(res) == PGRES_COMMAND_OK;

        if (!good)
                fprintf(stderr, "chaos: %s: %s", sql, PQerrorMessage(conn));
        PQclear(res);
        return good;
}

static PGconn *
ledger_connect(const char *url)
{
        PGconn *conn = PQconnectdb(url);

        if (PQstatus(conn) == CONNECTION_OK)
                return conn;
        fprintf(stderr, "chaos: %s", PQerrorMessage(conn));
        PQfinish(conn);
        return NULL;
}

bool
ledger_create(const char *url)
{
        PGconn *conn = ledger_connect(url);
        bool good;

        if (conn == NULL)
                return false;
        good = execute(conn, "CREATE TABLE ledger (op bigint, nonce bigint, source bigint, "
                             "target bigint, amount bigint, pid int DEFAULT pg_backend_pid())") &&
               execute(conn, "CREATE TABLE account (id bigint PRIMARY KEY, balance bigint)") &&
               execute(conn, "ALTER DATABASE postgres SET deadlock_timeout = 50") &&
               execute(conn, "CREATE TABLE parent (id int PRIMARY KEY)") &&
               execute(conn, "CREATE TABLE refused (op bigint, parent int REFERENCES parent "
                             "DEFERRABLE INITIALLY DEFERRED)");
        for (int i = 1; good && i <= N_ACCOUNTS; i++) {
                char sql[100];
                snprintf(sql, sizeof sql, "INSERT INTO account VALUES (%d, %d)", i, BALANCE);
                good = execute(conn, sql);
        }
        PQfinish(conn);
        return good;
}

static void
complain(const char *what, int64_t op)
{
        fprintf(stderr, "chaos: operation %lld %s\n", (long long)op, what);
}

/* counts: rows of each operation of this chunk. */
static void
ledger_count(const struct ledger *ledger, const PGresult *res, int64_t first, unsigned char *counts,
             struct ledger_report *report)
{
        for (int i = 0; i < PQntuples(res); i++) {
                int64_t op = strtoll(PQgetvalue(res, i, 0), NULL, 10);
                int64_t nonce = strtoll(PQgetvalue(res, i, 1), NULL, 10);
                report->rows++;
                if (op >= ledger->n || nonce != ledger_nonce(ledger, op)) {
                        report->foreign++;
                        complain("has a row that nobody wrote", op);
                        continue;
                }
                if (counts[op - first] < 255)
                        counts[op - first]++;
        }
}

static void
ledger_judge(const struct ledger *ledger, int64_t first, const unsigned char *counts,
             struct ledger_report *report)
{
        for (int64_t op = first; op < first + CHUNK && op < ledger->n; op++) {
                int rows = counts[op - first];
                int state = ledger->states[op];
                if (rows > 1) {
                        report->duplicated++;
                        complain("is there more than once", op);
                }
                if (state == LEDGER_COMMITTED && rows == 0) {
                        report->lost++;
                        complain("was acknowledged and is not there", op);
                }
                if ((state == LEDGER_REFUSED || state == LEDGER_NONE) && rows > 0) {
                        report->refused++;
                        complain("was refused and is there", op);
                }
        }
}

static bool
ledger_compare_chunk(const struct ledger *ledger, PGconn *conn, int64_t first,
                     struct ledger_report *report)
{
        unsigned char counts[CHUNK] = {0};
        char sql[200];
        bool good;
        PGresult *res;

        snprintf(sql, sizeof sql, "SELECT op, nonce FROM ledger WHERE op >= %lld AND op < %lld",
                 (long long)first, (long long)first + CHUNK);
        res = PQexec(conn, sql);
        good = PQresultStatus(res) == PGRES_TUPLES_OK;
        if (good) {
                ledger_count(ledger, res, first, counts, report);
                ledger_judge(ledger, first, counts, report);
        }
        PQclear(res);
        return good;
}

static int64_t
ask(PGconn *conn, const char *sql)
{
        PGresult *res = PQexec(conn, sql);
        int64_t answer = -1;

        if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1)
                answer = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
        PQclear(res);
        return answer;
}

/* Money comes from nowhere and goes nowhere, and each account has what the ledger says. */
static bool
bank_compare(PGconn *conn, struct ledger_report *report)
{
        char sql[500];

        report->missing = (int64_t)N_ACCOUNTS * BALANCE;
        report->missing -= ask(conn, "SELECT sum(balance) FROM account");
        snprintf(sql, sizeof sql,
                 "WITH moved AS (SELECT source AS id, -amount AS n FROM ledger UNION ALL "
                 "SELECT target, amount FROM ledger), "
                 "told AS (SELECT id, sum(n) AS n FROM moved GROUP BY id) "
                 "SELECT count(*) FROM account LEFT JOIN told USING (id) "
                 "WHERE balance <> %d + coalesce(n, 0)",
                 BALANCE);
        report->uneven = ask(conn, sql);
        return report->uneven >= 0;
}

bool
ledger_compare(const struct ledger *ledger, const char *url, struct ledger_report *report)
{
        PGconn *conn = ledger_connect(url);
        bool good = conn != NULL;

        *report = (struct ledger_report){0};
        good = good && execute(conn, "CREATE INDEX ON ledger (op)");
        for (int64_t first = 0; good && first < ledger->n; first += CHUNK)
                good = ledger_compare_chunk(ledger, conn, first, report);
        if (good) {
                int64_t n = ask(conn, "SELECT count(*) FROM refused");
                int64_t total = ask(conn, "SELECT count(*) FROM ledger");
                report->refused += n > 0 ? n : 0;
                report->foreign += total - report->rows;
                good = n >= 0 && total >= 0 && bank_compare(conn, report);
        }
        PQfinish(conn);
        return good;
}
