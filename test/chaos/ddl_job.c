/*
 * The jobs of chaos-ddl: their requests, and whether what comes back can be right. See ddl.c.
 */
#include <pipit/model.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ddl.h"

/* So many failures are told one by one. */
#define N_TOLD 40

/* The altered table as a model. Its members have the wide types, and its uuid is left out: a uuid
 * is not read from text. */
#define SHAPE(FIELD)                                                                               \
        FIELD(bigint, op, .primary_key = true)                                                     \
        FIELD(bigint, nonce)                                                                       \
        FIELD(double_precision, v_real, .nullable = true)                                          \
        FIELD(bigint, v_int, .nullable = true)                                                     \
        FIELD(timestamptz, v_date, .nullable = true)                                               \
        FIELD(text, v_enum, .nullable = true)
PIPIT_MODEL(shaped, SHAPE);
PIPIT_MODEL_DEFINE(shaped, SHAPE, .table = "shape");

#define VALUES "v_real, v_int, v_date, v_enum, v_uuid"
#define TEXTS  "v_real::text, v_int::text, v_date::text, v_enum::text, v_uuid::text"

/* Inserts a row and the ledger's, and gives the row back with the server's text of each value. */
#define WRITE(table)                                                                               \
        "WITH w AS (INSERT INTO " table " (op, nonce, " VALUES                                     \
        ") VALUES ($1, $2, $3, $4, $5, $6, "                                                       \
        "$7) RETURNING *), l AS (INSERT INTO public.ledger (op, nonce) VALUES ($1, $2)) "          \
        "SELECT " VALUES ", " TEXTS " FROM w"

#define READ_BACK "SELECT " VALUES ", " TEXTS " FROM shape WHERE op = $1"
#define READ_LATEST                                                                                \
        "SELECT " VALUES ", " TEXTS " FROM again.shape WHERE op <= $1 ORDER BY op DESC LIMIT 1"

static const char *const kind_names[N_KINDS] = {"write",       "write anew", "read", "read anew",
                                                "transaction", "session",    "model"};

/* ---- what came of a request */

static void
job_complain(struct job *job, const char *what, const struct pipit_result *res)
{
        const struct pipit_error *error = pipit_result_error(res);
        struct load_ddl *load = job->load;

        if (load->n_wrong + load->n_failed > N_TOLD)
                return;
        fprintf(stderr, "chaos: %s, operation %lld: %s: %s %s %s\n", kind_names[job->kind],
                (long long)job->op, what, error != NULL ? pipit_code_name(error->code) : "success",
                error != NULL ? error->sqlstate : "", pipit_error_text(res));
}

static void
job_wrong(struct job *job, const char *what, const struct pipit_result *res)
{
        job->load->n_wrong++;
        job_complain(job, what, res);
}

static bool
error_is(const struct pipit_error *error, const char *const *sqlstates)
{
        for (; *sqlstates != NULL; sqlstates++) {
                if (strcmp(error->sqlstate, *sqlstates) == 0)
                        return true;
        }
        return false;
}

/* Counts a failure: for a reason that the server's state gives, or for none. */
static void
job_fail(struct job *job, const struct pipit_result *res)
{
        static const char *const unfit[] = {"22003", "22P02", NULL};
        static const char *const missing[] = {"42P01", "3F000", "42704", NULL};
        const struct pipit_error *error = pipit_result_error(res);
        struct load_ddl *load = job->load;

        history_read(&load->history);
        if (error->code == PIPIT_ELOST || strcmp(error->sqlstate, "57P01") == 0) {
                load->n_ended++;
        } else if (error_is(error, unfit) && job->kind != JOB_READ && job->kind != JOB_READ_ANEW &&
                   history_is_unfit(&load->history, job->table, job->started_ms, &job->values)) {
                load->n_unfit++;
        } else if (error_is(error, missing) &&
                   history_is_missing(&load->history, job->table, job->started_ms)) {
                load->n_missing++;
        } else {
                load->n_failed++;
                load->n_kinds[job->kind]++;
                job_complain(job, "failed", res);
        }
}

static void
job_note(struct job *job, const struct pipit_error *error)
{
        enum ledger_state state = LEDGER_REFUSED;

        if (error == NULL || error->executed == PIPIT_EXECUTED_YES)
                state = LEDGER_COMMITTED;
        else if (error->executed == PIPIT_EXECUTED_UNKNOWN)
                state = LEDGER_UNKNOWN;
        job->load->ledger.states[job->op] = (unsigned char)state;
        if (state == LEDGER_COMMITTED && job->table == TABLE_ALTERED)
                job->load->recent[job->load->n_recent++ % N_RECENT] = job->op;
}

/* ---- what was stored */

