/*
 * The scripted server from the inside: its statements.
 */
#ifndef TEST_SERVER_PART_H
#define TEST_SERVER_PART_H

#include "server.h"

/* Deal with a message of this kind. */
void session_on_parse(struct session *session, const struct message *message);
void session_on_bind(struct session *session, const struct message *message);
void session_on_describe(struct session *session, const struct message *message);
void session_on_close(struct session *session, const struct message *message);

/* Answers the statement that sets a session up. */
void session_set_up(struct session *session);
/* Answers the statement that makes it a reader or a writer, if it is that. */
bool session_takes_role(struct session *session);
/* Closes the statement that it names, if the text does that. */
bool session_takes_close(struct session *session);
/* Frees what belongs to statements. */
void session_free_statements(struct session *session);

#endif
