/*
 * The world. See world.h.
 */
#include "world.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

#define MAX_ALARMS 256
#define START_MS   1000000
#define DAY_MS     86400000
/* libevent looks at the clock in each of its rounds. */
#define MAX_LOOKS 100000

struct world world;

/* What fails, and when. */
struct fault {
        bool armed;
        bool sticky;
        int left; /* how many succeed before */
};

static struct fault memory_fault;
static struct fault event_fault;
static bool has_failed;

/* Moments for which something was armed; some of them may be stale. */
static int64_t alarms[MAX_ALARMS];
static int n_alarms;
static int n_looks; /* at the clock, since the loop was turned last */
static int64_t n_turns;
static world_broken_fn on_broken;

struct pg_conn;
struct pg_result;

int __real_event_add(struct event *event, const struct timeval *timeout);
int __wrap_event_add(struct event *event, const struct timeval *timeout);
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
int __real_vasprintf(char **ret_text, const char *format, va_list args);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_vasprintf(char **ret_text, const char *format, va_list args);
int __wrap___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args);
void __wrap_free(void *block);
struct pg_result *__real_PQgetResult(struct pg_conn *pq);
void __real_PQclear(struct pg_result *result);
struct pg_conn *
__real_PQconnectStartParams(const char *const *keys, const char *const *values, int expand);
void __real_PQfinish(struct pg_conn *pq);
struct pg_result *__wrap_PQgetResult(struct pg_conn *pq);
void __wrap_PQclear(struct pg_result *result);
struct pg_conn *
__wrap_PQconnectStartParams(const char *const *keys, const char *const *values, int expand);
void __wrap_PQfinish(struct pg_conn *pq);

void
world_on_broken(world_broken_fn fn)
{
        on_broken = fn;
}

void
broken(const char *format, ...)
{
        char text[600];
        va_list args;

        world.harnessing = true;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        trace("BROKEN: %s", text);
        if (on_broken != NULL)
                on_broken(text);
        fprintf(stderr, "%s\n", text);
        abort();
}

void
trace(const char *format, ...)
{
        va_list args;

        if (!world.tracing)
                return;
        fprintf(stderr, "%8lld  ", (long long)(world.now_ms - START_MS));
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
}

void
world_note(uint64_t what)
{
        world.digest = (world.digest ^ what) * 0x100000001b3u;
        world.digest ^= world.digest >> 29;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
        if (!world.running)
                return (int)syscall(SYS_clock_gettime, id, ts);
        if (++n_looks > MAX_LOOKS)
                broken("I12: the loop turns and turns");
        ts->tv_sec = (time_t)(world.now_ms / 1000);
        ts->tv_nsec = (long)(world.now_ms % 1000 * 1000000);
        return 0;
}

/* No clock of this world is coarse. */
int
clock_getres(clockid_t id, struct timespec *ts)
{
        (void)id;
        *ts = (struct timespec){0};
        return 0;
}

static bool
fault_strikes(struct fault *fault)
{
        if (!fault->armed || world.harnessing || fault->left-- > 0)
                return false;
        fault->left = 0;
        fault->armed = fault->sticky;
        has_failed = true;
        return true;
}

/* Counts a block that the library got. */
static void *
got(void *block)
{
        if (block != NULL && !world.harnessing)
                world.n_blocks++;
        return block;
}

