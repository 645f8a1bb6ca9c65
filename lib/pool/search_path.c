/*
 * Search paths. See search_path.h.
 */
#include "pool/search_path.h"

#include <stdlib.h>
#include <string.h>

#include "sql/sql.h"

#define BLANKS " \t\r\n\f\v"

/* A name of a list, and what comes after it. */
struct path_name {
        char text[PIPIT__SQL_IDENT_MAX + 1];
        size_t length;
        const char *end; /* NULL: it is none */
};

static void
name_add(struct path_name *name, char c)
{
        if (name->length < PIPIT__SQL_IDENT_MAX)
                name->text[name->length++] = c;
        else
                name->end = NULL;
}

/* Reads a quoted name; at is after its first quote. A quote in it is doubled. */
static void
name_read_quoted(struct path_name *name, const char *at)
{
        while (*at != '\0') {
                if (*at == '"' && *++at != '"') {
                        name->end = name->end != NULL ? at : NULL;
                        return;
                }
                name_add(name, *at++);
        }
        name->end = NULL;
}

/* Reads a name that is not quoted: the server makes its letters small. */
static void
name_read_bare(struct path_name *name, const char *at)
{
        for (; *at != '\0' && *at != '"' && strchr("," BLANKS, *at) == NULL; at++)
                name_add(name, *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at);
        name->end = name->end != NULL ? at : NULL;
}

/* Reads the next name of a list, and goes on after its comma, or to the end. false: there is none.
 */
static bool
name_read(struct path_name *name, const char **at)
{
        const char *start = *at + strspn(*at, BLANKS);

        *name = (struct path_name){.end = start};
        if (*start == '"')
                name_read_quoted(name, start + 1);
        else
                name_read_bare(name, start);
        if (name->end == NULL || name->length == 0)
                return false;
        const char *end = name->end + strspn(name->end, BLANKS);
        *at = *end == ',' ? end + 1 : end;
        return *end == '\0' || *end == ',';
}

/* Whether a list goes on: the comma after a name promises another one. */
static bool
list_goes_on(const char *list, const char *at)
{
        return *at != '\0' || (at > list && at[-1] == ',');
}

bool
pipit__search_path_is_list(const char *list)
{
        struct path_name name;
        const char *at = list;

        while (list_goes_on(list, at)) {
                if (!name_read(&name, &at))
                        return false;
        }
        return true;
}

char *
pipit__search_path_command(const char *list)
{
        struct path_name name;
        const char *at = list;
        struct sql sql;

        pipit__sql_init(&sql);
        pipit__sql_raw(&sql, "SET LOCAL search_path = ");
        while (list_goes_on(list, at) && name_read(&name, &at)) {
                pipit__sql_ident(&sql, name.text);
                if (list_goes_on(list, at))
                        pipit__sql_raw(&sql, ", ");
        }
        char *command = pipit__sql_error(&sql) == 0 ? strdup(pipit__sql_text(&sql)) : NULL;
        pipit__sql_fini(&sql);
        return command;
}
