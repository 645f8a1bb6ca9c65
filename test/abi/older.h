/*
 * The public structs as a program has them that was built before their last members came, with what
 * its macros have made of them; and the functions that it calls. Where a later member is, it has a
 * reserved one. This is never brought up to date: programs that were built are not, either.
 *
 * Not known here: log and log_arg of the options, timeout_ms of a transaction, the offset of a
 * select, the check of a field, the schema of a model, lists in expressions, and all but the first
 * members of an error.
 */
#ifndef ABI_OLDER_H
#define ABI_OLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct pipit;
struct pipit_model;
struct pipit_result;

typedef uint64_t pipit_request;
typedef void (*pipit_cb)(struct pipit_result *res, void *arg);

enum { PIPIT_EINVAL = -1 };

struct pipit_error {
        int code;
        int executed;
        int phase;
        char sqlstate[6];
        const char *message;
};

struct pipit_options {
        int min_connections;
        int max_connections;
        int max_connecting;
        int max_pipeline;
        int max_prepared;
        int max_waiting;
        size_t max_waiting_bytes;
        size_t max_request_bytes;
        size_t max_result_bytes;
        int64_t timeout_ms;
        int64_t acquire_timeout_ms;
        int64_t connect_timeout_ms;
        int64_t idle_timeout_ms;
        int64_t lifetime_ms;
        int event_priority;
        const char *search_path;
        const char *sslmode;
        const char *(*password)(void *arg);
        void *password_arg;
        void *reserved[34];
};

struct pipit_transaction {
        int isolation;
        bool read_only;
        bool deferrable;
        int max_attempts;
        bool commit_early;
        void *reserved[9];
};

enum { PIPIT_KIND_INT = 2, PIPIT_KIND_TEXT = 6 };

struct pipit_value {
        int kind;
        unsigned reserved;
        size_t length;
        union {
                int64_t int_value;
                const char *text;
                unsigned char room[16];
        } as;
};

struct pipit_params {
        const struct pipit_value *values;
        int n;
};

enum { PIPIT_TYPE_serial = 0, PIPIT_TYPE_text = 9 };

struct pipit_field {
        const struct pipit_field *self;
        const struct pipit_model *model;
        const char *name;
        int type;
        size_t offset;
        const char *column;
        bool primary_key;
        bool unique;
        bool index;
        bool nullable;
        int max_length;
        int64_t default_int;
        double default_double;
        const char *default_text;
        bool default_bool;
        const char *default_sql;
        void *reserved[25];
};

struct pipit_model {
        const char *name;
        const struct pipit_field *fields;
        int n_fields;
        size_t row_size;
        size_t null_offset;
        size_t stored_offset;
        const char *table;
        void *reserved[17];
};

enum { PIPIT_EXPR_FIELD = 1, PIPIT_EXPR_VALUE = 2, PIPIT_EXPR_OPERATOR = 4 };
enum { PIPIT_OP_EQ = 1, PIPIT_OP_GT = 5, PIPIT_OP_AND = 11 };

struct pipit_expr {
        int kind;
        int op;
        unsigned flags;
        int n_args;
        const struct pipit_expr *const *args;
        void *reserved;
        union {
                struct {
                        const struct pipit_field *field;
                        void *reserved[3];
                } column;
                struct pipit_value value;
        } as;
};

struct pipit_order {
        const struct pipit_expr *expr;
        bool descending;
        unsigned flags;
        void *reserved[2];
};

struct pipit_orders {
        const struct pipit_order *items;
        int n;
};

struct pipit_select {
        const struct pipit_expr *where;
        struct pipit_orders order_by;
        int64_t limit;
        void *reserved[17];
};

struct pipit *
pipit_open(struct event_base *base, const char *url, const struct pipit_options *options);
void pipit_close(struct pipit *scope);
const struct pipit_error *pipit_scope_error(const struct pipit *scope);
struct pipit *pipit_allow_sync(struct pipit *db);
struct pipit_result *pipit_wait(struct pipit *sync, pipit_request request);
const struct pipit_error *pipit_result_error(const struct pipit_result *res);
int pipit_result_rows(const struct pipit_result *res);
struct pipit *pipit_begin(struct pipit *scope, const struct pipit_transaction *options);
pipit_request pipit_commit(struct pipit *tx, pipit_cb cb, void *arg);
pipit_request pipit_query(struct pipit *scope, const char *sql, struct pipit_params params,
                          pipit_cb cb, void *arg);
void *pipit_record_row(struct pipit_result *res, const struct pipit_model *model, int row);
pipit_request pipit_record_create(struct pipit *scope, const struct pipit_model *model,
                                  const void *row, pipit_cb cb, void *arg);
pipit_request pipit_record_select(struct pipit *scope, const struct pipit_model *model,
                                  const struct pipit_select *select, pipit_cb cb, void *arg);
pipit_request pipit_record_create_table(struct pipit *scope, const struct pipit_model *model,
                                        unsigned flags, pipit_cb cb, void *arg);
pipit_request pipit_record_drop_table(struct pipit *scope, const struct pipit_model *model,
                                      unsigned flags, pipit_cb cb, void *arg);

#endif
