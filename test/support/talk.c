#include "talk.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_BYTES  65536
#define MAX_LINES  200
#define PATIENCE_S 20

/* Bytes of one direction. */
struct bytes {
        size_t n;
        unsigned char at[MAX_BYTES];
};

struct talk {
        int fd;
        void (*turn)(void);
        struct bytes out;
        struct bytes in;
        bool ended;
        int n_heard[256]; /* messages of each type, since talk_until() */
        int n_lines;
        char *lines[MAX_LINES];
        char *said;
};

static void
bytes_put(struct bytes *bytes, const void *data, size_t n)
{
        ck_assert_uint_le(bytes->n + n, sizeof bytes->at);
        memcpy(bytes->at + bytes->n, data, n);
        bytes->n += n;
}

static void
bytes_int(struct bytes *bytes, uint32_t number, size_t size)
{
        uint32_t big = htonl(number);

        bytes_put(bytes, (const char *)&big + sizeof big - size, size);
}

static void
bytes_text(struct bytes *bytes, const char *text)
{
        bytes_put(bytes, text, strlen(text) + 1);
}

/* Begins a message; message_end() fills in its length. */
static size_t
message_begin(struct talk *talk, char type)
{
        if (type != '\0')
                bytes_put(&talk->out, &type, 1);
        bytes_int(&talk->out, 0, 4);
        return talk->out.n - 4;
}

static void
message_end(struct talk *talk, size_t begun)
{
        uint32_t length = htonl((uint32_t)(talk->out.n - begun));

        memcpy(talk->out.at + begun, &length, sizeof length);
}

int
talk_connect(const char *folder)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_lt(
                snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", folder),
                (int)sizeof address.sun_path);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        return fd;
}

struct talk *
talk_new(int fd, void (*turn)(void))
{
        struct talk *talk = calloc(1, sizeof *talk);

        ck_assert_ptr_nonnull(talk);
        talk->fd = fd;
        talk->turn = turn;
        return talk;
}

/* A message whose body is a single text, or none. */
static void
message_text(struct talk *talk, char type, const char *text)
{
        size_t begun = message_begin(talk, type);

        if (text != NULL)
                bytes_text(&talk->out, text);
        message_end(talk, begun);
}

void
talk_startup(struct talk *talk)
{
        static const char *const words[] = {
                "user", "postgres", "database", "postgres", "client_encoding", "UTF8", ""};
        size_t begun = message_begin(talk, '\0');

        bytes_int(&talk->out, 196608, 4);
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
                bytes_text(&talk->out, words[i]);
        message_end(talk, begun);
}

void
talk_parse(struct talk *talk, const char *name, const char *sql)
{
        size_t begun = message_begin(talk, 'P');

        bytes_text(&talk->out, name);
        bytes_text(&talk->out, sql);
        bytes_int(&talk->out, 0, 2);
        message_end(talk, begun);
}

void
talk_bind(struct talk *talk, const char *name, const char *value)
{
        size_t begun = message_begin(talk, 'B');

        bytes_text(&talk->out, "");
        bytes_text(&talk->out, name);
        bytes_int(&talk->out, 0, 2);
        bytes_int(&talk->out, value != NULL, 2);
        if (value != NULL) {
                bytes_int(&talk->out, (uint32_t)strlen(value), 4);
                bytes_put(&talk->out, value, strlen(value));
        }
        bytes_int(&talk->out, 1, 2);
        bytes_int(&talk->out, 0, 2);
        message_end(talk, begun);
}

/* Describe or Close of a portal or a statement. */
static void
message_object(struct talk *talk, char type, char kind, const char *name)
{
        size_t begun = message_begin(talk, type);

        bytes_put(&talk->out, &kind, 1);
        bytes_text(&talk->out, name);
        message_end(talk, begun);
}

void
talk_describe(struct talk *talk)
{
        message_object(talk, 'D', 'P', "");
}

void
talk_describe_statement(struct talk *talk, const char *name)
{
        message_object(talk, 'D', 'S', name);
}

void
talk_execute(struct talk *talk)
{
        size_t begun = message_begin(talk, 'E');

        bytes_text(&talk->out, "");
        bytes_int(&talk->out, 0, 4);
        message_end(talk, begun);
}

void
talk_close_statement(struct talk *talk, const char *name)
{
        message_object(talk, 'C', 'S', name);
}

void
talk_sync(struct talk *talk)
{
        message_text(talk, 'S', NULL);
}

void
talk_copy_data(struct talk *talk, const char *line)
{
        size_t begun = message_begin(talk, 'd');

        bytes_put(&talk->out, line, strlen(line));
        message_end(talk, begun);
}

void
talk_copy_done(struct talk *talk)
{
        message_text(talk, 'c', NULL);
}

