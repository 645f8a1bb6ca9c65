/*
 * TLS: who is believed, and whether all bytes come out of it. The certificates are made by the
 * openssl command; without it
 * only what needs none is tested.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect/conninfo.h"
#include "proxy.h"
#include "witness.h"

static int port;

/* A port that was free a moment ago. */
static int
free_port(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
        close(fd);
        return ntohs(address.sin_port);
}

/* Two authorities; the first one signs the server's certificate, which names "localhost" and
 * 127.0.0.1, or one that names another host. */
static void
certificates_make(const char *host)
{
        char command[3000];

        snprintf(command, sizeof command,
                 "cd '%s' && exec >openssl.log 2>&1 && set -e\n"
                 "key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1'\n"
                 "for ca in ca other; do\n"
                 "  openssl req -x509 $key -nodes -days 2 -subj /CN=test-$ca"
                 " -keyout $ca.key -out $ca.crt\n"
                 "done\n"
                 "printf 'subjectAltName=%s\\n' >extensions\n"
                 "openssl req $key -nodes -subj /CN=server -keyout server.key"
                 " -out server.csr\n"
                 "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial"
                 " -days 2 -extfile extensions -out server.crt\n"
                 "chmod 600 server.key\n"
                 "chown --reference=data/PG_VERSION server.key server.crt\n",
                 live_cluster.folder, host);
        if (system(command) != 0)
                ck_abort_msg("openssl failed in %s", live_cluster.folder);
}

static void
tls_start(bool with_tls, const char *names)
{
        char options[600];

        own_setup();
        cluster_stop(&live_cluster, "fast");
        port = free_port();
        if (with_tls)
                certificates_make(names);
        snprintf(options, sizeof options, "-c listen_addresses=127.0.0.1 -p %d", port);
        if (with_tls)
                snprintf(
                        options + strlen(options), sizeof options - strlen(options),
                        " -c ssl=on -c ssl_cert_file='%s/server.crt' -c ssl_key_file='%s/server.key'",
                        live_cluster.folder, live_cluster.folder);
        cluster_start(&live_cluster, options);
}

static void
tls_setup(void)
{
        tls_start(true, "DNS:localhost,IP:127.0.0.1");
}

static void
misnamed_setup(void)
{
        tls_start(true, "DNS:somewhere.example,IP:192.0.2.1");
}

static void
plain_setup(void)
{
        tls_start(false, "");
}

/* Opens live_db on TCP, with more parameters; root is the name of an authority, NULL for none. */
static void
tls_open(const char *host, const char *root, const char *more, const struct pipit_options *options)
{
        char url[700];

        snprintf(url, sizeof url, "host=%s port=%d user=postgres dbname=postgres %s", host, port,
                 more);
        if (root != NULL)
                snprintf(url + strlen(url), sizeof url - strlen(url), " sslrootcert='%s/%s.crt'",
                         live_cluster.folder, root);
        live_open(url, options);
}

/* A request is refused, at the end of its time to wait, with a text that says why. */
static void
expect_refused(const char *text)
{
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);

        /* Where the first attempt takes longer than that, as under valgrind, it has no cause yet.
         */
        for (int i = 0; i < 100 && strstr(pipit_error_text(res), "failed: ") == NULL; i++)
                res = query("SELECT 1", PIPIT_NO_PARAMS);
        ck_assert_int_eq(pipit_failed(res), true);
        if (strstr(pipit_error_text(res), text) == NULL)
                ck_abort_msg("%s", pipit_error_text(res));
}

static const struct pipit_options soon = {.acquire_timeout_ms = 300};

#define IN_USE "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

START_TEST(a_server_that_proves_itself_is_believed)
{
        static const char *const hosts[] = {"localhost", "127.0.0.1"};

        tls_open(hosts[_i], "ca", "sslmode=verify-full", NULL);
        expect_text(query(IN_USE, PIPIT_NO_PARAMS), 0, 0, "true");
}
END_TEST

