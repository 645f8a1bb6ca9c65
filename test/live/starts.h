/*
 * Every function that starts a request, as it should be called and in every way in which it should
 * not: the tables of test_misuse.c.
 */
#ifndef TEST_STARTS_H
#define TEST_STARTS_H

#include <pipit/pipit.h>

#define THING(FIELD)                                                                               \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(text, name)
PIPIT_MODEL(thing, THING);
PIPIT_MODEL_DEFINE(thing, THING, .table = "misused_thing");

static const struct pipit_params none;
static const struct thing row = {.id = 1, .name = "x"};

static const struct pipit_transaction serializable = {.isolation = PIPIT_SERIALIZABLE};

static void
body_of_nothing(struct pipit *scope, void *arg)
{
        (void)scope;
        (void)arg;
}

/* ---- functions that start a request */

typedef pipit_request (*start_fn)(struct pipit *scope, pipit_cb cb, void *arg);

#define START(name, call)                                                                          \
        static pipit_request start_##name(struct pipit *scope, pipit_cb cb, void *arg)             \
        {                                                                                          \
                return call;                                                                       \
        }

START(query, pipit_query(scope, "SELECT 1", none, cb, arg))
START(read, pipit_read(scope, "SELECT 1", none, cb, arg))
START(create, pipit_record_create(scope, &thing_model.model, &row, cb, arg))
START(save, pipit_record_save(scope, &thing_model.model, &row, cb, arg))
START(insert, pipit_record_insert(scope, &thing_model.model, &row, cb, arg))
START(update, pipit_record_update(scope, &thing_model.model, &row, cb, arg))
START(delete, pipit_record_delete(scope, &thing_model.model, &row, cb, arg))
START(select, pipit_record_select(scope, &thing_model.model, NULL, cb, arg))
START(get, pipit_record_get(scope, &thing_model.model, pipit_eq(thing_model.id, 1), cb, arg))
START(get_or_none,
      pipit_record_get_or_none(scope, &thing_model.model, pipit_eq(thing_model.id, 1), cb, arg))
START(create_table, pipit_record_create_table(scope, &thing_model.model, 0, cb, arg))
START(drop_table, pipit_record_drop_table(scope, &thing_model.model, 0, cb, arg))
START(session, pipit_session(scope, body_of_nothing, cb, arg))
START(atomic, pipit_atomic(scope, body_of_nothing, cb, arg))
START(atomic_with, pipit_atomic_with(scope, &serializable, body_of_nothing, cb, arg))
START(drain, pipit_drain(scope, 1000, cb, arg))

static const start_fn starts[] = {
        start_query,   start_read,        start_create,       start_save,
        start_insert,  start_update,      start_delete,       start_select,
        start_get,     start_get_or_none, start_create_table, start_drop_table,
        start_session, start_atomic,      start_atomic_with,  start_drain};
enum { N_STARTS = sizeof starts / sizeof *starts, N_DRAIN = N_STARTS - 1 };

/* ---- the same with an argument that is missing or makes no sense */

START(query_without_sql, pipit_query(scope, NULL, none, cb, arg))
START(query_without_values,
      pipit_query(scope, "SELECT $1", (struct pipit_params){NULL, 1}, cb, arg))
START(query_of_less_than_no_values,
      pipit_query(scope, "SELECT 1", (struct pipit_params){NULL, -1}, cb, arg))
START(query_of_a_pointer,
      pipit_query(scope, "SELECT $1", PIPIT_PARAMS((const void *)&row), cb, arg))
