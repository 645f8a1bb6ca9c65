/*
 * A statement is what is known of one SQL text, for all connections of a scope: the name that it is
 * prepared under, the types of its parameters, how fast it is answered.
 *
 * The table in stmt_cache.h makes statements. Whoever binds values to one, has one prepared or
 * waits for its answer refers to it.
 *
 * 1. Text, name and serial never change. What was once learned of types never changes either: where
 *    it is out of date, pipit__stmt_renew() gives another statement of the same text.
 * 2. A statement lives as long as somebody refers to it or its table knows it.
 * 3. A statement has a slot only while its table knows it, and no two of a table have the same.
 */
#ifndef PIPIT_STMT_INTERNAL_H
#define PIPIT_STMT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"

struct latency;
struct pg_conn;
struct pq_params;
struct stmt;

/* Room for the name of a prepared statement. */
#define STMT_NAME_SIZE 48

/* The types of so many parameters are kept at most. */
#define STMT_MAX_TYPES 64

/* Returns the statement, with one more reference. */
struct stmt *pipit__stmt_ref(struct stmt *stmt);
/* Gives a reference back; NULL does nothing. */
void pipit__stmt_unref(struct stmt *stmt);

/* The text; borrowed. */
const char *pipit__stmt_sql(const struct stmt *stmt);
/* The bytes of the text without its NUL. */
size_t pipit__stmt_length(const struct stmt *stmt);
/* Whether a text has the name in it that the statement is prepared under. */
bool pipit__stmt_is_named_in(const struct stmt *stmt, const char *text);

/* The place in what connections have prepared; -1: the statement is never prepared. */
int pipit__stmt_slot(const struct stmt *stmt);
/* A number from 1 that no other statement of the table has. */
uint64_t pipit__stmt_serial(const struct stmt *stmt);
/* Whether the table knows the statement: it is not out of date. */
bool pipit__stmt_is_known(const struct stmt *stmt);

/* The estimate of how fast the statement is answered, to learn from answers too. */
struct latency *pipit__stmt_latency(struct stmt *stmt);

/* Whether the text sets something by itself, for the rest of its transaction or longer: SET, RESET
 * or set_config(). What functions do that it calls is not in it. */
bool pipit__stmt_sets(const struct stmt *stmt);
/* Whether the answer was that of a SELECT, INSERT, UPDATE or DELETE when it ran last. */
bool pipit__stmt_is_plain(const struct stmt *stmt);
void pipit__stmt_set_plain(struct stmt *stmt, bool is_plain);

/* ---- types */

/* Whether the types of its parameters are known. */
bool pipit__stmt_is_typed(const struct stmt *stmt);
/* The types of its parameters; NULL unless they are known and are n. Borrowed. */
const uint32_t *pipit__stmt_types(const struct stmt *stmt, int n);
/* Learns the types of its parameters, and whether its results are read better in binary form,
 * unless that is known. Without memory it stays unknown. */
COLD void pipit__stmt_learn(struct stmt *stmt, int n_types, const uint32_t *types, bool is_binary);

/* ---- libpq: 0, or -1 */

/* Sends a Prepare, with the types that are known: values in binary form depend on them. */
int pipit__stmt_send_prepare(const struct stmt *stmt, struct pg_conn *pq);
/* Asks for the types of what was prepared. */
int pipit__stmt_send_describe(const struct stmt *stmt, struct pg_conn *pq);
/* Sends the statement with these values: by its name, under which it was prepared, or with its
 * text. */
int pipit__stmt_send(const struct stmt *stmt, struct pg_conn *pq, const struct pq_params *params,
                     bool by_name);

#endif
