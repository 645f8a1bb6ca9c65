/*
 * Connection strings: what libpq refuses, pipit refuses, and what libpq takes, pipit takes for the
 * same. Each parameter that this libpq knows is absent, empty, wrong and valid; in a key=value
 * string, in a URL and in the environment; over TCP and over a Unix socket. libpq connects by
 * PQconnectdb() to a scripted server, pipit by an attempt. And what follows for the database: whom
 * it gives a password, and who may ask for what.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect/connect_attempt.h"
#include "connect/conninfo.h"
#include "loop/reactor.h"
#include "pq/pq_connect.h"
#include "wire.h"

extern char **environ;

static char folder[64];
static char port[16];
static struct reactor *reactor;

static void
nothing(void *arg)
{
        (void)arg;
}

static void
file_write(const char *name, const char *text)
{
        char path[128];

        snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        ck_assert_int_eq(fclose(file), 0);
}

/* Nothing of the environment that the test runs in may change what it finds. */
static void
environment_clear(void)
{
        for (char **at = environ; *at != NULL;) {
                char name[64];
                snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
                if (strncmp(name, "PG", 2) == 0 && unsetenv(name) == 0)
                        at = environ;
                else
                        at++;
        }
}

/* The server is a process of its own, because PQconnectdb() blocks. */
static void
settings_setup(void)
{
        environment_clear();
        snprintf(folder, sizeof folder, "/tmp/pipit-wire-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        file_write("pg_service.conf", "[mine]\napplication_name=served\n");
        setenv("HOME", folder, 1);
        setenv("PGSYSCONFDIR", folder, 1);
        reactor = pipit__reactor_new(live_base, 0, nothing, NULL);
        ck_assert_ptr_nonnull(reactor);
        snprintf(port, sizeof port, "%d",
                 wire_server->kind == SERVER_TCP ? wire_server->port : 5432);
        server_fork(wire_server);
}

static void
tcp_setup(void)
{
        wire_setup_tcp();
        settings_setup();
}

static void
unix_setup(void)
{
        wire_setup();
        settings_setup();
}

static void
settings_teardown(void)
{
        char path[128];

        snprintf(path, sizeof path, "%s/pg_service.conf", folder);
        unlink(path);
        rmdir(folder);
        pipit__reactor_free(reactor);
        wire_teardown();
}

/* ---- what a parameter can be */

enum { WRONG, VALID, N_TEXTS };

/* Of those that are not here everything is valid. "" is the port of the server. */
static const struct texts {
        const char *keyword;
        const char *texts[N_TEXTS];
} known[] = {
        {"service", {"pipit-none", "mine"}},
        {"channel_binding", {"wrong", "disable"}},
        {"connect_timeout", {"7s", " 7 "}},
        {"host", {"/nonexistent", "127.0.0.1"}},
        {"hostaddr", {"wrong", "127.0.0.1"}},
        {"port", {"wrong", ""}},
        {"keepalives", {"wrong", "1"}},
        {"keepalives_idle", {"10s", " 11"}},
        {"keepalives_interval", {"1.5", "+6"}},
        {"keepalives_count", {"99999999999", "4 "}},
        {"tcp_user_timeout", {"0x10", "9000"}},
        {"sslmode", {"Prefer", "allow"}},
        {"sslnegotiation", {"wrong", "postgres"}},
        {"sslcertmode", {"wrong", "disable"}},
        {"sslsni", {"wrong", "0"}},
        {"requirepeer", {"pipit-nobody", "root"}},
        {"require_auth", {"scram", "none"}},
        {"ssl_min_protocol_version", {"TLSv9", "TLSv1.3"}},
        {"ssl_max_protocol_version", {"wrong", "TLSv1.3"}},
        {"min_protocol_version", {"wrong", "3.0"}},
        {"max_protocol_version", {"wrong", "3.0"}},
        {"gssencmode", {"wrong", "disable"}},
        {"target_session_attrs", {"Any", "any"}},
        {"load_balance_hosts", {"wrong", "random"}},
        {"client_encoding", {"wrong", "UTF8"}},
};

static const char *
text_of(const char *keyword, int which)
{
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
                if (strcmp(known[i].keyword, keyword) != 0)
                        continue;
                const char *text = known[i].texts[which];
                return text[0] == '\0' ? port : text;
        }
        return "anything";
}

enum form { FORM_STRING, FORM_URL, FORM_ENVIRONMENT, N_FORMS };

struct text {
        size_t n;
        char bytes[1000];
};

static void
text_add(struct text *text, const char *more)
{
        text->n +=
                (size_t)snprintf(text->bytes + text->n, sizeof text->bytes - text->n, "%s", more);
        ck_assert_uint_lt(text->n, sizeof text->bytes);
}

