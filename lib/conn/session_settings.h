/*
 * The settings that every session gets before its first statement, whatever the server, the
 * database or the role has set.
 */
#ifndef PIPIT_SESSION_SETTINGS_INTERNAL_H
#define PIPIT_SESSION_SETTINGS_INTERNAL_H

/* One statement; its parameters are borrowed. */
struct session_settings {
        char sql[1400];
        int n;
        const char *values[1];
};

/* search_path "" leaves the server's. server_version as libpq gives it: 150018 is 15.18. */
void pipit__session_settings_init(struct session_settings *settings, int server_version,
                                  const char *search_path);
/* Asks besides who the session is, so that another one can have it cancelled: pid, and began. */
void pipit__session_settings_ask_backend(struct session_settings *settings);

#endif
