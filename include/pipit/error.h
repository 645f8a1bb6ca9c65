/*
 * Errors
 *
 * An error tells why a request failed and what became of its statement. A failed request carries
 * one in its result, and a scope that cannot be used has one (pipit_scope_error()). Functions that
 * start no request return a code of the same list instead.
 */
#ifndef PIPIT_ERROR_H
#define PIPIT_ERROR_H

#include <pipit/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Calls X(name, value, text) for every error code of pipit. Values never change. */
#define PIPIT_ERROR_MAP(X)                                                                         \
        X(PIPIT_EINVAL, -1, "bad argument")                                                        \
        X(PIPIT_ENOMEM, -2, "out of memory")                                                       \
        X(PIPIT_ECLOSED, -3, "the scope has ended")                                                \
        X(PIPIT_ECANCELED, -4, "canceled")                                                         \
        X(PIPIT_ETIMEDOUT, -5, "the deadline has passed")                                          \
        X(PIPIT_ECONNECT, -6, "no connection could be made")                                       \
        X(PIPIT_ELOST, -7, "the connection was lost")                                              \
        X(PIPIT_ESERVER, -8, "the server reported an error")                                       \
        X(PIPIT_ELIMIT, -9, "a limit was reached")                                                 \
        X(PIPIT_ENOTFOUND, -10, "no such row")                                                     \
        X(PIPIT_ETYPE, -11, "a value does not fit its type")                                       \
        X(PIPIT_EUNSHARED, -12, "this statement needs a connection of its own")                    \
        X(PIPIT_EBLOCKING, -13, "blocking is not allowed here")                                    \
        X(PIPIT_ETHREAD, -14, "called from another thread")                                        \
        X(PIPIT_EFORK, -15, "called in a forked child")                                            \
        X(PIPIT_EROLLBACK, -16, "the transaction was rolled back, or can only roll back")          \
        X(PIPIT_EDEADLK, -17, "this would wait for itself")

#define PIPIT_ERROR_ENUM_(name, value, text) name = value,
/** An error code says what kind of failure it was: 0 is success, every failure is negative. */
enum pipit_code { PIPIT_OK = 0, PIPIT_ERROR_MAP(PIPIT_ERROR_ENUM_) };
#undef PIPIT_ERROR_ENUM_

/** Tells what became of the statement of a request that failed. */
enum pipit_executed {
        PIPIT_EXECUTED_NO, /**< the statement was never sent, or surely not read: the server
                              had ended the session for being idle */
        PIPIT_EXECUTED_ROLLED_BACK, /**< the server refused it, or ran it and surely undid it */
        PIPIT_EXECUTED_YES, /**< the statement is committed; only its answer could not be used, or
                               had no row where one was asked for */
        PIPIT_EXECUTED_UNKNOWN /**< the statement was sent, and its answer did not come, was not
                                  read, or is an error that leaves this open: SQLSTATE class 08 or
                                  40003, as a pooler gives that lost its server */
};

/** Tells how far a request had come when it failed. */
enum pipit_phase {
        PIPIT_PHASE_START, /**< in the start itself: a bad argument, an ended scope, a full queue */
        PIPIT_PHASE_WAIT,  /**< while the request waited for a connection */
        PIPIT_PHASE_EXECUTE, /**< after the statement was sent, before its answer was complete */
        PIPIT_PHASE_RESULT   /**< while the answer was decoded */
};

/**
 * Tells why a request failed, or why a scope cannot be used. An error, with its strings, is owned
 * by the result or the scope that it was taken from. Every pointer but message may be NULL; fields
 * that the server did not send are NULL. All strings are UTF-8; those of the server are as the
 * server sent them. Later versions add members at the end, because pipit alone makes errors.
 */
struct pipit_error {
        enum pipit_code code;         /**< kind of failure; never PIPIT_OK */
        enum pipit_executed executed; /**< what became of the statement */
        enum pipit_phase phase;       /**< how far the request had come */
        char sqlstate[6];             /**< five characters; "" if the error is not the server's */
        const char *message;          /**< what happened and the way out, in one line; never NULL */
        const char *severity;         /**< ERROR, FATAL or PANIC, never translated */
        const char *detail;           /**< details, which may hold values of the row in question */
        const char *hint;             /**< the server's advice */
        const char *context;          /**< the call stack of server-side functions */
        const char *schema;           /**< the schema of the table in question */
        const char *table;            /**< the table in question */
        const char *column;           /**< the column in question */
        const char *type;             /**< the data type in question */
        const char *constraint;       /**< the constraint that was violated */
        const char *host;      /**< server of the connection: "host:port" or the socket's path */
        int position;          /**< place in the SQL text, in characters from 1; 0 when unknown */
        int internal_position; /**< place in internal_query; 0 when unknown */
        const char *internal_query;  /**< the statement of a server-side function that failed */
        const char *source_file;     /**< file of the server's own source that reported the error */
        const char *source_line;     /**< line in that file, as text */
        const char *source_function; /**< function in that file */
};

/**
 * Returns the name of a code.
 *
 * @param code  any number
 * @return "PIPIT_EINVAL" or the like, "PIPIT_OK" for 0, "PIPIT_E?" for a number that is no code; a
 *         static string, never NULL
 */
PIPIT_API const char *pipit_code_name(int code);

/**
 * Says what a code means, in one short phrase.
 *
 * @param code  any number
 * @return a static string, never NULL
 */
PIPIT_API const char *pipit_code_text(int code);

#ifdef __cplusplus
}
#endif

#endif
