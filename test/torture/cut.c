/*
 * Cut everywhere: a session with a real server, whose link is cut after every byte, in both
 * directions, by FIN and by RST. After each cut every request has ended once, with its own answer
 * or as lost; none has succeeded whose ReadyForQuery was not delivered; the next request works;
 * nothing is left behind. At the end the table must agree with what was said of each insert.
 *
 * The session has statements by themselves, more of them than stay prepared, then declared reads
 * that share a Sync, inserts that are committed together, and transfers between two accounts: in a
 * transaction with a savepoint, with COMMIT along, and in a session.
 *
 * In the environment: PIPIT_TORTURE_FULL=1 cuts at every byte, but inside the large row at every
 * 64th; without it at every 16th, every 2048th inside the large row, and around message borders, of
 * transactions at every 64th and, by FIN, at the borders.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay.h"
#include "witness.h"

struct reactor;

int64_t __wrap_pipit__reactor_now_us(const struct reactor *reactor);

/* Every answer takes as long as any other: what is sent with what, and so where the bytes of the
 * session are, must not depend on how busy this machine is. */
int64_t
__wrap_pipit__reactor_now_us(const struct reactor *reactor)
{
        static int64_t now_us = 1000000;

        (void)reactor;
        return now_us += 100;
}

#define N_BORDERS    400
#define LARGE        4096 /* a message longer than this is not cut at each of its bytes */
#define LARGE_RESULT "65000"
#define MAX_POINTS   60000

/* In the order in which they are asked; the last one behind the cut. */
enum {
        READ_1,
        READ_2,
        READ_3,
        INSERT,
        DEFERRED,
        LARGE_READ,
        N_SINGLES, /* that went out at once, each with its own Sync */
        INSERT_2 = N_SINGLES,
        INSERT_3,
        N_KNOWN, /* from here on reads and inserts are known to be fast */
        SHARED_1 = N_KNOWN,
        SHARED_2,
        SHARED_3,
        TOGETHER_1,
        TOGETHER_2,
        TOGETHER_3,
        N_STATEMENTS, /* from here on transactions */
        NESTED = N_STATEMENTS,
        EARLY,
        IN_SESSION,
        SESSION, /* in which that is */
        LAST,    /* on the connection that was the session's */
        N_REQUESTS,
        SERVICE = N_REQUESTS
};

/* What became of one of the singles. They are sent in their order, and so are these. */
enum { STAGE_ANSWERED, STAGE_LOST, STAGE_ELSEWHERE };

/* Where the messages of one direction end, and which of them are ReadyForQuery. */
struct map {
        long length;
        int n;
        long ends[N_BORDERS];
        int n_ready;
        long ready[N_BORDERS];
        long transactions; /* where they begin */
};

struct asked {
        int n_calls;
        bool own; /* the answer begins with the request's text */
        enum pipit_code code;
        enum pipit_executed executed;
        char text[24];
};

struct visit {
        bool inside; /* a start is on the stack */
        int n_calls;
        int n_inside;
        int n_out; /* statements of transactions that are owed a callback */
        struct asked asked[N_REQUESTS + 1];
};

static struct relay *relay;
static struct map maps[RELAY_WAYS];
static long begins[RELAY_WAYS]; /* where the transactions of the last visit did */
static char socket_path[200];
static char relay_url[200];
static struct visit visit;
static int nonce;
/* Of each nonce and insert: 1 it is there, 0 it is not, -1 nobody knows. */
static signed char (*told)[N_REQUESTS];

