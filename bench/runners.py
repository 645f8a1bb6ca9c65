"""How a subject is run once: each gives one dictionary, with null for what it cannot tell."""

import json
import os
import re
import resource
import shutil
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A run that hangs is an error, not a result.
GRACE_S = 60


class Failed(Exception):
    """A run that gave no result."""


def children_cpu_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def command_output(command, seconds):
    """Standard output, and the client's processor time in microseconds."""
    before = children_cpu_s()
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=seconds + GRACE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[0]}: no end after {error.timeout:.0f} s") from error
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or f"{command[0]}: exit status {done.returncode}")
    return done.stdout, (children_cpu_s() - before) * 1e6


class Bench:
    """pipit and the floors, which are one program."""

    def __init__(self, folder, seconds, warm_up):
        self.program = str(Path(folder) / "pipit-bench")
        self.seconds = seconds
        self.warm_up = warm_up

    def command(self, program, group, member, *more):
        return [program, "--workload", member.workload, "--subject", member.subject,
                "--connections", str(group.connections), "--in-flight", str(group.in_flight), *more]

    def run(self, group, member):
        times = ["--seconds", str(self.seconds), "--warm-up", str(self.warm_up)]
        command = self.command(self.program, group, member, *times)
        return json.loads(command_output(command, self.seconds)[0])

    def count_allocations(self, group, member):
        """With the program that counts them, which is too slow for anything else."""
        times = ["--seconds", "0.1", "--warm-up", "0.1"]
        command = self.command(self.program + "-count", group, member, *times)
        line = json.loads(command_output(command, 1)[0])
        return {key: line[key] for key in ("allocations_per_query", "own_allocations_per_query")}

    def instructions(self, group, member, tasks):
        counted = self.command(self.program, group, member, "--tasks", str(tasks))
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no",
                   "--cachegrind-out-file=/dev/null", *counted]
        done = subprocess.run(command, capture_output=True, text=True, check=True,
                              timeout=5 * GRACE_S)
        return int(re.search(r"I\s+refs:\s+([\d,]+)", done.stderr).group(1).replace(",", ""))

    def count_instructions(self, group, member):
        """Of two lengths the difference: what the start and the end cost is in both."""
        if not shutil.which("valgrind"):
            return {}
        few = 2 * group.in_flight + 500
        many = few + 5000
        difference = self.instructions(group, member, many) - self.instructions(group, member, few)
        return {"instructions_per_query": round(difference / (many - few), 1)}


class Pgbench:
    """pgbench with prepared statements, one at a time or in its own pipeline."""

    def __init__(self, bindir, seconds, scratch):
        program = Path(bindir) / "pgbench"
        self.program = str(program) if program.exists() else shutil.which("pgbench")
        self.seconds = max(1, round(seconds))
        self.scratch = Path(scratch)

    def script(self, in_pipeline):
        one = "\\set id random(1, 10000)\nSELECT id, value FROM bench_read WHERE id = :id;\n"
        text = f"\\startpipeline\n{one * in_pipeline}\\endpipeline\n" if in_pipeline > 1 else one
        path = self.scratch / f"pgbench-{in_pipeline}.sql"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run(self, group, member):
        """A transaction is a script, so its latency is that of all statements of a pipeline."""
        pipelined = member.subject == "pgbench-pipeline"
        n = max(1, group.in_flight // group.connections) if pipelined else 1
        command = [self.program, "-n", "-M", "prepared", "-c", str(group.connections), "-j", "1",
                   "-T", str(self.seconds), "-f", self.script(n), os.environ["DATABASE_URL"]]
        output, cpu_us = command_output(command, self.seconds)
        tps = float(re.search(r"tps = ([\d.]+)", output).group(1))
        done = int(re.search(r"actually processed: (\d+)", output).group(1))
        return {"per_second": tps * n, "unit": "queries", "cpu_us_per_query": cpu_us / (done * n)}


class Peer:
    """A client in another language: a script that prints the same line of JSON."""

    def __init__(self, name, command, seconds):
        self.name = name
        self.command = command
        self.seconds = seconds

    def run(self, group, member):
        point = [str(group.connections), str(group.in_flight), str(self.seconds)]
        output, _ = command_output([*self.command, member.workload, *point], self.seconds)
        return json.loads(output)


# What the scripts of bench/peers can do.
PEER_WORKLOADS = ("select", "insert", "rows")


def find_peers(folder, seconds):
    """Those that can be run here, and the names of those that cannot."""
    found, absent = {}, []
    for path in sorted(Path(folder).glob("*.*")):
        language = {".py": "python3", ".cjs": "node"}.get(path.suffix)
        if language is None or path.stem.startswith("_"):
            continue
        command = [language, str(path)]
        usable = shutil.which(language) and subprocess.run(
            [*command, "--available"], capture_output=True, timeout=GRACE_S,
            check=False).returncode == 0
        if usable:
            found[path.stem] = Peer(path.stem, command, seconds)
        else:
            absent.append(path.stem)
    return found, absent


SESSIONS = """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
              AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


def sessions():
    """The server's processes that work for somebody else."""
    done = subprocess.run(["psql", "-XAtq", os.environ["DATABASE_URL"], "-c", SESSIONS],
                          stdout=subprocess.PIPE, text=True, check=True, timeout=GRACE_S)
    return set(done.stdout.split())


def settle(others):
    """Waits until the server has ended the last run's processes; others were there before it."""
    until = time.monotonic() + GRACE_S
    while not sessions() <= others:
        if time.monotonic() > until:
            raise Failed(f"after {GRACE_S} s somebody still uses the database")
