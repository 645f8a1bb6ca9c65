/*
 * Session settings: what every session gets before its first statement, whatever the server, the
 * database or the role has set.
 *
 * conn_send.c sends them as one SELECT, and not in the startup packet, because poolers refuse the
 * packet's "options".
 */
#ifndef PIPIT_SESSION_SETTINGS_INTERNAL_H
#define PIPIT_SESSION_SETTINGS_INTERNAL_H

/* The statement; its parameters are borrowed. */
struct session_settings {
        char sql[1400];
        int n;
        const char *values[1];
};

/* Writes the statement. search_path: "" leaves the server's. server_version: as libpq gives it,
 * 150018 is 15.18. */
void pipit__session_settings_init(struct session_settings *settings, int server_version,
                                  const char *search_path);
/* Has the statement also ask who the session is, as pid and began, so that another one can have it
 * cancelled. */
void pipit__session_settings_ask_backend(struct session_settings *settings);

#endif
