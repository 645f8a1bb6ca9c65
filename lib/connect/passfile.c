/*
 * Password files. See passfile.h.
 */
#include "connect/passfile.h"

#include <pipit/options.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "pq/pq_connect.h"

struct passfile {
        pipit_log_cb log; /* NULL if the program has none */
        void *log_arg;
        bool told;   /* the log knows that the file is not read, and it still is not */
        char path[]; /* "" if there is no folder where it could be */
};

/* A file that is not there; libpq says nothing of that. */
static const char passfile_nowhere[] = "/dev/null/none";

struct passfile *
pipit__passfile_new(const char *given, const struct pipit_options *options)
{
        char home[1000];
        bool has_home = given[0] == '\0' && pipit__pq_home(home, sizeof home) == 0;
        size_t room = (has_home ? strlen(home) : strlen(given)) + sizeof "/.pgpass";
        struct passfile *passfile = calloc(1, sizeof *passfile + room);

        if (passfile == NULL)
                return NULL;
        passfile->log = options->log;
        passfile->log_arg = options->log_arg;
        if (has_home)
                snprintf(passfile->path, room, "%s/.pgpass", home);
        else
                snprintf(passfile->path, room, "%s", given);
        return passfile;
}

void
pipit__passfile_free(struct passfile *passfile)
{
        free(passfile);
}

/* Returns why libpq does not read the file; NULL if it does, or there is none. */
static const char *
passfile_problem(const struct passfile *passfile)
{
        struct stat found;

        if (passfile->path[0] == '\0' || stat(passfile->path, &found) != 0)
                return NULL;
        if (!S_ISREG(found.st_mode))
                return "it is not a plain file";
        if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
                return "its group or others may use it; u=rw (0600) is right";
        return NULL;
}

const char *
pipit__passfile_path(struct passfile *passfile)
{
        const char *problem = passfile_problem(passfile);
        /* The database's own log counts lines by its clock, of which there is none here. */
        struct log log = {.fn = passfile->log, .arg = passfile->log_arg};

        if (problem != NULL && !passfile->told)
                pipit__log(&log, 0, PIPIT_LOG_WARNING, "the password file \"%s\" is not read: %s",
                           passfile->path, problem);
        passfile->told = problem != NULL;
        return problem == NULL ? passfile->path : passfile_nowhere;
}
