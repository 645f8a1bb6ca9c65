/*
 * A list links objects that have its node embedded: it is intrusive, doubly linked and circular.
 *
 * A struct list is the head of a list or a node. A list owns nothing: whoever has the object takes
 * its node off before the object is freed. What always holds:
 * 1. A head that is linked to itself is empty, and a node that is linked to itself is in no list.
 *    list_init() and list_remove() leave them so; removing twice is harmless.
 * 2. A node is in one list at most.
 * 3. A list that callbacks may change is never walked with LIST_EACH: move it to a local head with
 *    list_splice() and take nodes off with list_pop_first() until it is empty.
 */
#ifndef PIPIT_LIST_INTERNAL_H
#define PIPIT_LIST_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct list {
        struct list *next;
        struct list *prev;
};

/* Returns the object in which pointer is that member; does not compile if the types differ. */
#define container_of(pointer, type, member)                                                        \
        ((type *)(void *)((char *)(1 ? (pointer) : &((type *)0)->member) - offsetof(type, member)))

/* Visits the nodes from first to last; the body must not remove or add any. */
#define LIST_EACH(node, head)                                                                      \
        for (struct list *node = (head)->next; node != (head); node = node->next)

/* Makes an empty head, or a node that is in no list. */
static inline void
list_init(struct list *list)
{
        list->next = list;
        list->prev = list;
}

/* Whether a list has no node. */
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

/* Takes a node out of its list; does nothing if the node is in none. */
static inline void
list_remove(struct list *node)
{
        node->prev->next = node->next;
        node->next->prev = node->prev;
        list_init(node);
}

/* Puts a node, which is in no list, in front of another one. In front of the head is the end. */
static inline void
list_insert_before(struct list *place, struct list *node)
{
        node->prev = place->prev;
        node->next = place;
        place->prev->next = node;
        place->prev = node;
}

/* Puts a node, which is in no list, at the end of a list. */
static inline void
list_push_back(struct list *list, struct list *node)
{
        list_insert_before(list, node);
}

/* Puts a node, which is in no list, at the start of a list. */
static inline void
list_push_front(struct list *list, struct list *node)
{
        list_insert_before(list->next, node);
}

/* Returns the first node, or NULL if the list is empty. */
static inline struct list *
list_first(const struct list *list)
{
        return list_empty(list) ? NULL : list->next;
}

/* Takes the first node off and returns it, or NULL if the list is empty. */
static inline struct list *
list_pop_first(struct list *list)
{
        struct list *node = list_first(list);

        if (node != NULL)
                list_remove(node);
        return node;
}

/* Moves all nodes of a list, in their order, to the end of another one; from is empty then. */
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
