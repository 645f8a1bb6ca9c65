/*
 * The quickstart: a table is made behind the guard, then a row is created, found and saved, each
 * step in the callback of the one before.
 */
#include <event2/event.h>
#include <pipit/pipit.h>
#include <stdio.h>
#include <stdlib.h>

/* A table, declared once: the row struct, the model and its typed functions come from this list. */
#define PAGE_BLOCK(FIELD)                                                                          \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, key, .max_length = 40, .unique = true)                                      \
        FIELD(text, text, .default_text = "")
PIPIT_MODEL(page_block, PAGE_BLOCK);        /* declares; in a header where several files use it */
PIPIT_MODEL_DEFINE(page_block, PAGE_BLOCK); /* defines; in one file */

static bool
failed(struct pipit_result *res)
{
        if (!pipit_failed(res))
                return false;
        fprintf(stderr, "quickstart: %s\n", pipit_error_text(res));
        pipit_close(pipit_result_scope(res)); /* what pipit_wait() gave goes with its scope */
        return true;
}

static void
on_saved(struct pipit_result *res, void *arg)
{
        if (failed(res))
                return;
        printf("New: %s\n", page_block_row(res, 0)->text);
        *(int *)arg = EXIT_SUCCESS;
        pipit_close(pipit_result_scope(res));
}

static void
on_found(struct pipit_result *res, void *arg)
{
        if (failed(res))
                return;
        struct page_block *page = page_block_row(res, 0); /* lives as long as res */
        printf("Was: %s\n", page->text);
        page->text = "Peewee is SUPER awesome with async!";
        page_block_save(pipit_result_scope(res), page, on_saved, arg);
}

static void
on_created(struct pipit_result *res, void *arg)
{
        if (failed(res))
                return;
        page_block_get(pipit_result_scope(res), pipit_eq(page_block_model.key, "title"), on_found,
                       arg);
}

int
main(void)
{
        int status = EXIT_FAILURE;
        struct event_base *base = event_base_new();
        struct pipit *db = pipit_open(base, getenv("DATABASE_URL"), NULL);

        struct pipit *sync = pipit_allow_sync(db); /* blocking is possible only through this */
        struct pipit_result *made =
                pipit_wait(sync, page_block_create_table(sync, PIPIT_IF_NOT_EXISTS, NULL, NULL));
        if (!failed(made)) {
                pipit_close(sync);
                struct page_block page = {.key = "title", .text = "Peewee is AWESOME with async!"};
                page_block_create(db, &page, on_created, &status);
                event_base_dispatch(base); /* ends by itself: nothing is open any more */
        } else {
                pipit_close(db);
        }
        event_base_free(base);
        return status;
}
