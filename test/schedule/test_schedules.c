/*
 * Schedules: those that were kept, fresh ones, and whether what a schedule does is told by its
 * bytes alone.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "file.h"
#include "ledger.h"
#include "net.h"
#include "run.h"
#include "runner.h"
#include "world.h"

#define FRESH_SEED 1000000
#define FRESH      1500
#define FRESH_SLOW 50 /* under valgrind, which cannot fork */
#define ALIKE      100

static struct taken taken;
static jmp_buf seen;

static void
fail_test(const char *text)
{
        world.running = false;
        ck_abort_msg("%s", text);
}

static void
setup(void)
{
        world_on_broken(fail_test);
}

static uint64_t
run_seed(uint64_t seed)
{
        choose_from_seed(seed, &taken);
        return run_schedule();
}

static void
see_it(const char *text)
{
        (void)text;
        longjmp(seen, 1);
}

static bool
is_schedule(const char *name)
{
        const char *end = strrchr(name, '.');

        return end != NULL && strcmp(end, ".sched") == 0;
}

START_TEST(kept_schedules_end_clean)
{
        static struct taken schedule;
        DIR *folder = opendir(REGRESS);
        int n = 0;

        ck_assert_ptr_nonnull(folder);
        for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
                char path[1000];
                if (!is_schedule(entry->d_name))
                        continue;
                snprintf(path, sizeof path, "%s/%s", REGRESS, entry->d_name);
                ck_assert_msg(schedule_read(path, &schedule) == 0, "%s is no schedule", path);
                choose_from_bytes(schedule.bytes, schedule.n, &taken);
                run_schedule();
                n++;
        }
        closedir(folder);
        ck_assert_int_gt(n, 0);
}
END_TEST

START_TEST(fresh_schedules_end_clean)
{
        const char *fork = getenv("CK_FORK");
        bool is_slow = fork != NULL && strcmp(fork, "no") == 0;
        uint64_t n = is_slow ? FRESH_SLOW : FRESH;

        for (uint64_t seed = FRESH_SEED; seed < FRESH_SEED + n; seed++)
                run_seed(seed);
}
END_TEST

START_TEST(a_seed_does_the_same_each_time)
{
        for (uint64_t seed = 0; seed < ALIKE; seed++)
                ck_assert_uint_eq(run_seed(seed), run_seed(seed));
}
END_TEST

START_TEST(the_bytes_that_a_seed_took_do_the_same_as_the_seed)
{
        for (uint64_t seed = 0; seed < ALIKE; seed++) {
                uint64_t digest = run_seed(seed);
                struct taken schedule = taken;
                choose_from_bytes(schedule.bytes, schedule.n, &taken);
                ck_assert_uint_eq(digest, run_schedule());
        }
}
END_TEST

START_TEST(seeds_do_different_things)
{
        int n_alike = 0;

        for (uint64_t seed = 1; seed < ALIKE; seed++)
                n_alike += run_seed(seed) == run_seed(seed - 1);
        ck_assert_int_lt(n_alike, ALIKE / 10);
}
END_TEST

/* A lie of the library's each: the ledger must see it. */
static void
call_back_again(void)
{
        struct op *op = ledger_add(OP_WRITE, 1);

        op->request = 1u;
        op->n_calls = 1;
        world.turning = true;
        op_on_done(NULL, op);
}

static void
call_back_inline(void)
{
        struct op *op = ledger_add(OP_WRITE, 1);

        op->request = 1;
        world.turning = false;
        op_on_done(NULL, op);
}

static void
succeed_without_commit(void)
{
        struct op *op = ledger_add(OP_WRITE, 1);

        op->request = 1;
        world.turning = true;
        op_on_done(NULL, op);
}

static void
forget_to_call_back(void)
{
        ledger_add(OP_READ, 1)->request = 1;
        ledger_check_end();
}

static void
deny_a_commit(void)
{
        struct op *op = ledger_add(OP_WRITE, 1);

        op->request = 1u;
        op->n_calls = op->n_committed = op->session = 1;
        op->code = PIPIT_ECANCELED;
        op->executed = PIPIT_EXECUTED_ROLLED_BACK;
        ledger_check_end();
}

static void
deny_that_it_was_sent(void)
{
        struct op *op = ledger_add(OP_WRITE, 1);

        op->request = 1u;
        op->n_calls = op->session = 1;
        op->code = PIPIT_ECANCELED;
        op->executed = PIPIT_EXECUTED_NO;
        ledger_check_end();
}

static void
leave_a_block(void)
{
        world.n_blocks = 1;
        world_end();
}

static void
be_late(void)
{
        struct op *op = ledger_add(OP_READ, 1);

        op->request = 1;
        op->deadline_ms = 0;
        ledger_check_quiet(1);
}

static void
leave_a_socket(void)
{
        socket(AF_UNIX, SOCK_STREAM, 0);
        world_end();
}

/* An answer that has come, and nothing happens. */
static void
keep_an_answer(void)
{
        run_seed(1);
        struct op *op = ledger_add(OP_READ, 1);
        op->request = 1u;
        op->session = 1;
        op->ready_at = 1;
        ledger_check_quiet(1);
}

static void
wait_for_an_answer(void)
{
        const struct sockaddr address = {.sa_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        char byte;

        net_listen(true);
        connect(fd, &address, sizeof address);
        recv(fd, &byte, 1, 0);
}

static void (*const lies[])(void) = {call_back_again,     call_back_inline,  succeed_without_commit,
                                     forget_to_call_back, deny_a_commit,     deny_that_it_was_sent,
                                     leave_a_block,       be_late,           leave_a_socket,
                                     keep_an_answer,      wait_for_an_answer};

START_TEST(a_lie_is_seen)
{
        world_on_broken(see_it);
        world_start();
        ledger_clear();
        if (setjmp(seen) == 0) {
                lies[_i]();
                world.running = false;
                ck_abort_msg("lie %d was believed", _i);
        }
        world.running = false;
        world.turning = false;
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("schedules");
        TCase *runs = tcase_create("runs");
        TCase *sight = tcase_create("sight");

        tcase_add_checked_fixture(runs, setup, NULL);
        tcase_add_test(runs, kept_schedules_end_clean);
        tcase_add_test(runs, fresh_schedules_end_clean);
        tcase_add_test(runs, a_seed_does_the_same_each_time);
        tcase_add_test(runs, the_bytes_that_a_seed_took_do_the_same_as_the_seed);
        tcase_add_test(runs, seeds_do_different_things);
        suite_add_tcase(suite, runs);
        tcase_add_loop_test(sight, a_lie_is_seen, 0, sizeof lies / sizeof lies[0]);
        suite_add_tcase(suite, sight);
        return suite;
}
