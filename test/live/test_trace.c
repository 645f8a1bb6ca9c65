/*
 * The scripted server of the wire tests says what a real one says. The same conversations are held
 * with both, and what they said is compared, message by message: their types, their order, and all
 * in them that does not depend on the run.
 *
 * The scripted server answers as it does in those tests: by itself, and where a statement is to do
 * something that it knows nothing of, by the functions of server.h.
 */
#include <string.h>

#include "server.h"
#include "talk.h"
#include "witness.h"

static struct cluster cluster;

static void
trace_open(void)
{
        cluster_create(&cluster, "");
        ask(cluster.url, "CREATE TABLE once (x int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        ask(cluster.url, "INSERT INTO once VALUES (1)");
}

static void
trace_close(void)
{
        cluster_remove(&cluster);
}

/* ---- what is said */

#define SELECT    "SELECT $1::text AS text"
#define NO_SQL    "SELEC"
#define HALF      "SELECT ($1::int / 0)::text AS text"
#define LATE      "SELECT (1 / count(*))::text AS text FROM once WHERE x = 0"
#define NOTHING   "SELECT x::text AS text FROM once WHERE x = 0"
#define WIDE      "SELECT 'a' AS a, NULL AS b, '' AS c"
#define INSERT    "INSERT INTO once SELECT 2 WHERE false"
#define TWICE     "INSERT INTO once VALUES (1)"
#define RAISE     "DO $$ BEGIN RAISE NOTICE 'listen'; END $$"
#define LISTEN    "LISTEN channel"
#define NOTIFY    "NOTIFY channel, 'payload'"
#define SET       "SET application_name = 'trace'"
#define COPY_IN   "COPY once FROM STDIN"
#define COPY_OUT  "COPY once TO STDOUT"
#define TERMINATE "SELECT pg_terminate_backend(pg_backend_pid())::text AS text"

/* The beginning of every conversation: as pipit sets its sessions up. */
#define SET_UP                                                                                     \
        "SELECT pg_catalog.set_config('standard_conforming_strings', 'on', false),"                \
        " pg_catalog.set_config('DateStyle', 'ISO, YMD', false),"                                  \
        " pg_catalog.set_config('extra_float_digits', '1', false),"                                \
        " pg_catalog.set_config('search_path', $1, false)"

static void
say_nothing(struct talk *talk)
{
        (void)talk;
}

static void
say_select(struct talk *talk)
{
        talk_ask(talk, SELECT, "one");
        talk_ask(talk, NOTHING, NULL);
        talk_ask(talk, WIDE, NULL);
        talk_ask(talk, INSERT, NULL);
        talk_ask(talk, "", NULL);
}

static void
say_pipeline(struct talk *talk)
{
        for (int i = 0; i < 5; i++) {
                char value[2] = {(char)('0' + i), '\0'};
                talk_statement(talk, i == 2 ? LATE : SELECT, i == 2 ? NULL : value);
                talk_sync(talk);
        }
        talk_until(talk, 'Z', 5);
}

static void
say_group(struct talk *talk)
{
        talk_statement(talk, SELECT, "one");
        talk_statement(talk, LATE, NULL);
        talk_statement(talk, SELECT, "three");
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
        talk_ask(talk, SELECT, "four");
}

static void
say_parse_error(struct talk *talk)
{
        talk_ask(talk, NO_SQL, NULL);
        talk_statement(talk, SELECT, "one");
        talk_statement(talk, NO_SQL, NULL);
        talk_statement(talk, SELECT, "three");
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
}

static void
say_bind_error(struct talk *talk)
{
        talk_ask(talk, HALF, "1");
        talk_statement(talk, SELECT, "one");
        talk_statement(talk, HALF, "1");
        talk_statement(talk, SELECT, "three");
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
}

static void
say_prepared(struct talk *talk)
{
        talk_parse(talk, "s1", SELECT);
        talk_describe_statement(talk, "s1");
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
        talk_ask(talk, SELECT, "between");
        for (int i = 0; i < 2; i++) {
                talk_bind(talk, "s1", i == 0 ? "one" : "two");
                talk_describe(talk);
                talk_execute(talk);
                talk_sync(talk);
        }
        talk_close_statement(talk, "s1");
        talk_close_statement(talk, "s1");
        talk_sync(talk);
        talk_until(talk, 'Z', 3);
}

/* A name that is taken, and one that is not. */
static void
say_prepared_badly(struct talk *talk)
{
        talk_parse(talk, "s1", SELECT);
        talk_parse(talk, "s1", SELECT);
        talk_parse(talk, "s2", SELECT);
        talk_sync(talk);
        talk_bind(talk, "s1", "one");
        talk_describe(talk);
        talk_execute(talk);
        talk_sync(talk);
        talk_bind(talk, "s2", "one");
        talk_describe(talk);
        talk_execute(talk);
        talk_sync(talk);
        talk_describe_statement(talk, "s2");
        talk_sync(talk);
        talk_until(talk, 'Z', 4);
}

static void
say_deferred(struct talk *talk)
{
        talk_ask(talk, TWICE, NULL);
        talk_statement(talk, SELECT, "one");
        talk_statement(talk, TWICE, NULL);
        talk_statement(talk, SELECT, "three");
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
        talk_ask(talk, SELECT, "four");
}

static void
say_transaction(struct talk *talk)
{
        talk_ask(talk, "BEGIN", NULL);
        talk_ask(talk, SELECT, "one");
        talk_ask(talk, "COMMIT", NULL);
        talk_ask(talk, "BEGIN", NULL);
        talk_ask(talk, "ROLLBACK", NULL);
}

static void
say_failed_transaction(struct talk *talk)
{
        static const char *const sqls[] = {"BEGIN", LATE, NOTHING, "COMMIT"};

        for (size_t i = 0; i < 4; i++) {
                talk_statement(talk, sqls[i], NULL);
                talk_sync(talk);
        }
        talk_until(talk, 'Z', 4);
        for (size_t i = 0; i < 4; i++)
                talk_statement(talk, sqls[i], NULL);
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
        talk_ask(talk, "ROLLBACK", NULL);
}

static void
say_raise(struct talk *talk)
{
        talk_ask(talk, RAISE, NULL);
}

static void
say_notify(struct talk *talk)
{
        talk_ask(talk, LISTEN, NULL);
        talk_ask(talk, NOTIFY, NULL);
}

static void
say_set(struct talk *talk)
{
        talk_ask(talk, SET, NULL);
        talk_ask(talk, SELECT, "two");
}

static void
say_copy_out(struct talk *talk)
{
        talk_ask(talk, COPY_OUT, NULL);
}

/* Sent by somebody who did not know that it is a COPY. */
static void
say_copy_in_unawares(struct talk *talk)
{
        for (int i = 0; i < 2; i++) {
                talk_statement(talk, i == 0 ? COPY_IN : SELECT, i == 0 ? NULL : "two");
                talk_sync(talk);
        }
        talk_until(talk, 'Z', 2);
}

static void
say_copy_in(struct talk *talk)
{
        talk_statement(talk, COPY_IN, NULL);
        talk_until(talk, 'G', 1);
        talk_copy_data(talk, "");
        talk_copy_done(talk);
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
        talk_statement(talk, COPY_IN, NULL);
        talk_sync(talk);
        talk_until(talk, 'G', 1);
        talk_copy_fail(talk);
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
}

static void
say_terminate(struct talk *talk)
{
        talk_statement(talk, SELECT, "one");
        talk_sync(talk);
        talk_statement(talk, TERMINATE, NULL);
        talk_sync(talk);
        talk_statement(talk, SELECT, "three");
        talk_sync(talk);
        talk_until(talk, 'Z', 3);
}

/* What others do to a session that is idle. */
static struct server *scripted_server; /* NULL: it is the real one */

static void
say_notified_idle(struct talk *talk)
{
        talk_ask(talk, LISTEN, NULL);
        if (scripted_server != NULL) {
                session_notification(scripted_server->sessions, "channel", "payload");
                session_flush(scripted_server->sessions);
        } else {
                ask(cluster.url, NOTIFY);
        }
        talk_until(talk, 'A', 1);
        talk_ask(talk, SELECT, "one");
}

static void
say_terminated_idle(struct talk *talk)
{
        if (scripted_server != NULL) {
                session_error(scripted_server->sessions, "FATAL", "57P01", "terminated");
                session_finish(scripted_server->sessions, SESSION_FIN);
                session_flush(scripted_server->sessions);
        } else {
                ask(cluster.url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                                 " WHERE pid <> pg_backend_pid()"
                                 " AND backend_type = 'client backend'");
        }
        talk_until(talk, 'E', 1);
}

/* ---- what the scripted server does about statements that it knows nothing of */

static bool commit_fails;

static void
answer_late(struct session *session)
{
        session_columns(session, 1, &(const char *){"text"});
        session_error(session, "ERROR", "22012", "division by zero");
}

static void
answer_nothing(struct session *session)
{
        session_columns(session, 1, &(const char *){"text"});
        session_complete(session, "SELECT 0");
}

static void
answer_wide(struct session *session)
{
        session_columns(session, 3, (const char *[]){"a", "b", "c"});
        session_row(session, 3, (const char *[]){"a", NULL, ""});
        session_complete(session, "SELECT 1");
}

static void
answer_insert(struct session *session)
{
        session_complete(session, "INSERT 0 0");
}

static void
answer_empty(struct session *session)
{
        session_empty(session);
}

static void
answer_no_sql(struct session *session)
{
        session_error(session, "ERROR", "42601", "syntax error at or near \"SELEC\"");
}

static void
answer_half(struct session *session)
{
        session_error(session, "ERROR", "22012", "division by zero");
}

/* What it has done is refused at its Sync. */
static void
answer_twice(struct session *session)
{
        session_complete(session, "INSERT 0 1");
        commit_fails = true;
}

static void
answer_begin(struct session *session)
{
        session_complete(session, "BEGIN");
}

static void
answer_commit(struct session *session)
{
        session_complete(session, "COMMIT");
}

static void
answer_rollback(struct session *session)
{
        session_complete(session, "ROLLBACK");
}

static void
answer_raise(struct session *session)
{
        session_no_columns(session);
        session_notice(session, "NOTICE", "listen");
        session_complete(session, "DO");
}

static void
answer_listen(struct session *session)
{
        session_complete(session, "LISTEN");
}

static void
answer_notify(struct session *session)
{
        session_complete(session, "NOTIFY");
        session_notification(session, "channel", "payload");
}

static void
answer_set(struct session *session)
{
        session_complete(session, "SET");
        session_parameter(session, "application_name", "trace");
}

static void
answer_copy_in(struct session *session)
{
        session_copy(session, 'G');
}

static void
answer_copy_out(struct session *session)
{
        session_copy(session, 'H');
        session_message(session, 'd', "1\n", 2);
        session_message(session, 'c', "", 0);
        session_complete(session, "COPY 1");
}

static void
answer_terminate(struct session *session)
{
        session_columns(session, 1, &(const char *){"text"});
        session_row(session, 1, &(const char *){"true"});
        session_error(session, "FATAL", "57P01", "terminating connection");
        session_flush(session);
        session_finish(session, SESSION_FIN);
}

/* At which message of a statement something happens. */
static const struct answer {
        const char *sql;
        enum message_kind at;
        void (*send)(struct session *session);
} answers[] = {
        {LATE, MESSAGE_EXECUTE, answer_late},
        {NOTHING, MESSAGE_EXECUTE, answer_nothing},
        {WIDE, MESSAGE_EXECUTE, answer_wide},
        {INSERT, MESSAGE_EXECUTE, answer_insert},
        {"", MESSAGE_EXECUTE, answer_empty},
        {NO_SQL, MESSAGE_PARSE, answer_no_sql},
        {HALF, MESSAGE_BIND, answer_half},
        {TWICE, MESSAGE_EXECUTE, answer_twice},
        {"BEGIN", MESSAGE_EXECUTE, answer_begin},
        {"COMMIT", MESSAGE_EXECUTE, answer_commit},
        {"ROLLBACK", MESSAGE_EXECUTE, answer_rollback},
        {RAISE, MESSAGE_EXECUTE, answer_raise},
        {LISTEN, MESSAGE_EXECUTE, answer_listen},
        {NOTIFY, MESSAGE_EXECUTE, answer_notify},
        {SET, MESSAGE_EXECUTE, answer_set},
        {COPY_IN, MESSAGE_EXECUTE, answer_copy_in},
        {COPY_OUT, MESSAGE_EXECUTE, answer_copy_out},
        {TERMINATE, MESSAGE_EXECUTE, answer_terminate},
};

static const struct answer *
answer_find(const char *sql, int at)
{
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
                if (answers[i].at == (enum message_kind)at && strcmp(answers[i].sql, sql) == 0)
                        return &answers[i];
        }
        return NULL;
}

