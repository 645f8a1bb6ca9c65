#include "memory.h"

#include <errno.h>
#include <execinfo.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* The sanitizer's own names for its functions, or the C library's. */
#ifdef SANITIZED
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *old, size_t size);
void REAL(free)(void *block);

#ifdef SANITIZED
/* The leak check knows the dynamic loader's memory by the caller of malloc(), which is this file.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
        return "leak:_dl_\nleak:dl_open_worker\n";
}
#endif

#define MAX_WHERE 24

static bool counting;
static bool armed;
static enum memory_mode fail_mode;
static long fail_point;
static long n_tried;
static long n_failed;
static long balance;
static void *where[MAX_WHERE];
static int n_where;

void
memory_start(long point, enum memory_mode mode)
{
        fail_point = point;
        fail_mode = mode;
        n_tried = 0;
        n_failed = 0;
        balance = 0;
        n_where = 0;
        counting = true;
        armed = true;
}

void
memory_stop(void)
{
        counting = false;
        armed = false;
}

void
memory_pause(void)
{
        armed = false;
}

void
memory_resume(void)
{
        armed = true;
}

long
memory_tried(void)
{
        return n_tried;
}

bool
memory_failed(void)
{
        return n_failed > 0;
}

long
memory_balance(void)
{
        return balance;
}

int
memory_where(void **ret_addresses, int max)
{
        int n = n_where < max ? n_where : max;

        memcpy(ret_addresses, where, (size_t)n * sizeof *where);
        return n;
}

/* Whether this allocation is one that fails. */
static bool
fails(void)
{
        if (!armed)
                return false;
        long number = n_tried++;
        if (fail_point < 0 || number < fail_point ||
            (fail_mode == MEMORY_ONCE && number > fail_point))
                return false;
        if (n_failed++ == 0) {
                armed = false;
                n_where = backtrace(where, MAX_WHERE);
                armed = true;
        }
        errno = ENOMEM;
        return true;
}

static void *
counted(void *block)
{
        balance += counting && block != NULL;
        return block;
}

void *
malloc(size_t size)
{
        return fails() ? NULL : counted(REAL(malloc)(size));
}

void *
calloc(size_t n, size_t size)
{
        return fails() ? NULL : counted(REAL(calloc)(n, size));
}

void *
realloc(void *old, size_t size)
{
        if (fails())
                return NULL;
        void *block = REAL(realloc)(old, size);
        /* A size of 0 frees. */
        if (counting && old == NULL && block != NULL)
                balance++;
        else if (counting && old != NULL && block == NULL && size == 0)
                balance--;
        return block;
}

void *
reallocarray(void *old, size_t n, size_t size)
{
        if (size != 0 && n > SIZE_MAX / size) {
                errno = ENOMEM;
                return NULL;
        }
        return realloc(old, n * size);
}

char *
strndup(const char *text, size_t n)
{
        size_t length = strnlen(text, n);
        char *copy = malloc(length + 1);

        if (copy == NULL)
                return NULL;
        memcpy(copy, text, length);
        copy[length] = '\0';
        return copy;
}

char *
strdup(const char *text)
{
        return strndup(text, SIZE_MAX);
}

void
free(void *block)
{
        balance -= counting && block != NULL;
        REAL(free)(block);
}
