/*
 * The inside of requests, for the files of this room.
 */
#ifndef PIPIT_REQUEST_INT_H
#define PIPIT_REQUEST_INT_H

#include "loop/deadline.h"
#include "request/request.h"

#define REQUEST_MAX_FRAMES 2

struct frame {
        pipit__frame_fn fn;
        void *arg;
};

struct completion {
        pipit_cb cb;
        void *arg;
};

/* The part of a request that few requests have. */
struct request_more {
        struct hangup *hangup;         /* of the client that it is for; NULL: nobody said */
        struct completion callbacks[]; /* of pipit_then() */
};

struct request {
        struct list link;             /* in the list that the state names */
        const struct holder_ops *ops; /* NULL: nobody holds the request */
        void *holder;
        uint8_t state;       /* of enum request_state; a byte, as there are many requests */
        uint8_t kind;        /* of enum request_kind */
        bool is_read;        /* the caller declared that the statement has no effect */
        bool is_grouped;     /* the statement may be committed together with others */
        bool is_coalesced;   /* others wait for its answer, and can run by themselves */
        bool is_isolated;    /* nothing else is to be sent on its connection meanwhile */
        bool may_fail;       /* the statement runs in a savepoint of its own */
        bool owns_bound : 1; /* bound is a block of its own, and not in that of the request */
        bool continues : 1;  /* bound is of another statement than the request was started with */
        uint8_t n_frames;
        uint8_t n_reprepares; /* how often the statement was prepared anew for this request */
        uint8_t n_losses;     /* how often it ran again because its connection was lost */
        uint8_t n_skips;      /* how often the server skipped it in a group */
        uint16_t n_more;      /* callbacks of pipit_then() */
        uint16_t group;       /* statements that it was sent with last, itself among them */
        uint16_t max_group;   /* statements that it may be sent with; 0: any number */
        int32_t wait_ms;      /* how long it waits for a connection; -1: as long as it takes */
        pipit_request number;
        struct requests *requests;
        struct result_owner *owner; /* of the scope that it was started on */
        struct list scope_link;     /* in that owner's list, while the number names the request */
        struct pipit_result *res;
        struct bound_stmt *bound;   /* NULL when the request runs none */
        struct coalesce_rule *rule; /* by which it may be coalesced; NULL: it may not */
        union {
                int64_t key;               /* of the rule, when that is a number */
                struct subscope *subscope; /* of a REQUEST_SUBSCOPE: what it opened */
        };
        struct deadline deadline;
        int64_t deadline_ms;   /* the end of its whole time */
        int64_t wait_until_ms; /* the end of its time to wait for a connection */
        int64_t started_ms;
        struct frame frames[REQUEST_MAX_FRAMES];
        struct completion first;
        struct request_more *more; /* NULL: nobody wanted any of it */
};

/* Gives a request its number, and a place in the list of its scope. 0 or PIPIT_ENOMEM. */
int pipit__requests_take_slot(struct requests *requests, struct request *req);
/* The request's number names nothing from now on. */
void pipit__requests_release_slot(struct requests *requests, struct request *req);
/* Counts a new request, whose deadline can be set without memory. 0 or PIPIT_ENOMEM. */
int pipit__requests_add(struct requests *requests, struct request *req);
/* Stops counting a request, and tells whoever waits for the last one. */
void pipit__requests_remove(struct requests *requests, struct result_owner *owner);

#endif
