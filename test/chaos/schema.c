/*
 * The process that changes the schema. See schema.h.
 */
#include "schema.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chaos.h"

struct schema {
        PGconn *conn;
        struct dice dice;
        int out_fd;
        struct shape shapes[N_TABLES];
};

#define MOOD "AS ENUM ('sad', 'ok', 'happy')"

/* The types of each column, and how one becomes the other: what does not fit becomes 0 or NULL. */
static const struct column {
        const char *name;
        const char *types[2];
        const char *alters[2]; /* to the narrow type, to the wide one */
} columns[N_SUBJECTS] = {
        {"v_real",
         {"real", "double precision"},
         {"real USING v_real::real", "double precision USING v_real::double precision"}},
        {"v_int",
         {"integer", "bigint"},
         {"integer USING CASE WHEN v_int BETWEEN -2147483648 AND 2147483647 THEN v_int ELSE 0 END",
          "bigint USING v_int::bigint"}},
        {"v_date",
         {"date", "timestamptz"},
         {"date USING v_date::date", "timestamptz USING v_date::timestamptz"}},
        {"v_enum",
         {"mood", "text"},
         {"mood USING CASE WHEN v_enum IN ('sad', 'ok', 'happy') THEN v_enum::mood END",
          "text USING v_enum::text"}},
        {"v_uuid", {"uuid", "text"}, {"uuid USING v_uuid::uuid", "text USING v_uuid::text"}},
};

/* ---- SQL */

static bool
execute(PGconn *conn, const char *sql)
{
        PGresult *res = PQexec(conn, sql);
        ExecStatusType status = PQresultStatus(res);
        const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
        bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

        /* A lock that is not to be had is no surprise under load. */
        if (!good && (sqlstate == NULL ||
                      (strcmp(sqlstate, "40P01") != 0 && strcmp(sqlstate, "55P03") != 0)))
                fprintf(stderr, "chaos: %s: %s", sql, PQerrorMessage(conn));
        PQclear(res);
        return good;
}

/* Writes the CREATE TABLE of a shape; prefix is empty or a schema with its dot. */
static void
table_sql(char *sql, size_t size, const char *prefix, struct shape shape)
{
        int n = snprintf(sql, size, "CREATE TABLE %sshape (op bigint, nonce bigint", prefix);

        for (int i = 0; i < N_SUBJECTS; i++) {
                const char *type = columns[i].types[shape.wide >> i & 1];
                n += snprintf(sql + n, size - (size_t)n, ", %s %s%s", columns[i].name,
                              strcmp(type, "mood") == 0 ? prefix : "", type);
        }
        snprintf(sql + n, size - (size_t)n, "); CREATE INDEX ON %sshape (op)", prefix);
}

static PGconn *
schema_connect(const char *url)
{
        PGconn *conn = PQconnectdb(url);

        if (PQstatus(conn) == CONNECTION_OK && execute(conn, "SET TimeZone = 'UTC'") &&
            execute(conn, "SET lock_timeout = '3s'") &&
            execute(conn, "SET client_min_messages = error"))
                return conn;
        fprintf(stderr, "chaos: %s", PQerrorMessage(conn));
        PQfinish(conn);
        return NULL;
}

static bool
execute_once(const char *url, const char *sql)
{
        PGconn *conn = schema_connect(url);
        bool good = conn != NULL && execute(conn, sql);

        PQfinish(conn);
        return good;
}

bool
schema_create(const char *url)
{
        char altered[500];
        char anew[500];
        char sql[1500];

        table_sql(altered, sizeof altered, "", (struct shape){0});
        table_sql(anew, sizeof anew, "again.", (struct shape){0});
        snprintf(sql, sizeof sql,
                 "CREATE TYPE mood " MOOD "; %s; CREATE SCHEMA again; CREATE TYPE again.mood " MOOD
                 "; %s",
                 altered, anew);
        return execute_once(url, sql);
}

bool
schema_close(const char *url)
{
        return execute_once(url, "INSERT INTO ledger (op, nonce) SELECT s.op, s.nonce FROM shape s "
                                 "WHERE NOT EXISTS (SELECT FROM ledger l WHERE l.op = s.op)");
}

/* ---- changes */

