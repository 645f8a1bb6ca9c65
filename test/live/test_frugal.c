/*
 * Frugality, by count and not by time: allocations of a point read, bytes of a waiting request and
 * of an idle connection, and libpq's large buffers. What pipit itself allocates is counted; with
 * PIPIT_TEST_FIGURES=1 the figures are printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "live.h"
#include "request/request.h"
#include "request/requests.h"

#define READING(FIELD)                                                                             \
        FIELD(integer, id, .primary_key = true)                                                    \
        FIELD(integer, number)                                                                     \
        FIELD(varchar, name, .max_length = 20)
PIPIT_MODEL(reading, READING);
PIPIT_MODEL_DEFINE(reading, READING);

#define N_ROWS     100
#define N_WAITING  1000
#define N_PREPARED 256

/* What the issue asks for. */
#define MAX_ALLOCATIONS      2
#define MAX_WAITING_BYTES    512
#define PLACE_BYTES          16 /* of a value: where it is, its length and form */
#define MAX_CONNECTION_BYTES ((size_t)16 << 10)

static int n_done;
static int n_wrong;

static void
setup(void)
{
        live_schema_setup();
        execute("CREATE TABLE reading (id integer PRIMARY KEY, number integer NOT NULL,"
                " name varchar(20) NOT NULL)");
        execute("INSERT INTO reading SELECT n, n * 7, 'name ' || n FROM generate_series(1, 100) n");
        n_done = n_wrong = 0;
}

static void
figure(const char *what, double value)
{
        if (getenv("PIPIT_TEST_FIGURES") == NULL)
                return;
        printf("# %s: %.2f\n", what, value);
        fflush(stdout);
}

/* Turns the loop until n have ended. Nothing is asserted in here: it would be counted. */
static void
turn_until(int n)
{
        while (n_done < n)
                event_base_loop(live_base, EVLOOP_ONCE);
}

/* ---- allocations */

typedef void (*start_fn)(int key);

static void
on_read(struct pipit_result *res, void *arg)
{
        int64_t number = 0;

        n_done++;
        n_wrong += pipit_result_int64(res, 0, 1, &number) != 0 || number != 7 * (intptr_t)arg;
}

static void
on_got(struct pipit_result *res, void *arg)
{
        const struct reading *row = reading_row(res, 0);

        n_done++;
        n_wrong += row == NULL || row->number != 7 * (intptr_t)arg;
}

static void
start_read(int key)
{
        pipit_read(live_db, "SELECT id, number FROM reading WHERE id = $1", PIPIT_PARAMS(key),
                   on_read, (void *)(intptr_t)key);
}

static void
start_get(int key)
{
        reading_get(live_db, pipit_eq(reading_model.id, key), on_got, (void *)(intptr_t)key);
}

/* Runs so many in rounds of so many at once, and gives pipit's allocations for each. */
static double
allocations(start_fn start, int n, int at_once)
{
        long before = heap_calls();

        n_done = 0;
        while (n_done < n) {
                for (int i = 0; i < at_once; i++)
                        start(1 + (n_done + i) % N_ROWS);
                turn_until(n_done + at_once);
        }
        double calls = (double)(heap_calls() - before);
        ck_assert_int_eq(n_wrong, 0);
        return calls / n_done;
}

static const struct {
        const char *name;
        start_fn start;
        int at_once;
        bool coalesces;
} reads[] = {
        {"allocations of a read, alone", start_read, 1, true},
        {"allocations of a read, of 64", start_read, 64, true},
        {"allocations of a get, alone", start_get, 1, true},
        {"allocations of a get, of 64", start_get, 64, false},
        {"allocations of a get, of 64, coalesced", start_get, 64, true},
};
enum { N_READS = sizeof reads / sizeof *reads };

/* A coalesced statement allocates as well, but once for all of its members. */
START_TEST(a_point_read_allocates_twice_at_most)
{
        int at_once = reads[_i].at_once;

        pipit_set_coalesce(live_db, reads[_i].coalesces);
        /* First it is prepared, known to be fast, and what grows has grown. */
        double n = allocations(reads[_i].start, 20 * at_once, at_once);
        for (int i = 0; i < 5; i++) {
                double again = allocations(reads[_i].start, 20 * at_once, at_once);
                n = again < n ? again : n;
        }
        figure(reads[_i].name, n);
        ck_assert_double_le(n, MAX_ALLOCATIONS);
}
END_TEST

/* ---- bytes of what waits */

static void
on_end(struct pipit_result *res, void *arg)
{
        (void)arg;
        n_done++;
        n_wrong += pipit_failed(res);
}

static void
wait_without_values(int i)
{
        (void)i;
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_end, NULL);
}

static void
wait_with_a_key(int i)
{
        pipit_read(live_db, "SELECT number FROM reading WHERE id = $1", PIPIT_PARAMS(1 + i % 100),
                   on_end, NULL);
}

static void
wait_with_values(int i)
{
        static char text[101];

        memset(text, 'x', 100);
        pipit_read(live_db, "SELECT $1::text, $2::text, $3::text, $4::integer",
                   PIPIT_PARAMS(text, text, text, i), on_end, NULL);
}