static void
check_stored(struct job *job, const char *const texts[N_SUBJECTS], const struct pipit_result *res)
{
        const struct history *history = &job->load->history;
        char what[400];

        history_read(&job->load->history);
        if (history_allows(history, job->table, job->started_ms, &job->values, texts))
                return;
        snprintf(what, sizeof what, "stored %s, %s, %s, %s, %s for %.17g, %lld, %s, %s, %s",
                 texts[0], texts[1], texts[2], texts[3], texts[4] != NULL ? texts[4] : "-",
                 job->values.real, (long long)job->values.number, job->values.at_text,
                 job->values.label, job->values.id_text);
        job_wrong(job, what, res);
}

/* Each value of a row reads as the server's text of it says. */
static void
check_read(struct job *job, const struct pipit_result *res)
{
        for (int i = 0; i < N_SUBJECTS; i++) {
                const char *got = pipit_result_text(res, 0, i);
                const char *text = pipit_result_text(res, 0, N_SUBJECTS + i);
                char what[200];

                if (got == NULL ? text == NULL : text != NULL && strcmp(got, text) == 0)
                        continue;
                snprintf(what, sizeof what, "reads %s for %s", got != NULL ? got : "NULL",
                         text != NULL ? text : "NULL");
                job_wrong(job, what, res);
        }
}

/* The one row that a write gives back. */
static void
check_written(struct job *job, const struct pipit_result *res)
{
        const char *texts[N_SUBJECTS];

        if (pipit_result_rows(res) != 1) {
                job_wrong(job, "not one row", res);
                return;
        }
        for (int i = 0; i < N_SUBJECTS; i++) {
                texts[i] = pipit_result_text(res, 0, N_SUBJECTS + i);
                if (texts[i] == NULL)
                        texts[i] = "";
        }
        check_stored(job, texts, res);
        check_read(job, res);
}

static void
check_record(struct job *job, const struct shaped *row, const struct pipit_result *res)
{
        struct values got = {.at = row->v_date};
        char real[40];
        char number[30];
        const char *texts[N_SUBJECTS] = {real, number, got.at_text, row->v_enum, NULL};

        snprintf(real, sizeof real, "%.17g", row->v_real);
        snprintf(number, sizeof number, "%lld", (long long)row->v_int);
        values_at_text(&got);
        check_stored(job, texts, res);
}

/* ---- jobs */

static void
job_close(struct job *job)
{
        job->open = false;
        job->load->n_open--;
        load_fill(job->load);
}

/* The job ended with this; false: it went wrong. */
static bool
job_count(struct job *job, const struct pipit_result *res)
{
        if (!job->open) {
                job->load->n_doubled++;
                return false;
        }
        if (pipit_failed(res))
                job_fail(job, res);
        else
                job->load->n_ok++;
        return !pipit_failed(res);
}

static void
on_written(struct pipit_result *res, void *arg)
{
        struct job *job = arg;

        if (job_count(job, res))
                check_written(job, res);
        job_note(job, pipit_result_error(res));
        job_close(job);
}

static void
on_read(struct pipit_result *res, void *arg)
{
        struct job *job = arg;

        if (job_count(job, res)) {
                if (pipit_result_rows(res) > 0)
                        check_read(job, res);
                else if (job->table == TABLE_ALTERED)
                        job_wrong(job, "a row that is there is not found", res);
        }
        job_close(job);
}

static struct pipit_params
row_params(const struct job *job, struct pipit_value values[7])
{
        values[0] = pipit_value_int(job->op);
        values[1] = pipit_value_int(job->nonce);
        values[2] = pipit_value_double(job->values.real);
        values[3] = pipit_value_int(job->values.number);
        values[4] = pipit_value_timestamp(job->values.at);
        values[5] = pipit_value_text(job->values.label);
        values[6] = pipit_value_uuid(job->values.id);
        return (struct pipit_params){values, 7};
}

/* Starts a statement, with its text or with one that nobody has used yet. */
static pipit_request
start(struct job *job, struct pipit *scope, const char *sql, struct pipit_params params,
      pipit_cb cb)
{
        bool is_read = job->kind == JOB_READ || job->kind == JOB_READ_ANEW;
        char fresh[1000];

        snprintf(fresh, sizeof fresh, "%s -- %lld", sql, (long long)job->op);
        return (is_read ? pipit_read : pipit_query)(scope, job->load->fresh ? fresh : sql, params,
                                                    cb, job);
}

static pipit_request
start_write(struct job *job, struct pipit *scope, const char *sql, pipit_cb cb)
{
        struct pipit_value values[7];

        return start(job, scope, sql, row_params(job, values), cb);
}

static pipit_request
start_read(struct job *job)
{
        struct load_ddl *load = job->load;
        int n = load->n_recent < N_RECENT ? load->n_recent : N_RECENT;
        int64_t op = n > 0 ? load->recent[dice_between(&load->dice, 0, n - 1)] : -1;

        if (job->kind == JOB_READ && op >= 0)
                return start(job, load->db, READ_BACK, PIPIT_PARAMS(op), on_read);
        job->table = TABLE_ANEW;
        return start(job, load->db, READ_LATEST, PIPIT_PARAMS(job->op), on_read);
}

/* ---- transactions */

