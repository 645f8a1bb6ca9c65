/*
 * The client's side. See client.h.
 */
#include "client.h"

#include <string.h>

#include "choose.h"
#include "model.h"
#include "net.h"
#include "request/stmt_cache.h"
#include "scope/database.h"
#include "world.h"

/* Entries that are kept for the end of a run. */
#define KEPT_ENTRIES 8
#define LONG_TEXT    (NET_CAPACITY + 20000)

static struct {
        uint32_t features;
        struct pipit *db;
        int generation;
        bool draining;
        struct pipit_options options;
} client;

static void client_on_callback(void);

void
client_start(void)
{
        client.features = choose(256);
        client.features |= choose(256) << 8;
        client.features |= choose(256) << 16;
        client.features |= choose(256) << 24;
        model_set_serializable(may(MAY_BE_STRICT) && may(MAY_LIE));
        if (may(MAY_SLICE))
                net_slice((size_t)64 << client.features % 5);
        client.db = NULL;
        client.generation = 0;
        ledger.in_callback = client_on_callback;
}

bool
may(enum feature feature)
{
        return (client.features >> feature & 1) != 0;
}

int
client_generation(void)
{
        return client.db != NULL ? client.generation : 0;
}

bool
client_is_open(void)
{
        return client.db != NULL && !client.draining;
}

/* Around every call of the library. */
static void
call(void)
{
        world.inside++;
        world.harnessing = false;
}

static void
called(void)
{
        world.harnessing = true;
        world.inside--;
}

static void
on_log(enum pipit_log_level level, const char *line, void *arg)
{
        (void)level;
        (void)arg;
        trace("        %s", line);
}

static void
options_choose(struct pipit_options *options)
{
        static const int64_t timeouts[] = {60000, 1000, -1};
        static const int64_t waits[] = {30000, 500, -1};
        static const int depths[] = {16, 1, 2, 4};
        static const int prepared[] = {0, -1, 1, 2};

        *options = (struct pipit_options){.log = on_log, .log_level = PIPIT_LOG_DEBUG + 1};
        options->max_connections = 1 + (int)choose(4);
        options->max_connecting = 1 + (int)choose(2);
        options->min_connections = choose(4) == 3;
        options->max_pipeline = depths[choose(4)];
        options->max_prepared = prepared[choose(4)];
        options->timeout_ms = timeouts[choose(3)];
        options->acquire_timeout_ms = waits[choose(3)];
        options->lifetime_ms = choose(4) == 3 ? 5000 : 0;
        options->idle_timeout_ms = choose(4) == 3 ? 1000 : 0;
        options->max_waiting = choose(8) == 7 ? 3 : 0;
        options->max_request_bytes = choose(4) == 3 ? 4096 : 0;
        options->max_result_bytes = choose(4) == 3 ? 16384 : 0;
}

/* As if the commonest statements had been answered fast a few times. */
static void
client_know(void)
{
        static const char *const texts[] = {"op read 1", "op read 2", "op write 0", "op fails 1"};

        call();
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
                struct stmt *stmt = pipit__stmt_cache_get(&client.db->db->stmt_cache, texts[i]);
                if (stmt != NULL)
                        pipit__stmt_latency(stmt)->uses = 3;
                pipit__stmt_unref(stmt);
        }
        called();
}

void
client_open(void)
{
        if (client.db != NULL || client.generation == 3)
                return;
        client.generation++;
        client.draining = false;
        options_choose(&client.options);
        trace("client: open, %d connections, pipeline %d, timeout %lld, %lld",
              client.options.max_connections, client.options.max_pipeline,
              (long long)client.options.timeout_ms, (long long)client.options.acquire_timeout_ms);
        call();
        client.db = pipit_open(world.base, model_url(), &client.options);
        called();
        /* What reads the URL connects to nothing. */
        world.n_links_most = world.n_links;
        if (client.db == NULL && !world_memory_failed())
                broken("I1: there is memory, and no database");
        if (client.db == NULL)
                ledger.ended = client.generation;
        else /* It comes of an address and the time: a schedule must be the same each time. */
                client.db->db->pool.jitter = 7;
        if (client.db != NULL && may(MAY_KNOW))
                client_know();
        if (client.db != NULL)
                pipit_set_group_writes(client.db, may(MAY_GROUP));
}