static void
wait_to_get(int i)
{
        reading_get(live_db, pipit_eq(reading_model.id, 1 + i % 100), on_end, NULL);
}

static void
wait_to_create(int i)
{
        reading_create(live_db, &(struct reading){.id = 1000 + i, .name = "x"}, on_end, NULL);
}

static const struct {
        const char *name;
        start_fn start;
        size_t n_values;
        size_t bytes; /* of the values as text, with a NUL each */
} waits[] = {
        {"bytes of a waiting query", wait_without_values, 0, 0},
        {"bytes of a waiting read", wait_with_a_key, 1, 4},
        {"bytes of a waiting read with 307 bytes of values", wait_with_values, 4, 307},
        {"bytes of a waiting get", wait_to_get, 1, 4},
        {"bytes of a waiting create", wait_to_create, 3, 9},
};
enum { N_WAITS = sizeof waits / sizeof *waits };

static size_t
bytes_of_waiting(start_fn start)
{
        size_t before = heap_bytes();

        n_done = 0;
        for (int i = 0; i < N_WAITING; i++)
                start(i);
        size_t bytes = (heap_bytes() - before) / N_WAITING;
        turn_until(N_WAITING);
        ck_assert_int_eq(n_wrong, 0);
        return bytes;
}

/* First while nobody knows the types of the values, then when their binary form goes out. */
START_TEST(a_waiting_request_takes_half_a_kilobyte_and_its_values)
{
        size_t most = MAX_WAITING_BYTES + waits[_i].bytes + waits[_i].n_values * PLACE_BYTES;

        size_t first = bytes_of_waiting(waits[_i].start);
        execute("DELETE FROM reading WHERE id >= 1000");
        size_t later = bytes_of_waiting(waits[_i].start);
        figure(waits[_i].name, (double)(first > later ? first : later));
        ck_assert_uint_le(first, most);
        ck_assert_uint_le(later, most);
}
END_TEST

/* ---- bytes of a connection */

static int
n_events(void)
{
        return event_base_get_num_events(live_base, EVENT_BASE_COUNT_ADDED);
}

/* Starts statements of so many texts, so many at once. */
static void
prepare_all(int n, int at_once)
{
        char sql[60];

        n_done = 0;
        for (int i = 0; i < n; i++) {
                snprintf(sql, sizeof sql, "SELECT $1::integer + %d", i);
                pipit_read(live_db, sql, PIPIT_PARAMS(i), on_end, NULL);
                if ((i + 1) % at_once == 0)
                        loop_until(&n_done, i + 1);
        }
        loop_until(&n_done, n);
        ck_assert_int_eq(n_wrong, 0);
}

/* What goes with the only connection of live_db, which is idle, when the server ends it. */
static size_t
bytes_of_connection(struct pipit *other, int64_t pid)
{
        n_done = 0;
        size_t before = heap_bytes();
        int n_before = n_events();
        pipit_query(other, "SELECT pg_terminate_backend($1)", PIPIT_PARAMS(pid), on_end, NULL);
        turn_until(1);
        /* Its watcher goes with it. */
        while (n_events() == n_before)
                event_base_loop(live_base, EVLOOP_ONCE);
        return before - heap_bytes();
}

static int64_t
number_of(const char *sql)
{
        struct pipit_result *res = query(sql, PIPIT_NO_PARAMS);
        int64_t number = 0;

        ck_assert_int_eq(pipit_result_int64(res, 0, 0, &number), 0);
        return number;
}

static int64_t
backend(void)
{
        return number_of("SELECT pg_backend_pid()");
}

/* One at a time, and as many at once as a batch has. */
static const int batches[] = {1, 64};
enum { N_BATCHES = sizeof batches / sizeof *batches };

START_TEST(an_idle_connection_takes_little_with_256_statements_prepared)
{
        live_reopen(&(struct pipit_options){.max_connections = 1});
        struct pipit *other = pipit_open(live_base, live_url(), NULL);
        int64_t pid = backend();

        /* What the one that ends it takes is there already. */
        query_on(other, "SELECT pg_terminate_backend($1)", PIPIT_PARAMS(0));
        prepare_all(N_PREPARED - 2, batches[_i]);
        ck_assert_int_eq(number_of("SELECT count(*) FROM pg_prepared_statements"), N_PREPARED);
        size_t bytes = bytes_of_connection(other, pid);
        figure(batches[_i] == 1 ? "bytes of an idle connection" : "the same after a batch of 64",
               (double)bytes);
        ck_assert_uint_le(bytes, MAX_CONNECTION_BYTES);
        ck_assert_uint_ge(bytes, N_PREPARED * sizeof(void *));
        pipit_close(other);
}
END_TEST

/* ---- the buffers of libpq */

static char large[5 << 20];

static const struct {
        const char *sql;
        size_t value; /* bytes */
        bool replaced;
} sizes[] = {
        {"SELECT repeat('x', 5 << 20), length($1)", 1, true},
        {"SELECT length($1)", sizeof large, true},
        {"SELECT repeat('x', 100000), length($1)", 1, false},
        {"SELECT length($1)", 100000, false},
        {"SELECT repeat('x', 100000), length($1) FROM generate_series(1, 60)", 1, false},
};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

