/*
 * Command tags. See reply_tag.h.
 */
#include "conn/reply_tag.h"

#include <stddef.h>
#include <string.h>

/* Whether a tag starts with one of these, as whole words. */
static bool
tag_starts_with(const char *tag, const char *const *words)
{
        for (; *words != NULL; words++) {
                size_t length = strlen(*words);
                if (strncmp(tag, *words, length) == 0 &&
                    (tag[length] == '\0' || tag[length] == ' '))
                        return true;
        }
        return false;
}

bool
pipit__tag_is_write(const char *tag)
{
        return strncmp(tag, "INSERT ", 7) == 0 || strncmp(tag, "UPDATE ", 7) == 0 ||
               strncmp(tag, "DELETE ", 7) == 0;
}

bool
pipit__tag_is_unshared(const char *tag)
{
        static const char *const tags[] = {
                "BEGIN",   "START TRANSACTION", "COMMIT",     "ROLLBACK", "SAVEPOINT",
                "RELEASE", "PREPARE",           "DEALLOCATE", "SET",      "RESET",
                "LISTEN",  "UNLISTEN",          "DISCARD",    "DECLARE",  "CLOSE CURSOR",
                "LOAD",    "LOCK TABLE",        "FETCH",      "MOVE",     NULL};

        /* Both end for good what another session prepared, and change nothing in this one. */
        if (strcmp(tag, "COMMIT PREPARED") == 0 || strcmp(tag, "ROLLBACK PREPARED") == 0)
                return false;
        return tag_starts_with(tag, tags);
}

bool
pipit__tag_ends_transaction(const char *tag)
{
        static const char *const tags[] = {"BEGIN",    "START TRANSACTION",   "COMMIT",
                                           "ROLLBACK", "PREPARE TRANSACTION", NULL};

        return tag_starts_with(tag, tags);
}

bool
pipit__tag_is_dirty(const char *tag)
{
        static const char *const tags[] = {"SET",     "RESET",      "LISTEN",  "UNLISTEN",
                                           "PREPARE", "DEALLOCATE", "DISCARD", "DECLARE",
                                           "LOAD",    "CREATE",     NULL};

        return tag_starts_with(tag, tags);
}
