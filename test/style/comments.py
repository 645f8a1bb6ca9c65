"""The comments of public headers: comments.py HEADER...

Every PIPIT_API declaration has a comment right in front of it, and that names each parameter with
@param, unless the comment says "See" what documents it or the comment at the head of the file names
it for all. What has parameters of its own in it says with @return what it returns.

A sentence names its subject: none begins with a bare "It", "The same", "What", "Those" or "These".
"After" and "before" are for time, so "behind" has no place in a header.

Prints a line for each fault; exits with 1 when there was any.
"""

import pathlib
import re
import sys

DECLARATION = re.compile(r"^PIPIT_API\b([^;{]*?)\b(pipit_\w+)\s*\((.*?)\)[^;{]*;", re.M | re.S)
HEAD = re.compile(r"\A/\*.*?\*/", re.S)
COMMENT_IN_FRONT = re.compile(r"(/\*\*(?:(?!\*/).)*\*/)[ \t]*\n\Z", re.S)
PARAMETER_NAME = re.compile(r"(\w+)\s*(?:\[[^]]*\])?\s*\Z")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
# Where a sentence may begin, but for the start of its comment, and a word that names nothing.
BEGIN = re.compile(r"[.:!?]\)?\s+(?:-\s+)?|\s-\s+|\(")
NAMELESS = re.compile(r"(It|The same|What|Those|These)\b")


def parameters(text):
    """The names of a list of parameters; a callback's own list is not looked into."""
    text = re.sub(r"\(\*(\w+)\)\s*\([^()]*\)", r"\1", text)
    if text.strip() in ("", "void"):
        return []
    names = [PARAMETER_NAME.search(part.strip()) for part in text.split(",") if "..." not in part]
    return [name[1] if name else "?" for name in names]


def documented(comment):
    """The names after @param; several of them may share one, with commas."""
    names = set()
    for listed in re.findall(r"@param\s+(\w+(?:,\s*\w+)*)", comment):
        names.update(re.split(r",\s*", listed))
    return names


def words(comment):
    """A comment's text, with the marks of its lines and paragraphs taken for spaces and full stops."""
    text = re.sub(r"/\*\*?<?|\*/", "", comment)
    text = re.sub(r"^\s*\*[ \t]*$", ". ", text, flags=re.M)
    text = re.sub(r"^\s*\*", "", text, flags=re.M)
    return re.sub(r"@\w+(\s+\w+(,\s*\w+)*\s\s+)?", ". ", text).strip()


def badly_said(path, text):
    for match in COMMENT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        said = words(match[0])
        for sentence in BEGIN.split(said):
            if found := NAMELESS.match(sentence):
                start = " ".join(sentence.split()[:4])
                yield f'{path}:{line}: "{start} ..." begins with a bare {found[1]}'
        if re.search(r"\bbehind\b", said, re.I):
            yield f'{path}:{line}: "behind" is for places: say "after"'


def complaints(path):
    text = path.read_text(encoding="utf-8")
    yield from badly_said(path, text)
    head = HEAD.search(text)
    for_all = documented(head[0]) if head else set()
    for match in DECLARATION.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        kind, name, listed = match.groups()
        comment = COMMENT_IN_FRONT.search(text, 0, match.start())
        if not comment:
            yield f"{path}:{line}: {name} has no comment right in front of it"
            continue
        if re.search(r"\bSee\b", comment[1]):
            continue
        for parameter in parameters(listed):
            if parameter not in documented(comment[1]) | for_all:
                yield f"{path}:{line}: {name}: no @param {parameter}"
        for parameter in documented(comment[1]) - set(parameters(listed)):
            yield f"{path}:{line}: {name}: @param {parameter} is no parameter"
        if kind.split() != ["void"] and "@param" in comment[1] and "@return" not in comment[1]:
            yield f"{path}:{line}: {name}: no @return"


def main(names):
    found = [text for name in names for text in complaints(pathlib.Path(name))]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
