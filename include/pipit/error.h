/*
 * Errors: one list of codes, and the object that a failed request carries.
 */
#ifndef PIPIT_ERROR_H
#define PIPIT_ERROR_H

#include <pipit/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Every error code of pipit: name, value, one sentence. Values never change. */
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
/** What went wrong: 0 is success, every failure is negative. */
enum pipit_code { PIPIT_OK = 0, PIPIT_ERROR_MAP(PIPIT_ERROR_ENUM_) };
#undef PIPIT_ERROR_ENUM_

/** What became of the statement of a request that failed. */
enum pipit_executed {
        PIPIT_EXECUTED_NO,          /**< it was never sent */
        PIPIT_EXECUTED_ROLLED_BACK, /**< the server refused it, or ran it and surely undid it */
        PIPIT_EXECUTED_YES,    /**< it ran and is committed; only the answer could not be used */
        PIPIT_EXECUTED_UNKNOWN /**< it was sent, and its answer did not come or was not read */
};

/** How far a request had come when it failed. */
enum pipit_phase {
        PIPIT_PHASE_START, /**< in the call itself: a bad argument, an ended scope, a full queue */
        PIPIT_PHASE_WAIT,  /**< while it waited for a connection */
        PIPIT_PHASE_EXECUTE, /**< after it was sent, before its answer was complete */
        PIPIT_PHASE_RESULT   /**< while its answer was decoded */
};

/**
 * Why a request failed. Belongs to its result, or to the scope that reports it, and is valid as
 * long as that. Every pointer may be NULL, except message; what the server did not send is NULL.
 * All text is UTF-8; what comes from the server is as the server sent it.
 */
struct pipit_error {
        enum pipit_code code;         /**< never PIPIT_OK */
        enum pipit_executed executed; /**< what became of the statement */
        enum pipit_phase phase;       /**< how far the request had come */
        char sqlstate[6];       /**< five characters, or "" when the error is not the server's */
        const char *message;    /**< what happened and the way out, in one line; never NULL */
        const char *severity;   /**< ERROR, FATAL or PANIC, never translated */
        const char *detail;     /**< may hold values of the row in question */
        const char *hint;       /**< the server's advice */
        const char *context;    /**< the call stack of server-side functions */
        const char *schema;     /**< the schema of the table in question */
        const char *table;      /**< the table in question */
        const char *column;     /**< the column in question */
        const char *type;       /**< the data type in question */
        const char *constraint; /**< the constraint that was violated */
        const char *host;       /**< where its connection went, "host:port" or the socket's path */
        int position;           /**< place in the SQL text, in characters from 1; 0 when unknown */
        int internal_position;  /**< the same in internal_query */
        const char *internal_query;  /**< the statement of a server-side function that failed */
        const char *source_file;     /**< where in the server's own source the error was reported */
        const char *source_line;     /**< as text */
        const char *source_function; /**< of the server */
};

/**
 * The name of a code.
 *
 * @param code  any number
 * @return "PIPIT_EINVAL" and the like, "PIPIT_OK" for 0, "PIPIT_E?" for a number that is no code;
 *         static
 */
PIPIT_API const char *pipit_code_name(int code);

/**
 * What a code means, as one short phrase.
 *
 * @param code  any number
 * @return static text, never NULL
 */
PIPIT_API const char *pipit_code_text(int code);

#ifdef __cplusplus
}
#endif

#endif
