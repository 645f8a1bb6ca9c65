/*
 * Session settings: what every session gets before its first statement, whatever the server, the
 * database or the role has set.
 *
 * conn_send.c sends them as one SELECT, and not in the startup packet, because poolers refuse the
 * packet's "options". What always holds:
 * 1. A limit that the session has is never lifted: pipit's own counts where there is none, or a
 *    longer one.
 * 2. Of a session that others have, too, nothing is changed: it is only asked.
 * 3. A setting that a session can do without is left out once the server has refused it, so one
 *    that is not there keeps nobody from connecting.
 */
#ifndef PIPIT_SESSION_SETTINGS_INTERNAL_H
#define PIPIT_SESSION_SETTINGS_INTERNAL_H

#include <stdint.h>

#include "connect/connect_attempt.h"

/* The statement; its parameters are borrowed. */
struct session_settings {
        char sql[2400];
        int n;
        const char *values[1];
};

/* The host that has refused some of the statement last, so that later connects to it do without. A
 * database has one. */
struct refused_settings {
        char host[CONN_ERROR_HOST_SIZE];
        unsigned refused; /* bits of pipit__session_settings_refuse(); 0 while nothing is refused */
};

/* Writes the statement. search_path: "" leaves the server's. server_version: as libpq gives it,
 * 150018 is 15.18. refused: what is left out. */
void pipit__session_settings_init(struct session_settings *settings, int server_version,
                                  const char *search_path, unsigned refused);
/* Writes the statement for a session that others have, too: it changes nothing. */
void pipit__session_settings_init_shared(struct session_settings *settings);
/* Has the statement also ask who the session is, as pid and began: so that another one can have it
 * cancelled, and a pooler is seen. */
void pipit__session_settings_ask_backend(struct session_settings *settings, unsigned refused);

/* Returns what is to be left out after the server has refused the statement with that error: one
 * thing more, that which the message names or else any; or as much as before if nothing can be left
 * out any more, or if the error says that something else went wrong. */
unsigned pipit__session_settings_refuse(unsigned refused, int server_version, const char *sqlstate,
                                        const char *message);

/* Returns the milliseconds of a time as the server shows a setting's, as 0, 500ms or 2min; -1 for
 * any other text. */
int64_t pipit__session_settings_read_ms(const char *text);

#endif
