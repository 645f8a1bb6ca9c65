/*
 * A program that was built against older headers, older.h, and runs with the library of today. What
 * it knows takes effect, what it does not know is as if it had never come; and what it has where
 * nothing is yet, as a program of later headers would, is refused.
 *
 * With PIPIT_TEST_URL in the environment it asks a server, too.
 */
#include "older.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct spot {
        int32_t id;
        const char *name;
        struct {
                bool id;
                bool name;
        } null;
        bool stored;
};

extern const struct pipit_field spot_fields[2];
extern const struct pipit_model spot;

const struct pipit_field spot_fields[2] = {{.self = &spot_fields[0],
                                            .model = &spot,
                                            .name = "id",
                                            .type = PIPIT_TYPE_serial,
                                            .offset = offsetof(struct spot, id),
                                            .primary_key = true},
                                           {.self = &spot_fields[1],
                                            .model = &spot,
                                            .name = "name",
                                            .type = PIPIT_TYPE_text,
                                            .offset = offsetof(struct spot, name),
                                            .default_sql = "'none'"}};
const struct pipit_model spot = {.name = "spot",
                                 .fields = spot_fields,
                                 .n_fields = 2,
                                 .row_size = sizeof(struct spot),
                                 .null_offset = offsetof(struct spot, null),
                                 .stored_offset = offsetof(struct spot, stored),
                                 .table = "abi_older_spot"};

static struct event_base *base;
static struct pipit *db;
static struct pipit *sync;
static int n_checks;
static int n_failed;

static void
check(bool holds, const char *name)
{
        printf("%sok %d - %s\n", holds ? "" : "not ", ++n_checks, name);
        n_failed += !holds;
}

/* Whether it is an error of that code, whose message has that text in it. */
static bool
says(const struct pipit_error *error, const char *text)
{
        if (error != NULL && error->code == PIPIT_EINVAL && strstr(error->message, text) != NULL)
                return true;
        printf("# %s\n", error != NULL ? error->message : "no error");
        return false;
}

static bool
succeeds(struct pipit_result *res)
{
        const struct pipit_error *error = pipit_result_error(res);

        if (error != NULL)
                printf("# %s\n", error->message);
        return error == NULL;
}

static void
open_all(const char *url)
{
        const struct pipit_options options = {.max_connections = 1, .search_path = "public"};

        base = event_base_new();
        db = pipit_open(base, url, &options);
        sync = pipit_allow_sync(db);
        check(pipit_scope_error(sync) == NULL, "its options open a database");
}

static void
close_all(void)
{
        pipit_close(db);
        event_base_free(base);
}

static void
check_options(void)
{
        struct pipit_options options = {.max_connections = -1};
        struct pipit *other = pipit_open(base, "host=/nowhere", &options);

        check(says(pipit_scope_error(other), "max_connections"), "its options are read");
        pipit_close(other);
        options = (struct pipit_options){.sslmode = "bogus"};
        other = pipit_open(base, "host=/nowhere", &options);
        check(says(pipit_scope_error(other), "sslmode"), "its options are read to their end");
        pipit_close(other);
        options = (struct pipit_options){.reserved[33] = &options};
        other = pipit_open(base, "host=/nowhere", &options);
        check(says(pipit_scope_error(other), "later versions"), "later options are refused");
        pipit_close(other);
}

static void
check_transaction(void)
{
        struct pipit_transaction options = {.max_attempts = -1};
        struct pipit *tx = pipit_begin(sync, &options);

        check(says(pipit_scope_error(tx), "out of range"), "a transaction's options are read");
        pipit_close(tx);
        options = (struct pipit_transaction){.reserved[8] = &options};
        tx = pipit_begin(sync, &options);
        check(says(pipit_scope_error(tx), "later versions"),
              "later options of a transaction are refused");
        pipit_close(tx);
}

static const struct pipit_expr id_node = {.kind = PIPIT_EXPR_FIELD,
                                          .as.column = {.field = &spot_fields[0]}};
static const struct pipit_expr name_node = {.kind = PIPIT_EXPR_FIELD,
                                            .as.column = {.field = &spot_fields[1]}};
static const struct pipit_expr text_node = {.kind = PIPIT_EXPR_VALUE,
                                            .as.value = {PIPIT_KIND_TEXT, 0, 4, {.text = "here"}}};
static const struct pipit_expr zero_node = {.kind = PIPIT_EXPR_VALUE,
                                            .as.value = {PIPIT_KIND_INT, 0, 0, {.int_value = 0}}};
