/*
 * Shapes. See shape.h.
 */
#include "request/shape.h"

#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cold.h"

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION     HASH_FNV /* the default one falls through in a switch */
#include <uthash.h>

/* Texts that the table knows at most, when none of them is prepared. */
#define SHAPES_MAX 256
/* Bytes of their texts at most, and of one of them: longer ones are hardly ever said again. */
#define SHAPES_MAX_BYTES ((size_t)1 << 20)
#define SHAPE_MAX_LENGTH ((size_t)1 << 14)

struct shape_node {
        struct shape shape;
        struct list link; /* in the table's used */
        struct shapes *shapes;
        bool known; /* by the table */
        UT_hash_handle hh;
        char sql[];
};

int
pipit__shapes_init(struct shapes *shapes, int n_slots)
{
        *shapes = (struct shapes){.max = n_slots > 0 ? n_slots : SHAPES_MAX};
        list_init(&shapes->used);
        /* Without randomness the time of the machine's start is still not another machine's. */
        if (getrandom(&shapes->random, sizeof shapes->random, 0) != sizeof shapes->random)
                shapes->random = (uint64_t)(uintptr_t)shapes;
        shapes->free_slots = calloc((size_t)shapes->max, sizeof *shapes->free_slots);
        if (shapes->free_slots == NULL)
                return PIPIT_ENOMEM;
        while (shapes->n_free_slots < n_slots) {
                shapes->free_slots[shapes->n_free_slots] = shapes->n_free_slots;
                shapes->n_free_slots++;
        }
        return 0;
}

static void
node_free(struct shape_node *node)
{
        free(node->shape.types);
        free(node);
}

/* The table forgets it; whoever refers to it keeps it. */
static void
node_drop(struct shape_node *node)
{
        struct shapes *shapes = node->shapes;

        for (int i = 0; i < SHAPES_HINTS; i++) {
                if (shapes->hints[i] == node)
                        shapes->hints[i] = NULL;
        }
        HASH_DEL(shapes->nodes, node);
        list_remove(&node->link);
        shapes->n--;
        shapes->bytes -= node->shape.length;
        if (node->shape.slot >= 0)
                shapes->free_slots[shapes->n_free_slots++] = node->shape.slot;
        node->shape.slot = -1;
        node->known = false;
        if (node->shape.refs == 0)
                node_free(node);
}

void
pipit__shapes_fini(struct shapes *shapes)
{
        while (shapes->nodes != NULL)
                node_drop(shapes->nodes);
        free(shapes->free_slots);
}

/* Forgets what was used longest ago, until one more text has room; what is in use stays. */
static bool
shapes_make_room(struct shapes *shapes, size_t length)
{
        struct list *link = shapes->used.prev;

        while ((shapes->n >= shapes->max || shapes->bytes + length > SHAPES_MAX_BYTES) &&
               link != &shapes->used) {
                struct shape_node *node = container_of(link, struct shape_node, link);
                link = link->prev;
                if (node->shape.refs == 0)
                        node_drop(node);
        }
        return shapes->n < shapes->max && shapes->bytes + length <= SHAPES_MAX_BYTES;
}

static COLD struct shape_node *
node_new(struct shapes *shapes, const char *sql, size_t length)
{
        struct shape_node *node = malloc(sizeof *node + length + 1);

        if (node == NULL)
                return NULL;
        memset(node, 0, sizeof *node);
        list_init(&node->link);
        node->shapes = shapes;
        memcpy(node->sql, sql, length);
        node->sql[length] = '\0';
        node->shape.sql = node->sql;
        node->shape.length = length;
        node->shape.slot = -1;
        node->shape.n_types = -1;
        node->shape.serial = ++shapes->serial;
        pipit__shapes_name(shapes, node->shape.serial, node->shape.name);
        return node;
}

/* Puts a new one into the table, if there is room. 0 or PIPIT_ENOMEM. */
static COLD int
shapes_add(struct shapes *shapes, struct shape_node *node)
{
        size_t length = node->shape.length;

        if (length > SHAPE_MAX_LENGTH || !shapes_make_room(shapes, length))
                return 0;
        HASH_ADD_KEYPTR(hh, shapes->nodes, node->sql, length, node);
        if (node->hh.tbl == NULL) /* no memory: uthash has taken it out again */
                return PIPIT_ENOMEM;
        node->known = true;
        list_push_front(&shapes->used, &node->link);
        shapes->n++;
        shapes->bytes += length;
        if (shapes->n_free_slots > 0)
                node->shape.slot = shapes->free_slots[--shapes->n_free_slots];
        return 0;
}

/* One that the table knows; NULL when it does not. */
static struct shape_node *
shapes_find(struct shapes *shapes, const char *sql)
{
        struct shape_node **hint = &shapes->hints[((uintptr_t)sql >> 4) % SHAPES_HINTS];
        struct shape_node *node = *hint;

        /* Most texts are constants of the program: always at the same place. */
        if (node != NULL && strcmp(node->sql, sql) == 0)
                return node;
        HASH_FIND(hh, shapes->nodes, sql, strlen(sql), node);
        if (node != NULL)
                *hint = node;
        return node;
}

struct shape *
pipit__shapes_get(struct shapes *shapes, const char *sql)
{
        struct shape_node *node = shapes_find(shapes, sql);

        if (node != NULL) {
                if (shapes->used.next != &node->link) {
                        list_remove(&node->link);
                        list_push_front(&shapes->used, &node->link);
                }
                return pipit__shape_ref(&node->shape);
        }
        node = node_new(shapes, sql, strlen(sql));
        if (node != NULL && shapes_add(shapes, node) != 0) {
                node_free(node);
                node = NULL;
        }
        return node != NULL ? pipit__shape_ref(&node->shape) : NULL;
}

struct shape *
pipit__shape_ref(struct shape *shape)
{
        shape->refs++;
        return shape;
}

void
pipit__shape_unref(struct shape *shape)
{
        if (shape == NULL || --shape->refs > 0)
                return;
        struct shape_node *node = container_of(shape, struct shape_node, shape);
        if (!node->known)
                node_free(node);
}

bool
pipit__shape_is_known(const struct shape *shape)
{
        const char *node = (const char *)shape - offsetof(struct shape_node, shape);

        return ((const struct shape_node *)(const void *)node)->known;
}

void
pipit__shapes_name(const struct shapes *shapes, uint64_t serial, char out[SHAPE_NAME_SIZE])
{
        snprintf(out, SHAPE_NAME_SIZE, "pipit_%016llx_%llx", (unsigned long long)shapes->random,
                 (unsigned long long)serial);
}

void
pipit__shape_learn(struct shape *shape, int n_types, const uint32_t *types, bool is_binary)
{
        size_t size = (size_t)n_types * sizeof *types;
        uint32_t *copy;

        /* It may have been asked on several connections. */
        if (shape->n_types >= 0 || (copy = malloc(size > 0 ? size : 1)) == NULL)
                return;
        memcpy(copy, types, size);
        shape->types = copy;
        shape->n_types = n_types;
        shape->is_binary = is_binary;
}

struct shape *
pipit__shape_renew(struct shape *shape)
{
        struct shape_node *node = container_of(shape, struct shape_node, shape);

        if (node->known)
                node_drop(node);
        return pipit__shapes_get(node->shapes, shape->sql);
}
