"""The sizes of C functions and files, with what universal-ctags knows of them.

functions.py --function LINES --file LINES --median LINES FOLDER...

Prints one line for every function or file that is over its limit, and one for each folder whose
median function is over the last; exits with 1 when there was any.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys


def sources(folder):
    return sorted(path for path in pathlib.Path(folder).rglob("*.[ch]") if path.is_file())


def functions(paths):
    """(path, line, name, number of lines) for each function, from its name to its last brace."""
    command = ["ctags", "-f", "-", "--output-format=json", "--language-force=C", "--kinds-C=f",
               "--fields=NFne", *map(str, paths)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in answer.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["path"], tag["line"], tag["name"], tag["end"] - tag["line"] + 1


def complaints(folder, limits):
    paths = sources(folder)
    if not paths:
        return
    for path in paths:
        n = len(path.read_text(encoding="utf-8", errors="replace").splitlines())
        if n > limits.file:
            yield f"{path}: {n} lines, more than {limits.file}"
    lengths = []
    for path, line, name, n in functions(paths):
        lengths.append(n)
        if n > limits.function:
            yield f"{path}:{line}: {name} has {n} lines, more than {limits.function}"
    if limits.median and lengths and statistics.median(lengths) > limits.median:
        yield f"{folder}: half of the functions have more than {limits.median} lines"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--function", type=int, default=60)
    parser.add_argument("--file", type=int, default=600)
    parser.add_argument("--median", type=int, default=0)
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()
    found = [text for folder in arguments.folders for text in complaints(folder, arguments)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main())
