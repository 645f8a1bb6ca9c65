/*
 * A search path is a list of schemas, as SET search_path takes it.
 *
 * As a session's setting it is a parameter, and the server takes it apart. For one transaction it
 * is set by a command, which has no parameters: there each name is quoted.
 */
#ifndef PIPIT_SEARCH_PATH_INTERNAL_H
#define PIPIT_SEARCH_PATH_INTERNAL_H

#include <stdbool.h>

/* Whether a text is a list of names, or "". */
bool pipit__search_path_is_list(const char *list);
/* Returns the command that sets it for a transaction, which the caller frees; NULL when memory ran
 * out. The list must be one, and not "". */
char *pipit__search_path_command(const char *list);

#endif
