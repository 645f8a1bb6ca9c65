"""Runs the members of each group in turn, and writes what came out.

compare.py FOLDER REPORT [--json FILE] [--quick] [--pairs N] [--workload NAME] [--peers]

FOLDER has pipit-bench, REPORT is where the lines, plots and the page go, DATABASE_URL names the
server.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import page
import plots
import points
import runners
import table
from ratios import judge, median, relative_spread

# What each line has, whatever the subject; null is for what a subject cannot tell.
KEYS = ["workload", "subject", "connections", "in_flight", "per_second", "cpu_us_per_query",
        "p50_us", "p99_us", "rounds", "spread", "p999_us", "apart_p50_us", "apart_p99_us",
        "apart_p999_us", "server_cpu_us_per_query", "allocations_per_query",
        "own_allocations_per_query", "instructions_per_query", "peak_kib", "unit", "ratio",
        "ratios"]
MEDIANS = [key for key in KEYS if key.endswith(("_us", "per_second", "per_query", "_kib"))]


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Results:
    """All runs of all members, and what was counted of each once."""

    def __init__(self):
        self.runs = {}
        self.counts = {}
        self.missing = []

    def add(self, group, member, line):
        self.runs.setdefault((group.connections, group.in_flight, member), []).append(line)

    def of(self, group, member):
        return self.runs.get((group.connections, group.in_flight, member), [])

    def numbers(self, group, member, key):
        return [line.get(key) for line in self.of(group, member)]


def parse():
    parser = argparse.ArgumentParser(prog="run.sh")
    parser.add_argument("folder")
    parser.add_argument("report", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--workload")
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    options.pairs = options.pairs or (3 if options.quick else 9)
    options.seconds = 0.3 if options.quick else 1.0
    options.warm_up = 0.1 if options.quick else 0.2
    options.json = options.json or options.report / "bench.jsonl"
    return options


def runner_table(options, scratch):
    """Who runs which subject; what is not here is pipit-bench's."""
    pgbench = runners.Pgbench(os.environ["BENCH_BINDIR"], options.seconds, scratch)
    return {None: runners.Bench(options.folder, options.seconds, options.warm_up),
            "pgbench": pgbench, "pgbench-pipeline": pgbench}


def without_pgbench(groups, results):
    """Not every installation has it."""
    results.missing.append("pgbench: not installed")
    for group in groups:
        group.members = [x for x in group.members if not x.subject.startswith("pgbench")]
        group.ratios = [x for x in group.ratios if not x.base.subject.startswith("pgbench")]


def add_peers(options, groups, table_of_runners, results):
    """Peers do the workloads that their scripts know, beside pipit."""
    if not options.peers:
        return
    found, absent = runners.find_peers(os.environ["BENCH_PEERS"], options.seconds)
    results.missing += [f"{name}: not installed" for name in absent]
    table_of_runners.update(found)
    for group in groups:
        for member in [x for x in group.members if x.subject == "pipit"]:
            if member.workload not in runners.PEER_WORKLOADS:
                continue
            for name in found:
                peer = points.Member(member.workload, name)
                group.members.append(peer)
                group.ratios.append(points.Ratio(member, peer))


def leave_out(group, member, results, why):
    """A peer that fails is no reason to stop: it is named, and its runs so far do not count."""
    results.missing.append(f"{member}, {group.in_flight} in flight: {why.splitlines()[-1]}")
    results.runs.pop((group.connections, group.in_flight, member), None)
    group.members.remove(member)
    group.ratios = [ratio for ratio in group.ratios if ratio.base != member]


def run_round(group, who_runs, results, backwards, others):
    """Each member once. Every other round goes backwards, so that nobody is always the first."""
    for member in group.members[::-1] if backwards else list(group.members):
        runner = who_runs.get(member.subject, who_runs[None])
        try:
            results.add(group, member, runner.run(group, member))
        except runners.Failed as error:
            if not isinstance(runner, runners.Peer):
                raise
            leave_out(group, member, results, str(error))
        runners.settle(others)


def count_once(group, bench, results):
    """What does not vary is counted in one run of each, outside the pairs."""
    for member in group.members:
        if member.subject != "pipit" and not member.subject.startswith("floor"):
            continue
        counts = bench.count_allocations(group, member)
        if group.instructions and member.workload in ("select", "get"):
            counts.update(bench.count_instructions(group, member))
        results.counts[group.connections, group.in_flight, member] = counts


