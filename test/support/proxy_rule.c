/*
 * The rules of the fault proxy: which one acts on a message, and how one is written as text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy_part.h"

/* splitmix64 */
static uint64_t
random_next(uint64_t *state)
{
        uint64_t x = *state += 0x9e3779b97f4a7c15;

        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
        x = (x ^ x >> 27) * 0x94d049bb133111eb;
        return x ^ x >> 31;
}

bool
rule_holds(const struct rule *rule, const struct link *link)
{
        return (rule->is.times == 0 || rule->n_acted < rule->is.times) &&
               (rule->is.connection <= 0 || rule->is.connection == link->number);
}

void
rule_acted(struct proxy *proxy, struct rule *rule)
{
        rule->n_acted++;
        proxy->n_acted[rule->is.action]++;
}

/* How many messages came before this one, for the rule's count. */
static int64_t
messages_before(struct rule *rule, const struct flow *flow, const struct unit *unit)
{
        if (rule->is.connection != PROXY_EACH)
                return rule->n_seen++;
        return rule->is.type != 0 ? flow->n_of_type[unit->type] : flow->n_messages;
}

static int64_t
bytes_before(struct rule *rule, const struct flow *flow, const struct unit *unit)
{
        int64_t before = rule->n_seen;

        if (rule->is.connection == PROXY_EACH)
                return flow->n_bytes;
        rule->n_seen += (int64_t)unit->length;
        return before;
}

static bool
rule_matches(struct rule *rule, struct flow *flow, const struct unit *unit, size_t *ret_at)
{
        const struct proxy_rule *is = &rule->is;
        int64_t before;

        if (is->side != flow->side || !rule_holds(rule, flow->link))
                return false;
        if (is->type != 0 && is->type != unit->type)
                return false;
        switch (is->trigger) {
        case PROXY_MESSAGE:
                before = messages_before(rule, flow, unit);
                return is->n == 0 || before + 1 == is->n;
        case PROXY_BYTE:
                before = bytes_before(rule, flow, unit);
                if (is->n <= before || is->n > before + (int64_t)unit->length)
                        return false;
                *ret_at = (size_t)(is->n - before - 1);
                return true;
        case PROXY_CHANCE:
                return (int64_t)(random_next(&flow->link->proxy->random) % 1000000) < is->n;
        case PROXY_TIME: return rule == flow->armed;
        }
        return false;
}

/* Every rule counts, the one that acts and those behind it. */
struct rule *
rule_find(struct flow *flow, const struct unit *unit, size_t *ret_at)
{
        struct rule *found = NULL;

        *ret_at = 0;
        for (struct rule *rule = flow->link->proxy->rules; rule != NULL; rule = rule->next) {
                size_t at = 0;
                if (!rule_matches(rule, flow, unit, &at) || found != NULL)
                        continue;
                found = rule;
                *ret_at = at;
        }
        if (found != NULL && found == flow->armed)
                flow->armed = NULL;
        flow->n_messages++;
        flow->n_of_type[unit->type]++;
        flow->n_bytes += (int64_t)unit->length;
        return found;
}

/* A place among the words, -1: none of them. */
static int
word_find(const char *text, const char *const *words, int n)
{
        for (int i = 0; i < n; i++) {
                if (strcmp(text, words[i]) == 0)
                        return i;
        }
        return -1;
}

static bool
number_parse(const char *text, int64_t *ret_number)
{
        char *end;
        long long number = strtoll(text, &end, 10);

        if (end == text || *end != '\0' || number < 0)
                return false;
        *ret_number = number;
        return true;
}

static bool
parse_type(const char *text, struct proxy_rule *rule)
{
        static const char *const words[] = {"startup", "ssl", "cancel", "answer"};
        int word = word_find(text, words, 4);

        rule->type = word >= 0 ? (unsigned char)(word + 1) : (unsigned char)text[0];
        return word >= 0 || strlen(text) == 1;
}

static bool
parse_connection(const char *text, struct proxy_rule *rule)
{
        int64_t number;

        if (strcmp(text, "each") == 0)
                rule->connection = PROXY_EACH;
        else if (strcmp(text, "any") == 0)
                rule->connection = PROXY_ANY;
        else if (number_parse(text, &number) && number > 0 && number < 1 << 30)
                rule->connection = (int)number;
        else
                return false;
        return true;
}

/* Hexadecimal digits, two a byte. */
static bool
parse_bytes(const char *text, struct proxy_rule *rule)
{
        size_t n = strlen(text) / 2;
        unsigned char *bytes;

        if (strlen(text) % 2 != 0 || strspn(text, "0123456789abcdefABCDEF") != 2 * n ||
            rule->bytes != NULL)
                return false;
        bytes = malloc(n + 1);
        if (bytes == NULL)
                return false;
        for (size_t i = 0; i < n; i++) {
                char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
                bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
        }
        rule->bytes = bytes;
        rule->n_bytes = n;
        return true;
}

static bool
parse_action(const char *text, struct proxy_rule *rule)
{
#define PROXY_ACTION_TEXT_(name, text) text,
        static const char *const words[] = {PROXY_ACTION_MAP(PROXY_ACTION_TEXT_)};
#undef PROXY_ACTION_TEXT_
        int word = word_find(text, words, PROXY_N_ACTIONS);

        rule->action = (enum proxy_action)word;
        return word >= 0;
}

static bool
parse_count(const char *key, const char *text, struct proxy_rule *rule)
{
        static const char *const keys[] = {"n", "byte", "time", "chance"};
        static const enum proxy_trigger triggers[] = {PROXY_MESSAGE, PROXY_BYTE, PROXY_TIME,
                                                      PROXY_CHANCE};
        int which = word_find(key, keys, 4);

        if (which < 0)
                return false;
        rule->trigger = triggers[which];
        return number_parse(text, &rule->n);
}

static bool
parse_pair(const char *key, const char *text, struct proxy_rule *rule)
{
        static const char *const sides[] = {"server", "client"};
        int64_t number = 0;

        if (strcmp(key, "to") == 0) {
                rule->side = (enum proxy_side)word_find(text, sides, 2);
                return word_find(text, sides, 2) >= 0;
        }
        if (strcmp(key, "connection") == 0)
                return parse_connection(text, rule);
        if (strcmp(key, "type") == 0)
                return parse_type(text, rule);
        if (strcmp(key, "do") == 0)
                return parse_action(text, rule);
        if (strcmp(key, "bytes") == 0)
                return parse_bytes(text, rule);
        if (strcmp(key, "k") == 0)
                return number_parse(text, &rule->k);
        if (strcmp(key, "times") == 0) {
                bool good = number_parse(text, &number) && number < 1 << 30;
                rule->times = (int)number;
                return good;
        }
        return parse_count(key, text, rule);
}

const char *
proxy_parse(const char *text, struct proxy_rule *rule)
{
        char copy[1000];
        char *next = copy;

        *rule = (struct proxy_rule){.connection = PROXY_EACH, .side = PROXY_TO_CLIENT};
        if (strlen(text) >= sizeof copy)
                return "the rule is too long";
        snprintf(copy, sizeof copy, "%s", text);
        while (next != NULL) {
                char *key = strsep(&next, ",");
                char *value = strchr(key, '=');
                if (value == NULL)
                        return "a word of a rule is key=value";
                *value = '\0';
                if (!parse_pair(key, value + 1, rule))
                        return "a word of the rule is not understood";
        }
        return NULL;
}

void
proxy_rule_fini(struct proxy_rule *rule)
{
        union {
                const void *borrowed;
                void *own;
        } bytes = {rule->bytes};

        free(bytes.own);
        rule->bytes = NULL;
}
