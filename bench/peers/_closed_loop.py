"""What the Python peers share: the workloads, a closed loop, and the line that is printed.

A peer is a script: PEER WORKLOAD CONNECTIONS IN_FLIGHT SECONDS, with the server in DATABASE_URL.
With --available it only says by its exit status whether its library is installed.
"""

import asyncio
import json
import os
import random
import resource
import sys
import time

WARM_UP_S = 0.5
SQL = {"select": "SELECT id, value FROM bench_read WHERE id = {0}",
       "insert": "INSERT INTO bench_write (value) VALUES ({0})",
       "rows": "SELECT id, value FROM bench_rows"}
UNITS = {"select": 1, "insert": 1, "rows": 1000}


def sql_of(workload, parameter):
    return SQL[workload].format(parameter)


def parameters(workload):
    """The key, and what the statement is given."""
    key = random.randint(1, 10000)
    return key, (() if workload == "rows" else (key,))


def check(workload, key, rows):
    """A wrong answer is never a result."""
    if workload == "select":
        right = len(rows) == 1 and rows[0][0] == key and rows[0][1] == key * 7
    elif workload == "rows":
        right = len(rows) == 1000 and sum(row[1] - 6 * row[0] for row in rows) == 500500
    else:
        right = True
    if not right:
        sys.exit(f"{workload}: a wrong answer")


def quantile(latencies, part):
    return latencies[min(len(latencies) - 1, int(part * len(latencies)))] * 1e6


class Clock:
    """Warms up, then counts; `going` ends the loops."""

    def __init__(self, seconds):
        self.start = time.perf_counter() + WARM_UP_S
        self.end = self.start + seconds
        self.latencies = []
        self.cpu = None

    def going(self, now):
        return now < self.end

    def ended(self, began, now):
        if began < self.start:
            return
        if self.cpu is None:
            self.cpu = resource.getrusage(resource.RUSAGE_SELF)
            self.start = began
        self.latencies.append(now - began)

    def line(self, workload):
        wall = time.perf_counter() - self.start
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu = usage.ru_utime + usage.ru_stime - self.cpu.ru_utime - self.cpu.ru_stime
        latencies = sorted(self.latencies)
        n = len(latencies)
        return {"per_second": n * UNITS[workload] / wall,
                "unit": "rows" if workload == "rows" else "queries",
                "cpu_us_per_query": cpu * 1e6 / n, "p50_us": quantile(latencies, 0.5),
                "p99_us": quantile(latencies, 0.99), "p999_us": quantile(latencies, 0.999),
                "peak_kib": usage.ru_maxrss}


def main(available, loops):
    """loops(url, workload, connections, in_flight, clock) asks until the clock says no."""
    if sys.argv[1:] == ["--available"]:
        sys.exit(0 if available else 1)
    workload, connections, in_flight = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    clock = Clock(float(sys.argv[4]))
    asyncio.run(loops(os.environ["DATABASE_URL"], workload, connections, in_flight, clock))
    print(json.dumps(clock.line(workload)))
