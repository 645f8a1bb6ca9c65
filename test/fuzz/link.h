/*
 * A database whose server says what the fuzzer says. The server is a socket that is served between
 * two turns of the loop: nothing waits, nothing runs besides.
 */
#ifndef TEST_FUZZ_LINK_H
#define TEST_FUZZ_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Opens a database, starts three requests on it, lets its first connection hear these bytes and
 * then the end, and closes the database: each request must have called back once. ready: the bytes
 * come behind a proper set-up of the session, as answers to the requests; else they come first.
 */
void link_try(const uint8_t *data, size_t size, bool ready);

#endif
