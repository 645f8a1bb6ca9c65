/*
 * What libpq makes of the URL, which is the same in all runs and takes longer than all the rest of
 * most of them: it is read once, and from then on its copies are given out. While memory is to
 * fail, it is read each time.
 */
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "pq/pq_settings.h"
#include "world.h"

int __real_pipit__pq_settings_read(const char *url, struct pq_settings *ret_settings,
                                   char **ret_problem);
int __wrap_pipit__pq_settings_read(const char *url, struct pq_settings *ret_settings,
                                   char **ret_problem);

static struct pq_settings first;

/* The library frees it, so its memory is counted as the library's. */
static void
settings_copy(const struct pq_settings *from, struct pq_settings *ret_copy)
{
        *ret_copy = *from;
        ret_copy->keys = calloc((size_t)from->n + 1, sizeof(char *));
        ret_copy->values = calloc((size_t)from->n + 1, sizeof(char *));
        if (ret_copy->keys == NULL || ret_copy->values == NULL)
                broken("the harness has no memory");
        for (int i = 0; i < from->n; i++) {
                ret_copy->keys[i] = strdup(from->keys[i]);
                ret_copy->values[i] = strdup(from->values[i]);
                if (ret_copy->keys[i] == NULL || ret_copy->values[i] == NULL)
                        broken("the harness has no memory");
        }
}

int
__wrap_pipit__pq_settings_read(const char *url, struct pq_settings *ret_settings,
                               char **ret_problem)
{
        if (world_memory_fails())
                return __real_pipit__pq_settings_read(url, ret_settings, ret_problem);
        if (first.n == 0) {
                world.harnessing = true;
                if (__real_pipit__pq_settings_read(url, &first, ret_problem) != 0)
                        broken("the URL of the model is wrong");
                world.harnessing = false;
        }
        settings_copy(&first, ret_settings);
        return 0;
}
