"""The table on standard output."""

NAMES = {"per_second": "per second", "cpu_us_per_query": "client CPU a query", "p99_us": "p99"}

COLUMNS = [("per second", "per_second", "{:,.0f}"), ("client us", "cpu_us_per_query", "{:.2f}"),
           ("server us", "server_cpu_us_per_query", "{:.2f}"), ("p50 us", "p50_us", "{:,.0f}"),
           ("p99 us", "p99_us", "{:,.0f}"), ("p99.9 us", "p999_us", "{:,.0f}"),
           ("allocs", "allocations_per_query", "{:.1f}"),
           ("own", "own_allocations_per_query", "{:.1f}"),
           ("instrs", "instructions_per_query", "{:,.0f}"), ("peak KiB", "peak_kib", "{:,.0f}"),
           ("spread", "spread", "{:.0%}")]


def cell(line, key, form):
    return "-" if line.get(key) is None else form.format(line[key])


def title(group, lines):
    units = ", ".join(dict.fromkeys(line["unit"] for line in lines))
    return f"{group.connections} connections, {group.in_flight} in flight ({units} a second)"


def lines_of(group, lines):
    """In the order of the group."""
    wanted = [(member.workload, member.subject) for member in group.members]
    found = {(line["workload"], line["subject"]): line for line in lines
             if line["connections"] == group.connections and line["in_flight"] == group.in_flight}
    return [found[key] for key in wanted if key in found]


def ratio_name(ratio):
    return f"{NAMES[ratio.key]}, {ratio.member} / {ratio.base}"


def show_lines(lines):
    print("  " + " " * 34 + "".join(f"{name:>11}" for name, _, _ in COLUMNS))
    for line in lines:
        name = f"{line['workload']}: {line['subject']}"
        print(f"  {name:<34}" + "".join(f"{cell(line, k, f):>11}" for _, k, f in COLUMNS))


def show_ratio(ratio, judged):
    span = f"{judged.median:.2f} ({judged.low:.2f} to {judged.high:.2f})"
    print(f"    {ratio_name(ratio):<72} {span:<24} {judged.bound():<8} {judged.verdict}".rstrip())


def show(facts, sections, lines, missing):
    for name, value in facts:
        print(f"{name}: {value}")
    for group, judged in sections:
        mine = lines_of(group, lines)
        print(f"\n{title(group, mine)}")
        show_lines(mine)
        for ratio, value in judged:
            show_ratio(ratio, value)
    print("\nA ratio is the median of the pairs' ratios; behind it stands the middle half of them,"
          "\nwith fewer than five pairs all of them. One whose span is over 15 % of the median is"
          "\ntoo wide to judge, unless all of it lies on one side of the bound.")
    for text in missing:
        print(f"left out: {text}")
