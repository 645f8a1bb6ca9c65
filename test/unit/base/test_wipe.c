/*
 * No password stays behind in memory that the library frees. The program is linked with --wrap for
 * malloc() and its like: each block is looked at when it is freed. New blocks are made of zeros, so
 * that there is nothing in them but what the library wrote.
 */
#include <event2/event.h>
#include <malloc.h>
#include <pipit/pipit.h>
#include <pipit/sync.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect/conninfo.h"
#include "runner.h"

#define SECRET "hunter2-and-more"

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);

static int n_left;         /* blocks that were freed with the secret in them */
static int n_to_fail = -1; /* allocations that succeed before the one that fails; -1: none does */
static bool has_failed;

static void *
block_new(size_t size)
{
        if (n_to_fail == 0)
                has_failed = true;
        if (n_to_fail >= 0 && n_to_fail-- == 0)
                return NULL;
        return __real_calloc(1, size);
}

void *
__wrap_malloc(size_t size)
{
        return block_new(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
        return block_new(n * size);
}

char *
__wrap_strdup(const char *text)
{
        char *copy = block_new(strlen(text) + 1);

        return copy != NULL ? strcpy(copy, text) : NULL;
}

static void
block_look_at(const void *block)
{
        size_t size = malloc_usable_size((void *)(uintptr_t)block);

        if (memmem(block, size, SECRET, strlen(SECRET)) != NULL)
                n_left++;
}

void
__wrap_free(void *block)
{
        if (block != NULL)
                block_look_at(block);
        __real_free(block);
}

/* The old block stays, so that it can be looked at. */
void *
__wrap_realloc(void *old, size_t size)
{
        size_t old_size = old != NULL ? malloc_usable_size(old) : 0;
        void *block = block_new(size);

        if (block == NULL)
                return NULL;
        if (old != NULL)
                memcpy(block, old, old_size < size ? old_size : size);
        __wrap_free(old);
        return block;
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
        return __wrap_realloc(old, n * size);
}

START_TEST(a_block_with_the_secret_is_found)
{
        char *volatile text = strdup("before " SECRET " behind");

        free(text);
        ck_assert_int_eq(n_left, 1);
}
END_TEST

static const char *const urls[] = {
        "postgresql://u:" SECRET "@/x?host=/nonexistent&connect_timeout=7",
        "host=/nonexistent user=u password=" SECRET,
        "host=/nonexistent sslpassword=" SECRET,
        /* Each is wrong, and not by its password. */
        "host=/nonexistent sslmode=bogus password=" SECRET,
        "host=/nonexistent keepalives=no password=" SECRET,
        "host=a,b port=1,2,3 password=" SECRET,
        "host=/nonexistent port=0 password=" SECRET,
        "",
};
#define N_URLS ((int)(sizeof urls / sizeof urls[0]))

static const char *
give_password(void *arg)
{
        return arg;
}

/* Reads a URL, and puts the parameters of a connect together. */
static int
read_and_forget(const char *url)
{
        struct pipit_options options = {.password = give_password,
                                        .password_arg = (void *)(uintptr_t)SECRET};
        struct conninfo_parameters parameters;
        struct conninfo info;
        char *problem = NULL;
        int code = pipit__conninfo_init(&info, url, &options, &problem);

        if (code == 0) {
                const struct endpoint endpoint = {.host = &info.hosts[0], .address = ""};
                pipit__conninfo_parameters(&info, &endpoint, &parameters);
        }
        pipit__conninfo_fini(&info);
        free(problem);
        return code;
}

START_TEST(a_url_that_was_read_leaves_no_password)
{
        setenv("PGPASSWORD", SECRET, 1);
        read_and_forget(urls[_i]);
        ck_assert_int_eq(n_left, 0);
}
END_TEST

START_TEST(a_url_that_was_half_read_leaves_no_password)
{
        int n = 0;

        do {
                has_failed = false;
                n_to_fail = n++;
                read_and_forget(urls[0]);
                n_to_fail = -1;
        } while (has_failed);
        ck_assert_int_gt(n, 10);
        ck_assert_int_eq(n_left, 0);
}
END_TEST

static void
on_end(struct pipit_result *res, void *arg)
{
        (void)res;
        ++*(int *)arg;
}

/* Opens a database, has a request try to connect, opens a blocking scope, and closes all. */
START_TEST(a_database_leaves_no_password)
{
        struct event_base *base = event_base_new();
        struct pipit_options options = {.acquire_timeout_ms = 20};
        struct pipit *db = pipit_open(base, urls[_i], &options);
        struct pipit *sync = pipit_allow_sync(db);
        int n = 0;

        pipit_query(db, "SELECT 1", PIPIT_NO_PARAMS, on_end, &n);
        while (n == 0)
                event_base_loop(base, EVLOOP_ONCE);
        pipit_close(sync);
        pipit_close(db);
        event_base_dispatch(base);
        event_base_free(base);
        ck_assert_int_eq(n_left, 0);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("wipe");
        TCase *tcase = tcase_create("wipe");

        tcase_add_test(tcase, a_block_with_the_secret_is_found);
        tcase_add_loop_test(tcase, a_url_that_was_read_leaves_no_password, 0, N_URLS);
        tcase_add_test(tcase, a_url_that_was_half_read_leaves_no_password);
        tcase_add_loop_test(tcase, a_database_leaves_no_password, 0, 3);
        suite_add_tcase(suite, tcase);
        return suite;
}