/* A statement of a body: what it gives is judged, its failure is the transaction's. */
static void
on_row(struct pipit_result *res, void *arg)
{
        if (!pipit_failed(res))
                check_written(arg, res);
}

static void
on_committed(struct pipit_result *res, void *arg)
{
        struct job *job = arg;

        job_count(job, res);
        job_note(job, pipit_result_error(res));
        job_close(job);
}

static void
transaction_body(struct pipit *tx, void *arg)
{
        struct job *job = arg;

        start_write(job, tx, WRITE("shape"), on_row);
        start(job, tx, READ_BACK, PIPIT_PARAMS(job->op), on_row);
}

static pipit_request
start_transaction(struct job *job)
{
        struct pipit_transaction options = {.max_attempts = 10,
                                            .commit_early = dice_percent(&job->load->dice, 30)};

        return pipit_atomic_with(job->load->db, &options, transaction_body, on_committed, job);
}

/* ---- sessions: one statement after the other */

static void
session_end(struct job *job)
{
        struct pipit *session = job->session;

        job->session = NULL;
        pipit_close(session);
        job_close(job);
}

static void
on_scratch(struct pipit_result *res, void *arg)
{
        struct job *job = arg;

        if (job_count(job, res)) {
                const char *got = pipit_result_text(res, 0, 0);
                const char *text = pipit_result_text(res, 0, 1);
                bool right = got != NULL && text != NULL && strcmp(got, text) == 0 &&
                             (job->wide ? strtod(text, NULL) == job->values.real
                                        : strtof(text, NULL) == (float)job->values.real);
                if (!right)
                        job_wrong(job, "a temporary table has another value", res);
        }
        session_end(job);
}

static void
on_scratch_made(struct pipit_result *res, void *arg)
{
        struct job *job = arg;

        if (!job_count(job, res)) {
                session_end(job);
                return;
        }
        if (start(job, job->session, "INSERT INTO scratch VALUES ($1) RETURNING v, v::text",
                  PIPIT_PARAMS(job->values.real), on_scratch) == 0)
                session_end(job);
}

static void
on_session_written(struct pipit_result *res, void *arg)
{
        struct job *job = arg;
        const char *sql = job->wide ? "CREATE TEMP TABLE scratch (v double precision)"
                                    : "CREATE TEMP TABLE scratch (v real)";
        bool good = job_count(job, res);

        if (good)
                check_written(job, res);
        job_note(job, pipit_result_error(res));
        if (!good || pipit_query(job->session, sql, PIPIT_NO_PARAMS, on_scratch_made, job) == 0)
                session_end(job);
}

static void
on_path_set(struct pipit_result *res, void *arg)
{
        struct job *job = arg;
        bool good = job_count(job, res);

        if (!good || start_write(job, job->session, WRITE("shape"), on_session_written) == 0) {
                job->load->ledger.states[job->op] = LEDGER_REFUSED;
                session_end(job);
        }
}

static pipit_request
start_session(struct job *job)
{
        job->wide = dice_percent(&job->load->dice, 50);
        job->session = pipit_session_open(job->load->db);
        return pipit_query(job->session, "SET search_path = again", PIPIT_NO_PARAMS, on_path_set,
                           job);
}

/* ---- models */

static void
on_record_got(struct pipit_result *res, void *arg)
{
        struct job *job = arg;
        const struct shaped *row = shaped_row(res, 0);

        if (job_count(job, res) && (row == NULL || row->nonce != job->nonce))
                job_wrong(job, "another record", res);
        job_close(job);
}

static void
on_record(struct pipit_result *res, void *arg)
{
        struct job *job = arg;
        const struct shaped *row = shaped_row(res, 0);
        bool good = job_count(job, res);

        if (good && row != NULL)
                check_record(job, row, res);
        job_note(job, pipit_result_error(res));
        if (!good ||
            shaped_get(job->load->db, pipit_eq(shaped_model.op, job->op), on_record_got, job) == 0)
                job_close(job);
}

static pipit_request
start_record(struct job *job)
{
        struct shaped row = {.op = job->op,
                             .nonce = job->nonce,
                             .v_real = job->values.real,
                             .v_int = job->values.number,
                             .v_date = job->values.at,
                             .v_enum = job->values.label};

        return shaped_create(job->load->db, &row, on_record, job);
}

/* ---- all of them */

pipit_request
job_send(struct job *job)
{
        struct pipit *db = job->load->db;

        switch (job->kind) {
        case JOB_WRITE: return start_write(job, db, WRITE("shape"), on_written);
        case JOB_WRITE_ANEW: return start_write(job, db, WRITE("again.shape"), on_written);
        case JOB_READ:
        case JOB_READ_ANEW: return start_read(job);
        case JOB_TRANSACTION: return start_transaction(job);
        case JOB_SESSION: return start_session(job);
        case JOB_MODEL: return start_record(job);
        }
        return 0;
}

const char *
job_kind_name(enum job_kind kind)
{
        return kind_names[kind];
}
