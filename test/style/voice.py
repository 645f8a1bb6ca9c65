"""The comments of lib name what they are about: voice.py ROOT [ROOM...]

Looks at each comment of the files in ROOT/lib/ROOM; without a ROOM, in all of ROOMS, the rooms whose
comments were gone through. A comment begins with its subject, and so does each paragraph of it:
"It", "The same", "What", "Those" and "These" name nothing. "After" and "before" are for time, and
"behind" is for places: those of PLACES, so that each new one is a decision.

Prints a line for each fault; exits with 1 when there was any, and with 2 when a room has no file.
"""

import pathlib
import re
import sys

ROOMS = ("base", "value", "sql", "loop", "pq", "connect", "result", "request", "conn", "pool",
         "scope", "record")

# What "behind" may stand in: a part of a text, of a list or of a queue that is nearer to its end.
PLACES = ("NUL behind", "behind the point", "point behind", "behind the scale", "behind the values",
          "behind its first quote", "behind a version byte", "behind a byte", "stop behind",
          "S behind", "behind the T", "behind the first", "behind the last of", "behind an earlier")

COMMENT_OR_STRING = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.S)
PARAGRAPH = re.compile(r"\n[ \t]*\*?[ \t]*(?=\n|\Z)")  # ends with an empty line
MARKS = re.compile(r"\A/\*+<?|\*/\Z|//|^[ \t]*\*(?!/)", re.M)
ITEM = re.compile(r"(?:^|\n)[ \t]*(?:\d+\.|-)(?=[ \t])")  # of a list
NAMELESS = re.compile(r"(?:It|The same|What|Those|These)\b", re.I)


def paragraphs(comment):
    """The texts of a comment's paragraphs and items, without marks, and the line of each in it."""
    text = MARKS.sub(lambda match: " " * len(match[0]), comment)
    ends = [(match.start(), match.end()) for pattern in (PARAGRAPH, ITEM)
            for match in pattern.finditer(text)]
    start = 0
    for end, after in sorted(ends) + [(len(text), len(text))]:
        part = text[start:end]
        said = " ".join(part.split())
        if said:
            yield said, text.count("\n", 0, start + len(part) - len(part.lstrip()))
        start = after


def complaints(name, text):
    for match in COMMENT_OR_STRING.finditer(text):
        if match[0][0] != "/":
            continue
        line = text.count("\n", 0, match.start()) + 1
        for said, below in paragraphs(match[0]):
            if NAMELESS.match(said):
                start = " ".join(said.split()[:4])
                yield f'{name}:{line + below}: "{start} ..." does not name what it is about'
            for place in PLACES:
                said = said.replace(place, "")
            if re.search(r"\bbehind\b", said, re.I):
                yield f'{name}:{line + below}: "behind" is for places: say "after"'


def main(root, *rooms):
    root = pathlib.Path(root)
    found = []
    for room in rooms or ROOMS:
        paths = sorted((root / "lib" / room).glob("*.[ch]"))
        if not paths:
            print(f"lib/{room} has no file", file=sys.stderr)
            return 2
        for path in paths:
            text = path.read_text(encoding="utf-8")
            found += complaints(path.relative_to(root).as_posix(), text)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main(*sys.argv[1:]))
