"""Counts the tests of a meson run: count.py LOG-FOLDER EXIT-STATUS [FAILURES].

A test that speaks TAP counts as its sub-tests, any other as one. Prints "N passed, N failed" and
exits with 0 only if something passed, nothing failed, and meson was of the same opinion. What
failed, and the last words of its program, is appended to the file FAILURES.
"""

import glob
import json
import re
import sys

BAD = {"FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"}
TAP_LINE = re.compile(r"^(not )?ok\b(?:.*#\s*(skip|todo)\b)?", re.IGNORECASE | re.MULTILINE)
FAILED_CASE = re.compile(r"^not ok\b(?!.*#\s*(?:skip|todo)\b).*", re.IGNORECASE | re.MULTILINE)
LINE_LENGTH = 300
# Of one program: cases that are named, and lines that it said last.
MOST_CASES = 8
LAST_WORDS = 8


def count(test):
    passed = failed = 0
    lines = list(TAP_LINE.finditer(test.get("stdout", "")))
    for line in lines:
        if not line[2]:
            failed += bool(line[1])
            passed += not line[1]
    if test["result"] in BAD:
        failed = max(failed, 1)
    elif test["result"] in ("OK", "EXPECTEDFAIL") and not lines:
        passed = 1
    return passed, failed


def names(test):
    """The lines that say what has failed of a program: it, and its cases."""
    cases = FAILED_CASE.findall(test.get("stdout", ""))
    lines = [f'{test["name"]}: {test["result"]}, exit status {test.get("returncode")}, '
             f'{test.get("duration", 0):.0f} s']
    lines += ["  " + case for case in cases[:MOST_CASES]]
    if len(cases) > MOST_CASES:
        lines.append(f"  and {len(cases) - MOST_CASES} more")
    return lines


def last_words(test):
    """What it said last; of a program that speaks TAP, what it said besides."""
    words = test.get("stderr", "").splitlines()
    if not TAP_LINE.search(test.get("stdout", "")):
        words = test.get("stdout", "").splitlines() + words
    words = [word for word in words if word.strip() and not word.startswith("(test program exited")]
    return [f'{test["name"]} | {word}' for word in words[-LAST_WORDS:]]


def tests(folder):
    for name in glob.glob(glob.escape(folder) + "/testlog*.json"):
        with open(name, encoding="utf-8", errors="replace") as log:
            yield from map(json.loads, log)


def main(folder, status, failures=None):
    passed = failed = 0
    bad = []
    for test in tests(folder):
        result = count(test)
        passed += result[0]
        failed += result[1]
        if result[1]:
            bad.append(test)
    lines = [line for test in bad for line in names(test)]
    lines += [line for test in bad for line in last_words(test)]
    if status != "0":
        if not failed:
            lines.append(f"meson test ended with status {status}, though no test had failed")
        failed = max(failed, 1)
    if failures and lines:
        with open(failures, "a", encoding="utf-8") as file:
            file.writelines(line[:LINE_LENGTH] + "\n" for line in lines)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main(*sys.argv[1:]))
