#include <pipit/error.h>
#include <pipit/item.h>
#include <string.h>

#include "oom.h"
#include "result/result.h"
#include "runner.h"
#include "value/oid.h"

enum { INT4_ARRAY = 1007, NUMERIC_ARRAY = 1231 };

static struct result_owner owner;
static struct pipit_result *res;

static void
setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        res = pipit__result_new(&owner);
        ck_assert_ptr_nonnull(res);
}

static void
teardown(void)
{
        res = pipit_result_unref(res);
        pipit__result_owner_fini(&owner);
}

static struct pipit_item
text(uint32_t type, const char *data)
{
        return (struct pipit_item){res, data, strlen(data), type, false};
}

/* Bytes of a literal, whose NUL is not part of them, but is behind them as in a result. */
#define BINARY(type, literal)                                                                      \
        (struct pipit_item)                                                                        \
        {                                                                                          \
                res, (literal), sizeof(literal) - 1, (type), true                                  \
        }

START_TEST(bytes_are_read_from_both_forms)
{
        struct pipit_item items[] = {BINARY(OID_BYTEA, "\0\xff"), text(OID_BYTEA, "\\x00ff"),
                                     BINARY(OID_TEXT, "\\x00ff")};
        struct pipit_item none = BINARY(OID_BYTEA, "");
        struct pipit_bytes bytes = {NULL, 7};

        for (size_t i = 0; i < 3; i++) {
                ck_assert_int_eq(pipit_item_bytes(&items[i], &bytes), 0);
                ck_assert_uint_eq(bytes.length, 2);
                ck_assert_mem_eq(bytes.data, "\0\xff", 2);
        }
        ck_assert_int_eq(pipit_item_bytes(&none, &bytes), 0);
        ck_assert_uint_eq(bytes.length, 0);
        ck_assert_ptr_nonnull(bytes.data);
}
END_TEST

/* Every getter on one item gives this code. */
static void
every_getter_gives(const struct pipit_item *item, int code)
{
        struct pipit_bytes bytes;
        struct pipit_timestamp timestamp;
        struct pipit_uuid uuid;
        struct pipit_interval interval;
        struct pipit_decimal decimal;
        struct pipit_array array;
        struct pipit_range range;
        struct pipit_items items;
        int64_t number;

        ck_assert_int_eq(pipit_item_int64(item, &number), code);
        ck_assert_int_eq(pipit_item_bytes(item, &bytes), code);
        ck_assert_int_eq(pipit_item_timestamp(item, &timestamp), code);
        ck_assert_int_eq(pipit_item_uuid(item, &uuid), code);
        ck_assert_int_eq(pipit_item_interval(item, &interval), code);
        ck_assert_int_eq(pipit_item_decimal(item, 2, &decimal), code);
        ck_assert_int_eq(pipit_item_array(item, &array), code);
        ck_assert_int_eq(pipit_item_range(item, &range), code);
        ck_assert_int_eq(pipit_item_multirange(item, &items), code);
        ck_assert_int_eq(pipit_item_composite(item, &items), code);
}

START_TEST(what_is_not_there_is_told_apart)
{
        struct pipit_item null = {.result = res, .type = OID_INT4, .binary = true};
        struct pipit_item other = text(OID_TEXT, "other");
        struct pipit_item broken = BINARY(INT4_ARRAY, "broken");
        struct pipit_item unknown = BINARY(99999, "unknown");

        every_getter_gives(NULL, PIPIT_EINVAL);
        every_getter_gives(&null, PIPIT_ENOTFOUND);
        every_getter_gives(&other, PIPIT_ETYPE);
        every_getter_gives(&broken, PIPIT_ETYPE);
        every_getter_gives(&unknown, PIPIT_ETYPE);
        ck_assert_ptr_null(pipit_item_text(NULL));
        ck_assert_ptr_null(pipit_item_text(&null));
        ck_assert_ptr_null(pipit_item_text(&broken));
}
END_TEST

