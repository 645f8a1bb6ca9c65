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

/* How a value goes out, and in how many bytes. */
struct encoding {
        enum encoding_format format;
        size_t size; /* room for it, with a NUL behind text; 0 for SQL NULL */
};

/*
 * Chooses how a value goes to a parameter of that type; oid 0 for a type that is not known. 0, or
 * what pipit__codec_measure() gives.
 */
int
pipit__encode_measure(const struct pipit_value *value, uint32_t oid, struct encoding *ret_encoding);

/* Writes a value that was measured, and is not NULL; returns its length, without the NUL of text.
 */
size_t
pipit__encode(const struct pipit_value *value, uint32_t oid, struct encoding encoding, char *out);

#endif
