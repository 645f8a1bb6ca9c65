/*
 * Gives each file of a folder to a fuzz target, for the unit suite: no libFuzzer, any compiler.
 *
 *      replay FOLDER
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static uint8_t *
file_read(const char *path, size_t *ret_size)
{
        FILE *file = fopen(path, "rb");
        long size = -1;

        MUST(file != NULL && fseek(file, 0, SEEK_END) == 0);
        size = ftell(file);
        MUST(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
        /* Not a byte more, so that a sanitizer sees who reads on. */
        uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
        MUST(data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size);
        fclose(file);
        *ret_size = (size_t)size;
        return data;
}

static int
is_input(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

int
main(int argc, char **argv)
{
        struct dirent **entries = NULL;
        int n = argc == 2 ? scandir(argv[1], &entries, is_input, alphasort) : -1;

        if (n <= 0) {
                fprintf(stderr, "no inputs\n");
                return EXIT_FAILURE;
        }
        printf("1..%d\n", n);
        for (int i = 0; i < n; i++) {
                char path[4096];
                size_t size;
                snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
                uint8_t *data = file_read(path, &size);
                LLVMFuzzerTestOneInput(data, size);
                free(data);
                printf("ok %d - %s\n", i + 1, entries[i]->d_name);
                fflush(stdout);
                free(entries[i]);
        }
        free(entries);
        return EXIT_SUCCESS;
}
