#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "workload.h"

static uint64_t
seconds_ns(double seconds)
{
        return (uint64_t)(seconds * 1e9);
}

void
run_fail(const struct run *run, const char *what, const char *why)
{
        fprintf(stderr, "pipit-bench: %s, %s: %s: %s\n", run->options->workload,
                run->options->subject, what, why);
        exit(EXIT_FAILURE);
}

int32_t
run_random(struct run *run, int32_t n)
{
        run->random ^= run->random << 13;
        run->random ^= run->random >> 17;
        run->random ^= run->random << 5;
        return 1 + (int32_t)(((uint64_t)run->random * (uint64_t)n) >> 32);
}

static void
run_count(struct run *run, uint64_t now)
{
        run->phase = PHASE_COUNT;
        run->phase_end_ns = now + seconds_ns(run->options->seconds);
        meter_take(&run->before, &run->server);
}

/* The time of a phase is over. Asking for processes blocks, so it is done before what counts. */
static void
run_next_phase(struct run *run, uint64_t now)
{
        switch (run->phase) {
        case PHASE_WARM:
                if (run->workload->statements[0]->call != CALL_CONNECT) /* its backends end */
                        meter_find_server(&run->server, run->options->url);
                run->phase = PHASE_SETTLE;
                run->phase_end_ns = now + seconds_ns(run->options->warm_up / 2);
                break;
        case PHASE_SETTLE: run_count(run, now); break;
        case PHASE_COUNT:
                meter_take(&run->after, &run->server);
                run->phase = PHASE_END;
                run->phase_end_ns = UINT64_MAX;
                break;
        case PHASE_END: break;
        }
}

static void
task_start(struct task *task, uint64_t now)
{
        task->start_ns = now;
        task->step = 0;
        task->apart = false;
        task->run->workload->begin(task);
}

void
task_end(struct task *task)
{
        struct run *run = task->run;
        uint64_t now = meter_ns();
        bool enough = false; /* never, where it goes by time: there are 0 to do then */

        if (run->phase == PHASE_COUNT) {
                histogram_add(task->apart ? &run->apart : &run->latencies, now - task->start_ns);
                enough = ++run->n_done == run->options->tasks;
        } else if (run->phase != PHASE_END) {
                run->n_warm++;
        }
        if (now >= run->phase_end_ns || enough)
                run_next_phase(run, now);
        if (run->phase == PHASE_END)
                run->active--;
        else
                task_start(task, now);
}

void
task_ask(struct task *task, int place, const struct statement *statement, int32_t first,
         int32_t second)
{
        struct ask *ask = &task->asks[place];

        ask->statement = statement;
        ask->values[0] = first;
        ask->values[1] = second;
        task->open++;
        task->run->subject->ask(ask);
}

void
ask_answered(struct ask *ask, const struct pair *rows, int n)
{
        struct task *task = ask->task;

        task->open--;
        ask->n_rows = n;
        if (ask->statement->returns && n > 0)
                ask->row = rows[0];
        task->run->workload->answered(ask, rows);
}

static struct task *
task_new(struct run *run, int place)
{
        int width = run->workload->width;
        struct task *task = calloc(1, sizeof *task + (size_t)width * sizeof task->asks[0]);

        if (task == NULL)
                run_fail(run, "start", "out of memory");
        task->run = run;
        task->place = place;
        for (int i = 0; i < width; i++)
                task->asks[i].task = task;
        return task;
}

void
run_go(struct run *run, const struct options *options)
{
        run->options = options;
        run->random = 2463534242;
        run->tasks = calloc((size_t)options->in_flight, sizeof(run->tasks[0]));
        if (run->tasks == NULL)
                run_fail(run, "start", "out of memory");
        for (int i = 0; i < options->in_flight; i++)
                run->tasks[i] = task_new(run, i);
        workload_reset(run->workload, options->url);
        run->subject->open(run);

        uint64_t now = meter_ns();
        run->phase_end_ns = now + seconds_ns(options->warm_up / 2);
        if (options->tasks > 0) {
                run_count(run, now);
                run->phase_end_ns = UINT64_MAX;
        }
        run->active = options->in_flight;
        for (int i = 0; i < options->in_flight; i++)
                task_start(run->tasks[i], now);
        run->subject->loop(run);
        run->subject->close(run);
}

void
run_free(struct run *run)
{
        for (int i = 0; i < run->options->in_flight; i++)
                free(run->tasks[i]);
        free(run->tasks);
}
