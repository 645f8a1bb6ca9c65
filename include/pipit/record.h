/*
 * Records
 *
 * A record is a row of a model's table; the functions here write a record from its row struct, and
 * read it into one. They serve every model. PIPIT_MODEL() makes typed functions of them,
 * page_block_create() and so on, and a C program calls these.
 *
 * Each function with a callback starts one request, as request.h says, and copies what it needs of
 * its arguments before it returns. A model is borrowed for good, so it must be static. A NULL
 * model, and a NULL row or condition where one is needed, fail with PIPIT_EINVAL.
 *
 * pipit_record_row() reads the rows of a result: for a select, all rows that were found; for a
 * write, the row as the table has it now, with the defaults and keys that the server filled in.
 *
 * For each member a row struct has a byte in `null` (enum pipit_member), and a write goes by both:
 *
 *      byte                 member          written is
 *      PIPIT_MEMBER_VALUE   any             the member as it stands; a NULL pointer is NULL
 *      PIPIT_MEMBER_NULL    any             NULL
 *      PIPIT_MEMBER_UNSET   all bytes zero  the server's default, or NULL if the column has none
 *      PIPIT_MEMBER_UNSET   any other       the member as it stands
 *
 * pipit_record_init() marks as unset each field with .default_sql, and each nullable field without
 * a default. So what is assigned after it goes out, and what is not assigned is the server's; only
 * for a 0, false or zero uuid in such a field the program sets the byte to PIPIT_MEMBER_VALUE too.
 * In a row that was made without pipit_record_init(), and in one that came from the database, no
 * member is unset.
 *
 * An insert leaves two values to the server's default as well, whatever their byte says: a
 * generated key that is 0 (a serial, or a primary key with .default_sql), and a NULL pointer in a
 * field that is not nullable and has a default. An update leaves nothing but unset members to it.
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

/** Flags of pipit_record_create_table() and pipit_record_drop_table(); 0 for none. */
enum pipit_table_flags {
        PIPIT_IF_NOT_EXISTS = 1 << 0, /**< a table or an index that exists is no error */
        PIPIT_IF_EXISTS = 1 << 1,     /**< a table that does not exist is no error */
        PIPIT_CASCADE = 1 << 2        /**< drops everything that depends on the table, too */
};

/** The clauses of a select. Zero means the default. The size never changes: clauses of later
 * versions take the place of reserved members. */
struct pipit_select {
        const struct pipit_expr *where; /**< condition; borrowed; NULL for all rows */
        struct pipit_orders order_by;   /**< order; borrowed; {NULL, 0} for none */
        int64_t limit;                  /**< greatest number of rows; 0 for all; not negative */
        int64_t offset;                 /**< number of rows to leave out first; not negative */
        void *reserved[16];             /**< room for later versions; NULL, else PIPIT_EINVAL */
};

/**
 * Empties a row struct and fills in the defaults that its model declares. Each field with
 * .default_sql, and each nullable field without a default, becomes PIPIT_MEMBER_UNSET: as long as
 * nothing is assigned to its member, a write has the server's default for it, or NULL.
 *
 * @param model  borrowed for good
 * @param row    the model's row struct; overwritten. Its texts point to the model's constants,
 *               which the program must not free
 */
PIPIT_API void pipit_record_init(const struct pipit_model *model, void *row);

/**
 * Returns one row of a result as the model's row struct.
 *
 * @param res    the result of one of the functions below, for the same model; borrowed
 * @param model  the model of the row; borrowed for good
 * @param row    the row's number, from 0
 * @return the row struct, owned by @a res with everything it points to; the program may change its
 *         members. NULL if there is no such row, if the request failed, or if the result is of
 *         another model or of none
 */
PIPIT_API void *
pipit_record_row(struct pipit_result *res, const struct pipit_model *model, int row);

/**
 * Inserts a new row. The struct that is given stays as it is and gets no key: go on with row 0 of
 * the result. PIPIT_ENOTFOUND says that the INSERT returned no row, because a trigger left it out.
 *
 * @param scope  where the request runs; NULL returns 0
 * @param model  borrowed for good
 * @param row    the model's row struct; copied, with its texts and bytes
 * @param cb     called exactly once, from the loop, never before this returns; may be NULL. Row 0
 *               of its result is the row that was inserted
 * @param arg    passed to @a cb; not touched
 * @return the request's number; 0 if memory ran out, and then @a cb is not called
 */
