/*
 * The fault proxy: each of its actions and triggers is seen to work. A plain socket stands for the
 * client, another for the server.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy.h"
#include "runner.h"

/* A message of the server: type, length, text. */
#define NOTE(x)   "N\0\0\0\6" x
#define NOTE_SIZE 7

struct peer {
        int fd;
        char bytes[1000]; /* what has come */
        size_t n;
        bool eof;
        int error;
        int n_reads;
        struct event *readable;
};

static struct event_base *base;
static struct proxy *proxy;
static int listener;
static struct peer client, server;
static bool too_late;
static struct event *patience;

static void
peer_on_readable(int fd, short what, void *arg)
{
        struct peer *peer = arg;
        ssize_t n = recv(fd, peer->bytes + peer->n, sizeof peer->bytes - peer->n, 0);

        (void)what;
        peer->n_reads++;
        if (n > 0) {
                peer->n += (size_t)n;
                return;
        }
        peer->eof = n == 0;
        peer->error = n < 0 ? errno : 0;
        event_del(peer->readable);
}

static void
peer_init(struct peer *peer, int fd)
{
        *peer = (struct peer){.fd = fd};
        ck_assert_int_ge(fd, 0);
        peer->readable = event_new(base, fd, EV_READ | EV_PERSIST, peer_on_readable, peer);
        ck_assert_int_eq(event_add(peer->readable, NULL), 0);
}

static void
peer_fini(struct peer *peer)
{
        event_free(peer->readable);
        close(peer->fd);
}

static void
peer_send(struct peer *peer, const char *bytes, size_t n)
{
        ck_assert_int_eq(send(peer->fd, bytes, n, MSG_NOSIGNAL), (int)n);
}

static void
turn(void)
{
        ck_assert_msg(!too_late, "waited in vain: client %zu bytes, server %zu bytes", client.n,
                      server.n);
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

/* Waits until that much has come, which must be these bytes. */
static void
peer_expect(struct peer *peer, const char *bytes, size_t n)
{
        while (peer->n < n)
                turn();
        ck_assert_mem_eq(peer->bytes, bytes, n);
        ck_assert_uint_eq(peer->n, n);
        peer->n = 0;
}

static void
peer_expect_fin(struct peer *peer)
{
        while (!peer->eof && peer->error == 0)
                turn();
        ck_assert_int_eq(peer->error, 0);
}

static void
peer_expect_rst(struct peer *peer)
{
        while (!peer->eof && peer->error == 0)
                turn();
        ck_assert_int_eq(peer->error, ECONNRESET);
}

static void
on_patience(int fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
        too_late = true;
}

/* A socket of 127.0.0.1; its port. */
static int
listen_somewhere(void)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t length = sizeof in;

        listener = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&in, sizeof in), 0);
        ck_assert_int_eq(listen(listener, 8), 0);
        ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&in, &length), 0);
        return ntohs(in.sin_port);
}

static int
connect_to(int port)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        in.sin_port = htons((uint16_t)port);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
        return fd;
}

static void
proxy_setup(void)
{
        struct timeval tv = {20, 0};
        char text[40];

        base = event_base_new();
        snprintf(text, sizeof text, "127.0.0.1:%d", listen_somewhere());
        proxy = proxy_new(base, "127.0.0.1:0", text, 1);
        ck_assert_ptr_nonnull(proxy);
        too_late = false;
        patience = event_new(base, -1, 0, on_patience, NULL);
        event_add(patience, &tv);
}

/* A connection whose start has passed. */
static void
open_link(void)
{
        static const char startup[] = "\0\0\0\x08\0\3\0\0";
        int n = proxy_n_accepted(proxy);

        peer_init(&client, connect_to(proxy_port(proxy)));
        while (proxy_n_accepted(proxy) == n)
                turn();
        peer_init(&server, accept(listener, NULL, NULL));
        peer_send(&client, startup, 8);
        peer_expect(&server, startup, 8);
}

static void
close_link(void)
{
        peer_fini(&client);
        peer_fini(&server);
        while (proxy_n_open(proxy) > 0)
                turn();
}

static void
proxy_teardown(void)
{
        proxy_free(proxy);
        event_free(patience);
        close(listener);
        ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
        event_base_free(base);
}

static void
link_setup(void)
{
        proxy_setup();
        open_link();
}

static void
link_teardown(void)
{
        proxy_clear(proxy);
        close_link();
        proxy_teardown();
}

