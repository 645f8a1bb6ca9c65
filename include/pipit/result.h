/*
 * Results
 *
 * A result holds the outcome of a request: rows, or an error. A callback borrows its result, and
 * the result is freed after the callback has returned; pipit_result_ref() keeps it for longer, even
 * beyond its scope. Everything that is taken out of a result (strings, decoded rows, the error) is
 * owned by it and lives as long as it.
 *
 * Every function here accepts NULL, and the results of failed requests, which have no rows. Nothing
 * checks on which thread a result is used: keep it on the thread of its scope. Most functions take
 * these parameters:
 *
 * @param res     the result; borrowed. Reading may add decoded values to it, and changes nothing
 *                else
 * @param row     the row's number, from 0
 * @param column  the column's number, from 0, as pipit_column() returns it
 */
#ifndef PIPIT_RESULT_H
#define PIPIT_RESULT_H

#include <pipit/error.h>
#include <pipit/export.h>
#include <pipit/request.h>
#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The outcome of a request. References to a result are counted, and the last one frees it: one is
 * pipit's, which it drops after the callback, and each pipit_result_ref() adds one.
 */
struct pipit_result;

/**
 * Keeps a result: adds a reference to it.
 *
 * @param res  the caller frees the reference with pipit_result_unref(); NULL does nothing
 * @return @a res
 */
PIPIT_API struct pipit_result *pipit_result_ref(struct pipit_result *res);

/**
 * Drops a reference that pipit_result_ref() has added; the last one frees the result.
 *
 * @param res  NULL does nothing
 * @return NULL, so that `res = pipit_result_unref(res)` leaves no pointer to freed memory
 */
PIPIT_API struct pipit_result *pipit_result_unref(struct pipit_result *res);

/** Tells whether the request failed; true for NULL. */
PIPIT_API bool pipit_failed(const struct pipit_result *res);

/** Returns the error of a failed request, owned by @a res; NULL if the request succeeded. */
PIPIT_API const struct pipit_error *pipit_result_error(const struct pipit_result *res);

/** Returns the error's message, owned by @a res; "" if the request succeeded. Never NULL. */
PIPIT_API const char *pipit_error_text(const struct pipit_result *res);

/** Returns the scope that the request ran on; NULL if that has ended and its memory is freed. */
PIPIT_API struct pipit *pipit_result_scope(const struct pipit_result *res);

/** Returns how many rows came back; 0 after a failure. */
PIPIT_API int pipit_result_rows(const struct pipit_result *res);

/** Returns how many columns a row has; 0 after a failure. */
PIPIT_API int pipit_result_columns(const struct pipit_result *res);

/**
 * Returns how many rows an INSERT, UPDATE, DELETE, MERGE or SELECT touched, as the command tag
 * says; 0 for other statements and after a failure.
 */
PIPIT_API int64_t pipit_result_affected(const struct pipit_result *res);

/** Returns the command tag, as "INSERT 0 1", owned by @a res; "" if there is none. */
PIPIT_API const char *pipit_result_tag(const struct pipit_result *res);

/** Returns a column's name, owned by @a res; NULL if there is no such column. */
PIPIT_API const char *pipit_result_column_name(const struct pipit_result *res, int column);

/**
 * Finds a column by its name. If several columns have that name, the first of them counts.
 *
 * @param res   the result
 * @param name  the name as the server gives it, in the same case; borrowed until this returns
 * @return the column's number, from 0; -1 if no column has that name, and every getter refuses -1
 */
PIPIT_API int pipit_column(const struct pipit_result *res, const char *name);

/** Tells whether a value is NULL; true if there is no such row or column. */
PIPIT_API bool pipit_result_null(const struct pipit_result *res, int row, int column);

/**
 * Returns a value as the server's text, whether the server sent it as text or in binary form.
 *
 * @param res     the result
 * @param row     the row's number, from 0
 * @param column  the column's number, from 0
 * @return NUL-terminated UTF-8, owned by @a res. NULL for SQL NULL, and if there is no such row or
 *         column. A value in binary form is also NULL if memory ran out, if its bytes are no value
 *         of its type, and if its text is too long; pipit_result_bytes() then tells which, by
 *         PIPIT_ENOMEM, PIPIT_ETYPE or PIPIT_ELIMIT. A text is too long with which those that were
 *         made of the result's values would have more than max_result_bytes in sum, and one of more
 *         than 147,457 bytes (the longest numeric) and 32 for each byte of its value
 */
PIPIT_API const char *pipit_result_text(const struct pipit_result *res, int row, int column);

/** Returns the length of pipit_result_text() in bytes, without the NUL; 0 for NULL. */
PIPIT_API size_t pipit_result_length(const struct pipit_result *res, int row, int column);

/**
 * Reads a value as a C value. Nothing wraps and nothing is cut: a value that does not fit is
 * refused with PIPIT_ETYPE.
 *
 * @param res        the result
 * @param row        the row's number, from 0
 * @param column     the column's number, from 0
 * @param ret_value  the value; written only on success
 * @return 0; PIPIT_EINVAL if there is no such row or column, or @a ret_value is NULL;
 *         PIPIT_ENOTFOUND if the value is NULL; PIPIT_ETYPE if it is of another kind or out of
 *         range; PIPIT_ELIMIT if it is read by way of a text that is too long (see
 *         pipit_result_text()); PIPIT_ENOMEM
 */
PIPIT_API int
pipit_result_bool(const struct pipit_result *res, int row, int column, bool *ret_value);
/** Reads an integer of 16 bits. See pipit_result_bool(). */
PIPIT_API int
pipit_result_int16(const struct pipit_result *res, int row, int column, int16_t *ret_value);
/** Reads an integer of 32 bits. See pipit_result_bool(). */
PIPIT_API int
pipit_result_int32(const struct pipit_result *res, int row, int column, int32_t *ret_value);
/** Reads an integer of 64 bits. See pipit_result_bool(). */
PIPIT_API int
pipit_result_int64(const struct pipit_result *res, int row, int column, int64_t *ret_value);
/** Reads a number in single precision. See pipit_result_bool(). */
PIPIT_API int
pipit_result_float(const struct pipit_result *res, int row, int column, float *ret_value);
/** Reads a number in double precision. See pipit_result_bool(). */
PIPIT_API int
pipit_result_double(const struct pipit_result *res, int row, int column, double *ret_value);
/**
 * Reads a bytea. See pipit_result_bool(). The bytes are owned by the result; each call may add a
 * copy to it.
 */
PIPIT_API int
pipit_result_bytes(struct pipit_result *res, int row, int column, struct pipit_bytes *ret_value);
/**
 * Reads a timestamp or a date. See pipit_result_bool(). A value without time zone counts as UTC,
 * and a date as its midnight. Text of the server must have the style ISO: see
 * pipit_item_timestamp().
 */
PIPIT_API int pipit_result_timestamp(const struct pipit_result *res, int row, int column,
                                     struct pipit_timestamp *ret_value);
/** Reads a UUID. See pipit_result_bool(). */
PIPIT_API int pipit_result_uuid(const struct pipit_result *res, int row, int column,
                                struct pipit_uuid *ret_value);

#ifdef __cplusplus
}
#endif

#endif
