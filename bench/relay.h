/*
 * The inside of pipit-relay: pairs of sockets, and the pieces that are on their way between them.
 */
#ifndef BENCH_RELAY_H
#define BENCH_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that were read at once, and are due at the other end. */
struct piece {
        struct piece *next;
        int64_t due_ns;
        size_t length;
        size_t written;
        char bytes[];
};

/* What goes in one direction: read at one end of its pair, written at the other. */
struct flow {
        struct piece *first;
        struct piece **last;
        size_t bytes;    /* of the pieces */
        int64_t last_ns; /* when the last piece is due */
        int64_t sent_ns; /* when its last byte is on the line, by the bandwidth */
        bool ended;      /* nothing more comes */
        bool shut;       /* the other end knows */
        bool may_read;   /* its end has something to read, as far as is known */
        bool blocked;    /* the other end took no more */
};

/* A socket of a pair; what is read from it goes into flow. */
struct end {
        struct pair *pair;
        int fd;
        struct flow flow;
};

struct pair {
        struct relay *relay;
        struct pair *next;
        struct end ends[2];
        bool broken;
};

struct relay {
        int epoll;
        int64_t delay_ns;
        int64_t jitter_ns;
        double bytes_a_second; /* 0: any number */
        unsigned dice;
        struct pair *pairs;
};

int64_t now_ns(void);

/* Makes a pair of two sockets, which it owns; NULL without memory. */
struct pair *pair_new(struct relay *relay, int client, int server);
/* Something has happened at an end: reads what is there. */
void end_ready(struct end *end);
/* Writes what is due, and forgets the pairs that are over. */
void relay_deliver(struct relay *relay);
/* When the next piece is due; INT64_MAX: nothing is on its way. */
int64_t relay_next_due(const struct relay *relay);

#endif
