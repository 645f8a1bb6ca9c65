/*
 * A plain libpq connection to the live server, with the session settings of pipit's own, for tests
 * that choose the formats of values themselves.
 */
#ifndef TEST_PLAIN_H
#define TEST_PLAIN_H

#include <pipit/pipit.h>

/* Fixtures: a connection, and the results that were asked for on it. */
void plain_setup(void);
void plain_teardown(void);

/* The result of a statement that must succeed, its rows in binary form or in text; lives until the
 * test's end. */
struct pipit_result *plain_query(const char *sql, bool binary);

/* A parameter as it goes over the wire. */
struct plain_param {
        uint32_t oid;
        bool binary;
        const char *data; /* NULL: SQL NULL */
        size_t length;
};

/* Runs "SELECT $1": the answer's text, or the SQLSTATE behind "error "; the caller frees it. */
char *plain_echo(const struct plain_param *param);

/* "SELECT v::TYPE FROM (VALUES ...) t(v)" over texts, of which the last is NULL; the caller frees
 * it. */
char *plain_cast(const char *type, const char *const *texts);

#endif
