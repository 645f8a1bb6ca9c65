/*
 * The password file is libpq's: it reads the file at each connect that has no password. A file that
 * libpq does not trust it leaves out, and writes that to stderr each time. pipit looks before it
 * connects, keeps such a file from libpq, and tells the log once.
 *
 * A struct passfile owns its texts. conninfo.c has one for each database.
 */
#ifndef PIPIT_PASSFILE_INTERNAL_H
#define PIPIT_PASSFILE_INTERNAL_H

struct passfile;
struct pipit_options;

/* given is the passfile parameter, "" for ~/.pgpass, borrowed until the call returns; the log is
 * that of the options. The caller frees the passfile. NULL if memory ran out. */
struct passfile *pipit__passfile_new(const char *given, const struct pipit_options *options);
/* Frees a passfile. NULL does nothing. */
void pipit__passfile_free(struct passfile *passfile);

/* Returns what libpq is to take for its password file, borrowed from the passfile. The file need
 * not exist; "" if there is no folder where it could be. */
const char *pipit__passfile_path(struct passfile *passfile);

#endif