/* Adds one parameter, as its form wants it. */
static void
text_add_parameter(struct text *text, enum form form, const char *keyword, const char *value)
{
        char quoted[300];
        char *out = quoted;

        for (; form == FORM_URL && *value != '\0'; value++)
                out += sprintf(out, "%%%02x", (unsigned char)*value);
        *out = '\0';
        text_add(text, form == FORM_URL ? "&" : " ");
        text_add(text, keyword);
        text_add(text, form == FORM_URL ? "=" : "='");
        text_add(text, form == FORM_URL ? quoted : value);
        text_add(text, form == FORM_URL ? "" : "'");
}

/* Puts a connection string for the server together, with that value of that parameter: NULL for
 * none. */
static void
text_build(struct text *text, enum form form, const PQconninfoOption *option, const char *value)
{
        const struct {
                const char *keyword;
                const char *value;
        } usual[] = {{"host", wire_server->kind == SERVER_TCP ? "127.0.0.1" : wire_server->folder},
                     {"port", port},
                     {"user", "u"},
                     {"dbname", "db"}};

        *text = (struct text){0};
        text_add(text, form == FORM_URL ? "postgresql:///?password=x" : "password=x");
        for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
                /* What is said twice would be in force the second time. */
                if (value == NULL || strcmp(usual[i].keyword, option->keyword) != 0)
                        text_add_parameter(text, form, usual[i].keyword, usual[i].value);
        }
        if (value != NULL && form == FORM_ENVIRONMENT)
                setenv(option->envvar, value, 1);
        else if (value != NULL)
                text_add_parameter(text, form, option->keyword, value);
}

/* ---- both of them connect */

struct connected {
        int n;
        struct pg_conn *pq;
        char problem[600];
};

static void
on_attempt(struct pg_conn *pq, const char *host, const struct conn_error *failure, void *arg)
{
        struct connected *connected = arg;

        (void)host;
        connected->n++;
        connected->pq = pq;
        if (failure != NULL)
                snprintf(connected->problem, sizeof connected->problem, "%s", failure->text);
}

static struct connected
pipit_connects(const char *url)
{
        static const struct pipit_options options;
        struct connected connected = {0};
        struct conninfo info;
        char *problem = NULL;
        int code = pipit__conninfo_init(&info, url, &options, &problem);

        if (code == 0) {
                ck_assert_ptr_nonnull(
                        pipit__connect_attempt_start(reactor, &info, 5000, on_attempt, &connected));
                loop_until(&connected.n, 1);
        } else {
                snprintf(connected.problem, sizeof connected.problem, "%s", problem);
        }
        free(problem);
        pipit__conninfo_fini(&info);
        return connected;
}

/* Parameters that pipit sets itself where nothing is given, or gives in other words. */
static bool
is_pipits(const char *keyword)
{
        static const char *const set[] = {"host",
                                          "hostaddr",
                                          "port",
                                          "client_encoding",
                                          "fallback_application_name",
                                          "keepalives_idle",
                                          "keepalives_interval",
                                          "keepalives_count",
                                          "tcp_user_timeout",
                                          "gssencmode",
                                          "require_auth"};

        for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
                if (strcmp(set[i], keyword) == 0)
                        return true;
        }
        return false;
}

static const char *
shown(const char *value)
{
        return value != NULL ? value : "(none)";
}

/* A parameter, and what is tried for it: NULL for nothing. */
struct trial {
        const PQconninfoOption *option;
        const char *value;
        struct text url;
};

/* What libpq connected with, both times. */
static void
expect_same(PGconn *theirs, PGconn *ours, const struct trial *trial)
{
        PQconninfoOption *a = PQconninfo(theirs);
        PQconninfoOption *b = PQconninfo(ours);
        bool is_given = trial->value != NULL && trial->value[0] != '\0';

        for (int i = 0; a[i].keyword != NULL; i++) {
                bool is_tried = strcmp(a[i].keyword, trial->option->keyword) == 0;
                if (is_pipits(a[i].keyword) && !(is_tried && is_given))
                        continue;
                /* Of a wrong encoding the server would complain; pipit always has the same. */
                if (is_pipits(a[i].keyword) && strcmp(trial->value, "wrong") == 0)
                        continue;
                if (strcmp(shown(a[i].val), shown(b[i].val)) != 0)
                        ck_abort_msg("%s, %s=%s: %s is \"%s\", with libpq alone \"%s\"",
                                     trial->url.bytes, trial->option->keyword, shown(trial->value),
                                     a[i].keyword, shown(b[i].val), shown(a[i].val));
        }
        PQconninfoFree(a);
        PQconninfoFree(b);
}

