#include "link.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <pipit/pipit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"

#define LINK_REQUESTS  3
#define LINK_TURNS     40   /* enough to read what a socket holds and to deal with it */
#define LINK_MAX_INPUT 8192 /* so that a socket takes it whole */

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

/* From AuthenticationOk to ReadyForQuery. */
static const char welcome[] = "R\0\0\0\x08\0\0\0\0"
                              "S\0\0\0\x18server_version\0"
                              "15.0\0"
                              "S\0\0\0\x19"
                              "client_encoding\0UTF8\0"
                              "S\0\0\0\x23standard_conforming_strings\0on\0"
                              "K\0\0\0\x0c\0\0\0\x01\0\0\0\x02"
                              "Z\0\0\0\x05I";

/* The answer to the statement that sets a session up: one row of one column. */
static const char set_up[] =
        "1\0\0\0\x04"
        "2\0\0\0\x04"
        "T\0\0\0\x1a\0\x01x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
        "D\0\0\0\x0c\0\x01\0\0\0\x02on"
        "C\0\0\0\x0dSELECT 1\0"
        "Z\0\0\0\x05I";

struct link {
        struct event_base *base;
        char url[200];
        int listener;
        int fd;    /* of the first connection; -1 before and after it */
        int stage; /* how many answers it has had */
        const uint8_t *data;
        size_t size;
        bool ready;
        int n_calls[LINK_REQUESTS];
};

/* Results that were taken from libpq and are not cleared yet: the program is linked with --wrap. */
static int n_results;

PGresult *__real_PQgetResult(PGconn *pq);
void __real_PQclear(PGresult *result);
PGresult *__wrap_PQgetResult(PGconn *pq);
void __wrap_PQclear(PGresult *result);
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

PGresult *
__wrap_PQgetResult(PGconn *pq)
{
        PGresult *result = __real_PQgetResult(pq);

        n_results += result != NULL;
        return result;
}

void
__wrap_PQclear(PGresult *result)
{
        n_results -= result != NULL;
        __real_PQclear(result);
}

/* libpq loses the result that it is at when an unasked ParameterDescription comes. Our own results
 * are counted above. */
const char *
__lsan_default_suppressions(void)
{
        return "leak:PQmakeEmptyPGresult\n";
}

/* libpq asks at once for as much memory as the length of a message says, up to 2 GiB. It gets no
 * more than a proper one needs, and says so. */
const char *
__asan_default_options(void)
{
        return "allocator_may_return_null=1:max_allocation_size_mb=64";
}

/* One for all inputs: what it costs to make it is not what is tried. */
static struct link *
link_get(void)
{
        static struct link link;
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char name[40];

        if (link.base != NULL)
                return &link;
        /* An abstract name: nothing of it is left in a folder, however the program ends. */
        snprintf(name, sizeof name, "pipit-fuzz-%d", (int)getpid());
        snprintf(link.url, sizeof link.url, "host=@%s port=5432 user=u dbname=d password=p", name);
        int n = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s/.s.PGSQL.5432",
                         name);
        socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
        link.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        MUST(bind(link.listener, (struct sockaddr *)&address, length) == 0);
        MUST(listen(link.listener, 16) == 0);
        link.base = event_base_new();
        MUST(link.base != NULL);
        return &link;
}

static void
link_say(struct link *link, const uint8_t *data, size_t size)
{
        MUST(send(link->fd, data, size, MSG_NOSIGNAL) == (ssize_t)size || size == 0);
}

/* Answers what the client has said since, whatever it was. */
static void
link_answer(struct link *link)
{
        int stage = link->stage++;

        if (link->ready && stage == 0) {
                link_say(link, BYTES(welcome));
        } else if (link->ready && stage == 1) {
                link_say(link, BYTES(set_up));
        } else if (stage == (link->ready ? 2 : 0)) {
                link_say(link, link->data, link->size);
                shutdown(link->fd, SHUT_WR);
        }
}

static void
link_serve(struct link *link)
{
        char heard[65536];

        if (link->fd < 0 && link->stage == 0)
                link->fd = accept4(link->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (link->fd < 0)
                return;
        ssize_t n = recv(link->fd, heard, sizeof heard, 0);
        if (n > 0) {
                link_answer(link);
        } else if (n == 0) {
                close(link->fd);
                link->fd = -1;
        }
}

/* Looks at all that a result can be asked for. */
static void
result_look(struct pipit_result *res)
{
        size_t length = strlen(pipit_error_text(res));

        MUST(!pipit_failed(res) || length > 0);
        for (int row = 0; row < pipit_result_rows(res) && row < 4; row++) {
                for (int column = 0; column < pipit_result_columns(res) && column < 4; column++) {
                        const char *text = pipit_result_text(res, row, column);
                        int64_t number;
                        MUST(text == NULL || strlen(text) < LINK_MAX_INPUT);
                        pipit_result_int64(res, row, column, &number);
                }
        }
}

static void
on_result(struct pipit_result *res, void *arg)
{
        int *n_calls = arg;

        *n_calls += 1;
        result_look(res);
}

static void
on_line(enum pipit_log_level level, const char *line, void *arg)
{
        (void)level;
        (void)arg;
        MUST(fuzz_is_clean(line));
}

static struct pipit *
link_open(struct link *link)
{
        struct pipit_options options = {.max_connections = 1,
                                        .max_pipeline = LINK_REQUESTS,
                                        .log = on_line,
                                        .log_level = PIPIT_LOG_DEBUG + 1};
        struct pipit *db = pipit_open(link->base, link->url, &options);

        MUST(db != NULL);
        for (int i = 0; i < LINK_REQUESTS; i++) {
                link->n_calls[i] = 0;
                MUST(pipit_query(db, "SELECT $1", PIPIT_PARAMS(i), on_result, &link->n_calls[i]));
                MUST(link->n_calls[i] == 0);
        }
        return db;
}

/* So that the next input finds nothing of this one. */
static void
link_end(struct link *link)
{
        int fd;

        if (link->fd >= 0)
                close(link->fd);
        do {
                fd = accept4(link->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd >= 0)
                        close(fd);
        } while (fd >= 0);
}

void
link_try(const uint8_t *data, size_t size, bool ready)
{
        struct link *link = link_get();

        link->fd = -1;
        link->stage = 0;
        link->data = data;
        link->size = size < LINK_MAX_INPUT ? size : LINK_MAX_INPUT;
        link->ready = ready;
        struct pipit *db = link_open(link);
        for (int i = 0; i < LINK_TURNS; i++) {
                event_base_loop(link->base, EVLOOP_NONBLOCK);
                link_serve(link);
        }
        MUST(link->stage > (ready ? 2 : 0));
        pipit_close(db);
        for (int i = 0; i < LINK_TURNS; i++)
                event_base_loop(link->base, EVLOOP_NONBLOCK);
        for (int i = 0; i < LINK_REQUESTS; i++)
                MUST(link->n_calls[i] == 1);
        MUST(n_results == 0);
        MUST(event_base_get_num_events(link->base, EVENT_BASE_COUNT_ADDED) == 0);
        link_end(link);
}
