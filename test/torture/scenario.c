#include "scenario.h"

#include <check.h>
#include <event2/event.h>
#include <pipit/pipit.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "bank.h"
#include "memory.h"
#include "run.h"
#include "server.h"

#define PAGE(FIELD)                                                                                \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, key, .max_length = 40, .unique = true)                                      \
        FIELD(text, text, .default_text = "")                                                      \
        FIELD(integer, visits, .index = true)
PIPIT_MODEL(page, PAGE);
PIPIT_MODEL_DEFINE(page, PAGE);

/* Its creates have the one parameter that the server speaks of. */
#define NOTE(FIELD) FIELD(text, id, .primary_key = true)
PIPIT_MODEL(note, NOTE);
PIPIT_MODEL_DEFINE(note, NOTE);

#define WARM 3 /* uses of a statement before it shares with others */

void
run_blame(struct run *run, const char *format, ...)
{
        va_list args;

        if (run->problem[0] != '\0')
                return;
        va_start(args, format);
        vsnprintf(run->problem, run->size, format, args);
        va_end(args);
}

void
ticket_on_end(struct pipit_result *res, void *arg)
{
        struct ticket *ticket = arg;
        struct run *run = ticket->run;
        const char *text = pipit_result_text(res, 0, 0);

        ticket->n_calls++;
        run->n_open--;
        if (run->inside)
                run_blame(run, "%s: called back inside a start", ticket->what);
        if (!pipit_failed(res) && ticket->own != NULL &&
            (text == NULL || strcmp(text, ticket->own) != 0))
                run_blame(run, "%s: answered by \"%s\"", ticket->what, text != NULL ? text : "");
        if (pipit_failed(res) &&
            (pipit_result_error(res)->message == NULL || pipit_result_error(res)->code == PIPIT_OK))
                run_blame(run, "%s: an error without a text or code", ticket->what);
}

struct ticket *
ticket_new(struct run *run, const char *what, const char *own)
{
        struct ticket *ticket = &run->tickets[run->n++];

        *ticket = (struct ticket){.run = run, .what = what, .own = own};
        run->inside = true;
        return ticket;
}

pipit_request
ticket_take(struct ticket *ticket, pipit_request request)
{
        ticket->run->inside = false;
        ticket->accepted = request != 0;
        ticket->run->n_open += ticket->accepted;
        return request;
}

static pipit_request
ask(struct run *run, struct pipit *scope, const char *sql, const char *text)
{
        struct ticket *ticket = ticket_new(run, text, text);

        return ticket_take(ticket,
                           pipit_query(scope, sql, PIPIT_PARAMS(text), ticket_on_end, ticket));
}

void
run_join(struct run *run)
{
        while (run->n_open > 0) {
                if (event_base_loop(run->base, EVLOOP_ONCE) == 0)
                        continue;
                run_blame(run, "the loop has ended before %d requests", run->n_open);
                return;
        }
}

static void
run_blocking(struct run *run)
{
        struct pipit *sync = pipit_allow_sync(run->db);
        struct ticket *ticket = ticket_new(run, "create table", NULL);
        pipit_request made = ticket_take(
                ticket, page_create_table(sync, PIPIT_IF_NOT_EXISTS, ticket_on_end, ticket));

        pipit_wait(sync, made);
        pipit_wait(sync, ask(run, sync, "SELECT $1", "blocking"));
        ask(run, sync, "SELECT $1", "not waited for");
        pipit_close(sync);
        if (run->n_open > 0)
                run_blame(run, "a blocking scope was closed over %d requests", run->n_open);
        run->n_open = 0;
}

static void
on_saved(struct pipit_result *res, void *arg)
{
        ticket_on_end(res, arg);
}

static void
on_found(struct pipit_result *res, void *arg)
{
        struct run *run = ((struct ticket *)arg)->run;
        struct page *row = pipit_failed(res) ? NULL : page_row(res, 0);

        ticket_on_end(res, arg);
        if (row == NULL)
                return;
        struct ticket *ticket = ticket_new(run, "save", NULL);
        row->text = "other";
        ticket_take(ticket, page_save(run->db, row, on_saved, ticket));
}