START_TEST(an_authority_that_is_not_known_is_not_believed)
{
        tls_open("localhost", "other", "sslmode=verify-full", &soon);
        expect_refused("certificate verify failed");
        tls_open("localhost", "ca", "sslmode=verify-full", NULL);
        execute("SELECT 1");
}
END_TEST

#define N_SLEEPING "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

START_TEST(a_cancel_is_as_encrypted_as_its_connection)
{
        /* It would end a connection that asks in the clear. */
        struct proxy_rule rule = {.side = PROXY_TO_SERVER,
                                  .connection = PROXY_EACH,
                                  .trigger = PROXY_MESSAGE,
                                  .type = PROXY_TYPE_CANCEL,
                                  .action = PROXY_RST};
        struct calls calls = {0};
        char server[40];

        snprintf(server, sizeof server, "127.0.0.1:%d", port);
        struct proxy *proxy = proxy_new(live_base, "127.0.0.1:0", server, 1);
        ck_assert_ptr_nonnull(proxy);
        ck_assert(proxy_add(proxy, &rule));
        port = proxy_port(proxy);
        tls_open("localhost", "ca", "sslmode=verify-full", NULL);
        pipit_request number = ask_on(live_db, "SELECT pg_sleep(600)", &calls);
        wait_for_server_on(live_db, N_SLEEPING, "1");
        pipit_cancel(live_db, number);
        wait_for_server_on(live_db, N_SLEEPING, "0");
        ck_assert_int_eq(proxy_n_acted_all(proxy), 0);
        ck_assert_int_ge(proxy_n_accepted(proxy), 3);
        pipit_close(live_db);
        live_db = NULL;
        loop_for(0);
        proxy_free(proxy);
}
END_TEST

START_TEST(the_systems_authorities_do_not_know_the_tests)
{
        const char *owner = getenv("HOME");
        char *before = owner != NULL ? strdup(owner) : NULL;

        setenv("HOME", live_cluster.folder, 1); /* which has no certificates */
        tls_open("localhost", NULL, "sslmode=verify-full", &soon);
        expect_refused("certificate verify failed");
        if (before != NULL)
                setenv("HOME", before, 1);
        else
                unsetenv("HOME");
        free(before);
}
END_TEST

START_TEST(sslmode_of_the_options_holds_where_the_url_says_nothing)
{
        struct pipit_options options = {.acquire_timeout_ms = 300, .sslmode = "verify-full"};

        tls_open("localhost", "other", "", &options);
        expect_refused("certificate verify failed");
        options.acquire_timeout_ms = 0;
        tls_open("localhost", "ca", "", &options);
        expect_text(query(IN_USE, PIPIT_NO_PARAMS), 0, 0, "true");
        tls_open("localhost", NULL, "sslmode=disable", &options);
        expect_text(query(IN_USE, PIPIT_NO_PARAMS), 0, 0, "false");
}
END_TEST

START_TEST(a_certificate_of_another_host_is_not_believed)
{
        tls_open("localhost", "ca", "sslmode=verify-full", &soon);
        expect_refused("does not match host name \"localhost\"");
        tls_open("localhost", "ca", "sslmode=verify-ca", NULL);
        expect_text(query(IN_USE, PIPIT_NO_PARAMS), 0, 0, "true");
}
END_TEST

START_TEST(a_server_without_tls_is_refused_when_tls_is_wanted)
{
        tls_open("127.0.0.1", NULL, "sslmode=require", &soon);
        expect_refused("server does not support SSL");
        tls_open("127.0.0.1", NULL, "", NULL);
        expect_text(query(IN_USE, PIPIT_NO_PARAMS), 0, 0, "false");
}
END_TEST

/* ---- whether all bytes come */

/* Asks for one value of n bytes. */
static void
expect_whole(int n)
{
        const struct pipit_result *res = query("SELECT repeat('x', $1::int)", PIPIT_PARAMS(n));

        expect_ok(res);
        ck_assert_uint_eq(pipit_result_length(res, 0, 0), (size_t)n);
}

