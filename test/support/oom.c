#include "oom.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);

static bool armed;
static bool failed;
static int left; /* how many allocations succeed before the one that fails */

void
oom_after(int n)
{
        armed = true;
        failed = false;
        left = n;
}

bool
oom_stop(void)
{
        armed = false;
        return failed;
}

static bool
oom_now(void)
{
        if (!armed || left-- > 0)
                return false;
        armed = false;
        failed = true;
        return true;
}

void *
__wrap_malloc(size_t size)
{
        return oom_now() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
        return oom_now() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
        return oom_now() ? NULL : __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
        return oom_now() ? NULL : __real_reallocarray(old, n, size);
}

char *
__wrap_strdup(const char *text)
{
        return oom_now() ? NULL : __real_strdup(text);
}
