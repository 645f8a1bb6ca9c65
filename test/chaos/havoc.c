/*
 * The faults: links that are cut, stalled and sliced by the proxy, server processes that are
 * killed and stopped, a server that restarts, a database that is closed under its requests.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos.h"

extern char **environ;

static void
timer_set(struct event *timer, int64_t ms)
{
        struct timeval tv = {ms / 1000, ms % 1000 * 1000};

        event_add(timer, &tv);
}

static pid_t
script_start(const char *script, const char *command, const char *folder)
{
        char words[400];
        char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, words, NULL};
        posix_spawn_file_actions_t actions;
        pid_t pid = 0;

        snprintf(words, sizeof words, "exec sh '%s' %s", script, command);
        snprintf(words + strlen(words), sizeof words - strlen(words), " '%s'", folder);
        if (strncmp(command, "stop ", 5) == 0)
                snprintf(words, sizeof words, "exec sh '%s' stop '%s' %s", script, folder,
                         command + 5);
        if (posix_spawn_file_actions_init(&actions) != 0)
                return 0;
        if (posix_spawn_file_actions_adddup2(&actions, 2, 1) != 0 ||
            posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ) != 0)
                pid = 0;
        posix_spawn_file_actions_destroy(&actions);
        return pid;
}

bool
cluster_run(const char *script, const char *command, const char *folder)
{
        pid_t pid = script_start(script, command, folder);
        int status = -1;

        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Whether a process is one of our server's: numbers are used again. */
static bool
is_backend(const struct havoc *havoc, pid_t pid)
{
        char path[40];
        char cwd[300];
        char data[120];
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
        snprintf(data, sizeof data, "%s/data", havoc->folder);
        n = readlink(path, cwd, sizeof cwd - 1);
        if (n < 0)
                return false;
        cwd[n] = '\0';
        return strcmp(cwd, data) == 0;
}

static pid_t
random_backend(struct havoc *havoc)
{
        int n = proxy_n_open(havoc->proxy);
        pid_t pid =
                n > 0 ? proxy_backend(havoc->proxy, (int)dice_between(&havoc->dice, 0, n - 1)) : 0;

        return pid > 0 && is_backend(havoc, pid) ? pid : 0;
}

static void
fault_signal(struct havoc *havoc, int number)
{
        pid_t pid = random_backend(havoc);

        if (pid > 0 && kill(pid, number) == 0)
                havoc->n_kills++;
}

static void
havoc_on_resume(int fd, short what, void *arg)
{
        struct havoc *havoc = arg;

        (void)fd;
        (void)what;
        if (havoc->stopped > 0 && is_backend(havoc, havoc->stopped))
                kill(havoc->stopped, SIGCONT);
        havoc->stopped = 0;
}

static void
fault_stop_backend(struct havoc *havoc)
{
        pid_t pid = havoc->stopped == 0 && havoc->child == 0 ? random_backend(havoc) : 0;

        if (pid == 0 || kill(pid, SIGSTOP) != 0)
                return;
        havoc->n_kills++;
        havoc->stopped = pid;
        timer_set(havoc->resume, dice_between(&havoc->dice, 10, 4000));
}

static void
script_run(struct havoc *havoc, const char *command)
{
        havoc->child = script_start(havoc->script, command, havoc->folder);
        havoc->starting = strcmp(command, "start") == 0;
        if (havoc->child > 0)
                return;
        havoc->child = 0;
        havoc->n_failures++;
}

static void
havoc_on_start(int fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        script_run(arg, "start");
}

static void
havoc_on_child(int fd, short what, void *arg)
{
        struct havoc *havoc = arg;
        int status = 0;

        (void)fd;
        (void)what;
        if (havoc->child == 0 || waitpid(havoc->child, &status, WNOHANG) != havoc->child)
                return;
        havoc->child = 0;
        havoc->up = havoc->starting && status == 0;
        if (status != 0) {
                fprintf(stderr, "chaos: the server's script failed: %d\n", status);
                havoc->n_failures++;
        }
        if (!havoc->up && havoc->n_failures < 5)
                timer_set(havoc->start_again, havoc->over ? 0 : dice_between(&havoc->dice, 0, 600));
}

static void
fault_restart(struct havoc *havoc)
{
        static const char *const commands[] = {"stop fast", "stop immediate", "kill"};

        if (havoc->child > 0 || !havoc->up || clock_ms() < havoc->restart_at_ms)
                return;
        havoc_on_resume(-1, 0, havoc);
        havoc->up = false;
        havoc->n_restarts++;
        havoc->restart_at_ms = clock_ms() + dice_between(&havoc->dice, 4000, 12000);
        script_run(havoc, commands[dice_between(&havoc->dice, 0, 2)]);
}

/* At a message, at a message of some type, or at a byte. */
static void
rule_choose_place(struct dice *dice, struct proxy_rule *rule)
{
        static const unsigned char types[2][6] = {{'P', 'B', 'E', 'S', 'D', PROXY_TYPE_STARTUP},
                                                  {'Z', 'C', 'D', 'E', '2', 'E'}};

        rule->side = dice_percent(dice, 60) ? PROXY_TO_CLIENT : PROXY_TO_SERVER;
        rule->trigger = PROXY_MESSAGE;
        rule->n = dice_between(dice, 1, 30);
        if (dice_percent(dice, 30)) {
                rule->trigger = PROXY_BYTE;
                rule->n = dice_between(dice, 1, 3000);
        } else if (dice_percent(dice, 60)) {
                rule->type = types[rule->side][dice_between(dice, 0, 5)];
                rule->n = dice_between(dice, 1, 4);
        }
}

