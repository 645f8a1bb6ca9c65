/*
 * The model of the schedules says what a real server says. What it is asked are its own statements,
 * and the real server is asked such as have the same answers. Only what answers messages is here:
 * what a run does to the bytes is none of a server's.
 *
 * The model leaves out most parameters that a server reports at its start, and answers the
 * statement that sets a session up by a row of one column.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../schedule/model_session.h"
#include "talk.h"
#include "witness.h"

/* ---- what the model stands on in the schedules */

struct ledger ledger;

static struct session session;

void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

void
trace(const char *format, ...)
{
        (void)format;
}

void
broken(const char *format, ...)
{
        ck_abort_msg("the model broke: %s", format);
}

struct op *
ledger_at(int number)
{
        return &ledger.ops[number];
}

void
ledger_disturb(void)
{
}

/* Nobody cancels here. */
bool
model_strike(int number)
{
        (void)number;
        return false;
}

void
session_release(struct session *releasing)
{
        releasing->released = bytes_length(&releasing->out);
}

/* No trap here has it forget what was prepared. */
void
session_forget(struct session *forgetting)
{
        (void)forgetting;
}

void
session_close(struct session *closing)
{
        close(closing->fd);
        closing->fd = -1;
        bytes_clear(&closing->in);
        bytes_clear(&closing->out);
        closing->released = 0;
}

/* Sends what may go. */
static void
model_say(void)
{
        ssize_t n = send(session.fd, bytes_head(&session.out), session.released, MSG_NOSIGNAL);

        ck_assert_int_eq(n, (ssize_t)session.released);
        bytes_eat(&session.out, session.released);
        session.released = 0;
        if (session.ending)
                session_close(&session);
}

static void
model_turn(void)
{
        struct message message;

        if (session.fd < 0)
                return;
        ssize_t n = recv(session.fd, bytes_reserve(&session.in, 32768), 32768, MSG_DONTWAIT);
        if (n > 0)
                bytes_grew(&session.in, (size_t)n);
        while (session.fd >= 0 && !session.ending && session_parse(&session, &message)) {
                session_handle(&session, &message);
                if (session.fd >= 0)
                        bytes_eat(&session.in, message.size);
        }
        if (session.fd >= 0)
                model_say();
}

/* ---- what is said */

static struct cluster cluster;

static const char *const tables[] = {
        "CREATE TABLE nothing ()",
        "CREATE TABLE parent (x int PRIMARY KEY)",
        "CREATE TABLE child (x int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
        "CREATE FUNCTION fail() RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE SQLSTATE '40001'; END $$",
        "CREATE FUNCTION go() RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN ''; END $$",
        "CREATE FUNCTION go_late() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN PERFORM go(); RETURN NULL; END $$",
        "CREATE TABLE last (x int)",
        "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON last DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION go_late()",
};

static void
trace_open(void)
{
        cluster_create(&cluster, "");
        for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
                ask(cluster.url, tables[i]);
}

static void
trace_close(void)
{
        cluster_remove(&cluster);
}

#define ERROR(state) "E S:ERROR V:ERROR C:" state " M F L R"
#define FATAL(state) "E S:FATAL V:FATAL C:" state " M F L R"
#define READ         "SELECT $1::text AS c0"

/* A statement of the model's with one of a server's that has the same answer. */
static const struct exchange {
        struct op op;
        enum trap trap;
        const char *sql;
        bool echoes;         /* it has a $1, the model's nonce, and gives it back */
        const char *telling; /* it is not what is meant without this line */
} exchanges[] = {
        {{.kind = OP_READ, .columns = 1, .rows = 1}, TRAP_NONE, READ, true, "D '"},
        {{.kind = OP_READ, .columns = 3, .rows = 2},
         TRAP_NONE,
         READ ", NULL AS c1, NULL AS c2 FROM generate_series(1, 2)",
         true,
         "C SELECT 2"},
        {{.kind = OP_READ, .columns = 1, .rows = 0},
         TRAP_NONE,
         READ " LIMIT 0",
         true,
         "C SELECT 0"},
        {{.kind = OP_WIDE, .columns = 2, .rows = 1},
         TRAP_NONE,
         READ ", repeat('a text of fifty bytes, again and again until it is', 60) AS c1",
         true,
         "C SELECT 1"},
        {{.kind = OP_WRITE, .rows = 2},
         TRAP_NONE,
         "INSERT INTO nothing SELECT FROM generate_series(1, 2)",
         false,
         "C INSERT 0 2"},
        {{.kind = OP_RETURNING, .columns = 1, .rows = 1},
         TRAP_NONE,
         "INSERT INTO nothing SELECT RETURNING $1::text AS c0",
         true,
         "C INSERT 0 1"},
        {{.kind = OP_EMPTY}, TRAP_NONE, "", false, "I"},
        {{.kind = OP_BAD, .columns = 1}, TRAP_NONE, "SELEC", false, ERROR("42601")},
        {{.kind = OP_FAILS, .columns = 1},
         TRAP_NONE,
         "SELECT (1 / count(*))::text AS c0 FROM nothing WHERE false",
         false,
         ERROR("22012")},
        {{.kind = OP_DEFERRED, .rows = 1},
         TRAP_NONE,
         "INSERT INTO child VALUES (1)",
         false,
         ERROR("23503")},
        {{.kind = OP_SETS}, TRAP_NONE, "SET work_mem = '1MB'", false, "C SET"},
        {{.kind = OP_COPIES_OUT},
         TRAP_NONE,
         "COPY (SELECT FROM nothing WHERE false) TO STDOUT",
         false,
         "H 0"},
        {{.kind = OP_COPIES_IN}, TRAP_NONE, "COPY nothing FROM STDIN", false, FATAL("08P01")},
        {{.kind = OP_READ, .columns = 1, .rows = 1},
         TRAP_PARSE_ERROR,
         "SELECT FROM missing",
         false,
         ERROR("42P01")},
        {{.kind = OP_READ, .columns = 1, .rows = 1},
         TRAP_EXECUTE_ERROR,
         "SELECT fail() AS c0",
         false,
         ERROR("40001")},
        {{.kind = OP_READ, .columns = 1, .rows = 1},
         TRAP_EXECUTE_FATAL,
         "SELECT go() AS c0",
         false,
         FATAL("57P01")},
        {{.kind = OP_WRITE, .rows = 1},
         TRAP_SYNC_ERROR,
         "INSERT INTO child VALUES (1)",
         false,
         ERROR("23503")},
        {{.kind = OP_WRITE, .rows = 1},
         TRAP_SYNC_FATAL_BEFORE,
         "INSERT INTO last VALUES (1)",
         false,
         FATAL("57P01")},
};

