/*
 * The fault proxy: who listens, and the connections that go through.
 */
#include "proxy.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy_part.h"

/* Both ends have that long to close, before they are closed here. */
static const struct timeval end_limit = {1, 0};

struct address {
        struct sockaddr_storage storage;
        socklen_t length;
};

static bool
address_parse(const char *text, struct address *address)
{
        struct sockaddr_un *un = (struct sockaddr_un *)(void *)&address->storage;
        int length = sizeof address->storage;

        *address = (struct address){0};
        if (text[0] != '/') {
                /* What ends in port 0 is only understood without it. */
                size_t n = strlen(text);
                bool any = n > 2 && strcmp(text + n - 2, ":0") == 0;
                char copy[100];
                snprintf(copy, sizeof copy, "%.*s", (int)(any ? n - 2 : n), text);
                if (evutil_parse_sockaddr_port(copy, (struct sockaddr *)&address->storage,
                                               &length) != 0)
                        return false;
                address->length = (socklen_t)length;
                return true;
        }
        if (strlen(text) >= sizeof un->sun_path)
                return false;
        un->sun_family = AF_UNIX;
        strcpy(un->sun_path, text);
        address->length = sizeof *un;
        return true;
}

static int
address_socket(const struct address *address)
{
        int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int one = 1;

        if (fd >= 0 && address->storage.ss_family != AF_UNIX)
                setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        return fd;
}

