#include <string.h>

#include "pool/batch.h"
#include "request/bound_stmt.h"
#include "request/request_int.h"
#include "request/stmt_cache.h"
#include "request/stmt_int.h"
#include "runner.h"

#define REQUESTS 600

/* Statements of each latency, and the requests that wait. */
static struct stmt fast, alone, unknown, slow;
static struct request requests[REQUESTS];
static struct bound_stmt statements[REQUESTS];
static struct list queue;
static struct batch batch;
static int n_requests;

/* As it is after so many uses. */
static struct stmt
stmt_of(unsigned uses, float n_slow, unsigned n_alone)
{
        return (struct stmt){
                .latency = {.uses = uses, .best_us = 1, .slow = n_slow, .alone = n_alone}};
}

static void
setup(void)
{
        n_requests = 0;
        list_init(&queue);
        fast = stmt_of(3, 0, 0);
        alone = stmt_of(3, 0, 1);
        unknown = stmt_of(0, 0, 0);
        slow = stmt_of(3, 3, 0);
        ck_assert_int_eq(pipit__latency_class(&fast.latency), LATENCY_FAST);
        ck_assert_int_eq(pipit__latency_class(&alone.latency), LATENCY_ALONE);
        ck_assert_int_eq(pipit__latency_class(&unknown.latency), LATENCY_UNKNOWN);
        ck_assert_int_eq(pipit__latency_class(&slow.latency), LATENCY_SLOW);
}

static struct request *
wait_for(struct stmt *stmt)
{
        struct request *req = &requests[n_requests];
        struct bound_stmt *bound = &statements[n_requests++];

        *bound = (struct bound_stmt){.stmt = stmt, .bytes = 10};
        *req = (struct request){.bound = bound, .state = REQUEST_WAITING};
        list_push_back(&queue, &req->link);
        return req;
}

/* A declared read waits. */
static struct request *
read_of(struct stmt *stmt)
{
        struct request *req = wait_for(stmt);

        req->is_read = true;
        return req;
}

/* One that may be committed with others. */
static struct request *
write_of(struct stmt *stmt)
{
        struct request *req = wait_for(stmt);

        req->is_grouped = true;
        return req;
}

static void
take(int max, bool shares)
{
        pipit__batch_take(&batch, &queue, &(struct batch_limits){.max = max, .shares = shares});
}

/* The batch has these requests, by their place in the queue, in this order. */
static void
expect_taken(enum segment_kind kind, int n, const int *places)
{
        int i = 0;

        ck_assert_int_eq(batch.kind, kind);
        ck_assert_int_eq(batch.n, n);
        LIST_EACH(link, &batch.requests)
                ck_assert_ptr_eq(container_of(link, struct request, link), &requests[places[i++]]);
        ck_assert_int_eq(i, n);
}

static int
n_left(void)
{
        int n = 0;

        LIST_EACH(link, &queue)
                n++;
        return n;
}

START_TEST(fast_reads_share)
{
        for (int i = 0; i < 5; i++)
                read_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_READS, 5, (const int[]){0, 1, 2, 3, 4});
}
END_TEST

/* How many are worth a batch, when the first is this one and takes so long at its best. */
static int
least(struct request *req, float best_us)
{
        pipit__stmt_latency(req->bound->stmt)->best_us = best_us;
        return pipit__batch_least(&queue);
}

START_TEST(the_faster_reads_are_the_more_are_worth_a_batch)
{
        struct request *req = read_of(&fast);

        ck_assert_int_eq(least(req, 1), 18);
        ck_assert_int_eq(least(req, 30), 16);
        ck_assert_int_eq(least(req, 50), 10);
        ck_assert_int_eq(least(req, 400), 1);
        ck_assert_int_eq(least(req, 10000), 1);
}
END_TEST

START_TEST(writes_that_are_committed_together_go_together)
{
        ck_assert_int_eq(least(write_of(&fast), 10000), 128);
}
END_TEST

START_TEST(what_shares_nothing_is_worth_a_batch_by_itself)
{
        static struct stmt *const stmt_cache[] = {&alone, &unknown, &slow};

        for (size_t i = 0; i < sizeof stmt_cache / sizeof stmt_cache[0]; i++) {
                list_init(&queue);
                ck_assert_int_eq(least(read_of(stmt_cache[i]), 5), 1);
        }
        list_init(&queue);
        ck_assert_int_eq(least(wait_for(&fast), 5), 1);
        list_init(&queue);
        ck_assert_int_eq(least(read_of(&fast), 0), 1); /* nobody knows how fast */
}
END_TEST

START_TEST(writes_share_however_long_each_took_for_its_own_commit)
{
        fast.latency.best_us = 10000;
        for (int i = 0; i < 5; i++)
                write_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_WRITES, 5, (const int[]){0, 1, 2, 3, 4});
}
END_TEST