/* A message that a server may send at any time. */
static void
rule_set_notice(struct proxy_rule *rule)
{
        static const char notice[] = "N\0\0\0\x1bSNOTICE\0C00000\0Mchaos\0";

        rule->side = PROXY_TO_CLIENT;
        rule->type = 'Z';
        rule->trigger = PROXY_MESSAGE;
        rule->n = 1;
        rule->bytes = notice;
        rule->n_bytes = sizeof notice;
}

static void
rule_choose_action(struct dice *dice, struct proxy_rule *rule)
{
        static const enum proxy_action actions[] = {
                PROXY_FIN,   PROXY_RST,  PROXY_HALF_CLOSE, PROXY_TRUNCATE, PROXY_DELAY,
                PROXY_SLICE, PROXY_STOP, PROXY_COALESCE,   PROXY_DROP,     PROXY_INSERT,
        };
        static const int64_t most[PROXY_N_ACTIONS] = {
                [PROXY_TRUNCATE] = 40, [PROXY_DELAY] = 300,    [PROXY_SLICE] = 50,
                [PROXY_STOP] = 4000,   [PROXY_COALESCE] = 100,
        };

        rule->action = actions[dice_between(dice, 0, 9)];
        if (most[rule->action] > 0)
                rule->k = dice_between(dice, 1, most[rule->action]);
        if (rule->action == PROXY_INSERT)
                rule_set_notice(rule);
}

static void
fault_rule(struct havoc *havoc)
{
        struct proxy_rule rule = {.connection = PROXY_ANY, .times = 1};

        rule_choose_place(&havoc->dice, &rule);
        rule_choose_action(&havoc->dice, &rule);
        if (!proxy_add(havoc->proxy, &rule))
                havoc->n_failures++;
}

static void
fault_cut_all(struct havoc *havoc)
{
        havoc->n_cuts += proxy_n_open(havoc->proxy);
        proxy_end_all(havoc->proxy, dice_percent(&havoc->dice, 50) ? PROXY_FIN : PROXY_RST);
}

static void
havoc_on_listen(int fd, short what, void *arg)
{
        struct havoc *havoc = arg;

        (void)fd;
        (void)what;
        if (!proxy_listen(havoc->proxy, true))
                timer_set(havoc->listen_again, 50);
}

static void
fault_refuse(struct havoc *havoc)
{
        havoc->n_refusals++;
        proxy_listen(havoc->proxy, false);
        timer_set(havoc->listen_again, dice_between(&havoc->dice, 1, 700));
}

static void
fault_choose(struct havoc *havoc)
{
        int64_t what = dice_between(&havoc->dice, 0, 999);

        if (what < 700)
                fault_rule(havoc);
        else if (what < 820)
                fault_signal(havoc, SIGTERM);
        else if (what < 880)
                fault_signal(havoc, SIGINT);
        else if (what < 910)
                fault_stop_backend(havoc);
        else if (what < 915)
                fault_signal(havoc, SIGKILL);
        else if (what < 930)
                fault_restart(havoc);
        else if (what < 945)
                fault_cut_all(havoc);
        else if (what < 960)
                fault_refuse(havoc);
        else if (what < 970)
                load_reopen(havoc->load);
        else if (what < 975)
                proxy_clear(havoc->proxy);
        else
                load_pause(havoc->load);
}

static void
havoc_on_fault(int fd, short what, void *arg)
{
        struct havoc *havoc = arg;

        (void)fd;
        (void)what;
        if (havoc->over)
                return;
        fault_choose(havoc);
        timer_set(havoc->next_fault, dice_between(&havoc->dice, 1, 60));
}

bool
havoc_init(struct havoc *havoc, struct event_base *base, const char *script, const char *folder,
           uint64_t seed)
{
        *havoc = (struct havoc){.base = base, .script = script, .up = true, .dice = {seed}};
        snprintf(havoc->folder, sizeof havoc->folder, "%s", folder);
        havoc->next_fault = event_new(base, -1, 0, havoc_on_fault, havoc);
        havoc->child_ended = evsignal_new(base, SIGCHLD, havoc_on_child, havoc);
        havoc->resume = event_new(base, -1, 0, havoc_on_resume, havoc);
        havoc->listen_again = event_new(base, -1, 0, havoc_on_listen, havoc);
        havoc->start_again = event_new(base, -1, 0, havoc_on_start, havoc);
        return havoc->next_fault != NULL && havoc->child_ended != NULL && havoc->resume != NULL &&
               havoc->listen_again != NULL && havoc->start_again != NULL;
}

void
havoc_start(struct havoc *havoc)
{
        havoc->restart_at_ms = clock_ms() + 2000;
        event_add(havoc->child_ended, NULL);
        timer_set(havoc->next_fault, 300);
}

void
havoc_stop(struct havoc *havoc)
{
        havoc->over = true;
        event_del(havoc->next_fault);
        havoc_on_resume(-1, 0, havoc);
        proxy_clear(havoc->proxy);
        proxy_listen(havoc->proxy, true);
        if (!havoc->up && havoc->child == 0)
                timer_set(havoc->start_again, 0);
}

bool
havoc_is_over(const struct havoc *havoc)
{
        return havoc->over && havoc->up && havoc->child == 0;
}

void
havoc_fini(struct havoc *havoc)
{
        event_free(havoc->next_fault);
        event_free(havoc->child_ended);
        event_free(havoc->resume);
        event_free(havoc->listen_again);
        event_free(havoc->start_again);
}

int64_t
havoc_n_faults(const struct havoc *havoc)
{
        return proxy_n_acted_all(havoc->proxy) + havoc->n_restarts + havoc->n_kills +
               havoc->n_cuts + havoc->n_refusals + havoc->load->n_cancels;
}