static void
script_on_statement(struct session *session, const char *sql, void *arg)
{
        const struct answer *answer = answer_find(sql, MESSAGE_EXECUTE);

        if (answer != NULL)
                answer->send(session);
        else
                server_echo(session, sql, arg);
}

static bool
script_on_message(struct session *session, const struct message *message, void *arg)
{
        const struct answer *answer = NULL;

        (void)arg;
        if (message->kind == MESSAGE_SYNC && commit_fails) {
                commit_fails = false;
                session_error(session, "ERROR", "23505", "duplicate key value");
        }
        if (session->failed)
                return false;
        if (message->kind == MESSAGE_PARSE)
                answer = answer_find(message->body + strlen(message->body) + 1, MESSAGE_PARSE);
        if (message->kind == MESSAGE_BIND)
                answer = answer_find(session->sql, MESSAGE_BIND);
        if (answer != NULL)
                answer->send(session);
        return answer != NULL;
}

/* ---- the comparison */

static const struct conversation {
        const char *name;
        void (*say)(struct talk *talk);
        const char *telling; /* it is not the conversation that is meant without this line */
} conversations[] = {
        {"start-up", say_nothing, "S server_version"},
        {"statements", say_select, "C INSERT 0 0"},
        {"pipeline", say_pipeline, "D '4'"},
        {"shared Sync", say_group, "E S:ERROR V:ERROR C:22012 M F L R"},
        {"parse error", say_parse_error, "E S:ERROR V:ERROR C:42601 M F L R"},
        {"bind error", say_bind_error, "E S:ERROR V:ERROR C:22012 M F L R"},
        {"prepared statement", say_prepared, "t 25"},
        {"names of statements", say_prepared_badly, "E S:ERROR V:ERROR C:26000 M F L R"},
        {"deferred constraint", say_deferred, "E S:ERROR V:ERROR C:23505 M F L R"},
        {"transaction", say_transaction, "Z T"},
        {"failed transaction", say_failed_transaction, "E S:ERROR V:ERROR C:25P02 M F L R"},
        {"notice", say_raise, "N S:NOTICE V:NOTICE C:00000 M F L R"},
        {"notification", say_notify, "A channel payload"},
        {"notification while idle", say_notified_idle, "A channel payload"},
        {"terminated while idle", say_terminated_idle, "E S:FATAL V:FATAL C:57P01 M F L R"},
        {"reported parameter", say_set, "S application_name"},
        {"COPY out", say_copy_out, "d '1\n'"},
        {"COPY in", say_copy_in, "G 0 0"},
        {"COPY in unawares", say_copy_in_unawares, "E S:FATAL V:FATAL C:08P01 M F L R"},
        {"terminated", say_terminate, "E S:FATAL V:FATAL C:57P01 M F L R"},
};

