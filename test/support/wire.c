#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request/stmt_cache.h"
#include "scope/database.h"

struct server *wire_server;

struct pipit_options
wire_options(void)
{
        return (struct pipit_options){.max_connections = 1, .max_pipeline = BATCH_MAX};
}

static void
wire_open(enum server_kind kind)
{
        struct pipit_options options = wire_options();

        live_base = event_base_new();
        ck_assert_ptr_nonnull(live_base);
        wire_server = server_new(live_base, kind);
        live_db = pipit_open(live_base, wire_server->url, &options);
        ck_assert_ptr_nonnull(live_db);
}

void
wire_setup(void)
{
        wire_open(SERVER_UNIX);
}

void
wire_setup_tcp(void)
{
        wire_open(SERVER_TCP);
}

void
wire_teardown(void)
{
        pipit_close(live_db);
        live_db = NULL;
        if (wire_server != NULL)
                ck_assert_int_eq(wire_server->n_failed_commits, 0);
        server_free(wire_server);
        wire_server = NULL;
        live_teardown();
}

void
wire_reopen(const struct pipit_options *options)
{
        pipit_close(live_db);
        live_db = pipit_open(live_base, wire_server->url, options);
        ck_assert_ptr_nonnull(live_db);
}

static void
on_batch(struct pipit_result *res, void *arg)
{
        struct batch_entry *entry = arg;
        const struct pipit_error *error = pipit_result_error(res);
        const char *text = pipit_result_text(res, 0, 0);

        entry->n_calls++;
        entry->batch->n_calls++;
        entry->own = text != NULL && strcmp(text, entry->text) == 0 && pipit_result_rows(res) == 1;
        if (error != NULL) {
                entry->error.code = error->code;
                entry->error.executed = error->executed;
                memcpy(entry->error.sqlstate, error->sqlstate, sizeof error->sqlstate);
        }
        if (entry->batch->then != NULL)
                entry->batch->then(entry, entry->batch->arg);
}

/* Whether many go together must not depend on how busy the machine is. */
static void
make_quick(const char *sql)
{
        struct stmt *stmt = pipit__stmt_cache_get(&live_db->db->stmt_cache, sql);

        pipit__stmt_latency(stmt)->best_us = pipit__stmt_latency(stmt)->slow = 0;
        pipit__stmt_unref(stmt);
}

void
batch_start(struct batch *batch, int n)
{
        const char *sql = batch->sql != NULL ? batch->sql : "SELECT $1";

        ck_assert_int_le(n, BATCH_MAX);
        make_quick(sql);
        batch->n = n;
        for (int i = 0; i < n; i++) {
                struct batch_entry *entry = &batch->entries[i];
                entry->batch = batch;
                snprintf(entry->text, sizeof entry->text, "request %d", i);
                entry->number = (batch->reads ? pipit_read : pipit_query)(
                        live_db, sql, PIPIT_PARAMS(entry->text), on_batch, entry);
                ck_assert_uint_ne(entry->number, 0);
        }
        ck_assert_int_eq(batch->n_calls, 0);
}

void
batch_wait(struct batch *batch)
{
        loop_until(&batch->n_calls, batch->n);
        ck_assert_int_eq(batch->n_calls, batch->n);
}

void
batch_expect_own(const struct batch *batch, int first, int last)
{
        for (int i = first; i < last; i++) {
                const struct batch_entry *entry = &batch->entries[i];
                ck_assert_int_eq(entry->n_calls, 1);
                ck_assert_str_eq(pipit_code_name((int)entry->error.code), "PIPIT_OK");
                ck_assert_int_eq(entry->own, true);
        }
}

void
batch_expect_error(const struct batch *batch, int first, int last, int code,
                   enum pipit_executed executed)
{
        for (int i = first; i < last; i++) {
                const struct batch_entry *entry = &batch->entries[i];
                ck_assert_int_eq(entry->n_calls, 1);
                ck_assert_str_eq(pipit_code_name((int)entry->error.code), pipit_code_name(code));
                ck_assert_int_eq(entry->error.executed, executed);
        }
}

void
expect_service(void)
{
        expect_text(query("SELECT $1", PIPIT_PARAMS("service")), 0, 0, "service");
}

void
wire_know(const char *sql)
{
        for (int i = 0; i < 3; i++)
                expect_text(query(sql, PIPIT_PARAMS("known")), 0, 0, "known");
        make_quick(sql);
}

void
tape_note(struct tape *tape, const struct session *session, const struct message *message)
{
        if (!session->is_set_up)
                return;
        char kind = (char)message->kind;
        if (kind == 'P' && strncmp(message->body + 1, "DEALLOCATE ", 11) == 0) {
                tape->closes = true;
                kind = 'C';
        } else if (tape->closes) {
                tape->closes = kind != 'E';
                return;
        }
        ck_assert_int_lt(tape->n + 1, (int)sizeof tape->kinds);
        tape->kinds[tape->n++] = kind;
        tape->kinds[tape->n] = '\0';
}

void
wire_connect(void)
{
        expect_service();
}

void
on_log(enum pipit_log_level level, const char *line, void *arg)
{
        struct log_lines *lines = arg;

        lines->n++;
        lines->n_left_out += strstr(line, "lines were left out") != NULL;
        for (const char *at = line; *at != '\0'; at++) {
                if ((unsigned char)*at < 0x20 || *at == 0x7f) {
                        lines->n_controls++;
                        break;
                }
        }
        if (level >= PIPIT_LOG_WARNING)
                snprintf(lines->last, sizeof lines->last, "%s", line);
}
