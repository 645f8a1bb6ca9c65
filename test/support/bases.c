#include "bases.h"

#include <check.h>
#include <event2/event.h>
#include <string.h>

static const struct {
        const char *name;
        const char *method; /* the only one that is left; NULL: libevent chooses */
        int flags;          /* of enum event_base_config_flag */
} kinds[N_BASES] = {
        {.name = "default"},
        {.name = "no cache", .flags = EVENT_BASE_FLAG_NO_CACHE_TIME},
        {.name = "no lock", .flags = EVENT_BASE_FLAG_NOLOCK},
        {.name = "changelist", .flags = EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST},
        {.name = "precise timer", .flags = EVENT_BASE_FLAG_PRECISE_TIMER},
        {.name = "all flags",
         .flags = EVENT_BASE_FLAG_NO_CACHE_TIME | EVENT_BASE_FLAG_NOLOCK |
                  EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST | EVENT_BASE_FLAG_PRECISE_TIMER},
        {.name = "poll", .method = "poll"},
        {.name = "select", .method = "select"},
        {.name = "poll, no cache", .method = "poll", .flags = EVENT_BASE_FLAG_NO_CACHE_TIME},
};

struct event_base *
base_new(int kind)
{
        struct event_config *config = event_config_new();
        const char **methods = event_get_supported_methods();

        ck_assert_ptr_nonnull(config);
        for (int i = 0; methods[i] != NULL && kinds[kind].method != NULL; i++) {
                if (strcmp(methods[i], kinds[kind].method) != 0)
                        event_config_avoid_method(config, methods[i]);
        }
        event_config_set_flag(config, kinds[kind].flags);
        struct event_base *base = event_base_new_with_config(config);
        event_config_free(config);
        ck_assert_ptr_nonnull(base);
        if (kinds[kind].method != NULL)
                ck_assert_str_eq(event_base_get_method(base), kinds[kind].method);
        return base;
}

const char *
base_name(int kind)
{
        return kinds[kind].name;
}
