/*
 * Settings of a transaction. See <pipit/transaction.h>.
 *
 * The setting's name stands in the text, so that what a connection has prepared is known to depend
 * on it, and each name is one statement that is prepared once. The value is a parameter.
 */
#include <pipit/transaction.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "scope/query.h"
#include "scope/subscope_int.h"

/* The longest name that PostgreSQL takes, with a NUL. */
#define SETTING_NAME_SIZE 64

/* Whether a name is one of a setting: words of letters, digits and _, with dots between them. */
static bool
name_is_plain(const char *name)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
        static const char others[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

        if (strlen(name) >= SETTING_NAME_SIZE)
                return false;
        for (;; name++) {
                if (strspn(name, letters) == 0)
                        return false;
                name += strspn(name, others);
                if (*name != '.')
                        return *name == '\0';
        }
}

/* Says why a setting cannot be set; NULL: it can. */
static const char *
setting_problem(const struct subscope *subscope, const char *name, const char *value)
{
        if (subscope == NULL || !pipit__subscope_is_transaction(subscope))
                return "pipit_set_local() is for transactions: a setting ends with one";
        if (name == NULL || value == NULL)
                return "the name or the value of the setting is NULL";
        if (!name_is_plain(name))
                return "the name of the setting is none: it has letters, digits, _ and dots";
        if (strcasecmp(name, "client_encoding") == 0 ||
            strcasecmp(name, "standard_conforming_strings") == 0)
                return "pipit relies on client_encoding and standard_conforming_strings";
        return NULL;
}

/* Fails the call, and has the transaction roll back: what it is for relies on the setting. */
static struct request *
set_local_refuse(struct pipit *tx, struct subscope *subscope, const char *problem)
{
        struct pipit_error cause = {.code = PIPIT_EINVAL,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_START,
                                    .message = problem};

        if (subscope != NULL && pipit__subscope_is_transaction(subscope) &&
            pipit__scope_is_open(tx))
                pipit__subscope_doom(subscope, &cause, NULL);
        return pipit__query_refuse(tx, PIPIT_EINVAL, NULL, NULL, "%s", problem);
}

pipit_request
pipit_set_local(struct pipit *tx, const char *name, const char *value)
{
        char sql[SETTING_NAME_SIZE + 50];

        if (!pipit__scope_is_mine(tx))
                return 0;
        struct subscope *subscope = pipit__subscope_of_scope(tx);
        const char *problem = setting_problem(subscope, name, value);
        if (problem != NULL)
                return pipit__scope_started(tx, set_local_refuse(tx, subscope, problem));
        snprintf(sql, sizeof sql, "SELECT pg_catalog.set_config('%s', $1, true)", name);
        struct pipit_value values[] = {pipit_value_text(value)};
        struct query query = {.sql = sql, .params = {values, 1}};
        return pipit__scope_started(tx, pipit__query_start(tx, &query, NULL, NULL));
}