static void
on_created(struct pipit_result *res, void *arg)
{
        struct run *run = ((struct ticket *)arg)->run;

        ticket_on_end(res, arg);
        struct ticket *ticket = ticket_new(run, "get", NULL);
        ticket_take(ticket, page_get(run->db, pipit_eq(page_model.key, "title"), on_found, ticket));
}

static void
run_model(struct run *run)
{
        struct page row = {.key = "title", .text = "text"};
        struct ticket *ticket = ticket_new(run, "create", NULL);

        ticket_take(ticket, page_create(run->db, &row, on_created, ticket));
        run_join(run);
}

static void
run_queries(struct run *run)
{
        ask(run, run->db, "SELECT $1", "one");
        pipit_request two = ask(run, run->db, "SELECT $1", "two");
        struct ticket *also = ticket_new(run, "two, too", "two");

        int r = pipit_then(run->db, two, ticket_on_end, also);
        ticket_take(also, r == 0 ? two : 0);
        ask(run, run->db, "fail $1", "error");
        ask(run, run->db, "large $1", "large");
        run_join(run);
}

static void
read_one(struct run *run, const char *text)
{
        struct ticket *ticket = ticket_new(run, text, strcmp(text, "bad") != 0 ? text : NULL);

        ticket_take(ticket,
                    pipit_read(run->db, "SELECT $1", PIPIT_PARAMS(text), ticket_on_end, ticket));
}

static void
get_one(struct run *run)
{
        struct ticket *ticket = ticket_new(run, "get of many", NULL);

        ticket_take(ticket,
                    page_get(run->db, pipit_eq(page_model.key, "title"), ticket_on_end, ticket));
}

static void
write_one(struct run *run)
{
        struct ticket *ticket = ticket_new(run, "write of many", NULL);

        ticket_take(ticket,
                    pipit_query(run->db, "INSERT $1", PIPIT_PARAMS("many"), ticket_on_end, ticket));
}

static void
create_one(struct run *run)
{
        struct note row = {.id = "1"};
        struct ticket *ticket = ticket_new(run, "create of many", NULL);

        ticket_take(ticket, note_create(run->db, &row, ticket_on_end, ticket));
}

/* Reads that share, one of which fails; gets that are one statement; writes that are committed
 * together, some as one statement. Each is known to be fast first. */
static void
run_groups(struct run *run)
{
        static void (*const starts[])(struct run * run) = {get_one, write_one, create_one};

        pipit_set_group_writes(run->db, true);
        for (int i = 0; i < WARM; i++) {
                read_one(run, "warm");
                for (size_t k = 0; k < sizeof starts / sizeof *starts; k++)
                        starts[k](run);
                run_join(run);
        }
        for (int i = 0; i < 4; i++)
                read_one(run, i == 1 ? "bad" : "shared");
        for (size_t k = 0; k < sizeof starts / sizeof *starts; k++) {
                for (int i = 0; i < 4; i++)
                        starts[k](run);
        }
        run_join(run);
        pipit_set_group_writes(run->db, false);
}

/* The server answers neither; one more waits behind them and is given up before it is sent. */
static void
run_ends(struct run *run)
{
        pipit_request late = ask(run, run->db, "hold $1", "deadline");
        pipit_set_timeout(run->db, late, 10);
        pipit_request gone = ask(run, run->db, "hold $1", "cancelled");
        event_base_loop(run->base, EVLOOP_NONBLOCK);
        pipit_cancel(run->db, gone);
        pipit_cancel(run->db, ask(run, run->db, "SELECT $1", "cancelled at once"));
        run_join(run);
}

static void
run_cut(struct run *run)
{
        ask(run, run->db, "cut $1", "cut");
        run_join(run);
        ask(run, run->db, "SELECT $1", "after the cut");
        run_join(run);
}

