#include "bouncer.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const programs[] = {"/usr/sbin/pgbouncer", "/usr/bin/pgbouncer",
                                       "/usr/local/bin/pgbouncer"};

static const char *
bouncer_program(void)
{
        for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
                if (access(programs[i], X_OK) == 0)
                        return programs[i];
        }
        return NULL;
}

bool
bouncer_is_here(void)
{
        return bouncer_program() != NULL;
}

/* PgBouncer refuses to run as root. NULL: it runs as whom the test does. */
static const struct passwd *
bouncer_owner(void)
{
        const struct passwd *owner = NULL;

        if (geteuid() != 0)
                return NULL;
        owner = getpwnam("postgres");
        return owner != NULL ? owner : getpwnam("nobody");
}

static bool
bouncer_configure(const struct bouncer *bouncer, const char *server, const char *mode, int n)
{
        char path[150];

        snprintf(path, sizeof path, "%s/pgbouncer.ini", bouncer->folder);
        FILE *file = fopen(path, "w");
        if (file == NULL)
                return false;
        fprintf(file,
                "[databases]\n"
                "postgres = host=%s port=5432 dbname=postgres user=postgres\n"
                "[pgbouncer]\n"
                "listen_addr =\n"
                "listen_port = 6432\n"
                "unix_socket_dir = %s\n"
                "logfile = %s/log\n"
                "auth_type = any\n"
                "pool_mode = %s\n"
                "default_pool_size = %d\n"
                "max_client_conn = 500\n"
                "server_login_retry = 0.2\n",
                server, bouncer->folder, bouncer->folder, mode, n);
        return fclose(file) == 0 && chmod(path, 0644) == 0;
}

/* Becomes PgBouncer. */
static void
bouncer_become(const struct bouncer *bouncer, const struct passwd *owner, pid_t parent)
{
        char path[150];

        snprintf(path, sizeof path, "%s/pgbouncer.ini", bouncer->folder);
        if (owner != NULL && (initgroups(owner->pw_name, owner->pw_gid) != 0 ||
                              setgid(owner->pw_gid) != 0 || setuid(owner->pw_uid) != 0))
                _exit(127);
        /* After the user has changed, which would take it back. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
                _exit(127);
        for (int fd = 3; fd < 1024; fd++)
                close(fd);
        execl(bouncer_program(), "pgbouncer", "-q", path, (char *)NULL);
        _exit(127);
}

bool
bouncer_start(struct bouncer *bouncer)
{
        const struct passwd *owner = bouncer_owner();
        pid_t parent = getpid();

        bouncer->pid = fork();
        if (bouncer->pid == 0)
                bouncer_become(bouncer, owner, parent);
        if (bouncer->pid < 0)
                bouncer->pid = 0;
        return bouncer->pid > 0;
}

bool
bouncer_create(struct bouncer *bouncer, const char *parent, const char *server, const char *mode,
               int n)
{
        const struct passwd *owner = bouncer_owner();

        *bouncer = (struct bouncer){0};
        snprintf(bouncer->folder, sizeof bouncer->folder, "%s/pipit-bouncer-XXXXXX", parent);
        if (mkdtemp(bouncer->folder) == NULL || chmod(bouncer->folder, 0755) != 0 ||
            !bouncer_configure(bouncer, server, mode, n) ||
            (owner != NULL && chown(bouncer->folder, owner->pw_uid, owner->pw_gid) != 0))
                return false;
        snprintf(bouncer->url, sizeof bouncer->url,
                 "host=%s port=6432 user=postgres dbname=postgres", bouncer->folder);
        return bouncer_start(bouncer);
}

void
bouncer_signal(const struct bouncer *bouncer, int number)
{
        if (bouncer->pid > 0)
                kill(bouncer->pid, number);
}

bool
bouncer_has_ended(struct bouncer *bouncer)
{
        if (bouncer->pid > 0 && waitpid(bouncer->pid, NULL, WNOHANG) == bouncer->pid)
                bouncer->pid = 0;
        return bouncer->pid == 0;
}

void
bouncer_remove(struct bouncer *bouncer)
{
        static const char *const files[] = {"pgbouncer.ini", "log", ".s.PGSQL.6432"};
        char path[150];

        if (bouncer->pid > 0 && kill(bouncer->pid, SIGKILL) == 0)
                waitpid(bouncer->pid, NULL, 0);
        bouncer->pid = 0;
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                snprintf(path, sizeof path, "%s/%s", bouncer->folder, files[i]);
                unlink(path);
        }
        rmdir(bouncer->folder);
}