void *
__wrap_malloc(size_t size)
{
        return fault_strikes(&memory_fault) ? NULL : got(__real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
        return fault_strikes(&memory_fault) ? NULL : got(__real_calloc(n, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
        if (fault_strikes(&memory_fault))
                return NULL;
        void *block = __real_realloc(old, size);
        return old == NULL ? got(block) : block;
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
        if (fault_strikes(&memory_fault))
                return NULL;
        void *block = __real_reallocarray(old, n, size);
        return old == NULL ? got(block) : block;
}

char *
__wrap_strdup(const char *text)
{
        return fault_strikes(&memory_fault) ? NULL : got(__real_strdup(text));
}

char *
__wrap_strndup(const char *text, size_t n)
{
        return fault_strikes(&memory_fault) ? NULL : got(__real_strndup(text, n));
}

int
__wrap_vasprintf(char **ret_text, const char *format, va_list args)
{
        if (fault_strikes(&memory_fault))
                return -1;
        int n = __real_vasprintf(ret_text, format, args);
        got(n >= 0 ? *ret_text : NULL);
        return n;
}

/* What vasprintf() is with _FORTIFY_SOURCE. */
int
__wrap___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args)
{
        (void)flag;
        return __wrap_vasprintf(ret_text, format, args);
}

void
__wrap_free(void *block)
{
        if (block != NULL && !world.harnessing)
                world.n_blocks--;
        __real_free(block);
}

/* Drops the moments that are over. */
static void
alarms_tidy(void)
{
        int n = 0;

        for (int i = 0; i < n_alarms; i++) {
                if (alarms[i] > world.now_ms)
                        alarms[n++] = alarms[i];
        }
        n_alarms = n;
}

int
__wrap_event_add(struct event *event, const struct timeval *timeout)
{
        /* Only descriptors can be refused: libevent always has room for a timer that was there. */
        if (timeout == NULL && fault_strikes(&event_fault))
                return -1;
        if (n_alarms == MAX_ALARMS)
                alarms_tidy();
        if (timeout != NULL && n_alarms < MAX_ALARMS)
                alarms[n_alarms++] =
                        world.now_ms + (int64_t)timeout->tv_sec * 1000 + timeout->tv_usec / 1000;
        return __real_event_add(event, timeout);
}

struct pg_result *
__wrap_PQgetResult(struct pg_conn *pq)
{
        struct pg_result *result = __real_PQgetResult(pq);

        if (result != NULL)
                world.n_results++;
        return result;
}

void
__wrap_PQclear(struct pg_result *result)
{
        if (result != NULL)
                world.n_results--;
        __real_PQclear(result);
}

struct pg_conn *
__wrap_PQconnectStartParams(const char *const *keys, const char *const *values, int expand)
{
        struct pg_conn *pq = __real_PQconnectStartParams(keys, values, expand);

        if (pq != NULL && ++world.n_links > world.n_links_most)
                world.n_links_most = world.n_links;
        return pq;
}

void
__wrap_PQfinish(struct pg_conn *pq)
{
        if (pq != NULL)
                world.n_links--;
        __real_PQfinish(pq);
}

void
world_start(void)
{
        world.harnessing = true;
        if (world.base == NULL)
                world.base = event_base_new();
        if (world.base == NULL)
                broken("no event base");
        net_start();
        world.running = true;
        world.now_ms = START_MS;
        n_looks = 0;
        world.n_blocks = world.n_results = world.n_links = world.n_links_most = 0;
        world.digest = 0xcbf29ce484222325u;
        n_alarms = 0;
        has_failed = false;
        world_heal();
}

static void
expect_none(int n, const char *what)
{
        if (n != 0)
                broken("I11: %d %s are left behind", n, what);
}

void
world_end(void)
{
        expect_none(event_base_get_num_events(world.base, EVENT_BASE_COUNT_ADDED), "events");
        expect_none(event_base_get_num_events(world.base, EVENT_BASE_COUNT_ACTIVE),
                    "active events");
        expect_none(world.n_results, "results of libpq");
        expect_none(world.n_links, "connections of libpq");
        expect_none(net_count(), "sockets");
        expect_none(world.n_blocks, "blocks of memory");
        world.running = false;
}

static void
turn(int flags)
{
        bool was_harnessing = world.harnessing;

        n_looks = 0;
        n_turns++;
        world.harnessing = false;
        world.turning = true;
        event_base_loop(world.base, flags);
        world.turning = false;
        world.harnessing = was_harnessing;
}

void
world_turn(void)
{
        /* Without EVLOOP_ONCE it goes on until nothing is active any more. */
        turn(EVLOOP_NONBLOCK);
}

void
world_turn_once(void)
{
        turn(EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

int64_t
world_turns(void)
{
        return n_turns;
}

void
world_advance(int64_t ms)
{
        world.now_ms += ms;
        trace("time: +%lld ms", (long long)ms);
}

bool
world_advance_to_timer(void)
{
        int64_t next = world.now_ms + DAY_MS;

        alarms_tidy();
        for (int i = 0; i < n_alarms; i++) {
                if (alarms[i] < next)
                        next = alarms[i];
        }
        if (next == world.now_ms + DAY_MS)
                return false;
        world_advance(next - world.now_ms);
        return true;
}

void
world_fail_memory(int n, bool sticky)
{
        memory_fault = (struct fault){.armed = true, .sticky = sticky, .left = n};
}

void
world_fail_event(int n)
{
        event_fault = (struct fault){.armed = true, .left = n};
}

void
world_heal(void)
{
        memory_fault = event_fault = (struct fault){0};
}

bool
world_memory_fails(void)
{
        return memory_fault.armed;
}

bool
world_memory_failed(void)
{
        return has_failed;
}