/* Holds a conversation with a server. */
static struct talk *
hold(const struct conversation *conversation, const char *folder, void (*turn)(void))
{
        struct talk *talk = talk_new(talk_connect(folder), turn);

        talk_startup(talk);
        talk_until(talk, 'Z', 1);
        talk_ask(talk, SET_UP, "public");
        conversation->say(talk);
        talk_end(talk);
        return talk;
}

static struct event_base *scripted_base;

static void
scripted_turn(void)
{
        event_base_loop(scripted_base, EVLOOP_NONBLOCK);
}

static struct talk *
hold_scripted(const struct conversation *conversation)
{
        scripted_base = event_base_new();
        ck_assert_ptr_nonnull(scripted_base);
        scripted_server = server_new(scripted_base, SERVER_UNIX);
        scripted_server->on_message = script_on_message;
        scripted_server->on_statement = script_on_statement;
        struct talk *talk = hold(conversation, scripted_server->folder, scripted_turn);
        server_free(scripted_server);
        scripted_server = NULL;
        event_base_free(scripted_base);
        return talk;
}

START_TEST(the_scripted_server_says_what_a_real_one_says)
{
        const struct conversation *conversation = &conversations[_i];
        struct talk *real = hold(conversation, cluster.folder, NULL);
        struct talk *scripted = hold_scripted(conversation);

        if (strstr(talk_said(real), conversation->telling) == NULL)
                ck_abort_msg("%s: no \"%s\" in\n%s", conversation->name, conversation->telling,
                             talk_said(real));
        if (strcmp(talk_said(real), talk_said(scripted)) != 0)
                ck_abort_msg("%s: a server says\n%s\nand the scripted one\n%s", conversation->name,
                             talk_said(real), talk_said(scripted));
        talk_free(real);
        talk_free(scripted);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("trace");
        TCase *tcase = tcase_create("trace");

        tcase_add_unchecked_fixture(tcase, trace_open, trace_close);
        tcase_add_loop_test(tcase, the_scripted_server_says_what_a_real_one_says, 0,
                            (int)(sizeof conversations / sizeof conversations[0]));
        suite_add_tcase(suite, tcase);
        return suite;
}
