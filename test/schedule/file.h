/*
 * Schedules in files: bytes as hexadecimal numbers, and comments from # to the end of a line.
 */
#ifndef SCHEDULE_FILE_H
#define SCHEDULE_FILE_H

#include <stdio.h>

#include "choose.h"

/* 0, or -1 when the file cannot be read or is no schedule. */
int schedule_read(const char *path, struct taken *ret_schedule);
void schedule_print(FILE *file, const struct taken *schedule);

#endif