static void
run_drain(struct run *run)
{
        ask(run, run->db, "SELECT $1", "drained");
        struct ticket *ticket = ticket_new(run, "drain", NULL);

        ticket_take(ticket, pipit_drain(run->db, 100, ticket_on_end, ticket));
        run_join(run);
}

static void
run_close(struct run *run)
{
        ask(run, run->db, "SELECT $1", "closed");
        pipit_close(run->db);
        run_join(run);
        event_base_loop(run->base, EVLOOP_NONBLOCK);
        int left = event_base_get_num_events(run->base,
                                             EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE);
        if (left > run->n_timers)
                run_blame(run, "%d events are left on the loop", left);
}

static void
run_check(struct run *run)
{
        for (int i = 0; i < run->n; i++) {
                const struct ticket *ticket = &run->tickets[i];
                if (ticket->n_calls != (ticket->accepted ? 1 : 0))
                        run_blame(run, "%s: %s, called back %d times", ticket->what,
                                  ticket->accepted ? "accepted" : "refused", ticket->n_calls);
        }
}

/* Everything behind the failed allocation is the same over and over when memory never comes back:
 * one phase shows it. */
static void
run_phases(struct run *run)
{
        static void (*const phases[])(struct run *
                                      run) = {run_blocking,     run_queries, run_model, run_groups,
                                              run_transactions, run_ends,    run_cut};
        int behind = 0;

        for (size_t i = 0; i < sizeof phases / sizeof *phases && behind < 2; i++) {
                phases[i](run);
                behind += memory_failed();
        }
        run_drain(run);
        run_close(run);
}

static void
log_nothing(enum pipit_log_level level, const char *line, void *arg)
{
        (void)level;
        (void)line;
        (void)arg;
}

static void
on_never(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
}

/* The program's own part of the loop, which has its memory. */
static void
run_open_loop(struct run *run, int n_timers)
{
        struct timeval day = {86400, 0};

        memory_pause();
        run->base = event_base_new();
        run->n_timers = n_timers;
        for (int i = 0; i < n_timers; i++) {
                run->timers[i] = event_new(run->base, -1, 0, on_never, NULL);
                event_add(run->timers[i], &day);
        }
        memory_resume();
}

static void
run_close_loop(struct run *run)
{
        for (int i = 0; i < run->n_timers; i++)
                event_free(run->timers[i]);
        event_base_free(run->base);
}

/* What the server process says of the clients that came; shared with it. */
static struct server_view {
        struct bank_view bank;
        bool odd; /* one came with other parameters than the first */
        size_t length;
        char startup[500];
} * view;

void
scenario_run(const char *url, int n_timers, char *problem, size_t size)
{
        struct run run = {.problem = problem, .size = size};
        /* Fewer are prepared than there are: some are closed for others. */
        struct pipit_options options = {.max_connections = 2,
                                        .max_prepared = 6,
                                        .timeout_ms = 150,
                                        .acquire_timeout_ms = 60,
                                        .connect_timeout_ms = 100,
                                        .log = log_nothing,
                                        .log_level = PIPIT_LOG_DEBUG + 1};

        problem[0] = '\0';
        run_open_loop(&run, n_timers);
        run.db = pipit_open(run.base, url, &options);
        if (run.db != NULL && pipit_scope_error(run.db) != NULL)
                run_blame(&run, "open: %s", pipit_scope_error(run.db)->message);
        if (run.db != NULL)
                run_phases(&run);
        run_check(&run);
        if (view->odd)
                run_blame(&run, "parameters were lost on the way to the server");
        if (view->bank.sum != 0)
                run_blame(&run, "%d is too much in the accounts", view->bank.sum);
        if (!memory_failed() && view->bank.n_commits != 5)
                run_blame(&run, "%d transactions were committed", view->bank.n_commits);
        view->bank = (struct bank_view){0};
        view->odd = false;
        run_close_loop(&run);
}