/* Each write is a packet of its own. */
static void
socket_set_prompt(int fd)
{
        int one = 1;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void
socket_close(int fd, bool reset)
{
        struct linger linger = {1, 0};

        if (reset)
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        close(fd);
}

static void
flow_fini(struct flow *flow)
{
        if (flow->readable != NULL)
                event_free(flow->readable);
        if (flow->writable != NULL)
                event_free(flow->writable);
        if (flow->timer != NULL)
                event_free(flow->timer);
        if (flow->in != NULL)
                evbuffer_free(flow->in);
        if (flow->out != NULL)
                evbuffer_free(flow->out);
        if (flow->swapped != NULL)
                evbuffer_free(flow->swapped);
}

static bool
flow_init(struct flow *flow, struct link *link, enum proxy_side side, int from, int to)
{
        struct event_base *base = link->proxy->base;

        *flow = (struct flow){.link = link, .side = side, .from = from, .to = to};
        flow->phase = side == PROXY_TO_SERVER ? FLOW_STARTUP : FLOW_MESSAGES;
        flow->readable = event_new(base, from, EV_READ | EV_PERSIST, flow_on_readable, flow);
        flow->writable = event_new(base, to, EV_WRITE, flow_on_writable, flow);
        flow->timer = event_new(base, -1, 0, flow_on_timer, flow);
        flow->in = evbuffer_new();
        flow->out = evbuffer_new();
        flow->swapped = evbuffer_new();
        return flow->readable != NULL && flow->writable != NULL && flow->timer != NULL &&
               flow->in != NULL && flow->out != NULL && flow->swapped != NULL;
}

static void
link_drop_alarms(struct link *link)
{
        while (link->alarms != NULL) {
                struct alarm *alarm = link->alarms;
                link->alarms = alarm->next;
                event_free(alarm->timer);
                free(alarm);
        }
}

static void
link_free(struct link *link)
{
        link_drop_alarms(link);
        if (link->limit != NULL)
                event_free(link->limit);
        flow_fini(&link->flows[0]);
        flow_fini(&link->flows[1]);
        free(link);
}

/* Off the list at once; the memory goes when nobody on the stack can know it any more. */
static void
link_bury(struct link *link, bool reset)
{
        struct proxy *proxy = link->proxy;
        struct link **at = &proxy->links;

        if (link->dead)
                return;
        link->dead = true;
        while (*at != link)
                at = &(*at)->next;
        *at = link->next;
        link->next = proxy->dead;
        proxy->dead = link;
        for (int i = 0; i < 2; i++) {
                event_del(link->flows[i].readable);
                event_del(link->flows[i].writable);
                event_del(link->flows[i].timer);
        }
        socket_close(link->flows[0].from, reset);
        socket_close(link->flows[0].to, reset);
        event_active(proxy->reaper, 0, 0);
}

static void
link_on_limit(int fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        link_bury(arg, false);
}

void
link_check(struct link *link)
{
        bool over = link->flows[0].end == FLOW_OVER && link->flows[1].end == FLOW_OVER;

        if (over || (link->ending && link->flows[0].eof && link->flows[1].eof))
                link_bury(link, false);
}

/* A socket that is closed with something left to read resets its peer, so a FIN reads on. */
void
link_end(struct link *link, enum flow_end end)
{
        if (link->dead)
                return;
        if (end == FLOW_RST) {
                link_bury(link, true);
                return;
        }
        if (link->ending)
                return;
        link->ending = true;
        for (int i = 0; i < 2; i++) {
                struct flow *flow = &link->flows[i];
                flow->end = FLOW_OVER;
                event_del(flow->writable);
                event_del(flow->timer);
                evbuffer_drain(flow->in, evbuffer_get_length(flow->in));
                shutdown(flow->to, SHUT_WR);
                if (!flow->eof)
                        event_add(flow->readable, NULL);
        }
        event_add(link->limit, &end_limit);
}

static void
proxy_reap(struct proxy *proxy)
{
        while (proxy->dead != NULL) {
                struct link *link = proxy->dead;
                proxy->dead = link->next;
                link_free(link);
        }
}

static void
proxy_on_reap(int fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        proxy_reap(arg);
}

static void
alarm_on_time(int fd, short what, void *arg)
{
        struct alarm *alarm = arg;

        (void)fd;
        (void)what;
        flow_alarm(alarm->flow, alarm->rule);
}

static void
alarm_add(struct link *link, struct rule *rule)
{
        struct alarm *alarm = malloc(sizeof *alarm);
        struct timeval tv = {rule->is.n / 1000, rule->is.n % 1000 * 1000};

        if (alarm == NULL)
                return;
        *alarm = (struct alarm){.flow = &link->flows[rule->is.side], .rule = rule};
        alarm->timer = event_new(link->proxy->base, -1, 0, alarm_on_time, alarm);
        if (alarm->timer == NULL) {
                free(alarm);
                return;
        }
        alarm->next = link->alarms;
        link->alarms = alarm;
        event_add(alarm->timer, &tv);
}

/* Connects to the server; -1: refused at once. */
static int
proxy_connect(struct proxy *proxy)
{
        struct address address;
        int fd = -1;

        if (address_parse(proxy->server, &address))
                fd = address_socket(&address);
        if (fd < 0)
                return -1;
        if (connect(fd, (struct sockaddr *)&address.storage, address.length) != 0 &&
            errno != EINPROGRESS) {
                close(fd);
                return -1;
        }
        socket_set_prompt(fd);
        return fd;
}

static bool
link_init(struct link *link, int client, int server)
{
        bool first =
                flow_init(&link->flows[PROXY_TO_SERVER], link, PROXY_TO_SERVER, client, server);
        bool second =
                flow_init(&link->flows[PROXY_TO_CLIENT], link, PROXY_TO_CLIENT, server, client);

        link->limit = event_new(link->proxy->base, -1, 0, link_on_limit, link);
        return first && second && link->limit != NULL;
}

/* What cannot be served is reset. */
static void
proxy_serve(struct proxy *proxy, int client)
{
        int server = proxy_connect(proxy);
        struct link *link = server >= 0 ? calloc(1, sizeof *link) : NULL;

        if (link != NULL)
                *link = (struct link){.proxy = proxy, .number = proxy->n_accepted};
        if (link == NULL || !link_init(link, client, server)) {
                if (link != NULL)
                        link_free(link);
                socket_close(client, true);
                if (server >= 0)
                        close(server);
                return;
        }
        link->next = proxy->links;
        proxy->links = link;
        for (struct rule *rule = proxy->rules; rule != NULL; rule = rule->next) {
                if (rule->is.trigger == PROXY_TIME && rule_holds(rule, link))
                        alarm_add(link, rule);
        }
        event_add(link->flows[0].readable, NULL);
        event_add(link->flows[1].readable, NULL);
}

static void
proxy_on_accept(int fd, short what, void *arg)
{
        struct proxy *proxy = arg;
        int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        (void)what;
        if (client < 0)
                return;
        proxy->n_accepted++;
        socket_set_prompt(client);
        proxy_serve(proxy, client);
}

static void
proxy_refuse(struct proxy *proxy)
{
        if (proxy->listener != NULL)
                event_free(proxy->listener);
        proxy->listener = NULL;
        if (proxy->fd >= 0)
                close(proxy->fd);
        proxy->fd = -1;
        if (proxy->path != NULL)
                unlink(proxy->path);
}

static bool
proxy_bind(struct proxy *proxy, const char *where)
{
        struct address address;
        struct sockaddr_in in = {0};
        socklen_t length = sizeof in;

        errno = EINVAL;
        proxy->fd = address_parse(where, &address) ? address_socket(&address) : -1;
        if (proxy->fd < 0)
                return false;
        if (bind(proxy->fd, (struct sockaddr *)&address.storage, address.length) != 0 ||
            listen(proxy->fd, 128) != 0)
                return false;
        if (proxy->path == NULL && getsockname(proxy->fd, (struct sockaddr *)&in, &length) == 0)
                proxy->port = ntohs(in.sin_port);
        proxy->listener =
                event_new(proxy->base, proxy->fd, EV_READ | EV_PERSIST, proxy_on_accept, proxy);
        return proxy->listener != NULL && event_add(proxy->listener, NULL) == 0;
}

static void
rule_free(struct rule *rule)
{
        proxy_rule_fini(&rule->is);
        free(rule);
}

/* Takes away the rules whose turn has passed, or all of them. A timer may know of one by time. */
static void
proxy_drop_rules(struct proxy *proxy, bool all)
{
        struct rule **at = &proxy->rules;

        while (*at != NULL) {
                struct rule *rule = *at;
                bool over = rule->is.times > 0 && rule->n_acted >= rule->is.times &&
                            rule->is.trigger != PROXY_TIME;
                if (all || over) {
                        *at = rule->next;
                        rule_free(rule);
                } else {
                        at = &rule->next;
                }
        }
}

struct proxy *
proxy_new(struct event_base *base, const char *where, const char *server, uint64_t seed)
{
        struct proxy *proxy = calloc(1, sizeof *proxy);
        bool bound;

        if (proxy == NULL)
                return NULL;
        proxy->base = base;
        proxy->fd = -1;
        proxy->random = seed;
        proxy->server = strdup(server);
        proxy->reaper = event_new(base, -1, 0, proxy_on_reap, proxy);
        bound = proxy->server != NULL && proxy->reaper != NULL && proxy_bind(proxy, where);
        if (bound && where[0] == '/')
                proxy->path = strdup(where);
        if (!bound) {
                int error = errno;
                proxy_free(proxy);
                errno = error;
                return NULL;
        }
        return proxy;
}

void
proxy_free(struct proxy *proxy)
{
        if (proxy == NULL)
                return;
        proxy_refuse(proxy);
        while (proxy->links != NULL)
                link_bury(proxy->links, false);
        proxy_reap(proxy);
        proxy_drop_rules(proxy, true);
        if (proxy->reaper != NULL)
                event_free(proxy->reaper);
        free(proxy->path);
        free(proxy->server);
        free(proxy);
}

int
proxy_port(const struct proxy *proxy)
{
        return proxy->port;
}

bool
proxy_listen(struct proxy *proxy, bool on)
{
        char where[40];

        if (!on || proxy->fd >= 0) {
                if (!on)
                        proxy_refuse(proxy);
                return true;
        }
        snprintf(where, sizeof where, "127.0.0.1:%d", proxy->port);
        if (proxy_bind(proxy, proxy->path != NULL ? proxy->path : where))
                return true;
        proxy_refuse(proxy);
        return false;
}

bool
proxy_add(struct proxy *proxy, const struct proxy_rule *is)
{
        struct rule *rule = calloc(1, sizeof *rule);
        void *bytes = malloc(is->n_bytes + 1);
        struct rule **at = &proxy->rules;

        if (rule == NULL || bytes == NULL) {
                free(rule);
                free(bytes);
                return false;
        }
        if (is->n_bytes > 0)
                memcpy(bytes, is->bytes, is->n_bytes);
        *rule = (struct rule){.is = *is};
        rule->is.bytes = bytes;
        proxy_drop_rules(proxy, false);
        while (*at != NULL)
                at = &(*at)->next;
        *at = rule;
        for (struct link *link = proxy->links; link != NULL; link = link->next) {
                if (is->trigger == PROXY_TIME && rule_holds(rule, link))
                        alarm_add(link, rule);
        }
        return true;
}

void
proxy_clear(struct proxy *proxy)
{
        struct link *next;

        for (struct link *link = proxy->links; link != NULL; link = link->next) {
                link_drop_alarms(link);
                link->flows[0].armed = NULL;
                link->flows[1].armed = NULL;
        }
        proxy_drop_rules(proxy, true);
        for (struct link *link = proxy->links; link != NULL; link = next) {
                next = link->next;
                flow_clear(&link->flows[0]);
                if (!link->dead)
                        flow_clear(&link->flows[1]);
        }
}

static struct link *
link_at(const struct proxy *proxy, int i)
{
        struct link *link = proxy->links;

        while (link != NULL && i-- > 0)
                link = link->next;
        return link;
}

void
proxy_end(struct proxy *proxy, int i, enum proxy_action action)
{
        struct link *link = link_at(proxy, i);

        if (link != NULL)
                link_end(link, action == PROXY_RST ? FLOW_RST : FLOW_FIN);
}

void
proxy_end_all(struct proxy *proxy, enum proxy_action action)
{
        struct link *next;

        for (struct link *link = proxy->links; link != NULL; link = next) {
                next = link->next;
                link_end(link, action == PROXY_RST ? FLOW_RST : FLOW_FIN);
        }
}

int
proxy_n_open(const struct proxy *proxy)
{
        int n = 0;

        for (const struct link *link = proxy->links; link != NULL; link = link->next)
                n++;
        return n;
}

pid_t
proxy_backend(const struct proxy *proxy, int i)
{
        const struct link *link = link_at(proxy, i);

        return link != NULL && !link->ending ? link->backend : 0;
}

int
proxy_n_accepted(const struct proxy *proxy)
{
        return proxy->n_accepted;
}

int64_t
proxy_n_acted(const struct proxy *proxy, enum proxy_action action)
{
        return proxy->n_acted[action];
}

int64_t
proxy_n_acted_all(const struct proxy *proxy)
{
        int64_t n = 0;

        for (int i = 0; i < PROXY_N_ACTIONS; i++)
                n += proxy->n_acted[i];
        return n;
}