def judged_ratios(group, results):
    """Every ratio of a group, each with its verdict."""
    judged = []
    for ratio in group.ratios:
        numbers = results.numbers(group, ratio.member, ratio.key)
        bases = results.numbers(group, ratio.base, ratio.key)
        if numbers and bases and None not in numbers and None not in bases:
            judged.append((ratio, judge(numbers, bases, ratio.at_least, ratio.at_most)))
    return judged


def ratio_entry(ratio, judged):
    return {"base": str(ratio.base), "of": ratio.key, "median": round(judged.median, 4),
            "low": round(judged.low, 4), "high": round(judged.high, 4),
            "at_least": judged.at_least, "at_most": judged.at_most, "verdict": judged.verdict}


def line_of(group, member, results, judged):
    """A subject at a point: medians of its runs, and the ratios in which it is above the line."""
    runs = results.of(group, member)
    line = {key: None for key in KEYS}
    for key in MEDIANS:
        numbers = [run[key] for run in runs if run.get(key) is not None]
        line[key] = round(median(numbers), 4) if numbers else None
    own = [ratio_entry(ratio, value) for ratio, value in judged if ratio.member == member]
    spread = relative_spread([run["per_second"] for run in runs])
    line.update(workload=member.workload, subject=member.subject, connections=group.connections,
                in_flight=group.in_flight, unit=runs[0]["unit"], rounds=len(runs),
                spread=round(spread, 4), ratio=own[0]["median"] if own else None, ratios=own)
    line.update(results.counts.get((group.connections, group.in_flight, member), {}))
    return line


def measure(options, groups, who_runs, results):
    others = runners.sessions()
    for group in groups:
        names = ", ".join(dict.fromkeys(member.workload for member in group.members))
        say(f"{names}: {group.connections} connections, {group.in_flight} in flight")
        for i in range(options.pairs):
            run_round(group, who_runs, results, i % 2 == 1, others)
        count_once(group, who_runs[None], results)


def describe(options):
    """Where and how all this was measured."""
    url = os.environ["DATABASE_URL"]
    settings = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "autovacuum"]
    shown = subprocess.run(
        ["psql", "-XAtq", url, "-c", "SHOW server_version",
         *[word for name in settings for word in ("-c", f"SHOW {name}")]],
        stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    model = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text(
        encoding="utf-8").splitlines() if line.startswith("model name")]
    return [("Processor", f"{os.cpu_count()} x {model[0] if model else os.uname().machine}"),
            ("Kernel", f"{os.uname().sysname} {os.uname().release}"),
            ("PostgreSQL", shown[0]),
            ("Settings", ", ".join(f"{k}={v}" for k, v in zip(settings, shown[1:]))),
            ("Data on", os.environ.get("BENCH_DATA", "?")),
            ("Over", "TCP" if "@127.0.0.1" in url else "a Unix socket"),
            ("libpq", os.environ.get("BENCH_LIBPQ", "?")),
            ("Runs", f"{options.pairs} pairs of {options.seconds:g} s each")]


def write(options, groups, results):
    facts = describe(options)
    sections = [(group, judged_ratios(group, results)) for group in groups]
    lines = [line_of(group, member, results, judged)
             for group, judged in sections for member in group.members]
    options.report.mkdir(parents=True, exist_ok=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    table.show(facts, sections, lines, results.missing)
    drawn = plots.draw(lines, options.report)
    path = page.write(options.report, facts, sections, lines, results.missing, drawn)
    say(f"lines in {options.json}, report in {path}")


def main():
    options = parse()
    groups = points.only(options.workload) if options.workload else points.groups()
    if options.quick and not options.workload:
        groups = [group for group in groups if group.quick]
    if not groups:
        sys.exit(f"run.sh: no such workload: {options.workload}")
    subprocess.run(["psql", "-Xq", os.environ["DATABASE_URL"], "-v", "ON_ERROR_STOP=1", "-f",
                    str(runners.HERE / "schema.sql")], check=True)
    results = Results()
    with tempfile.TemporaryDirectory() as scratch:
        who_runs = runner_table(options, scratch)
        if not who_runs["pgbench"].program:
            without_pgbench(groups, results)
        add_peers(options, groups, who_runs, results)
        try:
            measure(options, groups, who_runs, results)
        except runners.Failed as error:
            sys.exit(f"run.sh: {error}")
    write(options, groups, results)


if __name__ == "__main__":
    main()
