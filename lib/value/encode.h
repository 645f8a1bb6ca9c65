/*
 * From C values to parameters, when the parameter's type is known.
 *
 * Text is always right, and is what the server is sent while it infers the types. Binary form is
 * chosen where it says exactly the same and gains something; what does not fit the type goes out as
 * text, so that the server's own error is the same at the first use of a statement and at all later
 * ones. Nothing wraps.
 */
#ifndef PIPIT_ENCODE_INTERNAL_H
#define PIPIT_ENCODE_INTERNAL_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of the protocol, and of libpq. */
enum encoding_format { ENCODING_TEXT = 0, ENCODING_BINARY = 1 };

/*
 * The room that a value takes that goes to a parameter of that type, with a NUL behind text; 0 for
 * SQL NULL. oid 0 is a type that is not known. 0, or what pipit__codec_measure() gives.
 */
int pipit__encode_measure(const struct pipit_value *value, uint32_t oid, size_t *ret_size);

/* How a value has gone out. */
struct encoded {
        enum encoding_format format;
        size_t length; /* without the NUL behind text */
        size_t taken;  /* of the room; 0 for SQL NULL */
};

/* Writes a value that can be measured. */
struct encoded pipit__encode(const struct pipit_value *value, uint32_t oid, char *out);

#endif