START_TEST(nowhere_to_write_is_a_bad_argument)
{
        struct pipit_item item = text(OID_INT4, "1");

        ck_assert_int_eq(pipit_item_bool(&item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_int64(&item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_bytes(&item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_decimal(&item, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_array(&item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_range(&item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_composite(&item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_item(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_item(res, 0, 0, &item), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_item(NULL, 0, 0, &item), PIPIT_EINVAL);
}
END_TEST

START_TEST(a_text_without_memory_is_none_and_made_later)
{
        struct pipit_item item = BINARY(OID_INT4, "\0\0\0\x2a");

        for (int n = 0;; n++) {
                oom_after(n);
                const char *made = pipit_item_text(&item);
                bool failed = oom_stop();
                ck_assert_pstr_eq(made, failed ? NULL : "42");
                if (!failed)
                        break;
        }
}
END_TEST

START_TEST(bytes_without_memory_fail)
{
        struct pipit_item item = BINARY(OID_TEXT, "\\x00ff");
        struct pipit_bytes bytes = {NULL, 7};

        for (int n = 0;; n++) {
                oom_after(n);
                int code = pipit_item_bytes(&item, &bytes);
                bool failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                ck_assert_uint_eq(bytes.length, failed ? 7 : 2);
                if (!failed)
                        break;
        }
}
END_TEST

/* An item whose result may have made texts of so many bytes. */
static struct pipit_item
bounded_item(size_t bytes)
{
        teardown();
        pipit__result_owner_init(&owner, NULL);
        pipit__result_owner_limit(&owner, bytes);
        res = pipit__result_new(&owner);
        ck_assert_ptr_nonnull(res);
        return BINARY(OID_INT4, "\0\0\0\x2a");
}

START_TEST(texts_are_made_until_they_have_as_many_bytes_as_a_result_may)
{
        struct pipit_item number = bounded_item(7);
        struct pipit_bytes bytes = {NULL, 7};
        int32_t value = 0;

        for (int i = 0; i < 3; i++)
                ck_assert_str_eq(pipit_item_text(&number), "42");
        ck_assert_ptr_null(pipit_item_text(&number));
        ck_assert_int_eq(pipit_item_bytes(&number, &bytes), PIPIT_ELIMIT);
        ck_assert_uint_eq(bytes.length, 7);
        ck_assert_int_eq(pipit_item_int32(&number, &value), 0);
        pipit__result_reset(res);
        ck_assert_str_eq(pipit_item_text(&number), "42");
}
END_TEST

START_TEST(a_text_that_is_in_its_value_counts_only_when_it_is_copied)
{
        struct pipit_item whole = bounded_item(2);
        struct pipit_item part = BINARY(OID_TEXT, "abc");

        whole = BINARY(OID_TEXT, "abc");
        ck_assert_str_eq(pipit_item_text(&whole), "abc");
        part.length = 2;
        ck_assert_str_eq(pipit_item_text(&part), "ab");
        ck_assert_ptr_null(pipit_item_text(&part));
        ck_assert_str_eq(pipit_item_text(&whole), "abc");
}
END_TEST

/* 1e131071: an integer that no getter has, and text of 128 KiB. */
START_TEST(a_text_that_is_too_long_for_its_value_is_told_by_its_code)
{
        struct pipit_item numbers = BINARY(NUMERIC_ARRAY, "\0\0\0\1\0\0\0\0\0\0\x06\xa4"
                                                          "\0\0\0\2\0\0\0\1"
                                                          "\0\0\0\x0a\0\1\x7f\xff\0\0\0\0\3\xe8"
                                                          "\0\0\0\x0a\0\1\x7f\xff\0\0\0\0\3\xe8");
        struct pipit_array array;
        struct pipit_bytes bytes;
        int64_t value = 7;

        ck_assert_ptr_null(pipit_item_text(&numbers));
        ck_assert_int_eq(pipit_item_bytes(&numbers, &bytes), PIPIT_ELIMIT);
        ck_assert_int_eq(pipit_item_int64(&numbers, &value), PIPIT_ELIMIT);
        ck_assert_int_eq(pipit_item_array(&numbers, &array), 0);
        ck_assert_uint_eq(strlen(pipit_item_text(&array.items[1])), 131072);
        ck_assert_int_eq(pipit_item_int64(&array.items[1], &value), PIPIT_ETYPE);
        ck_assert_int_eq(value, 7);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("item");
        TCase *tcase = tcase_create("item");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, bytes_are_read_from_both_forms);
        tcase_add_test(tcase, what_is_not_there_is_told_apart);
        tcase_add_test(tcase, nowhere_to_write_is_a_bad_argument);
        tcase_add_test(tcase, a_text_without_memory_is_none_and_made_later);
        tcase_add_test(tcase, bytes_without_memory_fail);
        tcase_add_test(tcase, texts_are_made_until_they_have_as_many_bytes_as_a_result_may);
        tcase_add_test(tcase, a_text_that_is_in_its_value_counts_only_when_it_is_copied);
        tcase_add_test(tcase, a_text_that_is_too_long_for_its_value_is_told_by_its_code);
        suite_add_tcase(suite, tcase);
        return suite;
}