/* What is said to one of the two: three statements, and where the exchange stands among them. */
struct script {
        const struct exchange *exchange;
        bool shared; /* one Sync for all */
        int place;
        char sqls[3][512];
        char nonces[3][32];
        bool has_value[3]; /* the model looks at each statement's nonce */
};

/* Its statements, as a run would have them in the ledger. */
static void
script_note(const struct script *script)
{
        static const struct op read = {.kind = OP_READ, .columns = 1, .rows = 1};

        for (int n = 0; n < 3; n++) {
                struct op *op = &ledger.ops[n];
                *op = n == script->place ? script->exchange->op : read;
                op->number = n;
                op->nonce = NONCE_STEP * (int64_t)(n + 1) + op->kind;
                op->is_grouped = script->shared;
        }
}

/* A trap that waits for a statement would catch the first one. */
static struct script
script_of(int i, bool is_model)
{
        const struct exchange *exchange = &exchanges[i / 2];
        struct script script = {.exchange = exchange, .shared = i % 2 == 1, .place = 1};

        if (script.shared && exchange->trap != TRAP_NONE && exchange->trap != TRAP_SYNC_ERROR)
                script.place = 0;
        script_note(&script);
        for (int n = 0; n < 3; n++) {
                const struct op *op = &ledger.ops[n];
                const char *sql = n == script.place ? exchange->sql : READ;
                if (is_model)
                        op_sql(op, script.sqls[n], sizeof script.sqls[n]);
                else
                        snprintf(script.sqls[n], sizeof script.sqls[n], "%s", sql);
                snprintf(script.nonces[n], sizeof script.nonces[n], "%" PRId64, op->nonce);
                script.has_value[n] = is_model || n != script.place || exchange->echoes;
        }
        return script;
}

static void
script_say(const struct script *script, struct talk *talk)
{
        talk_startup(talk);
        talk_until(talk, 'Z', 1);
        for (int n = 0; n < 3; n++) {
                if (n == script->place)
                        session.trap = script->exchange->trap;
                talk_statement(talk, script->sqls[n],
                               script->has_value[n] ? script->nonces[n] : NULL);
                if (script->shared && n < 2)
                        continue;
                talk_sync(talk);
                if (n == 0 || n == 2)
                        talk_until(talk, 'Z', n == 0 || script->shared ? 1 : 2);
        }
        talk_end(talk);
}

static struct talk *
hold_really(int i)
{
        struct script script = script_of(i, false);
        struct talk *talk = talk_new(talk_connect(cluster.folder), NULL);

        script_say(&script, talk);
        return talk;
}

/* A talk with the model. */
static struct talk *
model_open(void)
{
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        session = (struct session){
                .fd = fds[1], .number = 1, .op = NO_OP, .last_op = -1, .status = 'I'};
        return talk_new(fds[0], model_turn);
}

static void
model_close(void)
{
        free(session.in.at);
        free(session.out.at);
}

static struct talk *
hold_with_model(int i)
{
        struct script script = script_of(i, true);
        struct talk *talk = model_open();

        script_say(&script, talk);
        model_close();
        return talk;
}

/* Where the line behind this one begins. */
static const char *
next_line(const char *line)
{
        return line + strcspn(line, "\n") + 1;
}

