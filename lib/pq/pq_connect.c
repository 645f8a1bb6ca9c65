/*
 * The start of a connect. See pq_connect.h.
 *
 * libpq drops an empty value from its arrays of parameters, and then looks into the environment for
 * it. In a connection string an empty value stays: it may be wrong (sslmode), or mean something
 * (port). The first dbname of the arrays may be a connection string, so the empty values go there.
 */
#include "pq/pq_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/descriptor.h"

bool
pipit__pq_has_system_roots(void)
{
        return PQlibVersion() >= 160000;
}

bool
pipit__pq_has_require_auth(void)
{
        return PQlibVersion() >= 160000;
}

/* Writes the home folder that the system has for the user. 0, or -1. */
static int
home_of_user(char *out, size_t size)
{
        struct passwd user;
        struct passwd *found = NULL;
        char memory[4096];

        if (getpwuid_r(geteuid(), &user, memory, sizeof memory, &found) != 0 || found == NULL)
                return -1;
        int length = snprintf(out, size, "%s", user.pw_dir);
        return length >= 0 && (size_t)length < size ? 0 : -1;
}

int
pipit__pq_home(char *out, size_t size)
{
        const char *home = getenv("HOME");

        /* Before 15 libpq does not look at the environment. */
        if (home == NULL || home[0] == '\0' || PQlibVersion() < 150000)
                return home_of_user(out, size);
        if (strlen(home) >= size)
                return -1;
        strcpy(out, home);
        return 0;
}

/* Drops the notices of a connection that is not up yet. */
static void
receiver_ignore(void *arg, const PGresult *result)
{
        (void)arg;
        (void)result;
}

/* Returns a connection string of the empty values, "" without one, which the caller frees; NULL if
 * memory ran out. */
static char *
start_empty_values(const char *const *keys, const char *const *values)
{
        size_t room = 1;

        for (size_t i = 0; keys[i] != NULL; i++)
                room += strlen(keys[i]) + strlen("='' ");
        char *text = malloc(room);
        if (text == NULL)
                return NULL;
        char *end = text;
        *end = '\0';
        for (size_t i = 0; keys[i] != NULL; i++) {
                if (values[i][0] == '\0')
                        end += snprintf(end, room - (size_t)(end - text), "%s='' ", keys[i]);
        }
        return text;
}

/* Starts with the connection string in front of the parameters. NULL if memory ran out. */
static PGconn *
start_with(const char *string, const char *const *keys, const char *const *values)
{
        size_t n = 0;

        while (keys[n] != NULL)
                n++;
        const char **all_keys = calloc(n + 2, sizeof *all_keys);
        const char **all_values = calloc(n + 2, sizeof *all_values);
        PGconn *pq = NULL;
        if (all_keys != NULL && all_values != NULL) {
                all_keys[0] = "dbname";
                all_values[0] = string;
                memcpy(all_keys + 1, keys, n * sizeof *keys);
                memcpy(all_values + 1, values, n * sizeof *values);
                pq = PQconnectStartParams(all_keys, all_values, 1);
        }
        free(all_keys);
        free(all_values);
        return pq;
}

int
pipit__pq_look(const struct pg_conn *pq)
{
        char answer = '\0';

        if (PQstatus(pq) != CONNECTION_SSL_STARTUP)
                return -1;
        /* An error in place of an answer is a server that is short of something, or none at all. */
        if (PQsslInUse((PGconn *)(uintptr_t)pq) == 0 &&
            (recv(PQsocket(pq), &answer, 1, MSG_PEEK | MSG_DONTWAIT) != 1 ||
             (answer != 'N' && answer != 'S')))
                return -1;
        int look = fcntl(PQsocket(pq), F_DUPFD_CLOEXEC, 0);
        /* libpq reads certificates from files. Without a descriptor for these it fails, too. */
        if (look >= 0 && pipit__descriptor_problem(1) != NULL) {
                close(look);
                return -1;
        }
        return look;
}

bool
pipit__pq_failed_for_good(const struct pg_conn *pq, int look)
{
        char byte;

        if (PQconnectionNeedsPassword(pq) == 1)
                return true;
        if (look < 0)
                return false;
        ssize_t n = recv(look, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return n > 0 || (n < 0 && errno == EAGAIN);
}

struct pg_conn *
pipit__pq_start(const char *const *keys, const char *const *values)
{
        char *empty = start_empty_values(keys, values);
        PGconn *pq = empty != NULL ? start_with(empty, keys, values) : NULL;

        free(empty);
        if (pq == NULL)
                return NULL;
        /* The default receiver writes to stderr. The SQLSTATE of a refused connection is in no
         * field of libpq: only the verbose message has it. */
        PQsetNoticeReceiver(pq, receiver_ignore, NULL);
        PQsetErrorVerbosity(pq, PQERRORS_VERBOSE);
        return pq;
}