START_TEST(where_nothing_may_share_each_has_its_own_sync)
{
        for (int i = 0; i < 5; i++)
                read_of(&fast);
        take(64, false);
        expect_taken(SEGMENT_SINGLE, 5, (const int[]){0, 1, 2, 3, 4});
}
END_TEST

START_TEST(a_lone_read_shares_nothing)
{
        read_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){0});
}
END_TEST

START_TEST(no_more_are_taken_than_there_may_be)
{
        for (int i = 0; i < 9; i++)
                read_of(&fast);
        take(4, true);
        expect_taken(SEGMENT_READS, 4, (const int[]){0, 1, 2, 3});
        take(1, true);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){4});
        take(4, false);
        expect_taken(SEGMENT_SINGLE, 4, (const int[]){5, 6, 7, 8});
}
END_TEST

START_TEST(what_may_not_share_is_passed_over_and_waits_on)
{
        read_of(&fast);
        read_of(&unknown);
        read_of(&slow);
        read_of(&alone);
        read_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_READS, 2, (const int[]){0, 4});
        ck_assert_int_eq(n_left(), 3);
}
END_TEST

START_TEST(what_is_not_declared_a_read_never_shares)
{
        wait_for(&fast);
        wait_for(&fast);
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 2, (const int[]){0, 1});
}
END_TEST

START_TEST(where_one_sync_is_on_its_way_what_shares_none_goes_alone)
{
        static const struct batch_limits limits = {.max = 64, .shares = true, .one_sync = true};

        wait_for(&fast);
        wait_for(&fast);
        pipit__batch_take(&batch, &queue, &limits);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){0});
}
END_TEST

START_TEST(where_one_sync_is_on_its_way_reads_and_writes_share_it)
{
        static const struct batch_limits limits = {.max = 64, .shares = true, .one_sync = true};

        for (int i = 0; i < 3; i++)
                _i == 0 ? read_of(&fast) : write_of(&fast);
        pipit__batch_take(&batch, &queue, &limits);
        expect_taken(_i == 0 ? SEGMENT_READS : SEGMENT_WRITES, 3, (const int[]){0, 1, 2});
}
END_TEST

START_TEST(writes_that_may_share_do_and_no_others_with_them)
{
        write_of(&fast);
        wait_for(&fast);
        write_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_WRITES, 2, (const int[]){0, 2});
}
END_TEST

START_TEST(the_first_decides_whether_the_batch_is_a_group)
{
        read_of(&alone);
        read_of(&fast);
        read_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 3, (const int[]){0, 1, 2});
}
END_TEST

START_TEST(one_that_is_isolated_has_its_connection_to_itself)
{
        struct request *req;

        wait_for(&unknown);
        req = wait_for(&unknown);
        wait_for(&unknown);
        pipit__request_isolate(req);
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){0});
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){1});
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){2});
}
END_TEST

START_TEST(one_that_is_isolated_joins_no_group)
{
        read_of(&fast);
        pipit__request_isolate(read_of(&fast));
        read_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_READS, 2, (const int[]){0, 2});
}
END_TEST

START_TEST(nothing_fast_goes_behind_what_is_unknown)
{
        wait_for(&fast);
        wait_for(&unknown);
        wait_for(&unknown);
        wait_for(&fast);
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 3, (const int[]){0, 1, 2});
}
END_TEST

START_TEST(what_is_alone_goes_as_what_is_fast_does)
{
        wait_for(&alone);
        wait_for(&fast);
        wait_for(&alone);
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 3, (const int[]){0, 1, 2});
}
END_TEST

START_TEST(nothing_at_all_goes_with_what_is_slow)
{
        wait_for(&slow);
        wait_for(&slow);
        wait_for(&fast);
        wait_for(&slow);
        for (int i = 0; i < 4; i++) {
                take(64, true);
                expect_taken(SEGMENT_SINGLE, 1, &i);
        }
}
END_TEST

START_TEST(a_request_bounds_the_group_that_it_is_in)
{
        for (int i = 0; i < 10; i++)
                read_of(&fast);
        requests[_i].max_group = 4;
        take(64, true);
        expect_taken(SEGMENT_READS, 4, (const int[]){0, 1, 2, 3});
}
END_TEST

START_TEST(a_group_that_is_too_large_for_a_request_goes_without_it)
{
        for (int i = 0; i < 10; i++)
                read_of(&fast);
        requests[6].max_group = 4;
        take(64, true);
        expect_taken(SEGMENT_READS, 9, (const int[]){0, 1, 2, 3, 4, 5, 7, 8, 9});
}
END_TEST

