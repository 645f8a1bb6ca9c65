"""The report: one page of HTML with everything in it."""

import re
from html import escape

import table

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2.5rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #e3e3e3; text-align: right;
         white-space: nowrap }
th { font-weight: 600; color: #555 } th:first-child, td:first-child { text-align: left }
tr.pipit td { background: #eef7f3 } .kept { color: #0b6e4f } .missed { color: #c1121f }
.wide-spread { color: #96690a } .plots { display: flex; flex-wrap: wrap; gap: 1rem }
.plots svg { width: 36rem; max-width: 100%; height: auto } footer { margin-top: 3rem; color: #666 }
"""

CLASSES = {"kept": "kept", "MISSED": "missed", "too wide to judge": "wide-spread",
           "too few pairs": "wide-spread", "": ""}


def row(cells, tag="td", name=""):
    inner = "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells)
    return f'<tr class="{name}">{inner}</tr>' if name else f"<tr>{inner}</tr>"


def numbers(lines):
    head = row(["", *[name for name, _, _ in table.COLUMNS]], "th")
    body = "".join(
        row([f"{line['workload']}: {line['subject']}",
             *[table.cell(line, key, form) for _, key, form in table.COLUMNS]],
            name="pipit" if line["subject"] == "pipit" else "")
        for line in lines)
    return f'<div class="wide"><table>{head}{body}</table></div>'


def ratios(judged):
    if not judged:
        return ""
    head = row(["ratio", "median", "spread", "asked for", ""], "th")
    body = "".join(
        row([table.ratio_name(ratio), f"{value.median:.2f}", f"{value.low:.2f} to {value.high:.2f}",
             value.bound(), value.verdict], name=CLASSES[value.verdict])
        for ratio, value in judged)
    return f'<div class="wide"><table>{head}{body}</table></div>'


def inline_svg(path, place):
    """Without what stands in front of it; names inside are made different for each plot."""
    text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg"):]
    return re.sub(r"((?:id|href)=['\"]#?|url\(#)", rf"\g<1>p{place}-", text)


def figures(drawn):
    inner = "".join(f"<figure>{inline_svg(path, i)}</figure>" for i, (_, path) in enumerate(drawn))
    return f'<h2>Plots</h2><div class="plots">{inner}</div>' if drawn else ""


def write(folder, facts, sections, lines, missing, drawn):
    """Writes report.html and returns its path."""
    parts = [f"<table>{''.join(row(fact) for fact in facts)}</table>", figures(drawn)]
    for group, judged in sections:
        mine = table.lines_of(group, lines)
        parts += [f"<h2>{escape(table.title(group, mine))}</h2>", numbers(mine), ratios(judged)]
    parts += [f"<p>Left out: {escape(text)}</p>" for text in missing]
    text = (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>pipit: benchmark</title>'
            f"<style>{STYLE}</style><h1>pipit: benchmark</h1>{''.join(parts)}"
            f"<footer>A ratio is the median of the pairs' ratios; its spread is the middle half of "
            f"them, with fewer than five pairs all of them. One whose spread is over 15 % of the "
            f"median is too wide to judge, unless all of it lies on one side of the bound."
            f"</footer></html>\n")
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path
