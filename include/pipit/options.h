/*
 * Options
 *
 * The options of a database set its limits, its times and its hooks. Zero, or NULL, in a member
 * means the default that its comment names.
 */
#ifndef PIPIT_OPTIONS_H
#define PIPIT_OPTIONS_H

#include <pipit/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The level of a log line says how much the line matters. */
enum pipit_log_level {
        PIPIT_LOG_DEBUG,  /**< a connection changed its state */
        PIPIT_LOG_NOTICE, /**< the server sent a NOTICE, INFO or LOG message */
        PIPIT_LOG_WARNING /**< the server sent a WARNING; a connection was lost or refused; a
                               password file is not read */
};

/** A pooler can stand between a database's connections and its server; this says of which sort. */
enum pipit_pooler {
        /** There is none, or pipit finds out: a pooler is seen at once, and that it is in
         * transaction mode when two sessions have answered one connection. */
        PIPIT_POOLER_AUTO,
        /** The pooler gives each client a session of its own. */
        PIPIT_POOLER_SESSION,
        /** The pooler lends a session for one transaction. Then nothing is left in a session:
         * nothing is prepared, no setting outlives its transaction, and sessions and LISTEN are
         * refused with PIPIT_EUNSHARED. A connection has one Sync on its way at a time. */
        PIPIT_POOLER_TRANSACTION
};

/**
 * Takes one line of the log. pipit calls this hook from the event loop, and inside pipit_close(),
 * pipit_drain() and pipit_wait(). The hook must not call pipit, and is given the lines of log_level
 * of the options and above, at most 100 of each level in a second; the next line of a level after
 * that says how many were left out.
 *
 * @param level  how much the line matters
 * @param line   one line, UTF-8 without control characters, NUL-terminated, cut after 1,023 bytes;
 *               borrowed until the hook returns. pipit puts no values and no passwords into it; a
 *               message of the server is what the server sent
 * @param arg    log_arg of the options; not touched
 */
typedef void (*pipit_log_cb)(enum pipit_log_level level, const char *line, void *arg);

/**
 * Gives the password for a connection that is about to be made, so that the password can change
 * while the program runs. pipit calls this hook from the event loop and inside pipit_wait(), once
 * for each address that it tries. The hook must not block and must not call pipit.
 *
 * @param arg  password_arg of the options; not touched
 * @return NUL-terminated text, copied at once; NULL leaves the password to the connection string,
 *         PGPASSWORD and ~/.pgpass
 */
typedef const char *(*pipit_password_cb)(void *arg);

/**
 * The options of pipit_open(), which copies them, with their strings.
 * `struct pipit_options options = {0};` is the default of everything. Times are in milliseconds, of
 * any length; -1 means "no such limit" where a comment names it. A value out of range, as any other
 * negative time, makes a scope on which every request fails with PIPIT_EINVAL.
 */
struct pipit_options {
        /** Connections that are made before any request needs them, and kept open even when idle.
         * Default 0; at most max_connections. */
        int min_connections;
        /** At most so many connections are open or being made. Default 8. */
        int max_connections;
        /** At most so many connections are being made at the same time. Default 2, because a SCRAM
         * handshake costs processor time. */
        int max_connecting;
        /** At most so many requests are sent to a connection as one batch; while the connection is
         * busy with a batch it gets no other. Default 128, at most 10,000. */
        int max_pipeline;
        /** At most so many statements stay prepared on a connection. Default 256, at most 10,000;
         * -1 prepares none and lets no reads share; with PIPIT_POOLER_TRANSACTION none is prepared
         * in any case. */
        int max_prepared;
        /** At most so many requests wait for a connection; one more fails with PIPIT_ELIMIT.
         * Default 10,000. */
        int max_waiting;
        /** At most so many bytes of SQL and values wait; a request beyond fails with PIPIT_ELIMIT.
         * Default 64 MiB. */
        size_t max_waiting_bytes;
        /** At most so many bytes of SQL and values belong to one request; a larger one fails with
         * PIPIT_ELIMIT. Default 64 MiB. */
        size_t max_request_bytes;
        /** At most so many bytes belong to one result; the request of a larger one fails with
         * PIPIT_ELIMIT, and its member executed says what became of the statement. Others on its
         * connection go on: what comes of the result is read, and goes away; after 16 MiB more, or
         * after a second, the server is asked to stop it, and a server that goes on is left. The
         * texts that are made of its values in binary form may have as many once more: see
         * pipit_result_text(). Default 64 MiB. */
        size_t max_result_bytes;

