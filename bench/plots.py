"""Plots, drawn by gnuplot as SVG. Without gnuplot there are none."""

import shutil
import subprocess

COLOURS = ["#0b6e4f", "#c1121f", "#e09f3e", "#335c81", "#7b2d8b", "#6c757d", "#00a6a6", "#9c6644"]

HEAD = """set terminal svg size 760,420 dynamic background "white" font "sans-serif,13"
set key outside right top
set grid ytics lc rgb "#dddddd"
set border 3 lc rgb "#888888"
set tics nomirror
set title "{title}"
set ylabel "{ylabel}"
"""


def quoted(text):
    return str(text).replace('"', "'").replace("_", "-")


def run_gnuplot(script, path):
    subprocess.run(["gnuplot"], input=script.replace("@OUT@", str(path)), text=True, check=True)
    return path


def data_block(name, points):
    rows = "\n".join(" ".join(str(x) for x in point) for point in points)
    return f"${name} << EOD\n{rows}\nEOD\n"


def curves(title, ylabel, series, path, log_y=False):
    """A line a subject over the requests in flight."""
    script = HEAD.format(title=title, ylabel=ylabel) + 'set output "@OUT@"\n'
    script += 'set logscale x 2\nset xlabel "in flight"\n'
    script += "set logscale y\n" if log_y else "set yrange [0:*]\n"
    blocks, plots = "", []
    for i, (name, points) in enumerate(series.items()):
        blocks += data_block(f"d{i}", sorted(points))
        width = 4 if name == "pipit" else 2
        plots.append(f'$d{i} with linespoints lw {width} pt 7 ps 0.6 lc rgb "{COLOURS[i % 8]}" '
                     f'title "{quoted(name)}"')
    return run_gnuplot(blocks + script + "plot " + ", \\\n  ".join(plots) + "\n", path)


def bars(title, ylabel, rows, names, path):
    """A cluster of bars a subject, one bar for each name."""
    script = HEAD.replace("760,420", "760,520").format(title=title, ylabel=ylabel)
    script += 'set output "@OUT@"\n'
    script += "set style data histogram\nset style histogram clustered gap 1\n"
    script += "set style fill solid\nset logscale y\nset xtics rotate by -35\n"
    block = data_block("d", [[f'"{quoted(name)}"', *numbers] for name, numbers in rows])
    plots = [f'$d using {i + 2}:xtic(1) lc rgb "{COLOURS[i]}" title "{name}"'
             for i, name in enumerate(names)]
    return run_gnuplot(block + script + "plot " + ", \\\n  ".join(plots) + "\n", path)


def series_of(lines, key):
    """For reads by key: by subject, the number at each point in flight."""
    series = {}
    for line in lines:
        if line["workload"] not in ("select", "get") or line[key] is None:
            continue
        name = line["subject"] if line["workload"] == "select" else f"get: {line['subject']}"
        series.setdefault(name, set()).add((line["in_flight"], line[key]))
    return dict(sorted(series.items(), key=lambda item: "pipit" not in item[0]))


def latency_rows(lines, in_flight, workloads):
    return [(f"{line['workload']}: {line['subject']}",
             [line["p50_us"], line["p99_us"], line["p999_us"]])
            for line in lines
            if line["in_flight"] == in_flight and line["p50_us"] is not None
            and line["workload"] in workloads]


def draw(lines, folder):
    """The plots that there are numbers for: title and path of each."""
    if not shutil.which("gnuplot"):
        return []
    drawn = []
    wanted = [("throughput", "Reads by key: throughput", "per second", "per_second"),
              ("cpu", "Reads by key: client CPU", "us a query", "cpu_us_per_query")]
    for file, title, ylabel, key in wanted:
        series = series_of(lines, key)
        if series:
            path = curves(title, ylabel, series, folder / f"{file}.svg", key != "per_second")
            drawn.append((title, path))
    for name, in_flight, workloads in [("reads by key", 64, ("select", "get", "get-single")),
                                       ("reads by key", 512, ("select", "get", "get-single")),
                                       ("fast among slow", 64, ("mixed", "mixed-base"))]:
        rows = latency_rows(lines, in_flight, workloads)
        if rows:
            title = f"Latency: {name}, {in_flight} in flight"
            path = folder / f"latency-{workloads[0]}-{in_flight}.svg"
            drawn.append((title, bars(title, "us", rows, ["p50", "p99", "p99.9"], path)))
    return drawn
