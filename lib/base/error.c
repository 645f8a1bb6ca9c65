/*
 * The error codes have a name and a text each, listed by PIPIT_ERROR_MAP in <pipit/error.h>. The
 * texts are constants, which a result's error may point to for ever.
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

/* Returns the entry of a code, or one that says that the code is unknown; never NULL. */
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
