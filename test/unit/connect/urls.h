/*
 * What the tests of conninfo.c share: a URL that is read, and the parameters of a connect.
 */
#ifndef TEST_URLS_H
#define TEST_URLS_H

#include "connect/conninfo.h"

/* Of the test that runs; urls_setup() makes them. */
extern struct conninfo info;
extern struct pipit_options options;
extern char *problem;
extern struct conninfo_parameters parameters;
extern char folder[64]; /* the home */

/* Fixtures. Nothing of the environment that the test runs in may change what it finds. */
void urls_setup(void);
void urls_teardown(void);

/* Reads a URL with the options. */
int read_url(const char *url);
/* The same, and it must be right. */
void read_well(const char *url);
/* Asks for the parameters of a connect to an address of a host. */
void connect_to(int host, const char *address);
/* One of them; NULL when it is not given, or "". */
const char *parameter(const char *key);

/* Writes a file into the home. */
void write_file(const char *name, const char *text);

#endif