void
client_close(void)
{
        struct pipit *db = client.db;

        if (db == NULL)
                return;
        trace("client: close");
        ledger.ended = client.generation;
        client.db = NULL;
        call();
        pipit_close(db);
        called();
}

/* What a start gave. */
static void
op_started(struct op *op, pipit_request request)
{
        op->request = request;
        op->started_late = client.draining;
        if (request == 0 && !world_memory_failed())
                broken("I1: there is memory, and op %d was not taken", op->number);
        trace("client: op %d: %s%s", op->number, op_name(op->kind),
              request == 0 ? ", refused" : "");
}

void
client_drain(void)
{
        static const int64_t times[] = {-1, 0, 100, 10000};

        if (client.db == NULL || ledger.n >= LEDGER_MAX - KEPT_ENTRIES || choose(4) != 3)
                return;
        struct op *op = ledger_add(OP_DRAIN, client.generation);
        int64_t time = times[choose(4)];
        if (time >= 0)
                op->deadline_ms = world.now_ms + time;
        op->started_late = client.draining;
        call();
        pipit_request request = pipit_drain(client.db, time, op_on_done, op);
        called();
        op_started(op, request);
        if (request == 0)
                return;
        client.draining = true;
        ledger.ended = client.generation;
}

/* What its statement gives back. */
static void
op_choose_stmt(struct op *op)
{
        switch (op->kind) {
        case OP_READ:
        case OP_RETURNING:
                op->columns = 1 + (int)choose(3);
                op->rows = (int)choose(4);
                break;
        case OP_WIDE:
                op->columns = 2;
                op->rows = 1 + (int)choose(16);
                break;
        case OP_WRITE: op->rows = 1 + (int)choose(3); break;
        case OP_LONG: op->rows = 1; break;
        case OP_FAILS: op->columns = 1; break;
        case OP_EMPTY:
        case OP_BAD:
        case OP_DEFERRED:
        case OP_SETS:
        case OP_COPIES_OUT:
        case OP_COPIES_IN:
        case OP_NUL:
        case OP_DRAIN:
        case OP_ATOMIC:
        case OP_KINDS: break;
        }
}

static enum op_kind
choose_kind(void)
{
        static const enum op_kind kinds[] = {OP_READ,  OP_WRITE,      OP_RETURNING, OP_READ,
                                             OP_WRITE, OP_EMPTY,      OP_WIDE,      OP_LONG,
                                             OP_BAD,   OP_FAILS,      OP_DEFERRED,  OP_NUL,
                                             OP_SETS,  OP_COPIES_OUT, OP_COPIES_IN};
        enum op_kind kind = kinds[choose(sizeof kinds / sizeof kinds[0])];

        if ((kind == OP_WIDE && !may(MAY_BE_WIDE)) || (kind == OP_LONG && !may(MAY_BE_LONG)))
                return OP_READ;
        if ((kind >= OP_BAD && kind <= OP_DEFERRED) || kind == OP_NUL)
                return may(MAY_ERR) ? kind : OP_WRITE;
        if (kind >= OP_SETS && kind <= OP_COPIES_IN && !may(MAY_DISTURB))
                return OP_WRITE;
        return kind;
}

