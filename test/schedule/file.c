/*
 * Schedules in files. See file.h.
 */
#include "file.h"

static int
schedule_scan(FILE *file, struct taken *schedule)
{
        for (;;) {
                unsigned byte;
                int n = fscanf(file, "%x", &byte);
                if (n == EOF)
                        return ferror(file) ? -1 : 0;
                if (n == 1 && byte <= UINT8_MAX && schedule->n < SCHEDULE_MAX) {
                        schedule->bytes[schedule->n++] = (uint8_t)byte;
                        continue;
                }
                if (n == 1 || fgetc(file) != '#')
                        return -1;
                for (int c = 0; c != '\n' && c != EOF;)
                        c = fgetc(file);
        }
}

int
schedule_read(const char *path, struct taken *ret_schedule)
{
        FILE *file = fopen(path, "r");

        if (file == NULL)
                return -1;
        ret_schedule->n = 0;
        int r = schedule_scan(file, ret_schedule);
        fclose(file);
        return r;
}

void
schedule_print(FILE *file, const struct taken *schedule)
{
        for (size_t i = 0; i < schedule->n; i++)
                fprintf(file, "%02x%c", schedule->bytes[i],
                        i % 24 == 23 || i + 1 == schedule->n ? '\n' : ' ');
}
