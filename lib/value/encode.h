/*
 * A C value is encoded here as a parameter, in text or in binary form.
 *
 * The module owns nothing. request/bound_stmt.c and pool/coalesce_params.c call it. What always
 * holds:
 * 1. Text is always right, and is sent while the server infers the type.
 * 2. Binary form is chosen where the type is known, the form says exactly what the text says, and
 *    something is gained.
 * 3. A value that does not fit the type goes out as text, so that the server's own error is the
 * same at the first use of a statement and at all later ones. No number wraps.
 */
#ifndef PIPIT_ENCODE_INTERNAL_H
#define PIPIT_ENCODE_INTERNAL_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A format has the number that the protocol, and libpq, give it. */
enum encoding_format { ENCODING_TEXT = 0, ENCODING_BINARY = 1 };

/*
 * Measures the bytes that a value takes as a parameter of that type, with a NUL behind text; 0 for
 * SQL NULL. oid 0 is a type that is not known. *ret_fits says whether the type keeps all of the
 * value (fits.h). Returns 0, or what pipit__codec_measure() does.
 */
int pipit__encode_measure(const struct pipit_value *value, uint32_t oid, size_t *ret_size,
                          bool *ret_fits);

/* An encoded value was written in this way. */
struct encoded {
        enum encoding_format format;
        size_t length; /* in bytes, without the NUL behind text */
        size_t taken;  /* bytes of out, at most as measured; 0 for SQL NULL */
};

/* Writes a value that can be measured to out, which has the bytes that were measured. */
struct encoded pipit__encode(const struct pipit_value *value, uint32_t oid, char *out);

/* Appends the text of a value that was encoded in binary form: what would have been sent if the
 * type had not been known. Returns 0, or what pipit__binary_text() does. */
int pipit__encode_text(uint32_t oid, const char *data, size_t length, struct buf *out);

#endif