static uint32_t
read_length(const char *at)
{
        const unsigned char *byte = (const unsigned char *)at;

        return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

/* first_typed: whether the first message has a type, as all but the client's have. */
static void
map_read(struct map *map, const char *bytes, long length, bool first_typed)
{
        bool typed = first_typed;

        *map = (struct map){.length = length};
        for (long at = 0; at < length; typed = true) {
                char type = typed ? bytes[at] : '\0';
                at += typed + (long)read_length(bytes + at + typed);
                ck_assert_int_le(at, length);
                ck_assert_int_lt(map->n, N_BORDERS);
                map->ends[map->n++] = at;
                if (type == 'Z')
                        map->ready[map->n_ready++] = at;
        }
}

static void
on_asked(struct pipit_result *res, void *arg)
{
        struct asked *asked = arg;
        const char *text = pipit_result_text(res, 0, 0);

        asked->n_calls++;
        visit.n_calls++;
        visit.n_inside += visit.inside;
        asked->own = text != NULL && strncmp(text, asked->text, strlen(asked->text)) == 0;
        if (pipit_failed(res)) {
                asked->code = pipit_result_error(res)->code;
                asked->executed = pipit_result_error(res)->executed;
        }
}

typedef pipit_request (*start_fn)(struct pipit *scope, const char *sql, struct pipit_params params,
                                  pipit_cb cb, void *arg);

static void
visit_ask_by(int i, start_fn start, const char *sql)
{
        struct asked *asked = &visit.asked[i];

        snprintf(asked->text, sizeof asked->text, "%d%08d", i + 1, nonce);
        visit.inside = true;
        ck_assert_uint_ne(start(live_db, sql, PIPIT_PARAMS(asked->text), on_asked, asked), 0);
        visit.inside = false;
}

static void
visit_ask(int i, const char *sql)
{
        visit_ask_by(i, pipit_query, sql);
}

static bool
is_insert(int i)
{
        return i == INSERT || i == INSERT_2 || i == INSERT_3 || (i >= TOGETHER_1 && i < SESSION);
}

static const char insert[] = "INSERT INTO cut (nonce, k) VALUES ($1::bigint, $1::bigint)"
                             " RETURNING nonce";

static void
visit_singles(void)
{
        visit = (struct visit){0};
        nonce++;
        visit_ask(READ_1, "SELECT $1");
        visit_ask(READ_2, "SELECT $1");
        visit_ask(READ_3, "SELECT $1");
        visit_ask(INSERT, insert);
        visit_ask(DEFERRED, "INSERT INTO cut (nonce, k) VALUES ($1::bigint, 0) RETURNING nonce");
        visit_ask(LARGE_READ, "SELECT $1 || repeat('x', " LARGE_RESULT ")");
        loop_until(&visit.n_calls, N_SINGLES);
}

static void
visit_groups(void)
{
        visit_ask(INSERT_2, insert);
        visit_ask(INSERT_3, insert);
        loop_until(&visit.n_calls, N_KNOWN);
        pipit_set_group_writes(live_db, true);
        for (int i = SHARED_1; i <= SHARED_3; i++)
                visit_ask_by(i, pipit_read, "SELECT $1");
        for (int i = TOGETHER_1; i <= TOGETHER_3; i++)
                visit_ask(i, insert);
        loop_until(&visit.n_calls, N_STATEMENTS);
}

/* ---- transfers: two accounts and a row, which are changed together or not at all */

static void
on_part(struct pipit_result *res, void *arg)
{
        struct asked *asked = arg;

        (void)res;
        visit.n_out--;
        visit.n_inside += asked->n_calls; /* behind that of its transaction */
}

static void
ask_part(struct pipit *tx, struct asked *asked, const char *sql)
{
        bool has_param = strchr(sql, '$') != NULL;

        visit.n_out += pipit_query(tx, sql, has_param ? PIPIT_PARAMS(asked->text) : PIPIT_NO_PARAMS,
                                   on_part, asked) != 0;
}

static void
transfer(struct pipit *tx, void *arg)
{
        ask_part(tx, arg, "UPDATE account SET balance = balance - 1 WHERE id = 1");
        ask_part(tx, arg, "UPDATE account SET balance = balance + 1 WHERE id = 2");
        ask_part(tx, arg, insert);
}

/* Takes money away, and fails. */
static void
transfer_in_vain(struct pipit *tx, void *arg)
{
        ask_part(tx, arg, "UPDATE account SET balance = balance - 7 WHERE id = 2");
        ask_part(tx, arg, "SELECT 1 / 0");
}

static void
transfer_behind_another(struct pipit *tx, void *arg)
{
        visit.n_out += pipit_atomic(tx, transfer_in_vain, on_part, arg) != 0;
        transfer(tx, arg);
}

static void
on_transfer(struct pipit_result *res, void *arg)
{
        visit.n_inside += visit.n_out != 0; /* in front of those of its statements */
        on_asked(res, arg);
}

static void
on_session(struct pipit_result *res, void *arg)
{
        /* Its connection was lost before its body could run. */
        if (pipit_failed(res) && visit.asked[IN_SESSION].n_calls == 0)
                on_asked(res, &visit.asked[IN_SESSION]);
        on_asked(res, arg);
}

static void
transfer_in_session(struct pipit *session, void *arg)
{
        (void)arg;
        pipit_query(session, "SET search_path = public", PIPIT_NO_PARAMS, NULL, NULL);
        ck_assert_uint_ne(pipit_atomic(session, transfer, on_transfer, &visit.asked[IN_SESSION]),
                          0);
}

/* One after the other: each begins where the one before has left the connection. */
static void
visit_transactions(void)
{
        static const struct pipit_transaction early = {.commit_early = true};
        struct asked *asked = visit.asked;

        for (int i = N_STATEMENTS; i < LAST; i++)
                snprintf(asked[i].text, sizeof asked[i].text, "%d%08d", i + 1, nonce);
        visit.inside = true;
        ck_assert_uint_ne(
                pipit_atomic(live_db, transfer_behind_another, on_transfer, &asked[NESTED]), 0);
        visit.inside = false;
        loop_until(&visit.n_calls, EARLY);
        ck_assert_uint_ne(pipit_atomic_with(live_db, &early, transfer, on_transfer, &asked[EARLY]),
                          0);
        loop_until(&visit.n_calls, IN_SESSION);
        ck_assert_uint_ne(pipit_session(live_db, transfer_in_session, on_session, &asked[SESSION]),
                          0);
        loop_until(&visit.n_calls, LAST);
        visit_ask(LAST, "SELECT $1");
        loop_until(&visit.n_calls, N_REQUESTS);
}

static bool
asked_is_transaction(const struct asked *asked)
{
        return asked >= &visit.asked[N_STATEMENTS] && asked < &visit.asked[LAST];
}

/* How the request must end when its answer comes. */
static bool
asked_is_answered(const struct asked *asked)
{
        if (asked_is_transaction(asked))
                return asked->code == PIPIT_OK;
        if (asked == &visit.asked[DEFERRED])
                return asked->code == PIPIT_ESERVER &&
                       asked->executed == PIPIT_EXECUTED_ROLLED_BACK;
        return asked->code == PIPIT_OK && asked->own;
}

/* Whether the first session brought the request's answer whole. */
static bool
is_delivered(int i)
{
        const struct relay_cut *cut = &relay->cut;

        /* In front stand those of the start-up and of the session's settings. */
        return cut->at < 0 || cut->way != RELAY_DOWN || cut->at >= maps[RELAY_DOWN].ready[i + 2];
}

static bool
asked_is_lost(const struct asked *asked)
{
        /* A transaction is in doubt only while its COMMIT is out. */
        return asked->code == PIPIT_ELOST && !asked->own &&
               (asked_is_transaction(asked) || asked->executed == PIPIT_EXECUTED_UNKNOWN);
}

static void
visit_check(void)
{
        ck_assert_int_eq(visit.n_calls, N_REQUESTS);
        ck_assert_int_eq(visit.n_inside, 0);
        ck_assert_int_eq(visit.n_out, 0);
        for (int i = 0; i < N_REQUESTS; i++) {
                const struct asked *asked = &visit.asked[i];
                ck_assert_int_eq(asked->n_calls, 1);
                ck_assert(asked_is_answered(asked) || (asked_is_lost(asked) && relay->cut.done));
                if (is_insert(i))
                        told[nonce][i] = asked->code == PIPIT_OK                     ? 1
                                         : asked->executed == PIPIT_EXECUTED_UNKNOWN ? -1
                                                                                     : 0;
        }
}

/* First those whose answers came, then those that were lost, then those that were not sent yet,
 * which went over another session. */
static void
visit_check_singles(void)
{
        bool is_quiet_end = relay->cut.end == RELAY_FIN && relay->cut.way == RELAY_DOWN;
        int stage = STAGE_ANSWERED;

        for (int i = 0; i < N_SINGLES; i++) {
                const struct asked *asked = &visit.asked[i];
                int before = stage;
                /* A success needs all of its answer; an error is one as soon as it is there. */
                bool here = is_delivered(i) || asked->code != PIPIT_OK;
                if (asked_is_lost(asked))
                        stage = STAGE_LOST;
                else if (!here || before != STAGE_ANSWERED)
                        stage = STAGE_ELSEWHERE;
                ck_assert_int_ge(stage, before);
                ck_assert(stage != STAGE_ELSEWHERE || relay->n_accepted > 1);
                ck_assert_msg(stage != STAGE_LOST || !is_quiet_end || !is_delivered(i),
                              "request %d was answered at byte %d, and lost by a cut at %d", i,
                              (int)maps[RELAY_DOWN].ready[i + 2], (int)relay->cut.at);
        }
}

/* The database has recovered. */
static void
visit_service(void)
{
        visit_ask(SERVICE, "SELECT $1");
        loop_until(&visit.n_calls, N_REQUESTS + 1);
        ck_assert_int_eq(visit.n_calls, N_REQUESTS + 1);
        ck_assert(asked_is_answered(&visit.asked[SERVICE]));
}

static int
count_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < 64; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* One session under one cut. */
static void
visit_run(const struct relay_cut *cut)
{
        struct pipit_options options = {
                .max_connections = 1, .max_prepared = 3, .timeout_ms = 20000};
        int n_fds = count_fds();

        relay_arm(relay, cut);
        live_open(relay_url, &options);
        visit_singles();
        visit_groups();
        for (int way = 0; way < RELAY_WAYS; way++)
                begins[way] = relay->n_bytes[way];
        visit_transactions();
        visit_check();
        visit_check_singles();
        if (relay->cut.done)
                visit_service();
        pipit_close(live_db);
        live_db = NULL;
        while (relay->sessions != NULL)
                event_base_loop(live_base, EVLOOP_ONCE);
        event_base_loop(live_base, EVLOOP_NONBLOCK);
        ck_assert_int_eq(event_base_get_num_events(live_base, EVENT_BASE_COUNT_ADDED |
                                                                      EVENT_BASE_COUNT_ACTIVE),
                         1); /* the relay's */
        ck_assert_int_eq(count_fds(), n_fds);
        ck_assert(cut->at < 0 || relay->cut.done);
}

static void
setup(void)
{
        static const struct relay_cut none = {.at = -1};

        own_setup();
        execute("CREATE TABLE cut (nonce bigint, k bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        execute("INSERT INTO cut VALUES (0, 0)");
        execute("CREATE TABLE account (id int PRIMARY KEY, balance int)");
        execute("INSERT INTO account VALUES (1, 0), (2, 0)");
        told = calloc(MAX_POINTS, sizeof *told);
        nonce = 0;
        snprintf(socket_path, sizeof socket_path, "%s/.s.PGSQL.5432", live_cluster.folder);
        relay = relay_new(live_base, socket_path);
        snprintf(relay_url, sizeof relay_url,
                 "postgresql://postgres@127.0.0.1:%d/postgres?sslmode=disable", relay->port);
        pipit_close(live_db);
        live_db = NULL;
        event_base_loop(live_base, EVLOOP_NONBLOCK);
        visit_run(&none);
        relay_record(relay);
        visit_run(&none);
        map_read(&maps[RELAY_UP], relay->bytes[RELAY_UP], relay->n_bytes[RELAY_UP], false);
        map_read(&maps[RELAY_DOWN], relay->bytes[RELAY_DOWN], relay->n_bytes[RELAY_DOWN], true);
        for (int way = 0; way < RELAY_WAYS; way++)
                maps[way].transactions = begins[way];
        /* Two for two groups and two for the roles they need, in the place of six; seven for the
         * transactions, two to clean the connection, one for the last; and one for those statements
         * that others took the place of, which are closed apart. */
        ck_assert_int_eq(maps[RELAY_DOWN].n_ready, 2 + N_KNOWN + 4 + 7 + 2 + 1 + 1);
}

/* What was said of every insert is so. */
static void
expect_truth_of(int which)
{
        char sql[240];

        for (int first = 1; first <= nonce; first += 1000) {
                int last = first + 999 < nonce ? first + 999 : nonce;
                snprintf(sql, sizeof sql,
                         "SELECT string_agg(c::text, '') FROM (SELECT count(k) AS c FROM"
                         " generate_series(%d, %d) AS n LEFT JOIN cut ON k = %d00000000 + n"
                         " GROUP BY n ORDER BY n) AS x",
                         first, last, which + 1);
                const char *text = ask_text(live_cluster.url, sql);
                for (int i = first; i <= last; i++) {
                        ck_assert(text[i - first] == '0' || text[i - first] == '1');
                        ck_assert(told[i][which] < 0 || text[i - first] == '0' + told[i][which]);
                }
        }
}

static void
expect_truth(void)
{
        char sql[200];

        for (int i = 0; i < N_REQUESTS; i++) {
                if (is_insert(i))
                        expect_truth_of(i);
        }
        snprintf(sql, sizeof sql,
                 "SELECT sum(balance) || ',' || max(balance) - (SELECT count(*) FROM cut "
                 "WHERE k / 100000000 BETWEEN %d AND %d) FROM account",
                 NESTED + 1, IN_SESSION + 1);
        ck_assert_str_eq(ask_text(live_cluster.url, sql), "0,0");
}

static void
teardown(void)
{
        relay_free(relay);
        free(told);
        own_teardown();
}

/* Bytes to the nearest border in front or behind, and the size of the message around it. */
static long
map_distance(const struct map *map, long at, long *ret_size)
{
        long before = 0;
        int i = 0;

        while (i < map->n - 1 && map->ends[i] < at)
                before = map->ends[i++];
        *ret_size = map->ends[i] - before;
        return at - before < map->ends[i] - at ? at - before : map->ends[i] - at;
}

static bool
is_chosen(const struct map *map, long at, enum relay_end end, bool full)
{
        long size;
        long distance = map_distance(map, at, &size);

        if (!full && at > map->transactions)
                return (distance == 0 && end == RELAY_FIN) || at % 64 == 0;
        if (distance <= (full ? 2 : 1))
                return true;
        if (size > LARGE)
                return at % (full ? 64 : 2048) == 0;
        return full || at % 16 == 0;
}

static void
cut_all(enum relay_way way, enum relay_end end)
{
        static const char *const way_names[] = {"to the server", "to the client"};
        bool full = getenv("PIPIT_TORTURE_FULL") != NULL;
        int n = 0;

        for (long at = 0; at <= maps[way].length; at++) {
                struct relay_cut cut = {.at = at, .way = way, .end = end};
                if (!is_chosen(&maps[way], at, end, full))
                        continue;
                visit_run(&cut);
                n++;
        }
        printf("# cut points (%s, %s): %d of %ld bytes; failures: 0\n", way_names[way],
               end == RELAY_FIN ? "FIN" : "RST", n, maps[way].length);
        fflush(stdout);
}

START_TEST(a_link_that_ends_at_any_byte_does_no_harm)
{
        cut_all(RELAY_DOWN, RELAY_FIN);
        cut_all(RELAY_UP, RELAY_FIN);
        expect_truth();
}
END_TEST

START_TEST(a_link_that_is_reset_at_any_byte_does_no_harm)
{
        cut_all(RELAY_DOWN, RELAY_RST);
        cut_all(RELAY_UP, RELAY_RST);
        expect_truth();
}
END_TEST

static TCase *
case_new(const char *name, const TTest *test)
{
        TCase *tcase = tcase_create(name);

        tcase_set_timeout(tcase, 1000);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test);
        return tcase;
}

/* Cases of their own: torture.sh runs them side by side. */
Suite *
test_suite(void)
{
        Suite *suite = suite_create("torture_cut");

        suite_add_tcase(suite, case_new("fin", a_link_that_ends_at_any_byte_does_no_harm));
        suite_add_tcase(suite, case_new("reset", a_link_that_is_reset_at_any_byte_does_no_harm));
        return suite;
}