        /** Time for a request, for waiting, connecting and executing together; then the request
         * fails with PIPIT_ETIMEDOUT. pipit_set_timeout() changes it for one request. Default
         * 60,000; -1 none. */
        int64_t timeout_ms;
        /** Time for a request to wait for a connection; then the request fails with
         * PIPIT_ETIMEDOUT. Default 30,000; -1 none. */
        int64_t acquire_timeout_ms;
        /** Time for one attempt to connect, look-ups included, over all hosts and addresses; each
         * address gets its share of the time that is left. Hosts are tried in the order of the
         * list, one that failed within the last 30 s after all others; the next one joins after 1
         * s without an answer, the next address of a host after 250 ms. Not negative. Default:
         * connect_timeout of the connection string or PGCONNECT_TIMEOUT, else 10,000. With libpq 14
         * and 15 a server that asks for GSS authentication can hold the loop for longer, while a
         * Kerberos key server is silent; the guide says how to test for that. */
        int64_t connect_timeout_ms;
        /** Time after which an idle connection is closed, down to min_connections. Default 600,000;
         * -1 never. */
        int64_t idle_timeout_ms;
        /** Age at which a connection is closed, less up to 10 % by chance: when it becomes idle, or
         * before its next use. A connection that was not used yet is used once, however old it is.
         * Default 3,600,000; -1 never. */
        int64_t lifetime_ms;

        /** libevent priority of pipit's events, plus one: 1 is libevent's 0, the most urgent. pipit
         * must not be more urgent than the handlers that start requests, or each request travels
         * alone. With a priority that the base does not have every request fails with PIPIT_EINVAL.
         * Default: libevent's own. */
        int event_priority;
        /** search_path of every connection, a list as SET search_path takes it; copied. Default
         * "public, pg_temp"; "" leaves the server's. With PIPIT_POOLER_TRANSACTION it is a list of
         * names that is set for each transaction, in the same Sync; a statement that must not be
         * in a transaction with others, as VACUUM, needs "". */
        const char *search_path;
        /** sslmode of libpq, if the connection string, PGSSLMODE and the service file give none;
         * copied. Default: verify-full for addresses that are not loopback, else libpq's. */
        const char *sslmode;
        /** Hook that gives the password, called at each connect. Default: the password of the
         * connection string, PGPASSWORD or ~/.pgpass. */
        pipit_password_cb password;
        /** Passed to password; not touched. */
        void *password_arg;
        /** Hook that takes the log, line by line. Default: there is no log. */
        pipit_log_cb log;
        /** Passed to log; not touched. */
        void *log_arg;
        /** Pooler in front of the server. Set it where one lends sessions for transactions: until
         * that is found out, settings and prepared statements stay in sessions of others. Default
         * PIPIT_POOLER_AUTO. */
        enum pipit_pooler pooler;
        /** Least level of the lines that log is given, plus one: PIPIT_LOG_DEBUG + 1 has it told of
         * every change of a connection's state, which is several lines for each request. Default
         * PIPIT_LOG_NOTICE + 1. */
        int log_level;
        /** For tests: each declared read of a database runs where it cannot write, also one that is
         * alone, so that a wrong declaration fails in a test with SQLSTATE 25006, and not first
         * under load. Costs a round trip's worth of statements wherever reads and writes take
         * turns on a connection. Declared reads of sessions and transactions share with nobody and
         * run as they always do, and so do all where max_prepared is -1 or a pooler is in
         * transaction mode. Default: off. */
        bool strict_reads;
        /** Time for a request to wait while no connection is open at all; then the request fails
         * with PIPIT_ECONNECT and the cause. A server that is away is told sooner so than one that
         * is busy. Default: none, acquire_timeout_ms alone counts; -1 none. */
        int64_t down_timeout_ms;
        /** Room for later versions, whose options take its place: so the size never changes. Leave
         * all of it NULL: otherwise every request fails with PIPIT_EINVAL. */
        void *reserved[29];
};

#ifdef __cplusplus
}
#endif

#endif
