"""What is measured: groups of runs that take turns, and the ratios that are made of them.

Members stand in the order of their turns: those that are compared, next to each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Member:
    """One subject doing one workload."""

    workload: str
    subject: str

    def __str__(self):
        return f"{self.workload}: {self.subject}"


@dataclass(frozen=True)
class Ratio:
    """One member's number by another's, and the bound that it should keep."""

    member: Member
    base: Member
    key: str = "per_second"
    at_least: float | None = None
    at_most: float | None = None


@dataclass
class Group:
    """Members that take turns at one point."""

    connections: int
    in_flight: int
    members: list
    ratios: list = field(default_factory=list)
    instructions: bool = True  # are counted, of reads by key
    quick: bool = True  # is a point of the quick run, too


def m(workload, subject="pipit"):
    return Member(workload, subject)


def reach(member, base, bound=None):
    return Ratio(member, base, at_least=bound)


def cost(member, base, bound=None):
    return Ratio(member, base, key="cpu_us_per_query", at_most=bound)


SINGLE = "floor-single"
EACH = "floor-sync-each"
SHARED = "floor-sync-shared"
COALESCED = "floor-coalesced"
ONE_TRIP = "floor-one-trip"


def all_of(workload, *subjects):
    return [m(workload, subject) for subject in subjects]


def select_one():
    return Group(1, 1, all_of("select", SINGLE, "pipit", "pgbench"),
                 [reach(m("select"), m("select", SINGLE), 0.95),
                  cost(m("select"), m("select", SINGLE)),
                  reach(m("select"), m("select", "pgbench"))])


def select_few():
    return Group(8, 8, all_of("select", EACH, SINGLE, "pipit", SHARED),
                 [reach(m("select"), m("select", SHARED)),
                  reach(m("select"), m("select", SINGLE))], instructions=False, quick=False)


def reads(in_flight, cpu, each, get):
    """Everything that reads by key, so that each can be compared with each."""
    members = all_of("select", SINGLE, EACH) + all_of("get-single", "pipit")
    members += all_of("select", "pipit", SHARED) + all_of("get", "pipit", COALESCED)
    members += all_of("select", "pgbench-pipeline", "pgbench")
    shared = m("select", SHARED)
    return Group(8, in_flight, members,
                 [reach(m("select"), shared, 0.90),
                  cost(m("select"), shared, cpu),
                  reach(m("select"), m("select", EACH), each),
                  reach(m("select"), m("select", "pgbench")),
                  reach(m("select"), m("select", "pgbench-pipeline")),
                  reach(m("get"), shared, get),
                  cost(m("get"), shared),
                  reach(m("get"), m("get", COALESCED)),
                  reach(m("get-single"), m("select"), 0.85)])


def inserts():
    return Group(8, 64, all_of("insert", SINGLE, "pipit", EACH),
                 [reach(m("insert"), m("insert", EACH), 0.90),
                  cost(m("insert"), m("insert", EACH))])


def grouped_inserts():
    members = all_of("insert", "pipit", EACH)
    members += all_of("insert-grouped", "pipit", SHARED)
    members += all_of("create-grouped", EACH, "pipit", SHARED)
    return Group(8, 512, members,
                 [reach(m("insert"), m("insert", EACH), 0.90),
                  reach(m("insert-grouped"), m("insert-grouped", SHARED), 0.90),
                  reach(m("create-grouped"), m("create-grouped", EACH), 3.0),
                  reach(m("create-grouped"), m("create-grouped", SHARED))])


def rows(connections, *subjects):
    members = all_of("rows", subjects[0], "pipit", *subjects[1:])
    return Group(connections, connections, members,
                 [reach(m("rows"), m("rows", subject), 0.90) for subject in subjects])


def update():
    return Group(8, 8, all_of("update", SINGLE, EACH, "pipit", SHARED),
                 [reach(m("update"), m("update", SHARED)), reach(m("update"), m("update", EACH))])


def transaction_one():
    return Group(1, 1, all_of("transaction", SINGLE, "pipit", ONE_TRIP),
                 [reach(m("transaction"), m("transaction", SINGLE)),
                  reach(m("transaction"), m("transaction", ONE_TRIP))])


def transactions():
    return Group(8, 64, all_of("transaction", SINGLE, "pipit", ONE_TRIP, EACH),
                 [reach(m("transaction"), m("transaction", SINGLE), 1.5),
                  reach(m("transaction"), m("transaction", ONE_TRIP), 0.90),
                  cost(m("transaction"), m("transaction", ONE_TRIP)),
                  reach(m("transaction"), m("transaction", EACH))])


def mixed():
    """What slow statements do to fast ones, with each subject's own fast ones as the base."""
    members, ratios = [], []
    for subject in ("pipit", EACH, SHARED):
        members += [m("mixed", subject), m("mixed-base", subject)]
        bound = 3.0 if subject == "pipit" else None
        ratios.append(Ratio(m("mixed", subject), m("mixed-base", subject), "p99_us", None, bound))
    return Group(8, 64, members, ratios)


def chain(connections, in_flight, floor):
    return Group(connections, in_flight, all_of("chain", "pipit", floor),
                 [reach(m("chain"), m("chain", floor))], quick=connections == 1)


def connect(connections):
    return Group(connections, connections, all_of("connect", "pipit", SINGLE),
                 [reach(m("connect"), m("connect", SINGLE))], quick=connections == 1)


def groups():
    """All of it, in the order of the report."""
    return [select_one(), select_few(), reads(64, 1.25, 1.5, 1.2), reads(512, 1.4, 1.8, 1.6),
            inserts(), grouped_inserts(), rows(1, SINGLE), rows(8, EACH, SHARED), update(),
            transaction_one(), transactions(), mixed(), chain(1, 1, SINGLE), chain(8, 64, EACH), connect(1), connect(8)]


def only(workload):
    """The groups that measure a workload, with what its ratios need and no more."""
    chosen = []
    for group in groups():
        ratios = [ratio for ratio in group.ratios if ratio.member.workload == workload]
        needed = {ratio.base for ratio in ratios}
        members = [x for x in group.members if x.workload == workload or x in needed]
        if any(x.workload == workload for x in members):
            chosen.append(replace(group, members=members, ratios=ratios))
    return chosen
