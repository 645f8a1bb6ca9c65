/*
 * Blocks are known by their address, since some that are freed here came from elsewhere, as those
 * of vasprintf() do, and must not be subtracted.
 */
#include "heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#define TABLE_SIZE (1 << 17) /* a power of 2; twice the blocks there can be */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);

static struct block {
        uintptr_t address; /* 0: the place is free */
        size_t size;
} table[TABLE_SIZE];
static int n_blocks;
static long n_calls;
static size_t n_bytes;

static size_t
table_place(uintptr_t address)
{
        return (address >> 4) * 2654435761U % TABLE_SIZE;
}

/* The block of that address, or the free place where it would go. */
static struct block *
table_find(uintptr_t address)
{
        size_t at = table_place(address);

        while (table[at].address != 0 && table[at].address != address)
                at = (at + 1) % TABLE_SIZE;
        return &table[at];
}

/* Frees a place, and moves up what can stand nearer to its own. */
static void
table_remove(struct block *block)
{
        size_t hole = (size_t)(block - table);

        for (size_t at = (hole + 1) % TABLE_SIZE; table[at].address != 0;
             at = (at + 1) % TABLE_SIZE) {
                size_t place = table_place(table[at].address);
                if ((at - place) % TABLE_SIZE < (at - hole) % TABLE_SIZE)
                        continue;
                table[hole] = table[at];
                hole = at;
        }
        table[hole] = (struct block){0};
}

static void *
heap_add(void *memory)
{
        n_calls++;
        if (memory == NULL)
                return NULL;
        if (n_blocks == TABLE_SIZE / 2)
                abort();
        struct block *block = table_find((uintptr_t)memory);
        *block = (struct block){(uintptr_t)memory, malloc_usable_size(memory)};
        n_blocks++;
        n_bytes += block->size;
        return memory;
}

static void
heap_remove(uintptr_t address)
{
        struct block *block = table_find(address);

        if (address == 0 || block->address == 0)
                return;
        n_blocks--;
        n_bytes -= block->size;
        table_remove(block);
}

long
heap_calls(void)
{
        return n_calls;
}

size_t
heap_bytes(void)
{
        return n_bytes;
}

void *
__wrap_malloc(size_t size)
{
        return heap_add(__real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
        return heap_add(__real_calloc(n, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
        heap_remove((uintptr_t)old);
        return heap_add(__real_realloc(old, size));
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
        heap_remove((uintptr_t)old);
        return heap_add(__real_reallocarray(old, n, size));
}

char *
__wrap_strdup(const char *text)
{
        return heap_add(__real_strdup(text));
}

void
__wrap_free(void *block)
{
        heap_remove((uintptr_t)block);
        __real_free(block);
}
