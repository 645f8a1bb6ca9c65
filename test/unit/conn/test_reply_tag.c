#include "conn/reply_tag.h"
#include "runner.h"

static const struct {
        const char *tag;
        bool is;
} unshared[] = {
        {"BEGIN", true},
        {"START TRANSACTION", true},
        {"COMMIT", true},
        {"ROLLBACK", true},
        {"SAVEPOINT", true},
        {"RELEASE", true},
        {"PREPARE", true},
        {"PREPARE TRANSACTION", true},
        {"DEALLOCATE", true},
        {"DEALLOCATE ALL", true},
        {"SET", true},
        {"SET CONSTRAINTS", true},
        {"RESET", true},
        {"LISTEN", true},
        {"UNLISTEN", true},
        {"DISCARD ALL", true},
        {"DISCARD TEMP", true},
        {"DECLARE CURSOR", true},
        {"CLOSE CURSOR", true},
        {"CLOSE CURSOR ALL", true},
        {"FETCH 1", true},
        {"MOVE 1", true},
        {"LOAD", true},
        {"LOCK TABLE", true},
        {"SELECT 1", false},
        {"INSERT 0 1", false},
        {"UPDATE 1", false},
        {"DELETE 1", false},
        {"MERGE 1", false},
        {"NOTIFY", false},
        {"CREATE TABLE", false},
        {"DROP TABLE", false},
        {"SETTLE", false},
        {"COMMIT PREPARED", false},
        {"ROLLBACK PREPARED", false},
        {"", false},
};
#define N_UNSHARED ((int)(sizeof unshared / sizeof unshared[0]))

START_TEST(what_changes_a_session_is_known_by_its_tag)
{
        ck_assert_msg(pipit__tag_is_unshared(unshared[_i].tag) == unshared[_i].is, "%s",
                      unshared[_i].tag);
}
END_TEST

START_TEST(no_write_changes_its_session)
{
        if (pipit__tag_is_write(unshared[_i].tag))
                ck_assert_msg(!unshared[_i].is, "%s", unshared[_i].tag);
}
END_TEST

static const struct {
        const char *tag;
        bool ends;
        bool is_dirty;
} in_transactions[] = {
        {"BEGIN", true, false},
        {"START TRANSACTION", true, false},
        {"COMMIT", true, false},
        {"ROLLBACK", true, false},
        {"PREPARE TRANSACTION", true, true},
        {"SAVEPOINT", false, false},
        {"RELEASE", false, false},
        {"SET", false, true},
        {"SET CONSTRAINTS", false, true},
        {"RESET", false, true},
        {"LISTEN", false, true},
        {"UNLISTEN", false, true},
        {"PREPARE", false, true},
        {"DEALLOCATE", false, true},
        {"DISCARD TEMP", false, true},
        {"DECLARE CURSOR", false, true},
        {"LOAD", false, true},
        {"CREATE TABLE", false, true},
        {"SETTLE", false, false},
        {"INSERT 0 1", false, false},
        {"SELECT 1", false, false},
        {"", false, false},
};
#define N_IN_TRANSACTIONS ((int)(sizeof in_transactions / sizeof in_transactions[0]))

START_TEST(what_a_statement_does_to_its_transaction_is_known_by_its_tag)
{
        const char *tag = in_transactions[_i].tag;

        ck_assert_msg(pipit__tag_ends_transaction(tag) == in_transactions[_i].ends, "%s", tag);
        ck_assert_msg(pipit__tag_is_dirty(tag) == in_transactions[_i].is_dirty, "%s", tag);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reply_tag");
        TCase *tcase = tcase_create("reply_tag");

        tcase_add_loop_test(tcase, what_changes_a_session_is_known_by_its_tag, 0, N_UNSHARED);
        tcase_add_loop_test(tcase, no_write_changes_its_session, 0, N_UNSHARED);
        tcase_add_loop_test(tcase, what_a_statement_does_to_its_transaction_is_known_by_its_tag, 0,
                            N_IN_TRANSACTIONS);
        suite_add_tcase(suite, tcase);
        return suite;
}