/* The values of a statement; the first is its nonce. */
static struct pipit_params
op_values(const struct op *op, struct pipit_value *values)
{
        static char text[LONG_TEXT];
        size_t length = op->kind == OP_LONG && choose(3) != 0 ? LONG_TEXT : 1000;
        int n = 1;

        values[0] = pipit_value_int(op->nonce);
        if (op->kind == OP_NUL)
                values[n++] = pipit_value_text_n("a\0b", 3);
        if (op->kind == OP_LONG) {
                memset(text, 'x', length);
                values[n++] = pipit_value_text_n(text, length);
        }
        return (struct pipit_params){values, n};
}

/* Whether it is declared a read, be it true or not. */
static bool
choose_declared(enum op_kind kind)
{
        bool is_read = kind == OP_READ || kind == OP_WIDE || kind == OP_FAILS || kind == OP_BAD;

        if (is_read)
                return may(MAY_DECLARE) && choose(8) != 7;
        return may(MAY_DECLARE) && may(MAY_LIE) && kind == OP_WRITE && choose(8) == 7;
}

/* On the database, or on the scope of a transaction that it is a part of. */
static struct op *
client_submit_on(struct pipit *scope, struct op *atomic, enum op_kind kind)
{
        struct pipit_value values[2];
        char sql[64];
        struct op *op = ledger_add(kind, client.generation);

        if (op == NULL)
                return NULL;
        op_choose_stmt(op);
        op->atomic = atomic;
        op->is_read = atomic == NULL && choose_declared(kind);
        op->is_grouped = atomic == NULL && !op->is_read && may(MAY_GROUP);
        op_sql(op, sql, sizeof sql);
        if (kind == OP_SETS || kind == OP_COPIES_IN || kind == OP_COPIES_OUT ||
            (kind == OP_WIDE && client.options.max_result_bytes > 0))
                ledger_disturb();
        if (client.options.timeout_ms > 0)
                op->deadline_ms = world.now_ms + client.options.timeout_ms;
        struct pipit_params params = op_values(op, values);
        call();
        pipit_request request =
                (op->is_read ? pipit_read : pipit_query)(scope, sql, params, op_on_done, op);
        called();
        op_started(op, request);
        return op;
}

static struct op *
client_submit_kind(enum op_kind kind)
{
        return client_submit_on(client.db, NULL, kind);
}

/* ---- transactions */

static enum op_kind
choose_part(void)
{
        static const enum op_kind kinds[] = {OP_WRITE, OP_READ, OP_RETURNING, OP_WRITE,
                                             OP_FAILS, OP_BAD,  OP_DEFERRED,  OP_WRITE};
        enum op_kind kind = kinds[choose(sizeof kinds / sizeof kinds[0])];

        return kind >= OP_BAD && !may(MAY_ERR) ? OP_WRITE : kind;
}

static void
client_body(struct pipit *tx, void *arg)
{
        struct op *atomic = arg;
        bool was_harnessing = world.harnessing;

        world.harnessing = true;
        if (!world.turning || world.inside > 0)
                broken("I2: the body of transaction %d runs inside a call", atomic->number);
        if (atomic->n_calls > 0 || pipit_attempt(tx) != ++atomic->n_bodies)
                broken("I1: the body of transaction %d runs out of turn", atomic->number);
        trace("client: body of transaction %d", atomic->number);
        atomic->scope = tx;
        atomic->first_part = ledger.n;
        for (unsigned n = choose(5); n > 0 && ledger.n < LEDGER_MAX - KEPT_ENTRIES; n--)
                client_submit_on(tx, atomic, choose_part());
        if (choose(8) == 7) {
                atomic->rolls_back = true;
                call();
                pipit_rollback(tx, NULL, NULL);
                called();
        }
        world.harnessing = was_harnessing;
}

static void
client_atomic(void)
{
        struct op *op = ledger_add(OP_ATOMIC, client.generation);

        if (op == NULL)
                return;
        op->commits_early = choose(2) == 1;
        struct pipit_transaction options = {.commit_early = op->commits_early,
                                            .max_attempts = 1 + (int)choose(3)};
        if (client.options.timeout_ms > 0)
                op->deadline_ms = world.now_ms + client.options.timeout_ms;
        call();
        pipit_request request = pipit_atomic_with(client.db, &options, client_body, op_on_done, op);
        called();
        op_started(op, request);
}

