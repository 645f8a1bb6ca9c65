/*
 * What a name server says: whatever the bytes are, an answer is read within its bounds, and gives
 * nothing but addresses.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "connect/dns_message.h"
#include "fuzz.h"

/* Reads an answer to a question, in memory that has no byte more. */
static void
answer_try(const struct dns_question *question, const uint8_t *data, size_t size)
{
        struct dns_addresses addresses = {0};
        uint8_t *bytes = malloc(size > 0 ? size : 1);
        int family = question->type == DNS_TYPE_A ? AF_INET : AF_INET6;
        struct in6_addr address;

        MUST(bytes != NULL);
        if (size > 0)
                memcpy(bytes, data, size);
        enum dns_verdict verdict = pipit__dns_answer_read(question, bytes, size, &addresses);
        MUST(addresses.n <= DNS_MAX_ADDRESSES);
        MUST(addresses.n == 0 || verdict == DNS_ANSWERED || verdict == DNS_TRUNCATED);
        for (size_t i = 0; i < addresses.n; i++)
                MUST(inet_pton(family, addresses.texts[i], &address) == 1);
        free(bytes);
}

/* The bytes are a message of a server; and, as the end of one, behind the question that they are to
 * answer. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const enum dns_type types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
        uint8_t message[DNS_QUESTION_SIZE + 4096];

        for (int i = 0; i < 2; i++) {
                struct dns_question question;
                MUST(pipit__dns_question_write(&question, 0x6162, "db.test", types[i]) == 0);
                answer_try(&question, data, size);
                size_t rest = size < 4096 ? size : 4096;
                memcpy(message, question.bytes, question.length);
                if (rest > 0)
                        memcpy(message + question.length, data, rest);
                message[2] = 0x81;
                message[7] = 9;
                answer_try(&question, message, question.length + rest);
        }
        char *name = fuzz_text(data, size);
        struct dns_question question;
        if (pipit__dns_question_write(&question, 1, name, DNS_TYPE_A) == 0)
                MUST(question.length <= sizeof question.bytes);
        free(name);
        return 0;
}
