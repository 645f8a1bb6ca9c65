#ifndef BENCH_SUBJECT_PIPIT_H
#define BENCH_SUBJECT_PIPIT_H

#include "run.h"

extern const struct subject subject_pipit;

#endif
