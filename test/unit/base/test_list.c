#include "base/list.h"
#include "runner.h"

struct item {
        int number;
        struct list link;
};

static int
first_number(const struct list *list)
{
        struct list *node = list_first(list);

        return node ? container_of(node, struct item, link)->number : -1;
}

START_TEST(a_new_list_is_empty)
{
        struct list list;

        list_init(&list);
        ck_assert(list_empty(&list));
        ck_assert_ptr_null(list_first(&list));
        ck_assert_ptr_null(list_pop_first(&list));
}
END_TEST

START_TEST(what_is_pushed_back_comes_out_in_order)
{
        struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
        struct list list;

        list_init(&list);
        for (int i = 0; i < 3; i++)
                list_push_back(&list, &items[i].link);
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(first_number(&list), i);
                ck_assert_ptr_eq(list_pop_first(&list), &items[i].link);
        }
        ck_assert(list_empty(&list));
}
END_TEST

START_TEST(what_is_pushed_to_the_front_comes_first)
{
        struct item one = {.number = 1};
        struct item two = {.number = 2};
        struct list list;

        list_init(&list);
        list_push_back(&list, &one.link);
        list_push_front(&list, &two.link);
        ck_assert_int_eq(first_number(&list), 2);
}
END_TEST

START_TEST(a_removed_node_is_linked_to_itself_and_may_be_removed_again)
{
        struct item item = {.number = 1};
        struct list list;

        list_init(&list);
        list_push_back(&list, &item.link);
        ck_assert(list_linked(&item.link));
        list_remove(&item.link);
        list_remove(&item.link);
        ck_assert(!list_linked(&item.link));
        ck_assert(list_empty(&list));
}
END_TEST

START_TEST(each_visits_every_node_once)
{
        struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 4}};
        struct list list;
        int sum = 0;

        list_init(&list);
        for (int i = 0; i < 3; i++)
                list_push_back(&list, &items[i].link);
        LIST_EACH(node, &list)
                sum += container_of(node, struct item, link)->number;
        ck_assert_int_eq(sum, 7);
}
END_TEST

START_TEST(splice_moves_everything_behind_what_is_there)
{
        struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
        struct list to;
        struct list from;

        list_init(&to);
        list_init(&from);
        list_push_back(&to, &items[0].link);
        list_push_back(&from, &items[1].link);
        list_push_back(&from, &items[2].link);
        list_splice(&to, &from);
        ck_assert(list_empty(&from));
        for (int i = 0; i < 3; i++)
                ck_assert_ptr_eq(list_pop_first(&to), &items[i].link);
        ck_assert(list_empty(&to));
}
END_TEST

START_TEST(splice_of_an_empty_list_changes_nothing)
{
        struct item item = {.number = 1};
        struct list to;
        struct list from;

        list_init(&to);
        list_init(&from);
        list_push_back(&to, &item.link);
        list_splice(&to, &from);
        ck_assert_int_eq(first_number(&to), 1);
        ck_assert(list_empty(&from));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("list");
        TCase *tcase = tcase_create("list");

        tcase_add_test(tcase, a_new_list_is_empty);
        tcase_add_test(tcase, what_is_pushed_back_comes_out_in_order);
        tcase_add_test(tcase, what_is_pushed_to_the_front_comes_first);
        tcase_add_test(tcase, a_removed_node_is_linked_to_itself_and_may_be_removed_again);
        tcase_add_test(tcase, each_visits_every_node_once);
        tcase_add_test(tcase, splice_moves_everything_behind_what_is_there);
        tcase_add_test(tcase, splice_of_an_empty_list_changes_nothing);
        suite_add_tcase(suite, tcase);
        return suite;
}