static void
rule(const char *text)
{
        struct proxy_rule rule;

        ck_assert_ptr_null(proxy_parse(text, &rule));
        ck_assert(proxy_add(proxy, &rule));
        proxy_rule_fini(&rule);
}

/* What the server sends, and what the client then gets. */
static void
expect_through(const char *sent, size_t n_sent, const char *got, size_t n_got)
{
        peer_send(&server, sent, n_sent);
        peer_expect(&client, got, n_got);
}

START_TEST(without_rules_all_passes)
{
        expect_through(NOTE("1_") NOTE("2_"), 14, NOTE("1_") NOTE("2_"), 14);
        peer_send(&client, "Q\0\0\0\5_", 6);
        peer_expect(&server, "Q\0\0\0\5_", 6);
        ck_assert_int_eq(proxy_n_acted_all(proxy), 0);
}
END_TEST

START_TEST(half_a_message_waits_for_the_other_half)
{
        static const char notes[] = NOTE("1_") NOTE("2_");

        peer_send(&server, notes, NOTE_SIZE + 3);
        peer_expect(&client, NOTE("1_"), NOTE_SIZE);
        peer_send(&server, notes + NOTE_SIZE + 3, NOTE_SIZE - 3);
        peer_expect(&client, NOTE("2_"), NOTE_SIZE);
}
END_TEST

