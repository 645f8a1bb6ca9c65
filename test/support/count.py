"""Counts the tests of a meson run: count.py LOG-FOLDER EXIT-STATUS.

A test that speaks TAP counts as its sub-tests, any other as one. Prints "N passed, N failed" and
exits with 0 only if something passed, nothing failed, and meson was of the same opinion.
"""

import glob
import json
import re
import sys

BAD = {"FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"}
TAP_LINE = re.compile(r"^(not )?ok\b(?:.*#\s*(skip|todo)\b)?", re.IGNORECASE | re.MULTILINE)


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


def main(folder, status):
    passed = failed = 0
    for name in glob.glob(glob.escape(folder) + "/testlog*.json"):
        with open(name, encoding="utf-8", errors="replace") as log:
            for line in log:
                result = count(json.loads(line))
                passed += result[0]
                failed += result[1]
    if status != "0":
        failed = max(failed, 1)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main(*sys.argv[1:]))
