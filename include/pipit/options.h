/*
 * Options of a database. Zero, or NULL, means the default that stands here.
 */
#ifndef PIPIT_OPTIONS_H
#define PIPIT_OPTIONS_H

#include <pipit/export.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How much a log line matters. */
enum pipit_log_level {
        PIPIT_LOG_DEBUG,  /**< state changes of connections */
        PIPIT_LOG_NOTICE, /**< NOTICE, INFO and LOG messages of the server */
        PIPIT_LOG_WARNING /**< WARNING messages; a connection lost or refused */
};

/**
 * Takes one line of the log. Called from the event loop, and from inside pipit_close(),
 * pipit_drain() and pipit_wait(); it must not call pipit. At most 100 lines a second are given, and
 * the next line after that says how many were left out.
 *
 * @param level  how much it matters
 * @param line   UTF-8 without control characters; borrowed until the callback returns. pipit puts
 *               no values and no passwords in; a message of the server is what the server sent
 * @param arg    log_arg of the options
 */
typedef void (*pipit_log_cb)(enum pipit_log_level level, const char *line, void *arg);

/**
 * Gives the password for one connection that is about to be made, so that it can change. Called
 * from the event loop and from pipit_wait(), once for each address that is tried; it must not block
 * and must not call pipit.
 *
 * @param arg  password_arg of the options
 * @return NUL-terminated text, copied at once; NULL leaves it to the connection string and the rest
 */
typedef const char *(*pipit_password_cb)(void *arg);

/**
 * Options of pipit_open(). All of it is copied. `struct pipit_options options = {0};` is the
 * default of everything. Times are milliseconds; -1 means "no such limit" where it is named. What
 * is out of range makes a scope on which every request fails with PIPIT_EINVAL.
 */
struct pipit_options {
        /** Connections that are made without being asked for, and kept open even when idle.
         * Default 0. */
        int min_connections;
        /** Connections that are open or being made at most. Default 8. */
        int max_connections;
        /** Connections that are being made at once at most. Default 2: SCRAM costs CPU. */
        int max_connecting;
        /** Requests that are sent to a connection together at most; while it is busy with them it
         * is given no others. Default 128, at most 10,000. */
        int max_pipeline;
        /** Statements that a connection keeps prepared at most. Default 256, at most 10,000; -1
         * prepares none, and no reads share: for poolers that lend a session to many. */
        int max_prepared;
        /** Requests that wait for a connection at most. Default 10,000; then PIPIT_ELIMIT. */
        int max_waiting;
        /** Bytes of SQL and values that wait at most. Default 64 MiB; then PIPIT_ELIMIT. */
        size_t max_waiting_bytes;
        /** Bytes of SQL and values of one request at most. Default 64 MiB; then PIPIT_ELIMIT. */
        size_t max_request_bytes;
        /** Bytes of one result at most. Default 64 MiB; then the connection is closed. */
        size_t max_result_bytes;

        /** Time for a request: waiting, connecting, executing. Then PIPIT_ETIMEDOUT; see
         * pipit_set_timeout() for one request. Default 60,000; -1 none. */
        int64_t timeout_ms;
        /** Time for a request to wait for a connection; then PIPIT_ETIMEDOUT. Default 30,000; -1
         * none. */
        int64_t acquire_timeout_ms;
        /** Time for one attempt to connect, look-ups included, over all hosts and addresses: each
         * gets its share of what is left. Default: connect_timeout of the connection string or
         * PGCONNECT_TIMEOUT, else 10,000. */
        int64_t connect_timeout_ms;
        /** A connection idle for longer is closed, down to the minimum. Default 600,000; -1 never.
         */
        int64_t idle_timeout_ms;
        /** A connection older than this, less up to 10 %, is closed when it becomes idle, or
         * before its next use. Default 3,600,000; -1 never. */
        int64_t lifetime_ms;

        /** libevent priority of pipit's events, plus one: 1 is libevent's 0. It must not be more
         * urgent than the handlers that make requests, and one that the base does not have is
         * ignored. Default: libevent's own default. */
        int event_priority;
        /** The search_path of every connection, a list as SET search_path takes it. Default
         * "public, pg_temp"; "" leaves the server's. */
        const char *search_path;
        /** sslmode of libpq, when the connection string, PGSSLMODE and the service file give none.
         * Default: verify-full for addresses that are not loopback, else libpq's. */
        const char *sslmode;
        /** The password, asked at each connect. Default: the connection string's, PGPASSWORD,
         * ~/.pgpass. */
        pipit_password_cb password;
        /** Given to password. */
        void *password_arg;
        /** Where log lines go. Default: nowhere. */
        pipit_log_cb log;
        /** Given to log. */
        void *log_arg;
        /** Left 0. */
        void *reserved[8];
};

#ifdef __cplusplus
}
#endif

#endif