void
talk_copy_fail(struct talk *talk)
{
        message_text(talk, 'f', "no more");
}

void
talk_statement(struct talk *talk, const char *sql, const char *value)
{
        talk_parse(talk, "", sql);
        talk_bind(talk, "", value);
        talk_describe(talk);
        talk_execute(talk);
}

/* What is read of a message; reading behind its end fails the test. */
struct body {
        const unsigned char *at;
        size_t n;
};

static uint32_t
body_int(struct body *body, size_t size)
{
        uint32_t number = 0;

        ck_assert_uint_ge(body->n, size);
        for (size_t i = 0; i < size; i++)
                number = number << 8 | body->at[i];
        body->at += size;
        body->n -= size;
        return number;
}

static const char *
body_text(struct body *body)
{
        const char *text = (const char *)body->at;
        const unsigned char *end = memchr(body->at, '\0', body->n);

        ck_assert_ptr_nonnull(end);
        body->n -= (size_t)(end + 1 - body->at);
        body->at = end + 1;
        return text;
}

static void
write_columns(FILE *line, struct body *body)
{
        int n = (int)body_int(body, 2);

        for (int i = 0; i < n; i++) {
                fprintf(line, " %s", body_text(body));
                /* Of which table, and which column of it. */
                fprintf(line, ":%u", body_int(body, 4));
                fprintf(line, ":%u", body_int(body, 2));
                /* Of which type, of what size, with which modifier, in which form. */
                fprintf(line, ":%u", body_int(body, 4));
                fprintf(line, ":%d", (int16_t)body_int(body, 2));
                fprintf(line, ":%d", (int)body_int(body, 4));
                fprintf(line, ":%u", body_int(body, 2));
        }
}

static void
write_row(FILE *line, struct body *body)
{
        int n = (int)body_int(body, 2);

        for (int i = 0; i < n; i++) {
                uint32_t length = body_int(body, 4);
                if (length == UINT32_MAX) {
                        fprintf(line, " NULL");
                        continue;
                }
                ck_assert_uint_le(length, body->n);
                fprintf(line, " '%.*s'", (int)length, (const char *)body->at);
                body->at += length;
                body->n -= length;
        }
}

/* The fields that every error has, with what can be compared of them; which others there are
 * depends on the error. */
static void
write_error(FILE *line, struct body *body)
{
        for (int type = (int)body_int(body, 1); type != '\0'; type = (int)body_int(body, 1)) {
                const char *text = body_text(body);
                if (strchr("SVC", type) != NULL)
                        fprintf(line, " %c:%s", type, text);
                else if (strchr("MFLR", type) != NULL)
                        fprintf(line, " %c", type);
        }
}

/* Which parameters there are is the same everywhere, what they are only for those that the client
 * has asked for. */
static void
write_parameter(FILE *line, struct body *body)
{
        static const char *const fixed[] = {"client_encoding", "standard_conforming_strings",
                                            "integer_datetimes"};
        const char *name = body_text(body);
        const char *value = body_text(body);
        bool is_fixed = false;

        for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
                is_fixed |= strcmp(name, fixed[i]) == 0;
        fprintf(line, " %s%s%s", name, is_fixed ? "=" : "", is_fixed ? value : "");
}

static void
write_numbers(FILE *line, struct body *body, size_t size)
{
        for (int n = (int)body_int(body, 2); n > 0; n--)
                fprintf(line, " %u", body_int(body, size));
}

static void
write_notification(FILE *line, struct body *body)
{
        body_int(body, 4); /* the process that it came from */
        fprintf(line, " %s", body_text(body));
        fprintf(line, " %s", body_text(body));
}

static void
write_copy(FILE *line, struct body *body)
{
        fprintf(line, " %u", body_int(body, 1));
        write_numbers(line, body, 2);
}

static void
write_body(FILE *line, char type, struct body *body)
{
        switch (type) {
        case 'T': write_columns(line, body); break;
        case 'D': write_row(line, body); break;
        case 'E':
        case 'N': write_error(line, body); break;
        case 'S': write_parameter(line, body); break;
        case 't': write_numbers(line, body, 4); break;
        case 'A': write_notification(line, body); break;
        case 'C': fprintf(line, " %s", body_text(body)); break;
        case 'R': fprintf(line, " %u", body_int(body, 4)); break;
        case 'Z': fprintf(line, " %c", (int)body_int(body, 1)); break;
        case 'G':
        case 'H': write_copy(line, body); break;
        case 'K': /* a process number and a key */
                body_int(body, 4);
                body_int(body, 4);
                break;
        case 'd':
                fprintf(line, " '%.*s'", (int)body->n, (const char *)body->at);
                body->n = 0;
                break;
        default: break;
        }
        if (body->n > 0)
                fprintf(line, " and %zu bytes", body->n);
}

