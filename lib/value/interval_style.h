/*
 * Intervals as PostgreSQL writes them in its styles postgres, postgres_verbose and sql_standard.
 *
 * pipit has sessions write them in iso_8601, which interval.c reads, but cannot set that where a
 * pooler lends sessions for transactions. Only what the server writes is read; each style leaves
 * others no room, so that none has to be known.
 */
#ifndef PIPIT_INTERVAL_STYLE_INTERNAL_H
#define PIPIT_INTERVAL_STYLE_INTERNAL_H

#include <pipit/value.h>
#include <stddef.h>

/* Reads an interval that is not infinite. 0, or PIPIT_ETYPE. */
int pipit__interval_style_read(const char *text, size_t length, struct pipit_interval *ret);

#endif