START_TEST(results_around_the_size_of_a_record_come_whole)
{
        static const int sizes[] = {8192, 16384, 32768, 49152, 65536};
        struct pipit_options options = {.timeout_ms = 20000};

        tls_open("localhost", "ca", "sslmode=verify-full", &options);
        /* The value, its row's head and what is around it make up records of all sizes. */
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                for (int n = sizes[i] - 150; n <= sizes[i] + 2; n++)
                        expect_whole(n);
        }
}
END_TEST

START_TEST(results_of_some_megabytes_come_whole)
{
        static const int sizes[] = {131071, 1000000, 5000000, 20000000};
        struct pipit_options options = {.timeout_ms = 20000};

        tls_open("localhost", "ca", "sslmode=verify-full", &options);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
                expect_whole(sizes[i]);
}
END_TEST

START_TEST(rows_of_any_number_come_whole)
{
        struct pipit_options options = {.timeout_ms = 20000};

        tls_open("localhost", "ca", "sslmode=verify-full", &options);
        for (int n = 1; n < 100000; n = n * 5 / 2 + 1) {
                const struct pipit_result *res =
                        query("SELECT i, repeat('y', 37) FROM generate_series(1, $1::int) i",
                              PIPIT_PARAMS(n));
                expect_ok(res);
                ck_assert_int_eq(pipit_result_rows(res), n);
        }
}
END_TEST

START_TEST(many_small_results_in_a_pipeline_come_whole)
{
        struct pipit_options options = {
                .timeout_ms = 20000, .max_connections = 1, .max_pipeline = 500};
        struct crowd *crowd = crowd_new();

        tls_open("localhost", "ca", "sslmode=verify-full", &options);
        execute("SELECT 1");
        crowd_start(crowd, 3000, "SELECT $1::int, repeat('z', ($1::int * 31) % 300)");
        crowd_join(crowd);
        for (int i = 0; i < 3000; i++)
                ck_assert_int_eq(atoi(crowd->members[i].value), i);
        ck_assert_int_eq(crowd->n_ok, 3000);
        crowd_free(crowd);
}
END_TEST

START_TEST(values_of_some_megabytes_go_out_whole)
{
        struct pipit_options options = {.timeout_ms = 20000};
        size_t length = 6000000;
        char *big = malloc(length);

        ck_assert_ptr_nonnull(big);
        memset(big, 'v', length);
        tls_open("localhost", "ca", "sslmode=verify-full", &options);
        struct pipit_value value = pipit_value_text_n(big, length);
        expect_text(query("SELECT length($1::text)::text", PIPIT_PARAMS(value)), 0, 0, "6000000");
        free(big);
}
END_TEST

