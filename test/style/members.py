"""How often files of lib reach into the members of other modules' structs: members.py ROOT

members.py [--list NOUN | --by-file] [--most NOUN=N,...] ROOT

Prints a line for each of NOUNS: its name, and the number of accesses to members of its struct in
files of ROOT/lib, at any depth and headers too, that are not its own. --by-file adds the number for
each file, --list prints each place of one noun instead. --most exits with 1 when a noun has more.

What is counted, once each:
- a->b and a.b, where the type of a, or what it points to, is the struct: to read, to write, for its
  address or its size. a->b.c is one of the struct of a and one of the struct that b is. A member of
  an anonymous struct or union is one of the struct around it.
- .b in an initialiser of the struct.
What is not:
- a struct that is declared, copied or handed on as a whole; values in an initialiser without names;
- the member that container_of() or offsetof() names: a list's node, as a rule;
- the bodies of macros.

Types come from creader.py. Where that does not understand the text, or does not know the type of
the a in a->b, or where no struct of a noun is found, it says so and exits with 2: no number is too
small in silence.
"""

import argparse
import collections
import fnmatch
import pathlib
import sys

sys.dont_write_bytecode = True  # for no file of the next import is to be left in the tree
import creader

# noun: (tags of its struct, its own files without .c or .h); an old name next to the new one.
NOUNS = {
    "request": (("request",), ("request*",)),
    "scope": (("pipit",), ("scope", "scope_*")),
    "lease": (("pin", "lease"), ("pin*", "lease*")),
    "conn": (("conn",), ("conn", "conn_*")),
    "reply": (("expected", "reply"), ("segment*", "reply*")),
    "stmt": (("shape", "stmt"), ("shape*", "stmt", "stmt_cache*")),
}

Place = collections.namedtuple("Place", "noun path line")


def own(text, noun):
    """Whether a file is one of the noun's own."""
    stem = pathlib.PurePath(text.name).stem
    return any(fnmatch.fnmatchcase(stem, pattern) for pattern in NOUNS[noun][1])


def texts(root, folder, endings):
    paths = [path for path in (root / folder).rglob("*") if path.suffix in endings]
    return [creader.Text(path, str(path.relative_to(root))) for path in sorted(paths)]


def accesses(root):
    """Each foreign access, as a Place, and the lines of each file."""
    sources = texts(root, "lib", (".c", ".h"))
    headers = [text for text in sources if text.name.endswith(".h")]
    headers += texts(root, "include", (".h",))
    noun_of = {tag: noun for noun, (tags, _) in NOUNS.items() for tag in tags}
    common = creader.Names()
    for text in headers:
        common.learn_macros(text)
    for text in headers:
        creader.read(text, common)
    places = []
    defined = set()
    for text in sources:
        names = creader.Names(common)
        names.learn_macros(text)

        def found(tag, line, text=text):
            noun = noun_of.get(tag)
            if noun and not own(text, noun):
                places.append(Place(noun, text.name, line))
        creader.read(text, names, found)
        defined.update(noun_of.get(tag) for tag in names.structs.maps[0])
    for noun, (tags, _) in NOUNS.items():
        if noun not in defined:
            raise creader.NotUnderstood(f"{root / 'lib'}: no struct {' or '.join(tags)}")
    return places, {text.name: text.lines for text in sources}


def limits(text):
    """NOUN=N,... as a dictionary."""
    found = {noun: int(n) for noun, n in (part.split("=") for part in text.split(","))}
    if not set(found) <= set(NOUNS):
        raise ValueError
    return found


def report(places, most, by_file):
    numbers = collections.Counter(place.noun for place in places)
    over = [noun for noun in NOUNS if numbers[noun] > most.get(noun, numbers[noun])]
    for noun in NOUNS:
        print(noun, numbers[noun], *([f"more than {most[noun]}"] if noun in over else []))
        if by_file:
            files = collections.Counter(place.path for place in places if place.noun == noun)
            print("".join(f"  {path} {n}\n" for path, n in files.most_common()), end="")
    return 1 if over else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", choices=NOUNS)
    parser.add_argument("--by-file", action="store_true")
    parser.add_argument("--most", type=limits, default={})
    parser.add_argument("root", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        places, lines = accesses(arguments.root)
    except creader.NotUnderstood as why:
        print(why, file=sys.stderr)
        return 2
    if arguments.list:
        for place in places:
            if place.noun == arguments.list:
                print(f"{place.path}:{place.line}: {lines[place.path][place.line - 1].strip()}")
        return 0
    return report(places, arguments.most, arguments.by_file)


sys.exit(main())
