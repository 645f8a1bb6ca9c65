/*
 * What every test program shares: main() around one Check suite.
 */
#ifndef TEST_RUNNER_H
#define TEST_RUNNER_H

#include <check.h>

/* Each test program defines its suite here. */
Suite *test_suite(void);

/* Runs it; the program's exit status. */
int run_tests(void);

#endif
