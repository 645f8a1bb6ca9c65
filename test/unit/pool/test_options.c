#include <pipit/error.h>
#include <string.h>

#include "oom.h"
#include "pool/options.h"
#include "runner.h"

static const char *problem;

static int
init(struct pipit_options *options, const struct pipit_options *given)
{
        problem = NULL;
        return pipit__options_init(options, given, &problem);
}

static void
expect_defaults(const struct pipit_options *options)
{
        ck_assert_int_eq(options->min_connections, 0);
        ck_assert_int_eq(options->max_connections, 8);
        ck_assert_int_eq(options->max_connecting, 2);
        ck_assert_int_eq(options->max_pipeline, 128);
        ck_assert_int_eq(options->max_prepared, 256);
        ck_assert_int_eq(options->max_waiting, 10000);
        ck_assert_uint_eq(options->max_waiting_bytes, 67108864);
        ck_assert_uint_eq(options->max_request_bytes, 67108864);
        ck_assert_uint_eq(options->max_result_bytes, 67108864);
        ck_assert_int_eq(options->timeout_ms, 60000);
        ck_assert_int_eq(options->acquire_timeout_ms, 30000);
        ck_assert_int_eq(options->idle_timeout_ms, 600000);
        ck_assert_int_eq(options->down_timeout_ms, -1);
        ck_assert_int_eq(options->lifetime_ms, 3600000);
        ck_assert_int_eq(options->event_priority, 0);
        ck_assert_int_eq(options->log_level, PIPIT_LOG_NOTICE + 1);
        ck_assert_str_eq(options->search_path, "public, pg_temp");
        ck_assert_ptr_null(options->sslmode);
}

START_TEST(no_options_are_the_defaults_of_the_header)
{
        struct pipit_options options;

        ck_assert_int_eq(init(&options, NULL), 0);
        expect_defaults(&options);
        pipit__options_fini(&options);
}
END_TEST

START_TEST(zero_is_the_default)
{
        struct pipit_options options;
        const struct pipit_options zero = {0};

        ck_assert_int_eq(init(&options, &zero), 0);
        expect_defaults(&options);
        /* A URL may name one: the scope fills it in. */
        ck_assert_int_eq(options.connect_timeout_ms, 0);
        pipit__options_fini(&options);
}
END_TEST

START_TEST(what_is_given_stays)
{
        struct pipit_options options;
        const struct pipit_options given = {.min_connections = 3,
                                            .max_connections = 3,
                                            .max_pipeline = 10000,
                                            .max_prepared = -1,
                                            .timeout_ms = -1,
                                            .idle_timeout_ms = -1,
                                            .lifetime_ms = 1,
                                            .search_path = ""};

        ck_assert_int_eq(init(&options, &given), 0);
        ck_assert_int_eq(options.min_connections, 3);
        ck_assert_int_eq(options.max_connections, 3);
        ck_assert_int_eq(options.max_pipeline, 10000);
        ck_assert_int_eq(options.max_prepared, -1);
        ck_assert_int_eq(options.timeout_ms, -1);
        ck_assert_int_eq(options.idle_timeout_ms, -1);
        ck_assert_int_eq(options.lifetime_ms, 1);
        ck_assert_str_eq(options.search_path, "");
        pipit__options_fini(&options);
}
END_TEST

START_TEST(texts_are_copied)
{
        struct pipit_options options;
        char search_path[] = "mine";
        char sslmode[] = "require";
        const struct pipit_options given = {.search_path = search_path, .sslmode = sslmode};

        ck_assert_int_eq(init(&options, &given), 0);
        memset(search_path, 'x', 4);
        memset(sslmode, 'x', 7);
        ck_assert_str_eq(options.search_path, "mine");
        ck_assert_str_eq(options.sslmode, "require");
        pipit__options_fini(&options);
}
END_TEST

