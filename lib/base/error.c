/*
 * The names and texts of the error codes.
 */
#include <pipit/error.h>
#include <stddef.h>

struct entry {
        int code;
        const char *name;
        const char *text;
};

#define ERROR_ENTRY(name, value, text) {value, #name, text},
static const struct entry entries[] = {{PIPIT_OK, "PIPIT_OK", "success"},
                                       PIPIT_ERROR_MAP(ERROR_ENTRY)};

static const struct entry *
entry_find(int code)
{
        static const struct entry unknown = {0, "PIPIT_E?", "unknown error"};

        for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
                if (entries[i].code == code)
                        return &entries[i];
        }
        return &unknown;
}

const char *
pipit_code_name(int code)
{
        return entry_find(code)->name;
}

const char *
pipit_code_text(int code)
{
        return entry_find(code)->text;
}
