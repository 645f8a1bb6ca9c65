/*
 * Memory that held a password, or a connection string with one in it, is overwritten when it is
 * freed: what is left in freed memory shows in core dumps, and to whoever reads memory by mistake.
 */
#ifndef PIPIT_WIPE_INTERNAL_H
#define PIPIT_WIPE_INTERNAL_H

#include <stdlib.h>
#include <string.h>

/* Overwrites a text and frees it. NULL does nothing. */
static inline void
pipit__wipe_free(char *text)
{
        if (text != NULL)
                explicit_bzero(text, strlen(text));
        free(text);
}

#endif
