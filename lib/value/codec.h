/*
 * The codec goes between C values and the server's text.
 *
 * The module owns nothing. A value travels as text with an unspecified type until the type of its
 * parameter is known, so that the server infers the type from the statement. What always holds:
 * 1. Nothing depends on the program's locale or time zone.
 * 2. No number wraps: one that does not fit is PIPIT_ETYPE.
 * 3. A double goes out with the fewest digits that are read back as it. A float does as the double
 *    that it is, so that it is one number to every type.
 *
 * encode.c and sql/ write values, decode.c and result/ read them.
 */
#ifndef PIPIT_CODEC_INTERNAL_H
#define PIPIT_CODEC_INTERNAL_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text of any value that is neither text nor bytes fits into so many bytes, its NUL included.
 */
enum { PIPIT__CODEC_SCALAR_SIZE = 64 };

/*
 * Measures the bytes that a value's text needs, its NUL included: exactly for text, bytes and
 * integers, enough for all others, 0 for SQL NULL. 0; PIPIT_EINVAL for a value that has no text, as
 * a bad decimal; PIPIT_ETYPE for text with a NUL in it, or for a value that no memory could hold.
 */
int pipit__codec_measure(const struct pipit_value *value, size_t *ret_size);

/*
 * Writes the text of a value that was measured, and is not NULL, with a NUL behind it. Returns the
 * length without the NUL.
 */
size_t pipit__codec_encode(const struct pipit_value *value, char *out);

/*
 * Each reads the server's text, which need not be NUL-terminated. 0, or PIPIT_ETYPE if the text is
 * no such value or does not fit; nothing is written then. A timestamp without a zone is UTC.
 */
int pipit__codec_read_bool(const char *text, size_t length, bool *ret);
int pipit__codec_read_int16(const char *text, size_t length, int16_t *ret);
int pipit__codec_read_int32(const char *text, size_t length, int32_t *ret);
int pipit__codec_read_int64(const char *text, size_t length, int64_t *ret);
int pipit__codec_read_float(const char *text, size_t length, float *ret);
int pipit__codec_read_double(const char *text, size_t length, double *ret);
int pipit__codec_read_timestamp(const char *text, size_t length, struct pipit_timestamp *ret);
int pipit__codec_read_uuid(const char *text, size_t length, struct pipit_uuid *ret);

/* Reads \x... into out, which has room for length / 2 bytes. 0, or PIPIT_ETYPE with rubbish in out.
 */
int pipit__codec_read_bytes(const char *text, size_t length, void *out, size_t *ret_length);
/* Reads a bytea in the style escape: backslashes are doubled, and \377 and the like are
 * bytes. out has room for length bytes. */
int pipit__codec_read_escaped(const char *text, size_t length, void *out, size_t *ret_length);

#endif
