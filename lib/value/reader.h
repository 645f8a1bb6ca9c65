/*
 * A reader is the part of a value in binary form that is left to read.
 *
 * The reader borrows the value and owns nothing. What always holds:
 * 1. Nothing is read beyond the end.
 * 2. A reader remembers that it failed and gives zeros from then on, so callers read without
 * looking and ask once, at the end: reader_done().
 *
 * The modules of value/ read what a server sent through one, and so does result/.
 */
#ifndef PIPIT_READER_INTERNAL_H
#define PIPIT_READER_INTERNAL_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
        const uint8_t *at;
        const uint8_t *end;
        bool failed; /* the value ended too early or is no such value; at is end then */
};

/* Returns a reader of a whole value. */
static inline struct reader
reader_of(const void *data, size_t length)
{
        const uint8_t *at = data;

        return (struct reader){at, at + length, false};
}

/* Returns how many bytes are left. */
static inline size_t
reader_left(const struct reader *in)
{
        return (size_t)(in->end - in->at);
}

/* Whether all of the value was read, and was good. */
static inline bool
reader_done(const struct reader *in)
{
        return !in->failed && in->at == in->end;
}

/* Says that the value is no such value. */
static inline void
reader_fail(struct reader *in)
{
        in->failed = true;
        in->at = in->end;
}

/* Passes over the next bytes and returns their place, borrowed from the value; NULL, and the reader
 * fails, if there are not so many. */
static inline const uint8_t *
reader_take(struct reader *in, size_t length)
{
        const uint8_t *at = in->at;

        if (in->failed || length > reader_left(in)) {
                reader_fail(in);
                return NULL;
        }
        in->at += length;
        return at;
}

/* Reads an unsigned number of up to 8 bytes, which stands in network order. Only where it is
 * inlined, and so knows its size, is it the few instructions that it should be; the compiler does
 * not foresee that. */
static inline __attribute__((always_inline)) uint64_t
reader_number(struct reader *in, size_t size)
{
        const uint8_t *at = reader_take(in, size);
        uint64_t bits = 0;

        if (at == NULL)
                return 0;
        memcpy(&bits, at, size);
        return be64toh(bits) >> 8 * (sizeof bits - size);
}

static inline uint8_t
reader_u8(struct reader *in)
{
        return (uint8_t)reader_number(in, 1);
}

static inline uint16_t
reader_u16(struct reader *in)
{
        return (uint16_t)reader_number(in, 2);
}

static inline int16_t
reader_i16(struct reader *in)
{
        return (int16_t)reader_number(in, 2);
}

static inline uint32_t
reader_u32(struct reader *in)
{
        return (uint32_t)reader_number(in, 4);
}

static inline int32_t
reader_i32(struct reader *in)
{
        return (int32_t)reader_number(in, 4);
}

static inline uint64_t
reader_u64(struct reader *in)
{
        return reader_number(in, 8);
}

static inline int64_t
reader_i64(struct reader *in)
{
        return (int64_t)reader_number(in, 8);
}

/* Reads a value inside of this one, with its length in front, -1 for NULL. False if the value is
 * NULL, or the reader fails. */
static inline bool
reader_value(struct reader *in, struct reader *ret_value)
{
        int32_t length = reader_i32(in);

        if (length < -1)
                reader_fail(in);
        const uint8_t *at = length >= 0 ? reader_take(in, (size_t)length) : NULL;
        if (at == NULL)
                return false;
        *ret_value = reader_of(at, (size_t)length);
        return true;
}

#endif
