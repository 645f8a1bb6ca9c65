/*
 * Results: what a request ended with, rows or an error.
 *
 * A result is borrowed in a callback and freed behind it; pipit_result_ref() keeps it, also beyond
 * its scope. Everything taken out of it (strings, decoded rows, the error) lives as long as it.
 * Every function here accepts NULL and results of failed requests, which have no rows. What most
 * of them take is documented here:
 *
 * @param res     the result; not changed, but for what it keeps of decoded values
 * @param row     which row, from 0
 * @param column  which column, from 0, or what pipit_column() returned
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
 * Keeps a result.
 *
 * @param res  counted up; caller frees with pipit_result_unref()
 * @return @a res
 */
PIPIT_API struct pipit_result *pipit_result_ref(struct pipit_result *res);

/**
 * Drops a reference that pipit_result_ref() gave; the last one frees the result.
 *
 * @param res  counted down
 * @return NULL, so that `res = pipit_result_unref(res)` leaves nothing behind
 */
PIPIT_API struct pipit_result *pipit_result_unref(struct pipit_result *res);

/** Whether the request failed; true for NULL. */
PIPIT_API bool pipit_failed(const struct pipit_result *res);

/** The error of a failed request, owned by @a res; NULL when it succeeded. */
PIPIT_API const struct pipit_error *pipit_result_error(const struct pipit_result *res);

/** The error's message, owned by @a res; "" when the request succeeded. Never NULL. */
PIPIT_API const char *pipit_error_text(const struct pipit_result *res);

/** The scope the request ran on; NULL when that has ended and its memory is gone. */
PIPIT_API struct pipit *pipit_result_scope(const struct pipit_result *res);

/** How many rows came back; 0 after a failure. */
PIPIT_API int pipit_result_rows(const struct pipit_result *res);

/** How many columns a row has; 0 after a failure. */
PIPIT_API int pipit_result_columns(const struct pipit_result *res);

/** How many rows an INSERT, UPDATE, DELETE, MERGE or SELECT touched, as its command tag says; 0 for
 * other statements and after a failure. */
PIPIT_API int64_t pipit_result_affected(const struct pipit_result *res);

/** The command tag, as "INSERT 0 1", owned by @a res; "" when there is none. */
PIPIT_API const char *pipit_result_tag(const struct pipit_result *res);

/** A column's name, owned by @a res; NULL when there is no such column. Columns count from 0. */
PIPIT_API const char *pipit_result_column_name(const struct pipit_result *res, int column);

/**
 * A column's place.
 *
 * @param res   the result
 * @param name  as the server gives it; case matters. Of several columns the first
 * @return from 0; -1 when no column has that name, which every getter refuses
 */
PIPIT_API int pipit_column(const struct pipit_result *res, const char *name);

/** Whether a value is NULL; true for what is not there at all. Rows and columns count from 0. */
PIPIT_API bool pipit_result_null(const struct pipit_result *res, int row, int column);

/**
 * A value as the server's text, also where the server sent it in binary form.
 *
 * @param res     the result
 * @param row     from 0
 * @param column  from 0
 * @return NUL-terminated UTF-8, owned by @a res; NULL for NULL and for what is not there, and where
 *         text has to be made: without memory, and for bytes that are no value of their type
 */
PIPIT_API const char *pipit_result_text(const struct pipit_result *res, int row, int column);

/** The length of pipit_result_text() in bytes, 0 for NULL. */
PIPIT_API size_t pipit_result_length(const struct pipit_result *res, int row, int column);

/**
 * A value as a C value. Nothing wraps and nothing is cut: a value that does not fit is PIPIT_ETYPE.
 *
 * @param res        the result
 * @param row        from 0
 * @param column     from 0
 * @param ret_value  written only on success
 * @return 0; PIPIT_EINVAL when there is no such row or column, or no @a ret_value;
 *         PIPIT_ENOTFOUND when the value is NULL; PIPIT_ETYPE when it is no such value or out of
 *         range; PIPIT_ENOMEM
 */
PIPIT_API int
pipit_result_bool(const struct pipit_result *res, int row, int column, bool *ret_value);
/** See pipit_result_bool(). */
PIPIT_API int
pipit_result_int16(const struct pipit_result *res, int row, int column, int16_t *ret_value);
/** See pipit_result_bool(). */
PIPIT_API int
pipit_result_int32(const struct pipit_result *res, int row, int column, int32_t *ret_value);
/** See pipit_result_bool(). */
PIPIT_API int
pipit_result_int64(const struct pipit_result *res, int row, int column, int64_t *ret_value);
/** See pipit_result_bool(). */
PIPIT_API int
pipit_result_float(const struct pipit_result *res, int row, int column, float *ret_value);
/** See pipit_result_bool(). */
PIPIT_API int
pipit_result_double(const struct pipit_result *res, int row, int column, double *ret_value);
/** See pipit_result_bool(); the bytes are owned by the result, which may get a copy of its own by
 * each call. */
PIPIT_API int
pipit_result_bytes(struct pipit_result *res, int row, int column, struct pipit_bytes *ret_value);
/** See pipit_result_bool(); what has no zone is taken as UTC, and a date as its midnight. */
PIPIT_API int pipit_result_timestamp(const struct pipit_result *res, int row, int column,
                                     struct pipit_timestamp *ret_value);
/** See pipit_result_bool(). */
PIPIT_API int pipit_result_uuid(const struct pipit_result *res, int row, int column,
                                struct pipit_uuid *ret_value);

#ifdef __cplusplus
}
#endif

#endif