/* Each is wrong, and its problem names it. */
static const struct {
        struct pipit_options given;
        const char *named;
} wrong[] = {
        {{.min_connections = -1}, "min_connections"},
        {{.max_connections = -1}, "max_connections"},
        {{.min_connections = 9}, "min_connections"},
        {{.min_connections = 3, .max_connections = 2}, "min_connections"},
        {{.max_connecting = -1}, "max_connecting"},
        {{.max_pipeline = -1}, "max_pipeline"},
        {{.max_pipeline = 10001}, "max_pipeline"},
        {{.max_prepared = -2}, "max_prepared"},
        {{.max_prepared = 10001}, "max_prepared"},
        {{.max_waiting = -1}, "max_waiting"},
        {{.log_level = -1}, "log_level"},
        {{.log_level = PIPIT_LOG_WARNING + 2}, "log_level"},
        {{.timeout_ms = -2}, "time"},
        {{.acquire_timeout_ms = -2}, "time"},
        {{.connect_timeout_ms = -1}, "connect_timeout_ms"},
        {{.idle_timeout_ms = -2}, "time"},
        {{.down_timeout_ms = -2}, "time"},
        {{.lifetime_ms = INT64_MIN}, "time"},
        {{.event_priority = -1}, "event_priority"},
        {{.pooler = (enum pipit_pooler) - 1}, "pooler"},
        {{.pooler = (enum pipit_pooler)(PIPIT_POOLER_TRANSACTION + 1)}, "pooler"},
};
#define N_WRONG ((int)(sizeof wrong / sizeof wrong[0]))

START_TEST(what_is_out_of_range_is_refused_by_name)
{
        struct pipit_options options;

        ck_assert_int_eq(init(&options, &wrong[_i].given), PIPIT_EINVAL);
        ck_assert_ptr_nonnull(problem);
        ck_assert_msg(strstr(problem, wrong[_i].named) != NULL, "%s", problem);
        pipit__options_fini(&options);
}
END_TEST

START_TEST(what_is_refused_leaves_the_defaults)
{
        struct pipit_options options;

        ck_assert_int_eq(init(&options, &wrong[_i].given), PIPIT_EINVAL);
        expect_defaults(&options);
        pipit__options_fini(&options);
}
END_TEST

/* Elsewhere the server says so. */
START_TEST(a_search_path_for_transactions_is_a_list_of_names)
{
        struct pipit_options options;
        struct pipit_options given = {.search_path = "a b", .pooler = PIPIT_POOLER_TRANSACTION};

        ck_assert_int_eq(init(&options, &given), PIPIT_EINVAL);
        ck_assert_ptr_nonnull(strstr(problem, "search_path"));
        pipit__options_fini(&options);
        given.pooler = PIPIT_POOLER_SESSION;
        ck_assert_int_eq(init(&options, &given), 0);
        pipit__options_fini(&options);
}
END_TEST

START_TEST(what_stands_in_reserved_members_is_refused)
{
        struct pipit_options options;
        struct pipit_options given = {.max_connections = 1};

        given.reserved[_i] = &given;
        ck_assert_int_eq(init(&options, &given), PIPIT_EINVAL);
        ck_assert_str_eq(problem, "the reserved members of the options must be NULL: they are for "
                                  "later versions of pipit");
        pipit__options_fini(&options);
}
END_TEST

START_TEST(without_memory_nothing_is_half_copied)
{
        const struct pipit_options given = {.search_path = "mine", .sslmode = "require"};
        bool failed;
        int n = 0;

        do {
                struct pipit_options options;
                oom_after(n++);
                int code = init(&options, &given);
                failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                pipit__options_fini(&options);
                pipit__options_fini(&options); /* harmless */
        } while (failed);
        ck_assert_int_eq(n, 3);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("options");
        TCase *tcase = tcase_create("options");

        tcase_add_test(tcase, no_options_are_the_defaults_of_the_header);
        tcase_add_test(tcase, zero_is_the_default);
        tcase_add_test(tcase, what_is_given_stays);
        tcase_add_test(tcase, texts_are_copied);
        tcase_add_loop_test(tcase, what_is_out_of_range_is_refused_by_name, 0, N_WRONG);
        tcase_add_loop_test(tcase, what_is_refused_leaves_the_defaults, 0, N_WRONG);
        tcase_add_loop_test(tcase, what_stands_in_reserved_members_is_refused, 0,
                            (int)(sizeof((struct pipit_options *)NULL)->reserved / sizeof(void *)));
        tcase_add_test(tcase, a_search_path_for_transactions_is_a_list_of_names);
        tcase_add_test(tcase, without_memory_nothing_is_half_copied);
        suite_add_tcase(suite, tcase);
        return suite;
}