/* Where a request is known; NULL: nowhere any more. */
static struct pipit *
op_scope(const struct op *op)
{
        return op->atomic != NULL ? op->atomic->scope : client.db;
}

/* ---- */

void
client_submit(void)
{
        /* What is drained refuses everything: seldom worth a look. */
        if (client.draining && choose(4) != 0) {
                client_close();
                client_open();
        }
        if (client.db == NULL || ledger.n >= LEDGER_MAX - KEPT_ENTRIES)
                return;
        if (may(MAY_TRANSACT) && choose(4) == 3)
                client_atomic();
        else
                client_submit_kind(choose_kind());
}

void
client_submit_many(void)
{
        for (unsigned n = 1 + (may(MAY_BATCH) ? choose(6) : 0); n > 0; n--)
                client_submit();
}

struct op *
client_submit_read(void)
{
        return client.db != NULL ? client_submit_kind(OP_READ) : NULL;
}

/* One of the open database's, be it out or not: a number that names nothing does nothing. */
static struct op *
choose_op(void)
{
        if (client.db == NULL || ledger.n == 0)
                return NULL;
        struct op *op = &ledger.ops[ledger.n - 1 - (int)choose((unsigned)ledger.n)];
        bool known = op->generation == client.generation && op->request != 0;
        return known && op_scope(op) != NULL ? op : NULL;
}

void
client_cancel(void)
{
        struct op *op = choose_op();

        if (op == NULL)
                return;
        trace("client: cancel op %d", op->number);
        op->ended |= op_is_out(op) && op->is_grouped && op_is_answered(op);
        op->cancelled |= op_is_out(op);
        call();
        pipit_cancel(op_scope(op), op->request);
        called();
}

void
client_set_timeout(void)
{
        static const int64_t times[] = {0, 1, 100, 60000, -1};
        struct op *op = choose_op();

        if (op == NULL)
                return;
        int64_t time = times[choose(5)];
        trace("client: timeout of op %d: %lld", op->number, (long long)time);
        ledger_disturb();
        op->was_due |= op->deadline_ms <= world.now_ms;
        op->deadline_ms = time >= 0 ? world.now_ms + time : INT64_MAX;
        call();
        pipit_set_timeout(op_scope(op), op->request, time);
        called();
}

void
client_then(void)
{
        struct op *op = choose_op();

        if (op == NULL || op->n_then == 4)
                return;
        call();
        int code = pipit_then(op_scope(op), op->request, op_on_then, op);
        called();
        if ((code == 0) != op_is_out(op) && !(code == PIPIT_ENOMEM && world_memory_failed()))
                broken("op %d: pipit_then() gave %d", op->number, code);
        op->n_then += code == 0;
}

/* What a callback does besides. */
static void
client_on_callback(void)
{
        if (!may(MAY_NEST))
                return;
        switch (choose(10)) {
        case 1:
        case 2: client_submit(); break;
        case 3: client_submit_many(); break;
        case 4:
                if (may(MAY_CANCEL))
                        client_cancel();
                break;
        case 5:
                if (may(MAY_TIMEOUT))
                        client_set_timeout();
                break;
        case 6: client_then(); break;
        case 7:
                if (may(MAY_CLOSE) && choose(4) == 0)
                        client_close();
                break;
        case 8: client_open(); break;
        case 9:
                if (may(MAY_DRAIN) && choose(4) == 0)
                        client_drain();
                break;
        }
}

void
client_check(void)
{
        /* Besides those of the pool there may be the one that asks to cancel. */
        if (client.db != NULL && world.n_links_most > client.options.max_connections + 1)
                broken("I10: %d connections at once, %d are allowed", world.n_links_most,
                       client.options.max_connections);
}