static const struct pipit_expr *const equal_args[] = {&name_node, &text_node};
static const struct pipit_expr *const more_args[] = {&id_node, &zero_node};
static const struct pipit_expr equal = {
        .kind = PIPIT_EXPR_OPERATOR, .op = PIPIT_OP_EQ, .n_args = 2, .args = equal_args};
static const struct pipit_expr more = {
        .kind = PIPIT_EXPR_OPERATOR, .op = PIPIT_OP_GT, .n_args = 2, .args = more_args};
static const struct pipit_expr *const both_args[] = {&equal, &more};
static const struct pipit_expr both = {
        .kind = PIPIT_EXPR_OPERATOR, .op = PIPIT_OP_AND, .n_args = 2, .args = both_args};

/* Whether a select is refused, by an error that has this text in it. */
static bool
is_refused(const struct pipit_model *model, const struct pipit_select *select, const char *text)
{
        pipit_request request = pipit_record_select(sync, model, select, NULL, NULL);

        return says(pipit_result_error(pipit_wait(sync, request)), text);
}

static void
check_select(void)
{
        struct pipit_model other = spot;
        struct pipit_select select = {.where = &both, .limit = -1};
        struct pipit_expr odd = equal;
        struct pipit_order order = {.expr = &id_node};

        check(is_refused(&spot, &select, "LIMIT is negative"), "its clauses are read");
        select = (struct pipit_select){.where = &both};
        other.name = "other";
        check(is_refused(&other, &select, "field \"name\" of \"spot\" is no field of \"other\""),
              "its conditions, fields and models are read");
        select.reserved[16] = &select;
        check(is_refused(&spot, &select, "later versions"), "later clauses are refused");
        odd.reserved = &odd;
        select = (struct pipit_select){.where = &odd};
        check(is_refused(&spot, &select, "later versions"), "later expressions are refused");
        order.reserved[1] = &order;
        select = (struct pipit_select){.order_by = {&order, 1}};
        check(is_refused(&spot, &select, "later versions"), "later orders are refused");
        other.reserved[16] = &other;
        select = (struct pipit_select){.limit = 1};
        check(is_refused(&other, &select, "later versions"), "later models are refused");
}

static void
check_value(void)
{
        struct pipit_value value = {PIPIT_KIND_INT, 1, 0, {.int_value = 7}};
        pipit_request request =
                pipit_query(sync, "SELECT $1", (struct pipit_params){&value, 1}, NULL, NULL);

        check(says(pipit_result_error(pipit_wait(sync, request)), "later versions"),
              "later values are refused");
}

/* The rows that fulfil its condition, the last one first. */
static void
check_rows(void)
{
        const struct pipit_order order = {.expr = &id_node, .descending = true};
        const struct pipit_select select = {.where = &both, .order_by = {&order, 1}, .limit = 2};
        struct pipit_result *res =
                pipit_wait(sync, pipit_record_select(sync, &spot, &select, NULL, NULL));
        const struct spot *row = pipit_record_row(res, &spot, 0);

        check(succeeds(res) && pipit_result_rows(res) == 2, "its rows are found");
        check(row != NULL && row->id == 3 && strcmp(row->name, "here") == 0,
              "its row structs are filled in");
}

static void
check_server(void)
{
        const struct pipit_transaction options = {.isolation = 3, .max_attempts = 1};
        const struct spot row = {.name = "here"};
        const char *names[] = {"a table is created", "and filled"};

        pipit_wait(sync, pipit_record_drop_table(sync, &spot, 2, NULL, NULL));
        check(succeeds(pipit_wait(sync, pipit_record_create_table(sync, &spot, 0, NULL, NULL))),
              names[0]);
        struct pipit *tx = pipit_begin(sync, &options);
        for (int i = 0; i < 3; i++)
                pipit_record_create(tx, &spot, &row, NULL, NULL);
        check(succeeds(pipit_wait(sync, pipit_commit(tx, NULL, NULL))), names[1]);
        check_rows();
        pipit_wait(sync, pipit_record_drop_table(sync, &spot, 0, NULL, NULL));
}

int
main(void)
{
        const char *url = getenv("PIPIT_TEST_URL");

        open_all(url != NULL ? url : "host=/nowhere");
        check_options();
        check_transaction();
        check_select();
        check_value();
        if (url != NULL)
                check_server();
        close_all();
        printf("1..%d\n", n_checks);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
