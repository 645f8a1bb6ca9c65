"""The links of Markdown files: links.py FILE...

A link to a file or folder of the tree must lead to one, and one to a heading to a heading of that
file. Prints a line for each that does not; exits with 1 when there was any.
"""

import pathlib
import re
import sys
import urllib.parse

FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.M | re.S)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*<?([^\s>]+)", re.M)
HEADING = re.compile(r"^#+\s+(.*?)\s*#*\s*$", re.M)


def anchors(path):
    """What headings are called in links: lower case, spaces as hyphens, no other punctuation."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    names = set()
    for heading in HEADING.findall(text):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        names.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return names


def complaints(path):
    text = CODE.sub("", FENCE.sub("", path.read_text(encoding="utf-8")))
    for match in LINK.finditer(text):
        link = match[1] or match[2]
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / urllib.parse.unquote(name) if name else path
        if not target.exists():
            yield f"{path}: {link} leads nowhere"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{path}: {link} names no heading"


def main(names):
    found = [text for name in names for text in complaints(pathlib.Path(name))]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
