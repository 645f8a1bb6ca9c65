#!/bin/sh
# members.sh ROOT: modules leave the members of each other's structs alone; and each way to reach
# into them is counted.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
root=$1

members() {
        python3 "$here/members.py" "$@"
}

tree=$tap_dir/tree

# plant: a small tree with the six structs, in which nobody reaches into any.
plant() {
        rm -rf "$tree"
        mkdir -p "$tree/lib/conn" "$tree/lib/pool" "$tree/include"
        cat >"$tree/include/outcome.h" <<'END'
/* A comment with req->state in it. */
#define PIPIT_API __attribute__((visibility("default")))
struct outcome {
        int code;
};
typedef void (*outcome_cb)(struct outcome *outcome);
END
        cat >"$tree/lib/list.h" <<'END'
struct list {
        struct list *next;
};
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define LIST_EACH(node, head) \
        for (struct list *node = (head)->next; node != (head); node = node->next)
END
        cat >"$tree/lib/request.h" <<'END'
struct request {
        struct list link;
        int state, kind;
        struct conn *conn;
        union {
                long key;
                struct pipit *child;
        };
        struct outcome outcomes[2];
        outcome_cb cb;
};
PIPIT_API struct request *pipit__request_new(void);
static inline int
request_state(const struct request *req)
{
        return req->state;
}
END
        cat >"$tree/lib/scope.h" <<'END'
struct pipit {
        struct request *first;
        enum { OPEN, CLOSED } state;
};
struct session {
        struct pipit scope;
        int state;
};
END
        echo 'struct pin { struct conn *conn; };' >"$tree/lib/pin.h"
        echo 'struct shape { int slot; };' >"$tree/lib/shape.h"
        echo 'struct conn { int state; struct pin *(*pin)(struct conn *); };' \
                >"$tree/lib/conn/conn.h"
        echo 'struct expected { int kind; struct { int n, of; } part; struct request *req; };' \
                >"$tree/lib/conn/segment.h"
}

# counts NUMBERS [FILE]: with what is on stdin in that file these are the nouns with accesses.
counts() {
        plant
        cat >"$tree/lib/${2:-pool/pool.c}"
        members "$tree" >"$tap_dir/said" || return 1
        cat "$tap_dir/said"
        [ "$(grep -v ' 0$' "$tap_dir/said" | tr '\n' ' ')" = "${1:+$1 }" ]
}

# body NUMBERS STATEMENTS: counts for a function that consists of these.
body() {
        counts "$1" <<END
static int
f(struct request *req, struct session *session, struct conn *conn, struct expected *expected,
  struct pin **pins, struct list *list, struct outcome *outcome, int state)
{
        $2
}
END
}

# says STATUS TEXT ARGUMENTS...: the script exits with that, and prints a line with the text.
says() {
        status=$1
        text=$2
        shift 2
        got=0
        members "$@" >"$tap_dir/said" 2>&1 || got=$?
        cat "$tap_dir/said"
        [ "$got" -eq "$status" ] && grep -qF -- "$text" "$tap_dir/said"
}

# refuses TEXT STATEMENT: a statement for which there is no number, and why.
refuses() {
        plant
        printf 'static void\nf(struct request *req)\n{\n        %s\n}\n' "$2" \
                >"$tree/lib/pool/pool.c"
        says 2 "lib/pool/pool.c:4: $1" "$tree"
}

tap_ok "files of lib reach into the structs of others no more often than this" \
        members --most request=0,scope=0,lease=0,conn=0,reply=0,stmt=0 "$root"

tap_ok "a tree in which nobody reaches into any struct counts nothing" counts '' </dev/null
tap_ok "a foreign access is counted" body 'request 1' 'return req->state;'
tap_ok "each access in a line is counted" \
        body 'request 4' 'req->kind = req->state > 0 ? (int)req->key : sizeof req->outcomes;'
tap_ok "an access in each kind of statement is counted" body 'request 9' '
        if (req->state) return req->state; else do { req->state++; } while (req->state);
        for (int i = req->state; i < req->state; i += req->state) continue;
        switch (req->state) { case OPEN: break; default: f(&req->state); }'
tap_ok "an own access is not counted" counts '' request.c <<'END'
int f(struct request *req) { return req->state; }
END
tap_ok "an access in a file of the noun with a longer name is not counted" \
        counts '' conn/conn_read.c <<'END'
int f(struct conn *conn) { return conn->state; }
END
tap_ok "an access in a file whose name only begins like the noun is counted" \
        counts 'conn 1' conn/conninfo.c <<'END'
