/*
 * A statement is what is known of one SQL text, for all connections of a scope: the names that it
 * is prepared under, the types that it had last, how fast it is answered.
 *
 * The table in stmt_cache.h makes statements. Whoever binds values to one, has one prepared or
 * waits for its answer refers to it.
 *
 * 1. Text, traits and serial never change. Types are those that a connection was told last: what
 *    each connection knows is in its struct prepared, and can be older or newer.
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
struct stmt_types;

/* Room for the name of a prepared statement. */
#define STMT_NAME_SIZE 56

/* Returns the statement, with one more reference. */
struct stmt *pipit__stmt_ref(struct stmt *stmt);
/* Gives a reference back; NULL does nothing. */
void pipit__stmt_unref(struct stmt *stmt);

/* The text; borrowed. */
const char *pipit__stmt_sql(const struct stmt *stmt);
/* The bytes of the text without its NUL. */
size_t pipit__stmt_length(const struct stmt *stmt);
/* The traits of the text, of enum stmt_trait. */
unsigned pipit__stmt_traits(const struct stmt *stmt);
/* Whether a text has a name in it that the statement is prepared under. */
bool pipit__stmt_is_named_in(const struct stmt *stmt, const char *text);

/* The place in what connections have prepared; -1: the statement is never prepared. */
int pipit__stmt_slot(const struct stmt *stmt);
/* A number from 1 that no other statement of the table has. */
uint64_t pipit__stmt_serial(const struct stmt *stmt);
/* The estimate of how fast the statement is answered, to learn from answers too. */
struct latency *pipit__stmt_latency(struct stmt *stmt);

/* Whether the answer was that of a SELECT, INSERT, UPDATE or DELETE when it ran last. */
bool pipit__stmt_is_plain(const struct stmt *stmt);
void pipit__stmt_set_plain(struct stmt *stmt, bool is_plain);

/* ---- types */

/* The types that a connection was told last; NULL if none was, or if it has not n parameters.
 * Borrowed. */
struct stmt_types *pipit__stmt_types(const struct stmt *stmt, int n);
/* Learns the types that a connection was told; takes its reference over. Returns the same types as
 * all others have who were told them, with a reference for the caller. */
COLD struct stmt_types *pipit__stmt_learn(struct stmt *stmt, struct stmt_types *types);

/* ---- libpq: 0, or -1 */

/* Sends a Prepare under one of its names, by any number, and asks for the types. The Prepare has
 * none: they are what the server finds now. */
COLD int pipit__stmt_send_prepare(const struct stmt *stmt, struct pg_conn *pq, uint32_t name);
/* Sends the statement with these values, by the name under which it was prepared; its result comes
 * in binary form or as text. */
int pipit__stmt_send_prepared(const struct stmt *stmt, struct pg_conn *pq, uint32_t name,
                              const struct pq_params *params, bool is_binary);
/* Sends the statement with its text, and with values that are all text. */
int pipit__stmt_send_text(const struct stmt *stmt, struct pg_conn *pq,
                          const struct pq_params *params, bool is_binary);

#endif
