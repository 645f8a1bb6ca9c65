/*
 * A buf is text that grows.
 *
 * The buf owns its memory. What always holds:
 * 1. The text has a NUL behind it.
 * 2. A buf that ran out of memory, or of the bytes that it may have, remembers that, keeps the text
 *    that it has and ignores what is appended from then on. So callers append without looking and
 *    ask once, at the end: the text is complete if failed is false.
 *
 * value/ and sql/ write into one, and so do those above that put a text together.
 */
#ifndef PIPIT_BUF_INTERNAL_H
#define PIPIT_BUF_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
        char *data;      /* NULL until something was appended */
        size_t length;   /* of the text, without its NUL */
        size_t capacity; /* of data, in bytes; more than length unless data is NULL */
        size_t max;      /* of length; growing beyond it fails */
        bool failed;     /* the text is not complete: memory ran out, or max was not enough */
        bool full;       /* max was the cause of the failure */
};

/* Makes a buf empty; it owns nothing yet, and may grow as long as there is memory. */
void pipit__buf_init(struct buf *buf);
/* Frees the text; the buf is then as pipit__buf_init() leaves it. */
void pipit__buf_fini(struct buf *buf);

/* Empties a buf for another use: its memory and its max are kept, its failure forgotten. */
void pipit__buf_clear(struct buf *buf);

/* Lowers max, unless it is less already. Returns what it was, to be put back. */
size_t pipit__buf_limit(struct buf *buf, size_t max);

/* Appends a copy of length bytes; data may be NULL if length is 0. */
void pipit__buf_add(struct buf *buf, const void *data, size_t length);
/* Appends a copy of a string. */
void pipit__buf_add_text(struct buf *buf, const char *text);
/* Appends one byte. */
void pipit__buf_add_char(struct buf *buf, char c);

/* Returns the text, never NULL; borrowed until the next change of the buf. */
const char *pipit__buf_text(const struct buf *buf);

/* Takes the text out, which the caller frees; NULL if memory ran out. The buf is empty either way.
 */
char *pipit__buf_take(struct buf *buf);

#endif
