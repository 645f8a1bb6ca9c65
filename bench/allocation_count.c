/*
 * A malloc() of the program's own stands before that of the C library, in all the libraries too.
 * Who called is told by the return address: pipit is linked statically, so its code lies between
 * the program's first byte and its last.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "allocation.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);

extern const char __executable_start[]; /* both are the linker's */
extern const char etext[];

static uint64_t n_all;
static uint64_t n_own;

static void
count(const void *caller)
{
        n_all++;
        n_own += (const char *)caller >= __executable_start && (const char *)caller < etext;
}

void *
malloc(size_t size)
{
        count(__builtin_return_address(0));
        return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
        count(__builtin_return_address(0));
        return __libc_calloc(n, size);
}

void *
realloc(void *memory, size_t size)
{
        count(__builtin_return_address(0));
        return __libc_realloc(memory, size);
}

bool
allocation_is_counted(void)
{
        return true;
}

void
allocation_count(uint64_t *ret_all, uint64_t *ret_own)
{
        *ret_all = n_all;
        *ret_own = n_own;
}