/* Versions differ in these, which are reported at the start. */
static bool
is_of_a_version(const char *line)
{
        return strcmp(line, "S scram_iterations") == 0 || strcmp(line, "S search_path") == 0;
}

static void
talk_add_line(struct talk *talk, char type, struct body body)
{
        char *text = NULL;
        size_t length = 0;
        FILE *line = open_memstream(&text, &length);

        ck_assert_ptr_nonnull(line);
        fputc(type, line);
        write_body(line, type, &body);
        fclose(line);
        if (is_of_a_version(text)) {
                free(text);
                return;
        }
        ck_assert_int_lt(talk->n_lines, MAX_LINES);
        talk->lines[talk->n_lines++] = text;
        talk->n_heard[(unsigned char)type]++;
}

/* Takes the whole messages apart that have come. */
static void
talk_take(struct talk *talk)
{
        size_t at = 0;

        while (talk->in.n - at >= 5) {
                struct body head = {talk->in.at + at + 1, 4};
                size_t size = 1 + (size_t)body_int(&head, 4);
                ck_assert_uint_ge(size, 5);
                if (talk->in.n - at < size)
                        break;
                talk_add_line(talk, (char)talk->in.at[at],
                              (struct body){talk->in.at + at + 5, size - 5});
                at += size;
        }
        talk->in.n -= at;
        memmove(talk->in.at, talk->in.at + at, talk->in.n);
}

/* Waits for something to read, while a server on this thread has its turns. */
static void
talk_wait(struct talk *talk)
{
        struct pollfd poller = {.fd = talk->fd, .events = POLLIN};
        time_t begun = time(NULL);

        for (;;) {
                if (talk->turn != NULL)
                        talk->turn();
                if (poll(&poller, 1, talk->turn != NULL ? 0 : 1000) > 0)
                        return;
                if (time(NULL) - begun > PATIENCE_S)
                        ck_abort_msg("the server says nothing behind:\n%s", talk_said(talk));
        }
}

static void
talk_read(struct talk *talk)
{
        talk_wait(talk);
        ssize_t n = recv(talk->fd, talk->in.at + talk->in.n, sizeof talk->in.at - talk->in.n, 0);
        if (n > 0) {
                talk->in.n += (size_t)n;
                talk_take(talk);
                return;
        }
        /* One that closes without reading all resets a Unix socket. */
        ck_assert(n == 0 || errno == ECONNRESET);
        talk->ended = true;
        ck_assert_uint_eq(talk->in.n, 0);
}

static void
talk_send(struct talk *talk)
{
        ssize_t n = send(talk->fd, talk->out.at, talk->out.n, MSG_NOSIGNAL);

        ck_assert(n == (ssize_t)talk->out.n || errno == EPIPE);
        talk->out.n = 0;
}

void
talk_until(struct talk *talk, char type, int n)
{
        memset(talk->n_heard, 0, sizeof talk->n_heard);
        talk_send(talk);
        while (!talk->ended && talk->n_heard[(unsigned char)type] < n)
                talk_read(talk);
}

void
talk_ask(struct talk *talk, const char *sql, const char *value)
{
        talk_statement(talk, sql, value);
        talk_sync(talk);
        talk_until(talk, 'Z', 1);
}

void
talk_end(struct talk *talk)
{
        message_text(talk, 'X', NULL);
        talk_send(talk);
        while (!talk->ended)
                talk_read(talk);
}

static int
compare_lines(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Parameters that are reported in one go come in no order that a client may count on. */
static void
sort_parameters(struct talk *talk)
{
        int end;

        for (int i = 0; i < talk->n_lines; i = end + 1) {
                for (end = i; end < talk->n_lines && talk->lines[end][0] == 'S'; end++)
                        ;
                qsort(talk->lines + i, (size_t)(end - i), sizeof talk->lines[0], compare_lines);
        }
}

const char *
talk_said(struct talk *talk)
{
        size_t length = 0;
        FILE *said;

        free(talk->said);
        talk->said = NULL;
        said = open_memstream(&talk->said, &length);
        ck_assert_ptr_nonnull(said);
        sort_parameters(talk);
        for (int i = 0; i < talk->n_lines; i++)
                fprintf(said, "%s\n", talk->lines[i]);
        fprintf(said, "%s", talk->ended ? "end\n" : "");
        fclose(said);
        return talk->said;
}

void
talk_free(struct talk *talk)
{
        close(talk->fd);
        for (int i = 0; i < talk->n_lines; i++)
                free(talk->lines[i]);
        free(talk->said);
        free(talk);
}
