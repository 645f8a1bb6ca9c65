/*
 * Intrusive doubly linked lists.
 *
 * A struct list is either a head or a node that is embedded in the thing it links. Both start, and
 * are left by list_remove(), linked to themselves: removing twice is harmless, and a node can tell
 * whether it is in a list.
 *
 * A list that callbacks may change is never walked with LIST_EACH: move it to a local head with
 * list_splice() and take nodes off with list_pop_first() until it is empty.
 */
#ifndef PIPIT_LIST_INTERNAL_H
#define PIPIT_LIST_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct list {
        struct list *next;
        struct list *prev;
};

/* The object in which pointer is a member; does not compile when pointer is no such member's. */
#define container_of(pointer, type, member)                                                        \
        ((type *)(void *)((char *)(1 ? (pointer) : &((type *)0)->member) - offsetof(type, member)))

/* Visits the nodes from first to last; the body must not remove or add any. */
#define LIST_EACH(node, head)                                                                      \
        for (struct list *node = (head)->next; node != (head); node = node->next)

static inline void
list_init(struct list *list)
{
        list->next = list;
        list->prev = list;
}

static inline bool
list_empty(const struct list *list)
{
        return list->next == list;
}

/* Whether a node is in a list. */
static inline bool
list_linked(const struct list *node)
{
        return node->next != node;
}

/* Takes a node out of its list, if it is in one. */
static inline void
list_remove(struct list *node)
{
        node->prev->next = node->next;
        node->next->prev = node->prev;
        list_init(node);
}

/* Puts a node, which is in no list, in front of another one; in front of the head is the end. */
static inline void
list_insert_before(struct list *place, struct list *node)
{
        node->prev = place->prev;
        node->next = place;
        place->prev->next = node;
        place->prev = node;
}

static inline void
list_push_back(struct list *list, struct list *node)
{
        list_insert_before(list, node);
}

static inline void
list_push_front(struct list *list, struct list *node)
{
        list_insert_before(list->next, node);
}

/* The first node, NULL when there is none. */
static inline struct list *
list_first(const struct list *list)
{
        return list_empty(list) ? NULL : list->next;
}

/* Takes the first node off; NULL when there is none. */
static inline struct list *
list_pop_first(struct list *list)
{
        struct list *node = list_first(list);

        if (node)
                list_remove(node);
        return node;
}

/* Moves all nodes of one list, in their order, to the end of another; leaves the first empty. */
static inline void
list_splice(struct list *to, struct list *from)
{
        if (list_empty(from))
                return;
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        list_init(from);
}

#endif