PIPIT_API pipit_request pipit_record_create(struct pipit *scope, const struct pipit_model *model,
                                            const void *row, pipit_cb cb, void *arg);

/**
 * Saves a row: updates one that came from the database, that is from pipit_record_row() or a copy
 * of it, and inserts any other. See pipit_record_create().
 */
PIPIT_API pipit_request pipit_record_save(struct pipit *scope, const struct pipit_model *model,
                                          const void *row, pipit_cb cb, void *arg);

/** Inserts a row, even one that came from the database. See pipit_record_create(). */
PIPIT_API pipit_request pipit_record_insert(struct pipit *scope, const struct pipit_model *model,
                                            const void *row, pipit_cb cb, void *arg);

/**
 * Updates every field of the table's row that has this row's primary key. If there is none, the
 * request fails with PIPIT_ENOTFOUND; a model that has no primary key, or nothing else, fails with
 * PIPIT_EINVAL. See pipit_record_create().
 */
PIPIT_API pipit_request pipit_record_update(struct pipit *scope, const struct pipit_model *model,
                                            const void *row, pipit_cb cb, void *arg);

/**
 * Deletes the table's row that has this row's primary key; the result has no rows. If there is
 * none, the request fails with PIPIT_ENOTFOUND; a model without primary key fails with
 * PIPIT_EINVAL. See pipit_record_create().
 */
PIPIT_API pipit_request pipit_record_delete(struct pipit *scope, const struct pipit_model *model,
                                            const void *row, pipit_cb cb, void *arg);

/**
 * Finds rows. A select is a read, as pipit_read() describes it.
 *
 * @param scope   where the request runs; NULL returns 0
 * @param model   borrowed for good
 * @param select  the clauses, borrowed until this returns; NULL for all rows. In C, pipit_select()
 *                writes them
 * @param cb      called exactly once, from the loop, never before this returns; may be NULL
 * @param arg     passed to @a cb; not touched
 * @return the request's number; 0 if memory ran out, and then @a cb is not called
 */
PIPIT_API pipit_request pipit_record_select(struct pipit *scope, const struct pipit_model *model,
                                            const struct pipit_select *select, pipit_cb cb,
                                            void *arg);

/**
 * Finds one row. If no row fulfils the condition, the request fails with PIPIT_ENOTFOUND; of
 * several rows any one is taken. A get is a read, as pipit_read() describes it, and gets by one key
 * coalesce (pipit_set_coalesce()).
 *
 * @param scope  where the request runs; NULL returns 0
 * @param model  borrowed for good
 * @param where  the condition, borrowed until this returns; NULL fails with PIPIT_EINVAL
 * @param cb     called exactly once, from the loop, never before this returns; may be NULL
 * @param arg    passed to @a cb; not touched
 * @return the request's number; 0 if memory ran out, and then @a cb is not called
 */
PIPIT_API pipit_request pipit_record_get(struct pipit *scope, const struct pipit_model *model,
                                         const struct pipit_expr *where, pipit_cb cb, void *arg);

/** Finds one row, or none: the request then succeeds with 0 rows. See pipit_record_get(). */
PIPIT_API pipit_request pipit_record_get_or_none(struct pipit *scope,
                                                 const struct pipit_model *model,
                                                 const struct pipit_expr *where, pipit_cb cb,
                                                 void *arg);

/**
 * Creates the table of a model, and its indexes.
 *
 * Each index is a statement of its own, which runs after that of the table. The first statement
 * that fails ends the request; tables and indexes that were created before it stay, unless all of
 * it runs in a transaction.
 *
 * @param scope  where the request runs; NULL returns 0
 * @param model  borrowed for good
 * @param flags  PIPIT_IF_NOT_EXISTS or 0
 * @param cb     called exactly once, from the loop, never before this returns; may be NULL
 * @param arg    passed to @a cb; not touched
 * @return the request's number; 0 if memory ran out, and then @a cb is not called
 */
PIPIT_API pipit_request pipit_record_create_table(struct pipit *scope,
                                                  const struct pipit_model *model, unsigned flags,
                                                  pipit_cb cb, void *arg);

/**
 * Drops the table of a model. The flags are PIPIT_IF_EXISTS, PIPIT_CASCADE or 0. See
 * pipit_record_create_table().
 */
PIPIT_API pipit_request pipit_record_drop_table(struct pipit *scope,
                                                const struct pipit_model *model, unsigned flags,
                                                pipit_cb cb, void *arg);

#ifndef __cplusplus

/**
 * Finds rows; the members of struct pipit_select are its clauses:
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
