/*
 * A bump allocator. It owns a chain of blocks, of which only the first has room worth looking at;
 * a large allocation gets a block of its own, behind the first, so that it wastes nothing.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_SIZE = 2048, ARENA_LARGE = ARENA_BLOCK_SIZE / 4 };

struct block {
        struct block *next;
        size_t used;
        size_t size;
        _Alignas(max_align_t) unsigned char data[];
};

struct pipit_arena {
        struct block *first;
};

static struct block *
block_new(size_t size)
{
        struct block *block = NULL;

        if (size <= SIZE_MAX - sizeof(*block))
                block = malloc(sizeof(*block) + size);
        if (block)
                *block = (struct block){.size = size};
        return block;
}

/* Zeroed only now: much of a block may never be used. */
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

        if (!block)
                return NULL;
        if (arena->first) {
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
        if (arena->first && arena->first->size - arena->first->used >= size)
                return block_take(arena->first, size);
        if (size > ARENA_LARGE)
                return arena_large(arena, size);

        struct block *block = block_new(ARENA_BLOCK_SIZE);
        if (!block)
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

        if (copy && length > 0)
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
        if (!arena)
                return NULL;
        while (arena->first) {
                struct block *block = arena->first;

                arena->first = block->next;
                free(block);
        }
        free(arena);
        return NULL;
}