START_TEST(one_that_is_to_be_alone_is_alone)
{
        for (int i = 0; i < 3; i++)
                read_of(&fast);
        requests[1].max_group = 1;
        take(64, true);
        expect_taken(SEGMENT_READS, 2, (const int[]){0, 2});
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){1});
}
END_TEST

START_TEST(a_statement_that_was_slow_once_bounds_its_group)
{
        fast.latency.slow = 1;
        int limit = pipit__latency_group_limit(&fast.latency);
        ck_assert_int_lt(limit, 10);
        for (int i = 0; i < 10; i++)
                read_of(&fast);
        take(64, true);
        ck_assert_int_eq(batch.kind, SEGMENT_READS);
        ck_assert_int_eq(batch.n, limit);
}
END_TEST

START_TEST(a_group_is_bounded_by_the_time_that_it_should_take)
{
        fast.latency.best_us = 500;
        for (int i = 0; i < 10; i++)
                read_of(&fast);
        take(64, _i == 0);
        ck_assert_int_eq(batch.n, 4);
}
END_TEST

START_TEST(a_group_is_bounded_by_its_bytes)
{
        for (int i = 0; i < 10; i++)
                read_of(&fast)->bound->bytes = 20000;
        take(64, _i == 0);
        ck_assert_int_eq(batch.n, 3);
}
END_TEST

START_TEST(a_statement_larger_than_all_bounds_goes_by_itself)
{
        read_of(&fast)->bound->bytes = (size_t)1 << 30;
        read_of(&fast);
        take(64, _i == 0);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){0});
}
END_TEST

START_TEST(a_small_one_behind_a_large_one_is_still_taken)
{
        read_of(&fast);
        read_of(&fast)->bound->bytes = 100000;
        read_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_READS, 2, (const int[]){0, 2});
}
END_TEST

START_TEST(a_long_queue_is_not_looked_through_to_its_end)
{
        read_of(&fast);
        for (int i = 0; i < REQUESTS - 2; i++)
                read_of(&slow);
        read_of(&fast);
        take(64, true);
        expect_taken(SEGMENT_SINGLE, 1, (const int[]){0});
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("batch");
        TCase *tcase = tcase_create("batch");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, fast_reads_share);
        tcase_add_test(tcase, the_faster_reads_are_the_more_are_worth_a_batch);
        tcase_add_test(tcase, writes_that_are_committed_together_go_together);
        tcase_add_test(tcase, what_shares_nothing_is_worth_a_batch_by_itself);
        tcase_add_test(tcase, writes_share_however_long_each_took_for_its_own_commit);
        tcase_add_test(tcase, where_nothing_may_share_each_has_its_own_sync);
        tcase_add_test(tcase, a_lone_read_shares_nothing);
        tcase_add_test(tcase, no_more_are_taken_than_there_may_be);
        tcase_add_test(tcase, what_may_not_share_is_passed_over_and_waits_on);
        tcase_add_test(tcase, what_is_not_declared_a_read_never_shares);
        tcase_add_test(tcase, where_one_sync_is_on_its_way_what_shares_none_goes_alone);
        tcase_add_loop_test(tcase, where_one_sync_is_on_its_way_reads_and_writes_share_it, 0, 2);
        tcase_add_test(tcase, writes_that_may_share_do_and_no_others_with_them);
        tcase_add_test(tcase, the_first_decides_whether_the_batch_is_a_group);
        tcase_add_test(tcase, one_that_is_isolated_has_its_connection_to_itself);
        tcase_add_test(tcase, one_that_is_isolated_joins_no_group);
        tcase_add_test(tcase, nothing_fast_goes_behind_what_is_unknown);
        tcase_add_test(tcase, what_is_alone_goes_as_what_is_fast_does);
        tcase_add_test(tcase, nothing_at_all_goes_with_what_is_slow);
        tcase_add_loop_test(tcase, a_request_bounds_the_group_that_it_is_in, 0, 4);
        tcase_add_test(tcase, a_group_that_is_too_large_for_a_request_goes_without_it);
        tcase_add_test(tcase, one_that_is_to_be_alone_is_alone);
        tcase_add_test(tcase, a_statement_that_was_slow_once_bounds_its_group);
        tcase_add_loop_test(tcase, a_group_is_bounded_by_the_time_that_it_should_take, 0, 2);
        tcase_add_loop_test(tcase, a_group_is_bounded_by_its_bytes, 0, 2);
        tcase_add_loop_test(tcase, a_statement_larger_than_all_bounds_goes_by_itself, 0, 2);
        tcase_add_test(tcase, a_small_one_behind_a_large_one_is_still_taken);
        tcase_add_test(tcase, a_long_queue_is_not_looked_through_to_its_end);
        suite_add_tcase(suite, tcase);
        return suite;
}
