#include "urls.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

struct conninfo info;
struct pipit_options options;
char *problem;
struct conninfo_parameters parameters;
char folder[64];

void
urls_setup(void)
{
        for (char **at = environ; *at != NULL;) {
                char name[64];
                snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
                if (strncmp(name, "PG", 2) == 0 && unsetenv(name) == 0)
                        at = environ;
                else
                        at++;
        }
        snprintf(folder, sizeof folder, "/tmp/conninfo-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        setenv("HOME", folder, 1);
        setenv("PGSYSCONFDIR", folder, 1);
        info = (struct conninfo){0};
        options = (struct pipit_options){0};
        problem = NULL;
}

void
urls_teardown(void)
{
        char path[128];

        pipit__conninfo_fini(&info);
        free(problem);
        snprintf(path, sizeof path, "%s/service", folder);
        unlink(path);
        snprintf(path, sizeof path, "%s/.postgresql/root.crt", folder);
        unlink(path);
        snprintf(path, sizeof path, "%s/.postgresql", folder);
        rmdir(path);
        ck_assert_int_eq(rmdir(folder), 0);
}

int
read_url(const char *url)
{
        return pipit__conninfo_init(&info, url, &options, &problem);
}

void
read_well(const char *url)
{
        int code = read_url(url);

        ck_assert_msg(code == 0, "%s: %s", url, problem != NULL ? problem : "");
        ck_assert_ptr_null(problem);
}

void
connect_to(int host, const char *address)
{
        const struct endpoint endpoint = {.host = &info.hosts[host], .address = address};

        pipit__conninfo_parameters(&info, &endpoint, &parameters);
}

const char *
parameter(const char *key)
{
        const char *value = NULL;

        for (int i = 0; i < parameters.n; i++) {
                if (strcmp(parameters.keys[i], key) != 0)
                        continue;
                ck_assert_msg(value == NULL, "%s is there twice", key);
                value = parameters.values[i];
        }
        return value != NULL && value[0] != '\0' ? value : NULL;
}

void
write_file(const char *name, const char *text)
{
        char path[128];

        snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        fclose(file);
}
