/*
 * The arena is a bump allocator. See arena.h.
 *
 * An arena has a chain of blocks and allocates from the first one only. A large allocation gets a
 * block of its own behind the first, whose free room stays in use.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_SIZE = 2048, ARENA_LARGE = ARENA_BLOCK_SIZE / 4 };

struct block {
        struct block *next; /* NULL in the last one */
        size_t used;        /* bytes of data that are given out, from its start on */
        size_t size;        /* bytes of data */
        _Alignas(max_align_t) unsigned char data[];
};

struct pipit_arena {
        struct block *first; /* NULL until the first allocation */
};

static struct block *
block_new(size_t size)
{
        struct block *block = NULL;

        if (size <= SIZE_MAX - sizeof *block)
                block = malloc(sizeof *block + size);
        if (block != NULL)
                *block = (struct block){.size = size};
        return block;
}

/* Gives out the next bytes of a block that has so many. Memory is zeroed here and not with its
 * block, because much of a block may never be used. */
static void *
block_take(struct block *block, size_t size)
{
        void *memory = block->data + block->used;

        block->used += size;
        return memset(memory, 0, size);
}

static void *
arena_large(struct pipit_arena *arena, size_t size)
{
        struct block *block = block_new(size);

        if (block == NULL)
                return NULL;
        if (arena->first != NULL) {
                block->next = arena->first->next;
                arena->first->next = block;
        } else {
                arena->first = block;
        }
        return block_take(block, size);
}

void *
pipit__arena_alloc(struct pipit_arena *arena, size_t size)
{
        const size_t align = _Alignof(max_align_t);

        if (size > SIZE_MAX - align)
                return NULL;
        size = size > 0 ? (size + align - 1) / align * align : align;
        if (arena->first != NULL && arena->first->size - arena->first->used >= size)
                return block_take(arena->first, size);
        if (size > ARENA_LARGE)
                return arena_large(arena, size);

        struct block *block = block_new(ARENA_BLOCK_SIZE);
        if (block == NULL)
                return NULL;
        block->next = arena->first;
        arena->first = block;
        return block_take(block, size);
}

void *
pipit__arena_array(struct pipit_arena *arena, size_t n, size_t size)
{
        return size > 0 && n > SIZE_MAX / size ? NULL : pipit__arena_alloc(arena, n * size);
}

char *
pipit__arena_copy(struct pipit_arena *arena, const void *data, size_t length)
{
        char *copy = length < SIZE_MAX ? pipit__arena_alloc(arena, length + 1) : NULL;

        if (copy != NULL && length > 0)
                memcpy(copy, data, length);
        return copy;
}

struct pipit_arena *
pipit_arena_new(void)
{
        return calloc(1, sizeof(struct pipit_arena));
}

struct pipit_arena *
pipit_arena_free(struct pipit_arena *arena)
{
        if (arena == NULL)
                return NULL;
        while (arena->first != NULL) {
                struct block *block = arena->first;

                arena->first = block->next;
                free(block);
        }
        free(arena);
        return NULL;
}
