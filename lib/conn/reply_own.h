/*
 * The reply to a statement of pipit's own, as the settings of a session are: without it nothing is
 * as it must be, so its failure ends the connection.
 */
#ifndef PIPIT_REPLY_OWN_INTERNAL_H
#define PIPIT_REPLY_OWN_INTERNAL_H

#include "conn/reply_queue.h"

extern const struct reply_ops pipit__reply_own;

#endif
