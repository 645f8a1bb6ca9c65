/*
 * Records: the rows of a model's table, written from and read into its row struct.
 *
 * These functions serve every model; PIPIT_MODEL() makes typed ones of them, page_block_create()
 * and so on, which are what a C program calls. Each starts one request (see request.h for when and
 * how often its callback is called) and copies what it needs of its arguments before it returns;
 * models are never copied and must be static. A NULL model, row or condition that must be there
 * fails with PIPIT_EINVAL. The rows of a result are there for pipit_record_row(): of a select all
 * that were found, of a write the row as the table has it now, with the defaults and keys that the
 * server filled in.
 *
 * What goes out: every member as it stands, NULL when its bool in `null` is set or when it is a
 * NULL pointer. An insert leaves two things to the server's default instead: a generated key that
 * is 0 (a serial, or a primary key with .default_sql), and a NULL pointer in a field that is not
 * nullable and has a default.
 */
#ifndef PIPIT_RECORD_H
#define PIPIT_RECORD_H

#include <pipit/export.h>
#include <pipit/expr.h>
#include <pipit/request.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pipit;
struct pipit_model;
struct pipit_result;

/** For create_table and drop_table; 0 for none of them. */
enum pipit_table_flags {
        PIPIT_IF_NOT_EXISTS = 1 << 0, /**< a table or an index that is there is no error */
        PIPIT_IF_EXISTS = 1 << 1,     /**< a table that is not there is no error */
        PIPIT_CASCADE = 1 << 2        /**< drops what depends on the table, too */
};

/** What a select asks for. Zero means the default; new members are added at the end. */
struct pipit_select {
        void *reserved[4];              /**< NULL */
        const struct pipit_expr *where; /**< borrowed; NULL for all rows */
        struct pipit_orders order_by;   /**< borrowed; {NULL, 0} for no order */
        int64_t limit;                  /**< at most so many rows; 0 for all; not negative */
        int64_t offset;                 /**< leave out so many first; not negative */
};

/**
 * Makes a row empty, with the declared defaults in it. What .default_sql declares stays empty: the
 * server fills it in.
 *
 * @param model  borrowed for good
 * @param row    the model's row struct, overwritten; its text points to the model's constants
 */
PIPIT_API void pipit_record_init(const struct pipit_model *model, void *row);

/**
 * One row of a result.
 *
 * @param res    of one of the functions below, for the same model
 * @param model  decides what is read and how
 * @param row    from 0
 * @return owned by @a res, with everything it points to, and free to be changed; NULL when there is
 *         no such row, the request failed, or the result is of no or another model
 */
PIPIT_API void *
pipit_record_row(struct pipit_result *res, const struct pipit_model *model, int row);

/**
 * Inserts a new row. The struct itself stays as it is, without a new key: row 0 of the result is
 * what to go on with.
 *
 * @param scope  where it runs; NULL returns 0
 * @param model  borrowed for good
 * @param row    the model's row struct; copied
 * @param cb     called exactly once, from the loop, never before this returns; may be NULL. Row 0
 *               of its result is the row that was inserted
 * @param arg    passed to @a cb; not touched
 * @return the request's number; 0 when memory ran out, then @a cb is not called
 */
PIPIT_API pipit_request pipit_record_create(struct pipit *scope, const struct pipit_model *model,
                                            const void *row, pipit_cb cb, void *arg);

/**
 * Updates a row that came from the database, that is from pipit_record_row() or a copy of it, and
 * inserts any other. See pipit_record_create().
 */
PIPIT_API pipit_request pipit_record_save(struct pipit *scope, const struct pipit_model *model,
                                          const void *row, pipit_cb cb, void *arg);

/** Inserts a row, wherever it came from. See pipit_record_create(). */
PIPIT_API pipit_request pipit_record_insert(struct pipit *scope, const struct pipit_model *model,
                                            const void *row, pipit_cb cb, void *arg);

