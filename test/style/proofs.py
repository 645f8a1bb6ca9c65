"""The tests that a page names as proofs: proofs.py PAGE...

In the last column of a table, a link to a C file is followed by the names of tests in code marks,
which must be in that file. A row without any must say in words what is not there yet. Prints a line
for each that is not so; exits with 1 when there was any.
"""

import pathlib
import re
import sys

ROW = re.compile(r"^\|(.*)\|\s*$", re.M)
WORD = re.compile(r"\]\(([^)]+\.c)\)|`(\w+)`")
TEST = re.compile(r"^START_TEST\((\w+)\)", re.M)


def tests(path):
    return set(TEST.findall(path.read_text(encoding="utf-8"))) if path.exists() else set()


def of_cell(page, cell):
    """Complaints about a cell, and how many tests it names."""
    found, n, path = [], 0, None
    for match in WORD.finditer(cell):
        if match[1]:
            path = page.parent / match[1]
            continue
        n += 1
        if path is None:
            found.append(f"{match[2]} has no file in front of it")
        elif match[2] not in tests(path):
            found.append(f"{path.name} has no test {match[2]}")
    return found, n


def complaints(page):
    rows = [row.split("|") for row in ROW.findall(page.read_text(encoding="utf-8"))]
    rows = [cells for cells in rows if not re.match(r"-+$", cells[0])]
    if not rows:
        yield f"{page}: no table"
    for cells in rows:
        found, n = of_cell(page, cells[-1])
        yield from (f"{page}: {text}" for text in found)
        if n == 0 and "not yet" not in cells[-2] and cells[-1].strip() != "shown by":
            yield f"{page}: no test shows that{cells[0].rstrip()}"


def main(names):
    found = [text for name in names for text in complaints(pathlib.Path(name))]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