/* No failure may make pipit connect with other parameters than those it was given. */
static void
look_at_startup(const struct message *message)
{
        if (view->length == 0 && message->length <= sizeof view->startup) {
                memcpy(view->startup, message->body, message->length);
                view->length = message->length;
        }
        if (message->length != view->length ||
            memcmp(message->body, view->startup, view->length) != 0)
                view->odd = true;
}

/* One answer is held back for ever, and with it everything behind it. */
static bool
on_message(struct session *session, const struct message *message, void *arg)
{
        bool held = message->kind != MESSAGE_TERMINATE && session->sql != NULL &&
                    strncmp(session->sql, "hold", 4) == 0 && message->kind != MESSAGE_BIND;

        (void)arg;
        if (message->kind == MESSAGE_STARTUP)
                look_at_startup(message);
        if (message->kind == MESSAGE_SYNC && !held)
                bank_sync(&view->bank, session);
        return held;
}

static void
answer_page(struct session *session, const char *tag, int n)
{
        static const char *const names[] = {"id", "key", "text", "visits"};
        static const char *const values[] = {"1", "title", "text", "0"};

        if (n > 0) {
                session_columns(session, n, names);
                session_row(session, n, values);
        }
        session_complete(session, tag);
}

/* Two of those that were created as one statement, each with its place; the rest is missing. */
static void
answer_created(struct session *session)
{
        static const char *const names[] = {"id", "ord"};
        static const char *const first[] = {"1", "1"};
        static const char *const second[] = {"1", "2"};

        session_columns(session, 2, names);
        session_row(session, 2, second);
        session_row(session, 2, first);
        session_complete(session, "SELECT 2");
}

static void
answer_large(struct session *session)
{
        static const char *const names[] = {"text", "more"};
        static char more[20000];
        const char *values[] = {session->value, more};

        memset(more, 'x', sizeof more - 1);
        session_columns(session, 2, names);
        for (int i = 0; i < 5; i++)
                session_row(session, 2, values);
        session_complete(session, "SELECT 5");
}

static void
on_statement(struct session *session, const char *sql, void *arg)
{
        (void)arg;
        if (bank_answer(&view->bank, session, sql))
                return;
        if (strncmp(sql, "INSERT", 6) == 0)
                answer_page(session, "INSERT 0 1", 1);
        else if (strncmp(sql, "UPDATE", 6) == 0)
                answer_page(session, "UPDATE 1", 0);
        else if (strncmp(sql, "WITH", 4) == 0)
                answer_created(session);
        else if (session->value != NULL && strcmp(session->value, "bad") == 0)
                session_error(session, "ERROR", "22012", "division by zero");
        else if (strncmp(sql, "CREATE", 6) == 0)
                answer_page(session, "CREATE TABLE", 0);
        else if (strstr(sql, "\"page\"") != NULL)
                answer_page(session, "SELECT 1", 4);
        else if (strncmp(sql, "fail", 4) == 0)
                session_error(session, "ERROR", "22012", "division by zero");
        else if (strncmp(sql, "large", 5) == 0)
                answer_large(session);
        else if (strncmp(sql, "cut", 3) == 0)
                session_finish(session, SESSION_FIN);
        else
                server_echo(session, sql, arg);
}

struct server *
scenario_server(struct event_base *base, bool by_name)
{
        struct server *server = server_new(base, by_name ? SERVER_TCP : SERVER_UNIX);

        if (by_name)
                snprintf(server->url, sizeof server->url,
                         "postgresql:///db?host=localhost&port=%d&user=u&sslmode=disable",
                         server->port);
        size_t length = strlen(server->url);
        snprintf(server->url + length, sizeof server->url - length,
                 "&application_name=torture&options=-cx.y%%3Dz");
        view = mmap(NULL, sizeof *view, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(view, MAP_FAILED);

        server->on_message = on_message;
        server->on_statement = on_statement;
        server_fork(server);
        return server;
}
