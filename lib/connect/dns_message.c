/*
 * DNS messages. See dns_message.h.
 */
#include "connect/dns_message.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DNS_HEADER_SIZE 12
#define DNS_CLASS_IN    1
#define DNS_MAX_LABEL   63
#define DNS_MAX_NAME    255 /* bytes of a name as labels */

#define DNS_RCODE_NONE     0
#define DNS_RCODE_NXDOMAIN 3

/* The place up to which a message has been read. */
struct dns_reader {
        const uint8_t *bytes;
        size_t length;
        size_t at;
};

static void
put16(uint8_t *out, unsigned value)
{
        out[0] = (uint8_t)(value >> 8);
        out[1] = (uint8_t)value;
}

static unsigned
get16(const uint8_t *in)
{
        return (unsigned)in[0] << 8 | in[1];
}

/* Writes a name as labels. Returns their length; 0 if no name is written like that. */
static size_t
dns_name_write(uint8_t *out, const char *name)
{
        size_t length = 0;

        while (*name != '\0') {
                size_t label = strcspn(name, ".");
                if (label == 0 || label > DNS_MAX_LABEL || length + label + 2 > DNS_MAX_NAME)
                        return 0;
                out[length++] = (uint8_t)label;
                memcpy(out + length, name, label);
                length += label;
                name += label + (name[label] == '.');
        }
        out[length++] = 0;
        return length > 1 ? length : 0;
}

int
pipit__dns_question_write(struct dns_question *question, uint16_t id, const char *name,
                          enum dns_type type)
{
        uint8_t *bytes = question->bytes;
        size_t length = dns_name_write(bytes + DNS_HEADER_SIZE, name);

        if (length == 0)
                return -1;
        memset(bytes, 0, DNS_HEADER_SIZE);
        put16(bytes, id);
        bytes[2] = 1; /* recursion desired */
        bytes[5] = 1; /* one question */
        length += DNS_HEADER_SIZE;
        put16(bytes + length, type);
        put16(bytes + length + 2, DNS_CLASS_IN);
        question->type = type;
        question->length = length + 4;
        return 0;
}

void
pipit__dns_addresses_add(struct dns_addresses *addresses, const char *text)
{
        if (addresses->n < DNS_MAX_ADDRESSES)
                snprintf(addresses->texts[addresses->n++], INET6_ADDRSTRLEN, "%s", text);
}

/* Moves the place by n bytes. Returns where they begin; NULL if there are not so many. */
static const uint8_t *
reader_take(struct dns_reader *reader, size_t n)
{
        const uint8_t *bytes = reader->bytes + reader->at;

        if (n > reader->length - reader->at)
                return NULL;
        reader->at += n;
        return bytes;
}

/* Skips a name. A pointer ends a name, wherever it points to. */
static bool
reader_skip_name(struct dns_reader *reader)
{
        for (;;) {
                const uint8_t *length = reader_take(reader, 1);
                if (length == NULL)
                        return false;
                if (*length == 0)
                        return true;
                if ((*length & 0xc0) == 0xc0)
                        return reader_take(reader, 1) != NULL;
                if (*length > DNS_MAX_LABEL || reader_take(reader, *length) == NULL)
                        return false;
        }
}

/* Reads one record, and adds its address if it has one of the type. */
static bool
reader_take_record(struct dns_reader *reader, enum dns_type type, struct dns_addresses *addresses)
{
        size_t size = type == DNS_TYPE_A ? 4 : 16;
        char text[INET6_ADDRSTRLEN];

        if (!reader_skip_name(reader))
                return false;
        const uint8_t *head = reader_take(reader, 10);
        const uint8_t *data = head != NULL ? reader_take(reader, get16(head + 8)) : NULL;
        if (data == NULL)
                return false;
        if (get16(head) == (unsigned)type && get16(head + 2) == DNS_CLASS_IN &&
            get16(head + 8) == size &&
            inet_ntop(type == DNS_TYPE_A ? AF_INET : AF_INET6, data, text, sizeof text) != NULL)
                pipit__dns_addresses_add(addresses, text);
        return true;
}

/* Whether the question stands in its answer; upper and lower case are the same. */
static bool
question_is_repeated(const struct dns_question *question, const uint8_t *bytes, size_t length)
{
        size_t type_at = question->length - 4;

        if (length < question->length || get16(bytes + 4) != 1)
                return false;
        for (size_t i = DNS_HEADER_SIZE; i < type_at; i++) {
                const char a[] = {(char)question->bytes[i], '\0'};
                const char b[] = {(char)bytes[i], '\0'};
                if (strcasecmp(a, b) != 0)
                        return false;
        }
        return memcmp(question->bytes + type_at, bytes + type_at, 4) == 0;
}

enum dns_verdict
pipit__dns_answer_read(const struct dns_question *question, const uint8_t *bytes, size_t length,
                       struct dns_addresses *addresses)
{
        struct dns_addresses all = *addresses;
        struct dns_reader reader = {bytes, length, question->length};

        if (length < DNS_HEADER_SIZE || memcmp(bytes, question->bytes, 2) != 0 ||
            (bytes[2] & 0xf8) != 0x80)
                return DNS_FOREIGN;
        int code = bytes[3] & 0x0f;
        /* A server that does not understand a question need not repeat it. */
        if (code != DNS_RCODE_NONE && code != DNS_RCODE_NXDOMAIN)
                return DNS_REFUSED;
        if (!question_is_repeated(question, bytes, length))
                return DNS_FOREIGN;
        bool cut = (bytes[2] & 0x02) != 0;
        for (unsigned n = get16(bytes + 6); n > 0; n--) {
                if (!reader_take_record(&reader, question->type, &all)) {
                        if (!cut)
                                return DNS_FOREIGN;
                        break;
                }
        }
        *addresses = all;
        return cut ? DNS_TRUNCATED : DNS_ANSWERED;
}
