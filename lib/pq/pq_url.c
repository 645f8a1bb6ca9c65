/*
 * The text of a connection string is looked at as libpq does. See pq_url.h.
 */
#include "pq/pq_url.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Returns what follows the scheme of a URI, borrowed; NULL: this is none. */
static const char *
uri_authority(const char *url)
{
        static const char *const schemes[] = {"postgresql://", "postgres://"};

        for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
                if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
                        return url + strlen(schemes[i]);
        }
        return NULL;
}

bool
pipit__pq_url_is_uri(const char *url)
{
        return uri_authority(url) != NULL;
}

const char *
pipit__pq_url_misread(const char *url)
{
        const char *at = uri_authority(url);

        if (at == NULL)
                return NULL;
        /* The first @ in front of the first / ends user and password; the other parts of a URI up
         * to its parameters have none. */
        size_t credentials = strcspn(at, "@/");
        if (at[credentials] == '@')
                at += credentials + 1;
        size_t rest = strcspn(at, "?");
        return memchr(at, '@', rest) == NULL
                       ? NULL
                       : "an @ stands where none may be: in a user, a password or a database an @ "
                         "is written %40, and a / in a user or a password %2F";
}

bool
pipit__pq_url_is_secret(const char *url)
{
        const char *authority = uri_authority(url);
        const char *rest = authority != NULL ? authority : url;
        const char *at = strchr(rest, '@');

        /* Within brackets colons are an address. */
        if (authority != NULL && authority[0] == '[')
                rest += strcspn(rest, "]/");
        /* In front of the only @, and without a colon, stands a user and no password. */
        return strchr(rest, ':') != NULL || strcasestr(rest, "pass") != NULL ||
               (at != NULL && strchr(at + 1, '@') != NULL);
}

/* Whether a % is no part of an encoded byte. */
static bool
has_stray_percent(const char *url)
{
        for (const char *at = strchr(url, '%'); at != NULL; at = strchr(at + 1, '%')) {
                if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]) ||
                    strncmp(at, "%00", 3) == 0)
                        return true;
        }
        return false;
}

const char *
pipit__pq_url_problem(const char *url)
{
        bool is_uri = pipit__pq_url_is_uri(url);

        if (!is_uri && strstr(url, "://") != NULL)
                return "its scheme is neither postgresql:// nor postgres:// (it is not repeated "
                       "here, since it may have a password)";
        if (!is_uri)
                return "it is neither a URI nor a list of name=value with names that libpq knows; a "
                       "value with blanks or quotes stands in quotes, 'as \\'this\\'' (it is not "
                       "repeated here, since it may have a password)";
        if (has_stray_percent(url))
                return "a % in it is followed by no two hexadecimal digits, or by 00: a % itself is "
                       "written %25 (it is not repeated here, since it may have a password)";
        return "it cannot be read: in a user and a password each of : / @ ? # [ ] & = and blanks is "
               "written as % and two hexadecimal digits, an IPv6 address stands in [ ], and "
               "parameters are name=value with names that libpq knows (it is not repeated here, "
               "since it may have a password)";
}
