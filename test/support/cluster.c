#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "live.h"

extern char **environ;

/* Starts the script that knows how to run a server; what it prints goes to stderr. */
static pid_t
script_start(const char *words)
{
        char command[1000];
        char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, command, NULL};
        posix_spawn_file_actions_t actions;
        pid_t pid;

        snprintf(command, sizeof command, "sh '%s' %s", CLUSTER_SCRIPT, words);
        ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
        ck_assert_int_eq(posix_spawn_file_actions_adddup2(&actions, 2, 1), 0);
        ck_assert_int_eq(posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        return pid;
}

static void
script_run(const char *words)
{
        pid_t pid = script_start(words);
        int status = -1;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        if (status != 0)
                ck_abort_msg("cluster.sh %s failed: %d", words, status);
}

void
cluster_start(struct cluster *cluster, const char *options)
{
        char words[600];

        snprintf(words, sizeof words, "start %s %s", cluster->folder, options);
        script_run(words);
        cluster->running = true;
}

void
cluster_create(struct cluster *cluster, const char *options)
{
        const char *parent = getenv("TMPDIR");
        char words[200];

        *cluster = (struct cluster){0};
        snprintf(cluster->folder, sizeof cluster->folder, "%s/pipit-XXXXXX",
                 parent != NULL && strlen(parent) < 60 ? parent : "/tmp");
        ck_assert_ptr_nonnull(mkdtemp(cluster->folder));
        snprintf(cluster->url, sizeof cluster->url, "postgresql:///postgres?host=%s&user=postgres",
                 cluster->folder);
        snprintf(words, sizeof words, "create %s", cluster->folder);
        script_run(words);
        cluster_start(cluster, options);
}

void
cluster_create_standby(struct cluster *standby, const struct cluster *of)
{
        char words[300];

        *standby = (struct cluster){0};
        snprintf(standby->folder, sizeof standby->folder, "%.90s-s", of->folder);
        snprintf(standby->url, sizeof standby->url, "postgresql:///postgres?host=%s&user=postgres",
                 standby->folder);
        snprintf(words, sizeof words, "standby %s %s", standby->folder, of->folder);
        script_run(words);
        cluster_start(standby, "");
}

void
cluster_stop(struct cluster *cluster, const char *mode)
{
        char words[200];
        bool killed = strcmp(mode, "kill") == 0;

        snprintf(words, sizeof words, "%s %s %s", killed ? "kill" : "stop", cluster->folder,
                 killed ? "" : mode);
        script_run(words);
        cluster->running = false;
}

void
cluster_start_later(struct cluster *cluster)
{
        char words[300];

        snprintf(words, sizeof words, "start %s", cluster->folder);
        cluster->starter = script_start(words);
        cluster->running = true;
}

void
cluster_remove(struct cluster *cluster)
{
        char words[200];

        if (cluster->starter > 0)
                waitpid(cluster->starter, NULL, 0);
        snprintf(words, sizeof words, "remove %s", cluster->folder);
        script_run(words);
        *cluster = (struct cluster){0};
}
