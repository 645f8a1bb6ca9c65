/*
 * A failure is a result with an error. Here failures are made, of whatever the result held before.
 *
 * The result owns the texts of its error. What always holds:
 * 1. A failure has a code that is not PIPIT_OK, and a message that is not NULL.
 * 2. Making a failure cannot fail: without memory the message is the code's own text, and the host
 *    is missing.
 * 3. The former content of the result is freed after the message is written, so that arguments may
 *    be texts out of it.
 *
 * Each room from request/ up fails requests with these functions, and rows.c with what the server
 * said.
 */
#ifndef PIPIT_RESULT_ERROR_INTERNAL_H
#define PIPIT_RESULT_ERROR_INTERNAL_H

#include <pipit/error.h>
#include <pipit/result.h>
#include <stdarg.h>

#include "base/cold.h"

/* Turns a result into a failure, with a message as printf() writes it. */
COLD void
pipit__result_fail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                   enum pipit_phase phase, const char *format, ...) PIPIT_PRINTF(5, 6);
COLD void
pipit__result_vfail(struct pipit_result *res, enum pipit_code code, enum pipit_executed executed,
                    enum pipit_phase phase, const char *format, va_list args) PIPIT_PRINTF(5, 0);

/* Turns a result into a failure like another one: code, executed, phase, message, SQLSTATE and host
 * are copied, and the server's other fields are left out. The error must not be of res itself. */
COLD void pipit__result_fail_like(struct pipit_result *res, const struct pipit_error *error);

/* Turns a result into the failure that its answer, an error of the server, tells of; executed is
 * what such an error means, unless it leaves that in doubt. The texts stay in the answer, which the
 * result goes on owning. */
COLD void pipit__result_fail_by_answer(struct pipit_result *res, enum pipit_executed executed);

/* Whether an error with that SQLSTATE says nothing about what became of the statement: whoever told
 * it, a pooler, a server or one that it had asked, has lost sight of the statement. */
COLD bool pipit__sqlstate_leaves_doubt(const char *sqlstate);
/* Whether an error does, which has more than its SQLSTATE to tell. */
COLD bool pipit__error_leaves_doubt(const struct pipit_error *error);

/* Adds to a failure where its connection went; copied. A success stays as it is, and NULL adds
 * nothing. */
COLD void pipit__result_set_host(struct pipit_result *res, const char *host);

/* Returns the failure that pipit_wait() gives if it cannot wait: PIPIT_EINVAL, PIPIT_EBLOCKING,
 * PIPIT_ECLOSED, PIPIT_ETHREAD, PIPIT_EFORK or PIPIT_EDEADLK. Every other code counts as
 * PIPIT_EINVAL. Constants have no owner, and references to them are not counted. */
struct pipit_result *pipit__result_constant(enum pipit_code code);

#endif
