/*
 * Memory that runs out on purpose. The program is linked with --wrap for malloc, calloc, realloc,
 * reallocarray and strdup, so that only what it calls itself is counted, not shared libraries.
 *
 *      for (int n = 0;; n++) {
 *              oom_after(n);
 *              ... what is tested, which must fail cleanly or succeed ...
 *              if (!oom_stop())
 *                      break;
 *      }
 */
#ifndef TEST_OOM_H
#define TEST_OOM_H

#include <stdbool.h>

/* Makes one allocation fail: the next one for 0, the one after it for 1 and so on. */
void oom_after(int n);

/* Ends that; whether an allocation has failed. */
bool oom_stop(void);

#endif
