/*
 * A DNS message is a question for the addresses of one name, or the answer to that (RFC 1035).
 *
 * Nothing here has a socket, and whatever an answer holds it is only read within its bounds.
 * resolver.c sends the questions.
 */
#ifndef PIPIT_DNS_MESSAGE_INTERNAL_H
#define PIPIT_DNS_MESSAGE_INTERNAL_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* A question, with its header, has at most so many bytes. */
#define DNS_QUESTION_SIZE 300
/* So many addresses of a name are kept: the first ones. */
#define DNS_MAX_ADDRESSES 32

enum dns_type { DNS_TYPE_A = 1, DNS_TYPE_AAAA = 28 };

struct dns_question {
        enum dns_type type;
        size_t length;
        uint8_t bytes[DNS_QUESTION_SIZE]; /* the whole message */
};

/* Addresses are numeric texts, in the order in which they were found. */
struct dns_addresses {
        size_t n;
        char texts[DNS_MAX_ADDRESSES][INET6_ADDRSTRLEN];
};

enum dns_verdict {
        DNS_ANSWERED,  /* the addresses are all of the name; maybe none */
        DNS_TRUNCATED, /* the answer was cut: TCP has all of it */
        DNS_REFUSED,   /* the server does not know, and another one may */
        DNS_FOREIGN    /* the bytes are no answer to this question */
};

/* Writes the question for the addresses of a type. id: a number that nobody can guess. 0, or -1 if
 * no name is written like that. */
int pipit__dns_question_write(struct dns_question *question, uint16_t id, const char *name,
                              enum dns_type type);
/* Reads an answer to a question, and adds the addresses in it; those that are too many are left
 * out. */
enum dns_verdict pipit__dns_answer_read(const struct dns_question *question, const uint8_t *bytes,
                                        size_t length, struct dns_addresses *addresses);
/* Adds an address, unless there are too many. */
void pipit__dns_addresses_add(struct dns_addresses *addresses, const char *text);

#endif
