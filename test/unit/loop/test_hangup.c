/*
 * Hang-ups are watched for late, so that what is over soon costs next to nothing. The program is
 * linked with --wrap: it counts what takes a descriptor, or a place in the loop.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <pipit/error.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/hangup.h"
#include "oom.h"
#include "runner.h"

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
struct event *
__real_event_new(struct event_base *base, int fd, short what, event_callback_fn fn, void *arg);
struct event *
__wrap_event_new(struct event_base *base, int fd, short what, event_callback_fn fn, void *arg);

static struct event_base *base;
static struct reactor *reactor;
static int pair[2]; /* ours, and that of the client */
static int n_told;
static int n_copies;    /* of descriptors */
static int n_places;    /* events on descriptors */
static int n_no_copies; /* how many copies are refused */

int
__wrap_fcntl64(int fd, int command, ...)
{
        va_list args;

        va_start(args, command);
        int value = va_arg(args, int);
        va_end(args);
        n_copies += command == F_DUPFD_CLOEXEC;
        if (command == F_DUPFD_CLOEXEC && n_no_copies > 0) {
                n_no_copies--;
                return -1;
        }
        return __real_fcntl64(fd, command, value);
}

struct event *
__wrap_event_new(struct event_base *with, int fd, short what, event_callback_fn fn, void *arg)
{
        n_places += fd >= 0;
        return __real_event_new(with, fd, what, fn, arg);
}

static void
on_turn(void *arg)
{
        (void)arg;
}

static void
setup(void)
{
        n_told = n_copies = n_places = n_no_copies = 0;
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_ptr_nonnull(reactor);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void
hang_up(int i)
{
        if (pair[i] >= 0)
                close(pair[i]);
        pair[i] = -1;
}

static void
teardown(void)
{
        hang_up(0);
        hang_up(1);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

static void
on_hangup(void *arg)
{
        ck_assert_ptr_eq(arg, &n_told);
        n_told++;
}

static struct hangup *
watch(int fd)
{
        int code = 1;
        struct hangup *hangup = pipit__hangup_new(reactor, fd, on_hangup, &n_told, &code);

        ck_assert_ptr_nonnull(hangup);
        ck_assert_int_eq(code, 0);
        return hangup;
}

static void
loop_until(const int *count, int n)
{
        while (*count < n)
                event_base_loop(base, EVLOOP_ONCE);
}

START_TEST(a_hang_up_is_told_once)
{
        struct hangup *hangup = watch(pair[0]);

        if (_i == 1)
                loop_until(&n_places, 1);
        hang_up(1);
        loop_until(&n_told, 1);
        event_base_loop(base, EVLOOP_NONBLOCK);
        ck_assert_int_eq(n_told, 1);
        pipit__hangup_free(hangup);
}
END_TEST

START_TEST(what_ends_soon_takes_no_descriptor_and_no_place_in_the_loop)
{
        for (int i = 0; i < 1000; i++)
                pipit__hangup_free(watch(pair[0]));
        ck_assert_int_eq(n_copies, 0);
        ck_assert_int_eq(n_places, 0);
        struct hangup *hangup = watch(pair[0]);
        loop_until(&n_places, 1);
        ck_assert_int_eq(n_copies, 1);
        pipit__hangup_free(hangup);
        ck_assert_int_eq(event_base_dispatch(base), 1); /* nothing is left */
}
END_TEST

START_TEST(a_descriptor_that_was_closed_meanwhile_is_a_hang_up)
{
        struct hangup *hangup = watch(pair[0]);
        int fd = pair[0];

        hang_up(0);
        if (_i == 1) { /* its number is another's by now */
                ck_assert_int_eq(open("/dev/null", O_RDONLY), fd);
                pair[0] = fd;
        }
        loop_until(&n_told, 1);
        ck_assert_int_eq(n_copies, 0);
        pipit__hangup_free(hangup);
}
END_TEST

START_TEST(one_that_is_closed_later_is_still_watched)
{
        struct hangup *hangup = watch(pair[0]);

        loop_until(&n_places, 1);
        hang_up(0);
        event_base_loop(base, EVLOOP_NONBLOCK);
        ck_assert_int_eq(n_told, 0);
        hang_up(1);
        loop_until(&n_told, 1);
        pipit__hangup_free(hangup);
}
END_TEST

START_TEST(data_are_no_hang_up_and_are_left_there)
{
        struct hangup *hangup = watch(pair[0]);
        char byte;

        ck_assert_int_eq(write(pair[1], "x", 1), 1);
        loop_until(&n_places, 1);
        for (int i = 0; i < 3; i++)
                event_base_loop(base, EVLOOP_NONBLOCK);
        ck_assert_int_eq(n_told, 0);
        hang_up(1);
        loop_until(&n_told, 1);
        ck_assert_int_eq(read(pair[0], &byte, 1), 1);
        pipit__hangup_free(hangup);
}
END_TEST

START_TEST(a_pipe_hangs_up_too)
{
        int ends[2];

        ck_assert_int_eq(pipe(ends), 0);
        struct hangup *hangup = watch(ends[_i]);
        close(ends[1 - _i]);
        loop_until(&n_told, 1);
        pipit__hangup_free(hangup);
        close(ends[_i]);
}
END_TEST

START_TEST(without_a_descriptor_another_one_is_tried)
{
        struct hangup *hangup = watch(pair[0]);

        n_no_copies = 2;
        loop_until(&n_copies, 3);
        ck_assert_int_eq(n_places, 1);
        hang_up(1);
        loop_until(&n_told, 1);
        pipit__hangup_free(hangup);
}
END_TEST

START_TEST(what_never_hangs_up_is_refused)
{
        int file = open("/proc/self/exe", O_RDONLY);
        int folder = open("/", O_RDONLY);
        int fds[] = {-1, file, folder, 12345};
        int code = 0;

        ck_assert_ptr_null(pipit__hangup_new(reactor, fds[_i], on_hangup, NULL, &code));
        ck_assert_int_eq(code, PIPIT_EINVAL);
        close(file);
        close(folder);
}
END_TEST

START_TEST(without_memory_nothing_is_half_made)
{
        bool failed;
        int n = 0;

        do {
                int code;
                oom_after(n++);
                struct hangup *hangup = pipit__hangup_new(reactor, pair[0], on_hangup, NULL, &code);
                failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                ck_assert_int_eq(hangup == NULL, failed);
                pipit__hangup_free(hangup);
        } while (failed);
        ck_assert_int_gt(n, 2);
        pipit__hangup_free(NULL);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("hangup");
        TCase *tcase = tcase_create("hangup");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, a_hang_up_is_told_once, 0, 2);
        tcase_add_test(tcase, what_ends_soon_takes_no_descriptor_and_no_place_in_the_loop);
        tcase_add_loop_test(tcase, a_descriptor_that_was_closed_meanwhile_is_a_hang_up, 0, 2);
        tcase_add_test(tcase, one_that_is_closed_later_is_still_watched);
        tcase_add_test(tcase, data_are_no_hang_up_and_are_left_there);
        tcase_add_loop_test(tcase, a_pipe_hangs_up_too, 0, 2);
        tcase_add_test(tcase, without_a_descriptor_another_one_is_tried);
        tcase_add_loop_test(tcase, what_never_hangs_up_is_refused, 0, 4);
        tcase_add_test(tcase, without_memory_nothing_is_half_made);
        suite_add_tcase(suite, tcase);
        return suite;
}