/* Three notes go in; what comes out. */
static const struct {
        const char *rule;
        const char *out;
        size_t n;
} deeds[] = {
        {"n=2,do=pass", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
        {"n=2,do=delay,k=20", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
        {"n=2,do=slice,k=2", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
        {"n=1,do=coalesce,k=20", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
        {"n=2,do=stop,k=20", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
        {"n=2,do=drop,k=1", NOTE("1_") NOTE("3_"), 14},
        {"n=2,do=drop", NOTE("1_"), 7},
        {"n=2,do=corrupt,k=5", NOTE("1_") NOTE("\xcd_") NOTE("3_"), 21},
        {"byte=13,do=corrupt", NOTE("1_") NOTE("\xcd_") NOTE("3_"), 21},
        {"n=2,do=insert,bytes=4100", NOTE("1_") "A\0" NOTE("2_") NOTE("3_"), 23},
        {"byte=13,do=insert,bytes=41", NOTE("1_") NOTE("A2_") NOTE("3_"), 22},
        {"n=2,do=duplicate", NOTE("1_") NOTE("2_") NOTE("2_") NOTE("3_"), 28},
        {"n=2,do=swap", NOTE("1_") NOTE("3_") NOTE("2_"), 21},
        {"n=0,do=duplicate,times=2", NOTE("1_") NOTE("1_") NOTE("2_") NOTE("2_") NOTE("3_"), 35},
        {"n=2,type=N,do=drop,k=1", NOTE("1_") NOTE("3_"), 14},
        {"n=1,type=Z,do=drop,k=1", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
        {"n=2,connection=1,do=drop,k=1", NOTE("1_") NOTE("3_"), 14},
        {"n=2,connection=any,do=drop,k=1", NOTE("1_") NOTE("3_"), 14},
        {"n=2,connection=2,do=drop,k=1", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
        {"n=9,to=server,do=drop,k=1", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
        {"chance=1000000,do=duplicate,times=1", NOTE("1_") NOTE("1_") NOTE("2_") NOTE("3_"), 28},
        {"chance=0,do=drop", NOTE("1_") NOTE("2_") NOTE("3_"), 21},
};

START_TEST(a_rule_does_to_messages_what_it_says)
{
        rule(deeds[_i].rule);
        peer_send(&server, NOTE("1_") NOTE("2_") NOTE("3_"), 21);
        peer_expect(&client, deeds[_i].out, deeds[_i].n);
        /* What comes behind tells that there was no more. */
        peer_send(&client, "S\0\0\0\4", 5);
        peer_expect(&server, "S\0\0\0\4", 5);
        ck_assert_uint_eq(client.n, 0);
}
END_TEST

/* Three notes go in; what comes out before the end. */
static const struct {
        const char *rule;
        size_t n;
        bool reset;
} ends[] = {
        {"n=2,do=fin", 7, false},           {"n=2,do=rst", 7, true},
        {"n=2,do=half-close", 7, false},    {"n=2,do=truncate,k=3", 10, false},
        {"byte=9,do=fin", 8, false},        {"byte=9,do=rst", 8, true},
        {"byte=8,do=half-close", 7, false}, {"byte=1,do=rst", 0, true},
        {"byte=21,do=truncate", 20, false},
};

START_TEST(a_rule_ends_the_link_where_it_says)
{
        static const char notes[] = NOTE("1_") NOTE("2_") NOTE("3_");

        rule(ends[_i].rule);
        peer_send(&server, notes, 21);
        if (ends[_i].reset) {
                peer_expect_rst(&client);
                return;
        }
        peer_expect_fin(&client);
        ck_assert_uint_eq(client.n, ends[_i].n);
        ck_assert_mem_eq(client.bytes, notes, client.n);
}
END_TEST

START_TEST(what_is_in_front_of_a_reset_is_delivered)
{
        rule("n=2,do=delay,k=20");
        rule("n=3,do=rst");
        peer_send(&server, NOTE("1_") NOTE("2_") NOTE("3_"), 21);
        peer_expect(&client, NOTE("1_"), 7);
        peer_expect_rst(&client);
        peer_expect_rst(&server);
}
END_TEST

START_TEST(a_half_closed_link_still_carries_the_other_direction)
{
        rule("to=server,n=2,do=half-close");
        peer_send(&client, "S\0\0\0\4", 5);
        peer_expect_fin(&server);
        ck_assert_uint_eq(server.n, 0);
        expect_through(NOTE("1_"), 7, NOTE("1_"), 7);
}
END_TEST

START_TEST(a_slice_is_a_read_of_its_own)
{
        rule("n=1,do=slice,k=1");
        expect_through(NOTE("1_"), 7, NOTE("1_"), 7);
        ck_assert_int_eq(client.n_reads, 7);
}
END_TEST

START_TEST(what_is_gathered_comes_in_one_read)
{
        rule("n=1,do=coalesce,k=30");
        for (int i = 0; i < 3; i++) {
                peer_send(&server, NOTE("1_"), 7);
                turn();
        }
        ck_assert_uint_eq(client.n, 0);
        peer_expect(&client, NOTE("1_") NOTE("1_") NOTE("1_"), 21);
        ck_assert_int_eq(client.n_reads, 1);
}
END_TEST

START_TEST(a_rule_by_time_acts_on_an_idle_link)
{
        rule("time=10,do=rst");
        peer_expect_rst(&client);
        peer_expect_rst(&server);
}
END_TEST

START_TEST(a_rule_by_time_that_needs_a_message_waits_for_one)
{
        rule("time=0,do=duplicate");
        turn();
        while (client.n < 14) {
                peer_send(&server, NOTE("1_"), 7);
                turn();
                turn();
        }
        ck_assert_int_eq(proxy_n_acted(proxy, PROXY_DUPLICATE), 1);
}
END_TEST

START_TEST(a_proxy_that_stops_reading_keeps_the_writer_waiting)
{
        static const char block[65536];
        ssize_t n = 1;

        rule("to=server,n=2,do=stop");
        peer_send(&client, "S\0\0\0\4", 5);
        peer_expect(&server, "S\0\0\0\4", 5);
        for (int i = 0; i < 10000 && n > 0; i++) {
                n = send(client.fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
                event_base_loop(base, EVLOOP_NONBLOCK);
        }
        ck_assert_int_eq(n, -1);
        ck_assert_uint_eq(server.n, 0);
}
END_TEST

START_TEST(clearing_lets_go_what_a_rule_held_back)
{
        rule("n=2,do=delay,k=100000");
        expect_through(NOTE("1_") NOTE("2_"), 14, NOTE("1_"), 7);
        proxy_clear(proxy);
        peer_expect(&client, NOTE("2_"), 7);
}
END_TEST

START_TEST(behind_garbage_there_are_only_bytes)
{
        expect_through("N\0\0\0\1junk", 9, "N\0\0\0\1junk", 9);
        expect_through("x", 1, "x", 1);
}
END_TEST

START_TEST(a_refused_request_for_encryption_is_followed_by_messages)
{
        static const char request[] = "\0\0\0\x08\x04\xd2\x16\x2f";

        rule("connection=2,type=answer,n=1,do=pass");
        rule("connection=2,type=Z,n=1,do=duplicate");
        close_link();
        peer_init(&client, connect_to(proxy_port(proxy)));
        while (proxy_n_accepted(proxy) == 1)
                turn();
        peer_init(&server, accept(listener, NULL, NULL));
        peer_send(&client, request, 8);
        peer_expect(&server, request, 8);
        expect_through("N", 1, "N", 1);
        peer_send(&client, "\0\0\0\x08\0\3\0\0", 8);
        peer_expect(&server, "\0\0\0\x08\0\3\0\0", 8);
        expect_through("Z\0\0\0\5I", 6, "Z\0\0\0\5IZ\0\0\0\5I", 12);
        ck_assert_int_eq(proxy_n_acted(proxy, PROXY_PASS), 1);
}
END_TEST

START_TEST(the_key_of_a_session_tells_its_process)
{
        static const char key[] = "K\0\0\0\x0c\0\0\x12\x34\0\0\0\1";

        ck_assert_int_eq(proxy_backend(proxy, 0), 0);
        expect_through(key, 13, key, 13);
        ck_assert_int_eq(proxy_backend(proxy, 0), 0x1234);
}
END_TEST

START_TEST(all_links_can_be_ended)
{
        proxy_end_all(proxy, PROXY_FIN);
        peer_expect_fin(&client);
        peer_expect_fin(&server);
}
END_TEST

START_TEST(a_proxy_that_does_not_listen_refuses)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        in.sin_port = htons((uint16_t)proxy_port(proxy));
        ck_assert(proxy_listen(proxy, false));
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&in, sizeof in), -1);
        ck_assert_int_eq(errno, ECONNREFUSED);
        ck_assert(proxy_listen(proxy, true));
        close(fd);
        open_link();
        close_link();
}
END_TEST

START_TEST(a_client_is_reset_when_the_server_refuses)
{
        close(listener);
        peer_init(&client, connect_to(proxy_port(proxy)));
        peer_expect_rst(&client);
        peer_fini(&client);
        listen_somewhere();
}
END_TEST

static const char *const bad_rules[] = {
        "do",       "do=nothing",  "to=nobody", "n=x",      "n=-1",       "type=",
        "type=abc", "connection=", "bytes=0",   "bytes=zz", "colour=red", "n=1,,do=rst",
};

START_TEST(a_rule_that_makes_no_sense_is_refused)
{
        struct proxy_rule rule;

        ck_assert_ptr_nonnull(proxy_parse(bad_rules[_i], &rule));
        proxy_rule_fini(&rule);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("proxy");
        TCase *link = tcase_create("link");
        TCase *bare = tcase_create("bare");

        tcase_add_checked_fixture(link, link_setup, link_teardown);
        tcase_add_test(link, without_rules_all_passes);
        tcase_add_test(link, half_a_message_waits_for_the_other_half);
        tcase_add_loop_test(link, a_rule_does_to_messages_what_it_says, 0,
                            (int)(sizeof deeds / sizeof deeds[0]));
        tcase_add_loop_test(link, a_rule_ends_the_link_where_it_says, 0,
                            (int)(sizeof ends / sizeof ends[0]));
        tcase_add_test(link, what_is_in_front_of_a_reset_is_delivered);
        tcase_add_test(link, a_half_closed_link_still_carries_the_other_direction);
        tcase_add_test(link, a_slice_is_a_read_of_its_own);
        tcase_add_test(link, what_is_gathered_comes_in_one_read);
        tcase_add_test(link, a_rule_by_time_acts_on_an_idle_link);
        tcase_add_test(link, a_rule_by_time_that_needs_a_message_waits_for_one);
        tcase_add_test(link, a_proxy_that_stops_reading_keeps_the_writer_waiting);
        tcase_add_test(link, clearing_lets_go_what_a_rule_held_back);
        tcase_add_test(link, behind_garbage_there_are_only_bytes);
        tcase_add_test(link, a_refused_request_for_encryption_is_followed_by_messages);
        tcase_add_test(link, the_key_of_a_session_tells_its_process);
        tcase_add_test(link, all_links_can_be_ended);
        suite_add_tcase(suite, link);
        tcase_add_checked_fixture(bare, proxy_setup, proxy_teardown);
        tcase_add_test(bare, a_proxy_that_does_not_listen_refuses);
        tcase_add_test(bare, a_client_is_reset_when_the_server_refuses);
        tcase_add_loop_test(bare, a_rule_that_makes_no_sense_is_refused, 0,
                            (int)(sizeof bad_rules / sizeof bad_rules[0]));
        suite_add_tcase(suite, bare);
        return suite;
}
