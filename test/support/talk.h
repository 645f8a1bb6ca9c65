/*
 * A client that knows no more than the messages of the protocol: it says what it is told to and
 * writes down what the server says, one line a message. What differs from one run to the next, or
 * from one version of the server to the next, is left out: process numbers, keys, the wording of
 * errors and where in the server's source they come from.
 */
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <stddef.h>

struct talk;

/* Connects to the Unix socket of a server in this folder; what fails here fails the test. */
int talk_connect(const char *folder);
/* Talks on this descriptor, which it closes in the end. turn is called while the server has nothing
 * to say, for one that runs on this thread; NULL: it does not. */
struct talk *talk_new(int fd, void (*turn)(void));
/* Takes leave, and waits until the server has closed the connection: what comes until then is
 * written down, too. */
void talk_end(struct talk *talk);
/* Everything that the server has said so far; lives until talk_free(). */
const char *talk_said(struct talk *talk);
void talk_free(struct talk *talk);

/* Put something into what goes out next. A name of "" is the nameless statement; a portal never has
 * a name. value is a text parameter; NULL: the statement has none. */
void talk_startup(struct talk *talk);
void talk_parse(struct talk *talk, const char *name, const char *sql);
void talk_bind(struct talk *talk, const char *name, const char *value);
void talk_describe(struct talk *talk);
void talk_describe_statement(struct talk *talk, const char *name);
void talk_execute(struct talk *talk);
void talk_close_statement(struct talk *talk, const char *name);
void talk_sync(struct talk *talk);
void talk_copy_data(struct talk *talk, const char *line);
void talk_copy_done(struct talk *talk);
void talk_copy_fail(struct talk *talk);
/* Parse, Bind, Describe and Execute, as libpq sends them for a statement in pipeline mode. */
void talk_statement(struct talk *talk, const char *sql, const char *value);

/* Sends it, and listens until n messages of this type have come, or the connection ends. */
void talk_until(struct talk *talk, char type, int n);
/* The same for one statement with its Sync. */
void talk_ask(struct talk *talk, const char *sql, const char *value);

#endif
