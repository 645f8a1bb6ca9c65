/*
 * The replies to statements of pipit's own. Without one of them nothing is as it must be, so its
 * failure ends the connection; but the settings of a session can be sent once more, without what
 * the server has refused.
 */
#ifndef PIPIT_REPLY_OWN_INTERNAL_H
#define PIPIT_REPLY_OWN_INTERNAL_H

#include "conn/reply_queue.h"

extern const struct reply_ops pipit__reply_own;
extern const struct reply_ops pipit__reply_settings;

#endif