START_TEST(a_connection_is_replaced_when_libpqs_buffers_have_grown)
{
        live_reopen(&(struct pipit_options){.max_connections = 1});
        int64_t pid = backend();
        struct pipit_value value = pipit_value_text_n(large, sizes[_i].value);

        memset(large, 'x', sizeof large);
        expect_ok(query(sizes[_i].sql, (struct pipit_params){&value, 1}));
        if (sizes[_i].replaced)
                ck_assert_int_ne(backend(), pid);
        else
                ck_assert_int_eq(backend(), pid);
}
END_TEST

/* ---- the end of a session */

/* The program is linked with --wrap for these: what the end of a scope looks at is counted. */
static long n_looked_at;

struct request *__real_pipit__requests_each(const struct requests *requests, uint32_t *place);
struct request *__wrap_pipit__requests_each(const struct requests *requests, uint32_t *place);
enum request_state __real_pipit__request_state(const struct request *req);
enum request_state __wrap_pipit__request_state(const struct request *req);

struct request *
__wrap_pipit__requests_each(const struct requests *requests, uint32_t *place)
{
        uint32_t first = *place;
        struct request *req = __real_pipit__requests_each(requests, place);

        n_looked_at += *place - first;
        return req;
}

enum request_state
__wrap_pipit__request_state(const struct request *req)
{
        n_looked_at++;
        return __real_pipit__request_state(req);
}

/* Closes a session that has so many statements out; returns how much was looked at for it. */
static long
looked_at_by_close(int n_out)
{
        struct pipit *session = pipit_session_open(live_db);
        struct calls calls[8] = {{0}};

        expect_ok(query_on(session, "SELECT 1", PIPIT_NO_PARAMS));
        for (int i = 0; i < n_out; i++)
                ask_on(session, "SELECT pg_sleep(60)", &calls[i]);
        event_base_loop(live_base, EVLOOP_NONBLOCK);
        long before = n_looked_at;
        pipit_close(session);
        long looked_at = n_looked_at - before;
        for (int i = 0; i < n_out; i++)
                expect_error(answer(&calls[i]), PIPIT_ECANCELED, "");
        return looked_at;
}

START_TEST(the_end_of_a_session_looks_at_its_own_requests_only)
{
        long few = looked_at_by_close(3);

        ck_assert_int_ge(few, 3);
        ck_assert_int_le(few, 12);
        for (int i = 0; i < 2000; i++)
                start_read(1 + i % N_ROWS);
        turn_until(2000);
        ck_assert_int_eq(looked_at_by_close(3), few);
        for (int i = 0; i < 2000; i++)
                start_read(1 + i % N_ROWS);
        ck_assert_int_eq(looked_at_by_close(3), few);
        turn_until(4000);
        ck_assert_int_eq(looked_at_by_close(0), few - 3);
}
END_TEST

/* ---- bytes of a blocking scope */

/* Waits for so many requests, and gives the results back that have been looked at. */
static void
wait_and_drop(struct pipit *sync, int n)
{
        for (int i = 0; i < n; i++) {
                pipit_request request =
                        pipit_query(sync, "SELECT repeat('x', 10000)", PIPIT_NO_PARAMS, NULL, NULL);
                n_wrong += pipit_failed(pipit_wait(sync, request));
                pipit_wait_drop(sync, request);
        }
}

START_TEST(a_blocking_scope_takes_no_more_for_results_that_are_given_back)
{
        pipit_set_allow_sync(live_db, true);
        struct pipit *sync = pipit_allow_sync(live_db);

        wait_and_drop(sync, 10);
        size_t before = heap_bytes();
        wait_and_drop(sync, 500);
        size_t after = heap_bytes();
        ck_assert_int_eq(n_wrong, 0);
        ck_assert_uint_le(after, before + 1000);
        pipit_close(sync);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("frugal");
        TCase *tcase = tcase_create("frugal");
        TCase *sizes_case = tcase_create("sizes");

        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_loop_test(tcase, a_point_read_allocates_twice_at_most, 0, N_READS);
        tcase_add_loop_test(tcase, a_waiting_request_takes_half_a_kilobyte_and_its_values, 0,
                            N_WAITS);
        tcase_add_test(tcase, the_end_of_a_session_looks_at_its_own_requests_only);
        suite_add_tcase(suite, tcase);
        tcase_add_checked_fixture(sizes_case, live_setup, live_teardown);
        tcase_add_loop_test(sizes_case,
                            an_idle_connection_takes_little_with_256_statements_prepared, 0,
                            N_BATCHES);
        tcase_add_loop_test(sizes_case, a_connection_is_replaced_when_libpqs_buffers_have_grown, 0,
                            N_SIZES);
        tcase_add_test(sizes_case, a_blocking_scope_takes_no_more_for_results_that_are_given_back);
        suite_add_tcase(suite, sizes_case);
        return suite;
}
