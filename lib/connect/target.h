/*
 * A target is one host of a connect attempt: its look-up, its addresses, and the candidates that
 * are on their way to these.
 *
 * Within a host the next address is tried beside the one before when that has not been taken
 * within 250 ms (RFC 8305), or has failed. A connect attempt owns its targets and has them go on.
 */
#ifndef PIPIT_TARGET_INTERNAL_H
#define PIPIT_TARGET_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "connect/candidate.h"
#include "connect/conn_error.h"
#include "connect/dns_message.h"

struct conninfo_host;
struct dns_query;
struct endpoint;

#define TARGET_MAX_ADDRESSES DNS_MAX_ADDRESSES
#define TARGET_ADDRESS_SIZE  64

enum target_state {
        TARGET_NEW,       /* nothing was done for the host yet */
        TARGET_RESOLVING, /* its DNS query is out */
        TARGET_TRYING,    /* its addresses are known, and candidates are on their way */
        TARGET_FAILED     /* no address is left; failure says why */
};

struct target {
        enum target_state state;
        struct reactor *reactor;
        const struct conninfo *info;      /* borrowed */
        const struct conninfo_host *host; /* one of info's */
        pipit__candidate_fn fn;           /* called from the loop when something has changed */
        void *arg;
        struct dns_query *query; /* NULL unless it is out */
        int64_t tried_ms;        /* when the last address was tried */
        int64_t quiet_ms;        /* since when no candidate is taken; DEADLINE_NEVER while one is */
        int n;                   /* addresses */
        int next;                /* the address that is tried next; n: none is left */
        char addresses[TARGET_MAX_ADDRESSES][TARGET_ADDRESS_SIZE]; /* numeric; "" for a socket */
        struct candidate *candidates[TARGET_MAX_ADDRESSES]; /* NULL for an address that is not being
                                                             * tried */
        struct conn_error failure; /* of the last address; a refusal of any goes first */
};

/* A step of a target has these limits. */
struct target_step {
        int64_t now_ms;
        int64_t until_ms; /* the attempt fails then */
        int n_left;       /* endpoints that are still to be tried, those of the target included */
        bool standby;     /* only a standby will do */
};

/* Frees what a target has under way; in_child as in candidate.h. */
void pipit__target_fini(struct target *target, bool in_child);
/* Does what is to be done now, and starts if nothing was done yet. Returns when the next step is
 * due; DEADLINE_NEVER if only fn will tell. */
int64_t pipit__target_go_on(struct target *target, const struct target_step *step);
/* Has all addresses tried once more, if there are any. */
void pipit__target_restart(struct target *target);
/* Gives a target up for a reason. */
void pipit__target_give_up(struct target *target);

/* Returns how many endpoints of a target are still to be tried; of one that is not resolved yet,
 * one. */
int pipit__target_n_left(const struct target *target);
/* Returns the first candidate that somebody has taken; NULL if there is none. */
struct candidate *pipit__target_taken(const struct target *target);

#endif
