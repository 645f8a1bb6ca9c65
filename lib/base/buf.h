/*
 * Text that grows.
 *
 * The text is always NUL-terminated. When memory runs out the buffer remembers it, keeps what it
 * has and ignores everything after: callers append without looking and ask once, at the end.
 */
#ifndef PIPIT_BUF_INTERNAL_H
#define PIPIT_BUF_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
        char *data; /* NULL until something was appended */
        size_t length;
        size_t capacity;
        bool failed; /* memory ran out: what is here is not all */
};

void pipit__buf_init(struct buf *buf);
void pipit__buf_fini(struct buf *buf);

/* Empties it for another use, keeps its memory and forgets a failure. */
void pipit__buf_clear(struct buf *buf);

void pipit__buf_add(struct buf *buf, const void *data, size_t length);
void pipit__buf_add_text(struct buf *buf, const char *text);
void pipit__buf_add_char(struct buf *buf, char c);

/* The text, owned by the buffer and valid until its next change; never NULL. */
const char *pipit__buf_text(const struct buf *buf);

/* Takes the text out; the caller frees it. NULL when memory ran out. Leaves the buffer empty. */
char *pipit__buf_take(struct buf *buf);

#endif
