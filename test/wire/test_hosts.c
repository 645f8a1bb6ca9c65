/*
 * Several hosts, and several addresses of one, some of them dead, slow or unwilling.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect/conninfo.h"
#include "connect/resolver.h"
#include "scope/database.h"
#include "wire.h"

/* A host that takes nobody: it listens, but its queue is full, so it drops what comes as if it were
 * not there. */
#define DEAD_ADDRESS "127.0.0.2"

static struct dead {
        int listener;
        int waiting[4]; /* those that fill the queue */
} dead;

/* The other server; wire_server is the first. */
static struct server *other;
static char folder[] = "/tmp/pipit-wire-XXXXXX";
static char names[100];
static const struct resolver_files own_files = {"/nonexistent/resolv.conf", names};

static void
dead_open(int port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

        inet_pton(AF_INET, DEAD_ADDRESS, &address.sin_addr);
        dead.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(dead.listener, (struct sockaddr *)&address, sizeof address), 0);
        ck_assert_int_eq(listen(dead.listener, 0), 0);
        for (int i = 0; i < 4; i++) {
                dead.waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                connect(dead.waiting[i], (struct sockaddr *)&address, sizeof address);
        }
}

static void
setup(void)
{
        FILE *file;

        wire_setup_tcp();
        other = server_new(live_base, SERVER_TCP);
        dead_open(wire_server->port);
        strcpy(folder, "/tmp/pipit-wire-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(names, sizeof names, "%s/hosts", folder);
        file = fopen(names, "w");
        ck_assert_ptr_nonnull(file);
        fputs(DEAD_ADDRESS " two.test\n127.0.0.1 two.test\n", file);
        fclose(file);
}

static void
teardown(void)
{
        pipit_close(live_db);
        live_db = NULL;
        close(dead.listener);
        for (int i = 0; i < 4; i++)
                close(dead.waiting[i]);
        unlink(names);
        rmdir(folder);
        server_free(other);
        wire_teardown();
}

/* Opens live_db on these hosts. Nobody who waits for a dead one ends within the test's patience. */
static void
open_hosts(const char *hosts)
{
        struct pipit_options options = wire_options();
        char url[300];

        options.connect_timeout_ms = 120000;
        options.acquire_timeout_ms = -1;
        options.max_connections = 2;
        pipit_close(live_db);
        snprintf(url, sizeof url, "%s user=u dbname=db sslmode=disable", hosts);
        live_db = pipit_open(live_base, url, &options);
        ck_assert_ptr_nonnull(live_db);
        live_db->db->info.files = &own_files;
}

static void
open_both(void)
{
        char hosts[200];

        snprintf(hosts, sizeof hosts, "host=127.0.0.1,127.0.0.1 port=%d,%d", wire_server->port,
                 other->port);
        open_hosts(hosts);
}

static void
open_at_first_port(const char *host)
{
        char hosts[200];

        snprintf(hosts, sizeof hosts, "host=%s port=%d", host, wire_server->port);
        open_hosts(hosts);
}

START_TEST(a_dead_host_holds_up_nobody)
{
        open_at_first_port(DEAD_ADDRESS ",127.0.0.1");
        expect_service();
}
END_TEST

START_TEST(a_dead_address_holds_up_nobody)
{
        open_at_first_port("two.test");
        expect_service();
}
END_TEST

/* The server has nobody answer for longer than a host that is not taken is waited for. */
START_TEST(a_host_that_is_taken_is_waited_for)
{
        struct calls calls = {0};

        wire_server->held = true;
        open_both();
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&wire_server->n_accepted, 1);
        loop_for(1300);
        ck_assert_int_eq(other->n_accepted, 0);
        server_release(wire_server);
        expect_text(answer(&calls), 0, 0, "SELECT 1");
}
END_TEST

/* Refuses every session with the error that arg says. */
static bool
refuse(struct session *session, const struct message *message, void *arg)
{
        if (message->kind != MESSAGE_STARTUP)
                return false;
        session_error(session, "FATAL", arg, "not you");
        session_flush(session);
        session_finish(session, SESSION_FIN);
        return true;
}

static void
refuse_at(struct server *server, const char *sqlstate)
{
        server->on_message = refuse;
        server->arg = (void *)(uintptr_t)sqlstate;
}

START_TEST(a_refusal_by_one_host_is_none_while_another_takes_us)
{
        refuse_at(_i == 0 ? wire_server : other, "28P01");
        open_both();
        expect_service();
}
END_TEST

START_TEST(a_refusal_by_all_hosts_is_told_at_once)
{
        refuse_at(wire_server, "28P01");
        refuse_at(other, "3D000");
        open_both();
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_ECONNECT, "3D000");
}
END_TEST

START_TEST(a_refusal_is_none_while_another_host_may_come_back)
{
        struct calls calls = {0};

        refuse_at(wire_server, "57P03");
        refuse_at(other, "28P01");
        open_both();
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&other->n_closed, 1);
        wire_server->on_message = NULL;
        expect_text(answer(&calls), 0, 0, "SELECT 1");
}
END_TEST

START_TEST(a_host_that_failed_is_tried_last_by_the_next_connect)
{
        struct calls calls[2] = {{0}};

        refuse_at(wire_server, "57P03");
        open_both();
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
        other->held = true;
        for (int i = 0; i < 2; i++)
                pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls[i]);
        loop_until(&other->n_accepted, 2);
        server_release(other);
        expect_ok(answer(&calls[0]));
        expect_ok(answer(&calls[1]));
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("hosts");
        TCase *tcase = tcase_create("hosts");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_dead_host_holds_up_nobody);
        tcase_add_test(tcase, a_dead_address_holds_up_nobody);
        tcase_add_test(tcase, a_host_that_is_taken_is_waited_for);
        tcase_add_loop_test(tcase, a_refusal_by_one_host_is_none_while_another_takes_us, 0, 2);
        tcase_add_test(tcase, a_refusal_by_all_hosts_is_told_at_once);
        tcase_add_test(tcase, a_refusal_is_none_while_another_host_may_come_back);
        tcase_add_test(tcase, a_host_that_failed_is_tried_last_by_the_next_connect);
        suite_add_tcase(suite, tcase);
        return suite;
}
