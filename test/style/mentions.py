"""The names that pages mention: mentions.py ROOT PAGE...

A page about the code names functions, states, files and tests, and each of these must be there.
Checked are

- every word that begins with pipit_, wherever it stands, and every other name with an underscore
  that stands in code marks: the code of lib/ or include/ has it, outside of comments, or a test is
  called so;
- name() in code marks: a function of lib/ or include/;
- `struct name` and `enum name` in code marks;
- paths and file names in code marks that end in .c or .h, `*` allowed: files of lib/, of include/,
  or of the whole tree;
- names of mutants in code marks, as `05-deadline-leaves-the-answer`.

A page with an example that is not built says <!-- example: word -->: names that have the word as a
part of theirs are the example's, and must not be there.

Prints a line for each name that is not as it must be; exits with 1 when there was any.
"""

import fnmatch
import pathlib
import re
import sys

FENCE = re.compile(r"^ *(```|~~~).*?^ *\1[ \t]*$", re.M | re.S)
SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)
EXAMPLE = re.compile(r"<!-- example: (\w+) -->")
PIPIT = re.compile(r"\bpipit_+[a-z]\w*")
NAME = re.compile(r"\b(?!pipit_+\b)[A-Za-z]\w*_\w*\b(?![</])")
CALL = re.compile(r"\b([a-z]\w*)\(\)")
TYPE = re.compile(r"\b((?:struct|enum) \w+)\b")
PATH = re.compile(r"(?<![<>\w./*-])[\w*][\w./*-]*\.[ch]\b")
MUTANT = re.compile(r"\b\d\d+-[a-z-]+\b")

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")', re.S)
FUNCTION = re.compile(r"^(?:PIPIT_API .*?|[^#\s/*].*?[ *])??(\w+)\((?!\*)", re.M)
TEST = re.compile(r"^START_TEST\((\w+)\)", re.M)


class Tree:
    """What there is to be mentioned."""

    def __init__(self, root):
        sources = sorted(path for folder in ("lib", "include")
                         for path in (root / folder).rglob("*.[ch]"))
        code = "\n".join(COMMENT.sub(lambda match: match[1] or " ", path.read_text("utf-8"))
                         for path in sources)
        self.words = set(re.findall(r"\w+", code))
        self.functions = set(FUNCTION.findall(code))
        self.types = set(TYPE.findall(code))
        tests = [path for path in (root / "test").rglob("*.c")]
        for path in tests:
            self.words.update(TEST.findall(path.read_text("utf-8")))
        self.paths = {path.relative_to(root).as_posix()
                      for folder in ("lib", "include", "test", "example", "bench")
                      for path in (root / folder).rglob("*.[ch]")}
        self.paths |= {path.removeprefix(folder) for folder in ("lib/", "include/")
                       for path in self.paths}
        self.paths |= {path.rsplit("/", 1)[-1] for path in self.paths}
        self.mutants = {path.stem for path in (root / "test/mutants").glob("*.patch")}

    def has_path(self, path):
        return bool(fnmatch.filter(self.paths, path))


def mentions(text):
    """Pairs of what a page mentions and the kind of it."""
    for match in PIPIT.finditer(text):
        yield match[0], "name"
    for match in SPAN.finditer(FENCE.sub("", text)):
        span = match[2]
        for path in PATH.findall(span):
            yield path, "file"
        for mutant in MUTANT.findall(span):
            yield mutant, "mutant"
        for kind in TYPE.findall(span):
            yield kind, "type"
        for name in CALL.findall(span):
            yield name, "function"
        for name in NAME.findall(PATH.sub(" ", span)):
            yield name, "name"


def is_of_example(name, words):
    return any(word in words for word in re.split(r"[^a-z]+", name.lower()))


def complaints(tree, page):
    text = page.read_text("utf-8")
    examples = set(EXAMPLE.findall(text))
    known = {"name": tree.words.__contains__, "function": tree.functions.__contains__,
             "type": tree.types.__contains__, "file": tree.has_path,
             "mutant": tree.mutants.__contains__}
    for name, kind in sorted(set(mentions(text))):
        there = known[kind](name)
        if is_of_example(name, examples):
            if there:
                yield f"{page}: there is a {kind} {name}, which is to be an example"
        elif not there:
            yield f"{page}: there is no {kind} {name}"


def main(root, *pages):
    tree = Tree(pathlib.Path(root))
    found = [text for page in pages for text in complaints(tree, pathlib.Path(page))]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main(*sys.argv[1:]))