/* Whether both said the same, but for parameters that the model does not report. */
static bool
same(const char *real, const char *model)
{
        while (*real != '\0' && *model != '\0') {
                size_t length = (size_t)(next_line(real) - real);
                if (strncmp(real, model, length) == 0)
                        model = next_line(model);
                else if (strncmp(real, "S ", 2) != 0)
                        return false;
                real = next_line(real);
        }
        return *real == *model;
}

START_TEST(the_model_says_what_a_server_says)
{
        const struct exchange *exchange = &exchanges[_i / 2];
        struct talk *real = hold_really(_i);
        struct talk *model = hold_with_model(_i);

        if (strstr(talk_said(real), exchange->telling) == NULL)
                ck_abort_msg("%s: no \"%s\" in\n%s", exchange->sql, exchange->telling,
                             talk_said(real));
        if (!same(talk_said(real), talk_said(model)))
                ck_abort_msg("%s: a server says\n%s\nand the model\n%s", exchange->sql,
                             talk_said(real), talk_said(model));
        talk_free(real);
        talk_free(model);
}
END_TEST

/* ---- transactions */

/* Statements of a transaction, and where a Sync stands: R is a read, F one that fails, D one that
 * fails when it is committed, B, C and E are BEGIN, COMMIT and ROLLBACK, and a dot is a Sync. */
static const struct {
        const char *steps;
        const char *telling;
} brackets[] = {
        {"B.R.C.", "C COMMIT"},     {"BRC.R.", "C COMMIT"},
        {"BRR.C.", "Z T"},          {"B.F.R.C.", "E S:ERROR V:ERROR C:25P02"},
        {"B.F.C.R.", "C ROLLBACK"}, {"BFC.E.R.", "Z E"},
        {"BR.E.R.", "C ROLLBACK"},  {"BD.C.R.", "C:23503"},
        {"BDC.R.", "C:23503"},      {"RR.R.", "Z I"},
        {"RF.R.", "C:22012"},
};

static const char *
step_sql(char step, const struct op *op, bool is_model, char *text, size_t size)
{
        switch (step) {
        case 'B': return "BEGIN";
        case 'C': return "COMMIT";
        case 'E': return "ROLLBACK";
        default: break;
        }
        if (is_model) {
                op_sql(op, text, size);
                return text;
        }
        if (step == 'F')
                return exchanges[8].sql;
        return step == 'D' ? exchanges[9].sql : READ;
}

static void
bracket_say(struct talk *talk, const char *steps, bool is_model)
{
        static struct op atomic = {.kind = OP_ATOMIC};
        char text[64];
        char nonce[32];
        bool inside = true; /* of the transaction, or else behind it */

        atomic = (struct op){.kind = OP_ATOMIC, .number = 9};
        talk_startup(talk);
        talk_until(talk, 'Z', 1);
        for (int n = 0; steps[n] != '\0'; n++) {
                if (steps[n] == '.') {
                        talk_sync(talk);
                        talk_until(talk, 'Z', 1);
                        inside = inside && steps[0] == 'B';
                        continue;
                }
                struct op *op = &ledger.ops[n];
                *op = (struct op){.kind = OP_READ, .columns = 1, .rows = 1};
                if (steps[n] == 'F')
                        *op = exchanges[8].op;
                if (steps[n] == 'D')
                        *op = exchanges[9].op;
                op->number = n;
                op->atomic = inside ? &atomic : NULL;
                inside = inside && steps[n] != 'C' && steps[n] != 'E';
                op->nonce = NONCE_STEP * (int64_t)(n + 1) + op->kind;
                snprintf(nonce, sizeof nonce, "%" PRId64, op->nonce);
                const char *sql = step_sql(steps[n], op, is_model, text, sizeof text);
                bool has_value = steps[n] == 'R' || (is_model && strncmp(sql, "op ", 3) == 0);
                talk_statement(talk, sql, has_value ? nonce : NULL);
        }
        talk_end(talk);
}

START_TEST(the_model_has_transactions_as_a_server_has)
{
        struct talk *real = talk_new(talk_connect(cluster.folder), NULL);

        bracket_say(real, brackets[_i].steps, false);
        struct talk *model = model_open();
        bracket_say(model, brackets[_i].steps, true);
        model_close();
        if (strstr(talk_said(real), brackets[_i].telling) == NULL)
                ck_abort_msg("%s: no \"%s\" in\n%s", brackets[_i].steps, brackets[_i].telling,
                             talk_said(real));
        if (!same(talk_said(real), talk_said(model)))
                ck_abort_msg("%s: a server says\n%s\nand the model\n%s", brackets[_i].steps,
                             talk_said(real), talk_said(model));
        talk_free(real);
        talk_free(model);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("trace_model");
        TCase *tcase = tcase_create("trace_model");

        tcase_add_unchecked_fixture(tcase, trace_open, trace_close);
        tcase_add_loop_test(tcase, the_model_says_what_a_server_says, 0,
                            2 * (int)(sizeof exchanges / sizeof exchanges[0]));
        tcase_add_loop_test(tcase, the_model_has_transactions_as_a_server_has, 0,
                            (int)(sizeof brackets / sizeof brackets[0]));
        suite_add_tcase(suite, tcase);
        return suite;
}