static void
tell(struct schema *schema, enum step step, enum table table, struct shape shape)
{
        struct change change = {.step = step, .table = table, .shape = shape, .ms = clock_ms()};

        if (write(schema->out_fd, &change, sizeof change) != (ssize_t)sizeof change)
                _exit(EXIT_FAILURE);
}

/* Changes a table by a statement, or by several, which are committed together. */
static bool
table_change(struct schema *schema, enum table table, struct shape shape, const char *sql)
{
        tell(schema, STEP_BEGINS, table, shape);
        bool good = execute(schema->conn, sql);
        tell(schema, good ? STEP_DONE : STEP_FAILED, table, shape);
        if (good)
                schema->shapes[table] = shape;
        return good;
}

static void
alter_column(struct schema *schema)
{
        int subject = (int)dice_between(&schema->dice, 0, N_SUBJECTS - 1);
        struct shape shape = schema->shapes[TABLE_ALTERED];
        char sql[300];

        shape.wide ^= 1U << subject;
        snprintf(sql, sizeof sql, "ALTER TABLE shape ALTER %s TYPE %s", columns[subject].name,
                 columns[subject].alters[shape.wide >> subject & 1]);
        table_change(schema, TABLE_ALTERED, shape, sql);
}

/* Makes the enum of the altered table anew: it has another OID then. */
static void
enum_anew(struct schema *schema)
{
        struct shape shape = schema->shapes[TABLE_ALTERED];
        char sql[500];

        if (shape.wide >> SUBJECT_ENUM & 1)
                snprintf(sql, sizeof sql, "DROP TYPE mood; CREATE TYPE mood " MOOD);
        else
                snprintf(sql, sizeof sql,
                         "ALTER TABLE shape ALTER v_enum TYPE %s; DROP TYPE mood; "
                         "CREATE TYPE mood " MOOD "; ALTER TABLE shape ALTER v_enum TYPE %s",
                         columns[SUBJECT_ENUM].alters[1], columns[SUBJECT_ENUM].alters[0]);
        table_change(schema, TABLE_ALTERED, shape, sql);
}

/* Drops the other table, or its schema, and makes it anew with types by chance: at once, or with a
 * time between in which it is missing. */
static void
table_anew(struct schema *schema, bool with_schema, bool at_once)
{
        struct shape shape = {
                .wide = (unsigned)dice_between(&schema->dice, 0, (1 << N_SUBJECTS) - 1),
                .anew = with_schema && at_once};
        const char *drop = with_schema ? "DROP SCHEMA again CASCADE" : "DROP TABLE again.shape";
        char table[500];
        char sql[1000];

        table_sql(table, sizeof table, "again.", shape);
        snprintf(sql, sizeof sql, "%s%s%s%s", at_once ? drop : "", at_once ? "; " : "",
                 with_schema ? "CREATE SCHEMA again; CREATE TYPE again.mood " MOOD "; " : "",
                 table);
        if (!at_once && !table_change(schema, TABLE_ANEW, (struct shape){.missing = true}, drop))
                return;
        while (!table_change(schema, TABLE_ANEW, shape, sql) && !at_once)
                ;
}

static void
kill_one(struct schema *schema)
{
        if (execute(schema->conn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                  "WHERE backend_type = 'client backend' AND pid <> "
                                  "pg_backend_pid() ORDER BY random() LIMIT 1"))
                tell(schema, STEP_KILLED, TABLE_ALTERED, (struct shape){0});
}

static void
schema_step(struct schema *schema)
{
        int64_t what = dice_between(&schema->dice, 0, 99);

        if (what < 60)
                alter_column(schema);
        else if (what < 68)
                enum_anew(schema);
        else if (what < 90)
                table_anew(schema, what<78, what % 3> 0);
        else
                kill_one(schema);
}

int
schema_run(const char *url, uint64_t seed, int out_fd, int stop_fd)
{
        struct schema schema = {.conn = schema_connect(url), .dice = {seed}, .out_fd = out_fd};
        struct pollfd stop = {.fd = stop_fd, .events = POLLIN};

        if (schema.conn == NULL)
                return EXIT_FAILURE;
        while (poll(&stop, 1, (int)dice_between(&schema.dice, 5, 60)) == 0)
                schema_step(&schema);
        PQfinish(schema.conn);
        return EXIT_SUCCESS;
}
