#include "bank.h"

#include <stdlib.h>
#include <string.h>

#include "server.h"

#define MAX_TELLERS 8
#define MAX_LEVELS  4

/* A session's transaction. */
static struct teller {
        int session;   /* its number */
        bool implicit; /* it has no BEGIN: the next Sync commits */
        int sum;
        int saved[MAX_LEVELS]; /* at each savepoint */
        int n_conflicts;
} tellers[MAX_TELLERS];

static struct teller *
teller_of(const struct session *session)
{
        return &tellers[session->number % MAX_TELLERS];
}

/* The level in the name of a savepoint. */
static int *
teller_saved(struct teller *teller, const char *sql)
{
        const char *digits = strrchr(sql, '_');

        return &teller->saved[digits != NULL ? atoi(digits + 1) % MAX_LEVELS : 0];
}

static void
bank_begin(struct session *session)
{
        *teller_of(session) = (struct teller){.session = session->number};
        session_complete(session, "BEGIN");
}

static void
bank_commit(struct bank_view *view, struct session *session)
{
        struct teller *teller = teller_of(session);

        if (session->status == 'T' && teller->session == session->number) {
                view->sum += teller->sum;
                view->n_commits++;
        }
        session_complete(session, "COMMIT");
}

/* A savepoint goes away, and the transaction is what it was when it was made. */
static void
bank_rollback_to(struct session *session, const char *sql)
{
        struct teller *teller = teller_of(session);

        teller->sum = *teller_saved(teller, sql);
        session_complete(session, "ROLLBACK");
        session->status = 'T';
}

static void
bank_discard(struct session *session)
{
        session_forget(session);
        session_complete(session, "DISCARD ALL");
}

/* What moves money. */
static void
bank_move(struct session *session, int sum)
{
        struct teller *teller = teller_of(session);

        if (session->status == 'I' && !teller->implicit)
                *teller = (struct teller){.session = session->number, .implicit = true};
        teller->sum += sum;
        session_complete(session, "UPDATE 1");
}

void
bank_sync(struct bank_view *view, struct session *session)
{
        struct teller *teller = teller_of(session);

        if (!teller->implicit || teller->session != session->number)
                return;
        if (!session->failed) {
                view->sum += teller->sum;
                view->n_commits++;
        }
        teller->implicit = false;
}

bool
bank_answer(struct bank_view *view, struct session *session, const char *sql)
{
        struct teller *teller = teller_of(session);

        if (strncmp(sql, "BEGIN", 5) == 0)
                bank_begin(session);
        else if (strcmp(sql, "COMMIT") == 0)
                bank_commit(view, session);
        else if (strncmp(sql, "ROLLBACK TO", 11) == 0)
                bank_rollback_to(session, sql);
        else if (strcmp(sql, "ROLLBACK") == 0)
                session_complete(session, "ROLLBACK");
        else if (strncmp(sql, "SAVEPOINT", 9) == 0)
                *teller_saved(teller, sql) = teller->sum, session_complete(session, "SAVEPOINT");
        else if (strncmp(sql, "RELEASE", 7) == 0)
                session_complete(session, "RELEASE");
        else if (strncmp(sql, "DISCARD", 7) == 0)
                bank_discard(session);
        else if (strncmp(sql, "take", 4) == 0)
                bank_move(session, -10);
        else if (strncmp(sql, "give", 4) == 0)
                bank_move(session, 10);
        else if (strncmp(sql, "conflict", 8) == 0)
                session_error(session, "ERROR", "40001", "could not serialize access");
        else
                return false;
        return true;
}
