/*
 * Ends of sent requests. See sent.h.
 */
#include "pool/sent.h"

#include "request/request.h"

void
pipit__sent_expire(struct request *req, const char *host)
{
        int64_t waited_ms = pipit__request_waited_ms(req);

        pipit__request_fail(req, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE,
                            "no answer from %s after %.1f s, so the server is asked to stop: "
                            "nobody knows whether the statement was executed",
                            host != NULL ? host : "the server", (double)waited_ms / 1000);
}

void
pipit__sent_cancel(struct request *req, const char *reason)
{
        pipit__request_fail(req, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE,
                            "%s before its answer came: nobody knows whether the statement was "
                            "executed",
                            reason);
}