/**
 * Updates every field of the row that has this row's primary key. PIPIT_ENOTFOUND when there is
 * none; PIPIT_EINVAL for a model without primary key, or with nothing else. See
 * pipit_record_create().
 */
PIPIT_API pipit_request pipit_record_update(struct pipit *scope, const struct pipit_model *model,
                                            const void *row, pipit_cb cb, void *arg);

/**
 * Deletes the row that has this row's primary key; its result has no rows. PIPIT_ENOTFOUND when
 * there is none; PIPIT_EINVAL for a model without primary key. See pipit_record_create().
 */
PIPIT_API pipit_request pipit_record_delete(struct pipit *scope, const struct pipit_model *model,
                                            const void *row, pipit_cb cb, void *arg);

/**
 * Finds rows.
 *
 * @param scope   where it runs; NULL returns 0
 * @param model   borrowed for good
 * @param select  borrowed until this returns; NULL for all rows. In C, pipit_select() writes it
 * @param cb      called exactly once, from the loop, never before this returns; may be NULL
 * @param arg     passed to @a cb; not touched
 * @return the request's number; 0 when memory ran out, then @a cb is not called
 */
PIPIT_API pipit_request pipit_record_select(struct pipit *scope, const struct pipit_model *model,
                                            const struct pipit_select *select, pipit_cb cb,
                                            void *arg);

/**
 * Finds one row; PIPIT_ENOTFOUND when there is none. Of several any one is taken.
 *
 * @param scope  where it runs; NULL returns 0
 * @param model  borrowed for good
 * @param where  borrowed until this returns; NULL fails with PIPIT_EINVAL
 * @param cb     called exactly once, from the loop, never before this returns; may be NULL
 * @param arg    passed to @a cb; not touched
 * @return the request's number; 0 when memory ran out, then @a cb is not called
 */
PIPIT_API pipit_request pipit_record_get(struct pipit *scope, const struct pipit_model *model,
                                         const struct pipit_expr *where, pipit_cb cb, void *arg);

/** Finds one row or none: then the result has 0 rows. See pipit_record_get(). */
PIPIT_API pipit_request pipit_record_get_or_none(struct pipit *scope,
                                                 const struct pipit_model *model,
                                                 const struct pipit_expr *where, pipit_cb cb,
                                                 void *arg);

/**
 * Creates the table and its indexes.
 *
 * Each index is a statement of its own, run after the table's. The first that fails ends the
 * request; what was created before it stays.
 *
 * @param scope  where it runs; NULL returns 0
 * @param model  borrowed for good
 * @param flags  PIPIT_IF_NOT_EXISTS or 0
 * @param cb     called exactly once, from the loop, never before this returns; may be NULL
 * @param arg    passed to @a cb; not touched
 * @return the request's number; 0 when memory ran out, then @a cb is not called
 */
PIPIT_API pipit_request pipit_record_create_table(struct pipit *scope,
                                                  const struct pipit_model *model, unsigned flags,
                                                  pipit_cb cb, void *arg);

/** Drops the table; PIPIT_IF_EXISTS, PIPIT_CASCADE or 0. See pipit_record_create_table(). */
PIPIT_API pipit_request pipit_record_drop_table(struct pipit *scope,
                                                const struct pipit_model *model, unsigned flags,
                                                pipit_cb cb, void *arg);

#ifndef __cplusplus

/**
 * Finds rows, by clauses of struct pipit_select:
 *
 *      pipit_select(db, page_block_model, cb, arg, .where = pipit_gt(page_block_model.id, 7),
 *                   .order_by = PIPIT_ORDER(pipit_asc(page_block_model.key)), .limit = 10);
 */
#define pipit_select(...) PIPIT_SELECT_(__VA_ARGS__, )
#define PIPIT_SELECT_(scope, object, cb, arg, ...)                                                 \
        pipit_record_select((scope), &(object).model,                                              \
                            &(const struct pipit_select){.reserved = {NULL}, __VA_ARGS__}, (cb),   \
                            (arg))

#endif

#ifdef __cplusplus
}
#endif

#endif