START_TEST(a_terminated_session_is_noticed_while_idle)
{
        struct pipit_options options = journal_options();
        char url[200];

        snprintf(url, sizeof url, "host=127.0.0.1 port=%d user=postgres dbname=postgres", port);
        tls_open("localhost", "ca", "sslmode=verify-full application_name=victim", &options);
        execute("SELECT 1");
        ask(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE application_name = 'victim'");
        loop_until(&live_journal.n_lost, 1);
        execute("SELECT 1");
}
END_TEST

/* ---- records that are larger than libpq's buffer has room */

static FILE *records;
static int records_pid;

/* Puts a TLS end that fills its records in front of the server. */
static void
records_setup(void)
{
        char command[600];

        tls_setup();
        snprintf(command, sizeof command,
                 "echo $$; exec python3 '%s' '%s/.s.PGSQL.%d' '%s/server.crt' '%s/server.key'",
                 support_path("tls_records.py"), live_cluster.folder, port, live_cluster.folder,
                 live_cluster.folder);
        records = popen(command, "r");
        ck_assert_ptr_nonnull(records);
        ck_assert_int_eq(fscanf(records, "%d %d", &records_pid, &port), 2);
}

static void
records_teardown(void)
{
        own_teardown();
        ck_assert_int_eq(kill(records_pid, SIGTERM), 0);
        pclose(records);
}

START_TEST(bytes_that_the_tls_library_holds_back_are_fetched)
{
        struct pipit_options options = {.timeout_ms = 20000, .max_connections = 1};

        tls_open("localhost", "ca", "sslmode=verify-full", &options);
        /* A part of a row is in libpq's buffer when the next record comes, which does not fit in
         * behind it: its rest stays in the TLS library, and the socket is quiet. */
        for (int length = 5000; length < 16000; length += 1000) {
                const struct pipit_result *res =
                        query("SELECT repeat('x', $1::int) FROM generate_series(1, 3)",
                              PIPIT_PARAMS(length));
                expect_ok(res);
                ck_assert_int_eq(pipit_result_rows(res), 3);
        }
        for (int n = 16384 - 200; n <= 16384 + 200; n += 7)
                expect_whole(n);
        expect_whole(3000000);
}
END_TEST

START_TEST(small_results_that_fill_large_records_come_whole)
{
        struct pipit_options options = {
                .timeout_ms = 20000, .max_connections = 1, .max_pipeline = 1000};
        struct crowd *crowd = crowd_new();

        tls_open("localhost", "ca", "sslmode=verify-full", &options);
        execute("SELECT 1");
        crowd_start(crowd, 1000, "SELECT $1::int, repeat('z', ($1::int * 31) % 300)");
        crowd_join(crowd);
        if (crowd->n_ok != 1000)
                ck_abort_msg("%d of 1000: %s", crowd->n_ok, crowd->text);
        for (int i = 0; i < 1000; i++)
                ck_assert_int_eq(atoi(crowd->members[i].value), i);
        crowd_free(crowd);
}
END_TEST

/* ---- what a connect is told to demand */

static const struct demand {
        const char *url;
        const char *environment; /* PGSSLMODE */
        const char *option;
        const char *address; /* where the name leads */
        const char *sslmode; /* what is demanded; "" for libpq's default */
} demands[] = {
        {"host=db.example", NULL, NULL, "192.0.2.1", "verify-full"},
        {"host=192.0.2.1", NULL, NULL, "192.0.2.1", "verify-full"},
        {"host=10.0.0.1", NULL, NULL, "10.0.0.1", "verify-full"},
        {"host=fe80::1", NULL, NULL, "fe80::1", "verify-full"},
        {"host=localhost", NULL, NULL, "127.0.0.1", "prefer"},
        {"host=localhost", NULL, NULL, "::1", "prefer"},
        {"host=/tmp", NULL, NULL, "", "prefer"},
        /* A name that looks like this machine, and leads elsewhere. */
        {"host=localhost", NULL, NULL, "192.0.2.1", "verify-full"},
        {"host=127.0.0.1.example.com", NULL, NULL, "192.0.2.1", "verify-full"},
        /* Somebody said otherwise. */
        {"host=db.example sslmode=require", NULL, NULL, "192.0.2.1", "require"},
        {"host=db.example sslmode=prefer", NULL, NULL, "192.0.2.1", "prefer"},
        {"host=db.example", "require", NULL, "192.0.2.1", "require"},
        {"host=db.example", "prefer", NULL, "192.0.2.1", "prefer"},
        {"host=db.example", NULL, "require", "192.0.2.1", "require"},
        {"host=localhost", NULL, "verify-full", "127.0.0.1", "verify-full"},
        {"host=db.example sslmode=disable", "require", "verify-ca", "192.0.2.1", "disable"},
        {"host=db.example", "require", "verify-ca", "192.0.2.1", "require"},
};

static const char *
parameter(const struct conninfo_parameters *parameters, const char *key)
{
        for (int i = 0; i < parameters->n; i++) {
                if (strcmp(parameters->keys[i], key) == 0)
                        return parameters->values[i];
        }
        return "";
}

START_TEST(a_host_that_is_not_this_machine_must_prove_itself_unless_somebody_said_otherwise)
{
        const struct demand *demand = &demands[_i];
        struct pipit_options options = {.sslmode = demand->option};
        struct conninfo_parameters parameters;
        struct conninfo info;
        char *problem;

        if (demand->environment != NULL)
                setenv("PGSSLMODE", demand->environment, 1);
        ck_assert_int_eq(pipit__conninfo_init(&info, demand->url, &options, &problem), 0);
        unsetenv("PGSSLMODE");
        struct endpoint endpoint = {.host = &info.hosts[0], .address = demand->address};
        pipit__conninfo_parameters(&info, &endpoint, &parameters);
        ck_assert_str_eq(parameter(&parameters, "sslmode"), demand->sslmode);
        ck_assert_str_eq(parameter(&parameters, "hostaddr"), demand->address);
        ck_assert_str_ne(parameter(&parameters, "gssencmode"), "prefer");
        if (strcmp(demand->sslmode, "verify-full") == 0 && getenv("HOME") == NULL)
                ck_assert_str_ne(parameter(&parameters, "sslrootcert"), "");
        pipit__conninfo_fini(&info);
}
END_TEST

static TCase *
case_add(Suite *suite, const char *name, SFun setup)
{
        TCase *tcase = tcase_create(name);

        if (setup != NULL)
                tcase_add_checked_fixture(tcase, setup, own_teardown);
        suite_add_tcase(suite, tcase);
        return tcase;
}

static void
records_add(Suite *suite)
{
        TCase *tcase = tcase_create("records");

        tcase_add_checked_fixture(tcase, records_setup, records_teardown);
        tcase_add_test(tcase, bytes_that_the_tls_library_holds_back_are_fetched);
        tcase_add_test(tcase, small_results_that_fill_large_records_come_whole);
        suite_add_tcase(suite, tcase);
}

static void
cases_add(Suite *suite)
{
        TCase *trust = case_add(suite, "trust", tls_setup);
        TCase *bytes = case_add(suite, "bytes", tls_setup);
        TCase *misnamed = case_add(suite, "misnamed", misnamed_setup);

        tcase_add_loop_test(trust, a_server_that_proves_itself_is_believed, 0, 2);
        tcase_add_test(trust, an_authority_that_is_not_known_is_not_believed);
        tcase_add_test(trust, a_cancel_is_as_encrypted_as_its_connection);
        tcase_add_test(trust, the_systems_authorities_do_not_know_the_tests);
        tcase_add_test(trust, sslmode_of_the_options_holds_where_the_url_says_nothing);
        tcase_add_test(bytes, results_around_the_size_of_a_record_come_whole);
        tcase_add_test(bytes, results_of_some_megabytes_come_whole);
        tcase_add_test(bytes, rows_of_any_number_come_whole);
        tcase_add_test(bytes, many_small_results_in_a_pipeline_come_whole);
        tcase_add_test(bytes, values_of_some_megabytes_go_out_whole);
        tcase_add_test(bytes, a_terminated_session_is_noticed_while_idle);
        tcase_add_test(misnamed, a_certificate_of_another_host_is_not_believed);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("tls");
        TCase *plain = case_add(suite, "plain", plain_setup);
        TCase *demand = case_add(suite, "demand", NULL);

        tcase_add_test(plain, a_server_without_tls_is_refused_when_tls_is_wanted);
        tcase_add_loop_test(
                demand,
                a_host_that_is_not_this_machine_must_prove_itself_unless_somebody_said_otherwise, 0,
                (int)(sizeof demands / sizeof demands[0]));
        if (system("openssl version >/dev/null 2>&1") != 0) {
                fputs("tls: no openssl command, so no certificates: only a part is tested\n",
                      stderr);
                return suite;
        }
        cases_add(suite);
        if (system("python3 -c 'import ssl' 2>/dev/null") == 0)
                records_add(suite);
        else
                fputs("tls: no python3 with ssl: large records are not tested\n", stderr);
        return suite;
}