int f(struct conn *conn) { return conn->state; }
END
tap_ok "an access in an inline function of a foreign header is counted" \
        counts 'conn 1' pool/pool.h <<'END'
static inline int f(struct conn *conn) { return conn->state; }
END
tap_ok "a chain is counted for each struct in it" \
        body 'request 1 lease 1 conn 2' 'return req->conn->pin(conn)->conn->state;'
tap_ok "an embedded struct is counted, and not the one around it" \
        body 'scope 1' 'return session->scope.state;'
tap_ok "a member of an anonymous union is counted for the struct around it" \
        body 'request 1 scope 1' 'return req->child->state;'
tap_ok "members of a member without a tag are counted once" \
        body 'reply 1' 'return expected->part.of;'
tap_ok "an element of an array is counted" body 'lease 2' 'return pins[1]->conn == (*pins)->conn;'
tap_ok "what a function returns is counted" \
        body 'request 1' 'return pipit__request_new()->state;'
tap_ok "what container_of() returns is counted, and not the node that it names" \
        body 'request 1' 'return container_of(list, struct request, link)->state;'
tap_ok "a cast is counted" body 'request 1' 'return ((const struct request *)list)->state;'
tap_ok "a local variable in a loop over a list is counted" body 'request 1 stmt 1' '
        LIST_EACH(node, list) {
                struct request *one = container_of(node, struct request, link);
                const struct shape *shape = NULL, *other = shape;
                state += one->state + other->slot + (node->next == list);
        }'
tap_ok "a variable that hides another one has its own type, until its block ends" \
        body 'request 1 conn 2' '
        for (struct conn *req = conn; req->state;) { struct outcome *req = outcome; req->code = 1; }
        { struct outcome *conn = outcome; conn->code = 1; }
        return req->state + conn->state;'
tap_ok "members that are called alike in other structs are not counted" \
        body '' 'return session->state + outcome->code; /* req->state */'
tap_ok "a struct that is handed on as a whole is not counted" \
        body '' 'struct request copy = *req; return f(&copy, "req->state");'
tap_ok "each member that an initialiser names is counted" \
        body 'request 1 reply 5' '
        struct expected all[2] = {[1] = {.kind = 1, .req = req}};
        f(&(struct expected){.kind = req->state, .part = {.n = 1}}); all->kind = 2;'
tap_ok "a value in an initialiser that is not named is not counted" \
        body '' 'struct expected one = {1}; f(&one);'
tap_ok "an initialiser of a table is counted" counts 'stmt 2' <<'END'
static const struct shape shapes[] = {[3] = {.slot = 1}, {.slot = 2}};
END

plant
(cd "$tree/lib" && mkdir request && mv request.h request &&
        sed 's/expected/reply/' conn/segment.h >conn/reply_queue.h && rm conn/segment.h &&
        sed 's/shape/stmt/' shape.h >conn/stmt_cache.h && rm shape.h &&
        sed 's/pin/lease/' pin.h >conn/lease_int.h && rm pin.h)
cat >"$tree/lib/pool/stmt_savepoint.c" <<'END'
int
f(struct reply *reply, struct stmt *stmt, struct lease *lease)
{
        return reply->kind + stmt->slot + (lease->conn != 0);
}
END
for noun in lease reply stmt; do
        tap_ok "$noun is counted under its new name" \
                says 0 'lib/pool/stmt_savepoint.c:4: return reply->kind' --list "$noun" "$tree"
done
tap_ok "the number of each file is given" says 0 '  lib/pool/stmt_savepoint.c 1' --by-file "$tree"
tap_ok "as many as there may be pass" says 0 'reply 1' --most reply=1,request=0 "$tree"
tap_ok "one more than there may be is noticed" \
        says 1 'reply 1 more than 0' --most reply=0,request=0 "$tree"
tap_ok "a limit for no noun is noticed" says 2 'expected=1' --most expected=1 "$tree"

tap_ok "a member of what is not known is noticed" refuses 'of what type' 'unknown(req)->state = 1;'
tap_ok "a member that the struct does not have is noticed" \
        refuses 'struct request has no' 'req->stat = 1;'
tap_ok "a statement that is not understood is noticed" refuses '"{" where ";"' 'EACH(req) { }'
plant
rm "$tree/lib/shape.h"
tap_ok "a struct that has gone is noticed" says 2 'no struct shape or stmt' "$tree"
tap_end
