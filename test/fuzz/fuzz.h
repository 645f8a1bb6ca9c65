/*
 * What the fuzz targets share. Each is one file that defines LLVMFuzzerTestOneInput(), for
 * libFuzzer or for replay.c, and ends the program when it finds a fault.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tries one input; 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, with a word about why, unless it holds. */
#define MUST(condition) fuzz_must((condition), #condition, __FILE__, __LINE__)
void fuzz_must(bool holds, const char *condition, const char *file, int line);

/* The input as text, up to its first NUL; the caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Whether text is UTF-8 without control characters. */
bool fuzz_is_clean(const char *text);

#endif
