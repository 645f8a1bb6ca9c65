"""Sorts what a tool of static analysis has said: prints what test/static.txt does not except.

    findings.py ROOT BASE FILE USED

FILE has lines as compilers write them, with names of files as they are from BASE; those about files
outside of ROOT are left out. The lines of static.txt that were of use are added to the file USED.
"""
import pathlib
import re
import sys

FINDING = re.compile(r'(.+?):(\d+):\d+: (?:warning|error|style): (.*) \[([^]]*)\]$')


def exceptions_read(root):
    lines = (root / 'test/static.txt').read_text().splitlines()
    return [line.split(' | ') + [line] for line in lines if line and not line.startswith('#')]


def finding(root, base, match):
    """A finding's file, line, text of that line, and the names of its check."""
    path = (base / match[1]).resolve()
    if root not in path.parents:
        return None
    source = path.read_text().splitlines()[int(match[2]) - 1]
    return str(path.relative_to(root)), source, match[4].split(',')


def main():
    root, base, said, used = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    exceptions = exceptions_read(root)
    found = set()
    needed = []
    for line in said.read_text(errors='replace').splitlines():
        match = FINDING.match(line)
        if not match:
            if 'error: ' in line:
                found.add(line)
            continue
        place = finding(root, base, match)
        if place is None:
            continue
        name, source, checks = place
        fits = [rest for check, where, text, _, rest in exceptions
                if check in checks and where == name and text in source]
        needed += fits
        if not fits:
            found.add(f'{name}:{match[2]}: {match[3]} [{match[4]}]')
    with used.open('a') as out:
        out.writelines(line + '\n' for line in needed)
    for line in sorted(found):
        print(line)


main()
