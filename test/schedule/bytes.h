/*
 * A string of bytes that grows at its end and is eaten from its front. Its memory is the harness's
 * own, and is not counted as the library's.
 */
#ifndef SCHEDULE_BYTES_H
#define SCHEDULE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
        unsigned char *at;
        size_t first; /* where it begins */
        size_t end;
        size_t room;
};

size_t bytes_length(const struct bytes *bytes);
const unsigned char *bytes_head(const struct bytes *bytes);
/* Room for n more at the end; bytes_grew() says how many of them were used. */
unsigned char *bytes_reserve(struct bytes *bytes, size_t n);
void bytes_grew(struct bytes *bytes, size_t n);
void bytes_put(struct bytes *bytes, const void *data, size_t n);
void bytes_eat(struct bytes *bytes, size_t n);
void bytes_clear(struct bytes *bytes);

/* A message of the protocol: begun, filled by the others, ended. */
size_t message_begin(struct bytes *bytes, char type);
void message_int16(struct bytes *bytes, unsigned n);
void message_int32(struct bytes *bytes, uint32_t n);
void message_text(struct bytes *bytes, const char *text);
void message_end(struct bytes *bytes, size_t begun);

uint32_t read_number(const unsigned char *at, size_t size);

#endif