START(read_without_sql, pipit_read(scope, NULL, none, cb, arg))
START(create_without_model, pipit_record_create(scope, NULL, &row, cb, arg))
START(create_without_row, pipit_record_create(scope, &thing_model.model, NULL, cb, arg))
START(save_without_model, pipit_record_save(scope, NULL, &row, cb, arg))
START(save_without_row, pipit_record_save(scope, &thing_model.model, NULL, cb, arg))
START(insert_without_model, pipit_record_insert(scope, NULL, &row, cb, arg))
START(insert_without_row, pipit_record_insert(scope, &thing_model.model, NULL, cb, arg))
START(update_without_model, pipit_record_update(scope, NULL, &row, cb, arg))
START(update_without_row, pipit_record_update(scope, &thing_model.model, NULL, cb, arg))
START(delete_without_model, pipit_record_delete(scope, NULL, &row, cb, arg))
START(delete_without_row, pipit_record_delete(scope, &thing_model.model, NULL, cb, arg))
START(select_without_model, pipit_record_select(scope, NULL, NULL, cb, arg))
START(get_without_model, pipit_record_get(scope, NULL, pipit_eq(thing_model.id, 1), cb, arg))
START(get_without_condition, pipit_record_get(scope, &thing_model.model, NULL, cb, arg))
START(get_or_none_without_model,
      pipit_record_get_or_none(scope, NULL, pipit_eq(thing_model.id, 1), cb, arg))
START(get_or_none_without_condition,
      pipit_record_get_or_none(scope, &thing_model.model, NULL, cb, arg))
START(create_table_without_model, pipit_record_create_table(scope, NULL, 0, cb, arg))
START(create_table_of_wrong_flags,
      pipit_record_create_table(scope, &thing_model.model, PIPIT_CASCADE, cb, arg))
START(drop_table_without_model, pipit_record_drop_table(scope, NULL, 0, cb, arg))
START(drop_table_of_wrong_flags,
      pipit_record_drop_table(scope, &thing_model.model, PIPIT_IF_NOT_EXISTS, cb, arg))
START(session_without_body, pipit_session(scope, NULL, cb, arg))
START(atomic_without_body, pipit_atomic(scope, NULL, cb, arg))
START(atomic_with_without_body, pipit_atomic_with(scope, NULL, NULL, cb, arg))
START(atomic_with_of_wrong_options,
      pipit_atomic_with(scope, &(struct pipit_transaction){.max_attempts = -1}, body_of_nothing, cb,
                        arg))
START(commit_of_no_transaction, pipit_commit(scope, cb, arg))
START(rollback_of_no_transaction, pipit_rollback(scope, cb, arg))
START(select_of_less_than_no_rows, pipit_select(scope, thing_model, cb, arg, .limit = -1))
START(select_of_an_order_without_keys,
      pipit_select(scope, thing_model, cb, arg, .order_by = {NULL, 1}))
START(select_of_an_empty_condition,
      pipit_select(scope, thing_model, cb, arg, .where = &(struct pipit_expr){.n_args = 0}))
START(select_of_an_and_of_nothing,
      pipit_select(scope, thing_model, cb, arg,
                   .where = &(struct pipit_expr){
                           .kind = PIPIT_EXPR_OPERATOR, .op = PIPIT_OP_AND, .n_args = 1}))
START(select_of_a_list_without_values,
      pipit_select(scope, thing_model, cb, arg,
                   .where = pipit_in(thing_model.id, ((struct pipit_params){NULL, 3}))))

static const start_fn refused[] = {start_query_without_sql,
                                   start_read_without_sql,
                                   start_query_without_values,
                                   start_query_of_less_than_no_values,
                                   start_query_of_a_pointer,
                                   start_create_without_model,
                                   start_create_without_row,
                                   start_save_without_model,
                                   start_save_without_row,
                                   start_insert_without_model,
                                   start_insert_without_row,
                                   start_update_without_model,
                                   start_update_without_row,
                                   start_delete_without_model,
                                   start_delete_without_row,
                                   start_select_without_model,
                                   start_get_without_model,
                                   start_get_without_condition,
                                   start_get_or_none_without_model,
                                   start_get_or_none_without_condition,
                                   start_create_table_without_model,
                                   start_create_table_of_wrong_flags,
                                   start_drop_table_without_model,
                                   start_drop_table_of_wrong_flags,
                                   start_select_of_less_than_no_rows,
                                   start_select_of_an_order_without_keys,
                                   start_select_of_an_empty_condition,
                                   start_select_of_an_and_of_nothing,
                                   start_select_of_a_list_without_values,
                                   start_session_without_body,
                                   start_atomic_without_body,
                                   start_atomic_with_without_body,
                                   start_atomic_with_of_wrong_options,
                                   start_commit_of_no_transaction,
                                   start_rollback_of_no_transaction};
enum { N_REFUSED = sizeof refused / sizeof *refused };

#endif