/* Over a Unix socket libpq does not look at what only TCP has; pipit does. */
static void
expect_agreement(const struct trial *trial)
{
        PGconn *theirs = PQconnectdb(trial->url.bytes);
        bool is_taken = PQstatus(theirs) == CONNECTION_OK;
        struct connected ours = pipit_connects(trial->url.bytes);

        if (is_taken && ours.pq == NULL && wire_server->kind == SERVER_TCP)
                ck_abort_msg("%s, %s=%s: pipit refuses it: %s", trial->url.bytes,
                             trial->option->keyword, shown(trial->value), ours.problem);
        if (!is_taken && ours.pq != NULL)
                ck_abort_msg("%s, %s=%s: libpq refuses it: %s", trial->url.bytes,
                             trial->option->keyword, shown(trial->value), PQerrorMessage(theirs));
        if (is_taken && ours.pq != NULL)
                expect_same(theirs, ours.pq, trial);
        PQfinish(theirs);
        PQfinish(ours.pq);
}

/* Tries all values of a parameter in one form. */
static void
parameter_try(enum form form, const PQconninfoOption *option)
{
        const char *values[] = {NULL, "", text_of(option->keyword, WRONG),
                                text_of(option->keyword, VALID)};

        if (form == FORM_ENVIRONMENT && option->envvar == NULL)
                return;
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
                struct trial trial = {.option = option, .value = values[i]};
                text_build(&trial.url, form, option, values[i]);
                expect_agreement(&trial);
                if (form == FORM_ENVIRONMENT)
                        unsetenv(option->envvar);
        }
}

START_TEST(what_libpq_makes_of_a_parameter_pipit_makes_of_it)
{
        PQconninfoOption *options = PQconndefaults();

        ck_assert_ptr_nonnull(options);
        for (int i = 0; options[i].keyword != NULL; i++)
                parameter_try((enum form)_i, &options[i]);
        PQconninfoFree(options);
}
END_TEST

/* An empty sslmode is neither libpq's default nor pipit's. */
START_TEST(an_empty_sslmode_gives_nobody_the_password)
{
        char url[200];

        pipit_close(live_db);
        snprintf(url, sizeof url,
                 "postgresql://u:hunter2@127.0.0.1:%d/db?sslmode=", wire_server->port);
        live_db = pipit_open(live_base, url, NULL);
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_EINVAL, "");
        ck_assert_int_eq(wire_server->n_accepted, 0);
}
END_TEST

/* Asks for a kind of authentication by its number in the protocol. */
static bool
ask_for(struct session *session, const struct message *message, void *arg)
{
        if (message->kind != MESSAGE_STARTUP)
                return false;
        session_authentication(session, *(const uint32_t *)arg);
        session_flush(session);
        return true;
}

#define AUTHENTICATION_GSS  7
#define AUTHENTICATION_SSPI 9

static const uint32_t kerberos[] = {AUTHENTICATION_GSS, AUTHENTICATION_SSPI};

/* Its libraries wait for a key server, and the loop with them. */
START_TEST(a_server_that_asks_for_kerberos_is_refused_where_libpq_can)
{
        struct pipit_options options = wire_options();
        uint32_t code = kerberos[_i];

        if (!pipit__pq_has_require_auth())
                return;
        wire_server->on_message = ask_for;
        wire_server->arg = &code;
        options.acquire_timeout_ms = 300;
        wire_reopen(&options);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ETIMEDOUT, "");
        if (strstr(pipit_error_text(res), "requirement \"!gss,!sspi\" failed") == NULL)
                ck_abort_msg("%s", pipit_error_text(res));
}
END_TEST

static void
case_add(Suite *suite, const char *name, SFun setup)
{
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, setup, settings_teardown);
        tcase_add_loop_test(tcase, what_libpq_makes_of_a_parameter_pipit_makes_of_it, 0, N_FORMS);
        suite_add_tcase(suite, tcase);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("settings");

        case_add(suite, "tcp", tcp_setup);
        case_add(suite, "unix", unix_setup);
        TCase *tcase = tcase_create("database");
        tcase_add_checked_fixture(tcase, wire_setup_tcp, wire_teardown);
        tcase_add_test(tcase, an_empty_sslmode_gives_nobody_the_password);
        tcase_add_loop_test(tcase, a_server_that_asks_for_kerberos_is_refused_where_libpq_can, 0,
                            (int)(sizeof kerberos / sizeof kerberos[0]));
        suite_add_tcase(suite, tcase);
        return suite;
}
