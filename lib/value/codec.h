/*
 * Between C values and the server's text.
 *
 * Every value travels as text with an unspecified type, so that the server infers the type from
 * the statement. Nothing here depends on the program's locale or time zone, and nothing wraps: what
 * does not fit is PIPIT_ETYPE.
 */
#ifndef PIPIT_CODEC_INTERNAL_H
#define PIPIT_CODEC_INTERNAL_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the text of any value that is neither text nor bytes, its NUL included. */
enum { PIPIT__CODEC_SCALAR_SIZE = 64 };

/*
 * The room that a value's text needs, its NUL included: exact for text, bytes and integers, enough
 * for all others, 0 for SQL NULL. Returns 0, PIPIT_EINVAL for a kind that has no text, or
 * PIPIT_ETYPE for text with a NUL in it and for what could never fit into memory.
 */
int pipit__codec_measure(const struct pipit_value *value, size_t *ret_size);

/*
 * Writes the text of a value that was measured, and is not NULL, with a NUL behind it; returns its
 * length without the NUL.
 */
size_t pipit__codec_encode(const struct pipit_value *value, char *out);

/*
 * Readers of the server's text, which need not be NUL-terminated: 0, or PIPIT_ETYPE when it is no
 * such value or does not fit; then nothing is written. A timestamp without a zone is UTC.
 */
int pipit__codec_read_bool(const char *text, size_t length, bool *ret);
int pipit__codec_read_int16(const char *text, size_t length, int16_t *ret);
int pipit__codec_read_int32(const char *text, size_t length, int32_t *ret);
int pipit__codec_read_int64(const char *text, size_t length, int64_t *ret);
int pipit__codec_read_float(const char *text, size_t length, float *ret);
int pipit__codec_read_double(const char *text, size_t length, double *ret);
int pipit__codec_read_timestamp(const char *text, size_t length, struct pipit_timestamp *ret);
int pipit__codec_read_uuid(const char *text, size_t length, struct pipit_uuid *ret);

/* Decodes \x... into out, which has room for length / 2 bytes; on failure out holds rubbish. */
int pipit__codec_read_bytes(const char *text, size_t length, void *out, size_t *ret_length);

#endif
