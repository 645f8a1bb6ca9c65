"""The rooms of lib/ and who may include what: layers.py LIB.

LIB/LAYERS names the folders, bottom first: each with the folders that it may use in parentheses,
and its modules in their order. Prints a line for each fault; exits with 1 when there was any.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]*)[>"]', re.M)
ROOM = re.compile(r"(\w+) \(([\w ]*)\): ((?:\w+ ?)+)")
COMMENT = re.compile(r"/\*.*?\*/", re.S)

LIBPQ_HEADER = re.compile(r"libpq|postgres|pg_config|pqexpbuffer|server/")
LIBPQ_USE = re.compile(r"\b(?:PQ[a-z]\w*\s*\(|PG(?:conn|result|notify)\s*\*)")
LIBEVENT_HEADER = re.compile(r"event2/|event\.h|evdns\.h|evutil\.h|evhttp\.h")

# The only files that see a library, and so the only ones to change with it.
LIBPQ_FILES = {
    "pq/pq.c",
    "pq/pq_connect.c",
    "pq/pq_answer.c",
    "pq/pq_settings.c",
    "pq/pq_cancel.c",
    "result/rows.c",
}
LIBEVENT_FILES = {"loop/reactor.c", "loop/hangup.c"}


class Layers:
    """What LAYERS says: for each folder the folders it may use, and the place of each module."""

    def __init__(self, text):
        self.uses, self.places, self.faults = {}, {}, []
        lines = re.sub(r"#.*", "", text).split("\n\n")
        for room in (" ".join(line.split()) for line in lines):
            match = ROOM.fullmatch(room)
            if match:
                self.add(match[1], match[2].split(), match[3].split())
            elif room:
                self.faults.append(f"LAYERS: cannot be read: {room}")

    def add(self, folder, uses, modules):
        for used in uses:
            if used not in self.uses:
                self.faults.append(f"LAYERS: {folder} uses {used}, which is not below it")
        if folder in self.uses:
            self.faults.append(f"LAYERS: {folder} is listed twice")
        self.uses[folder] = uses
        for module in modules:
            path = f"{folder}/{module}"
            if path in self.places:
                self.faults.append(f"LAYERS: {path} is listed twice")
            self.places[path] = len(self.places)


def unlisted(lib, layers):
    """Files that LAYERS does not name, and names that have no file."""
    stems = {str(path.relative_to(lib).with_suffix("")) for path in lib.rglob("*.[ch]")}
    doors = {stem for stem in stems if stem.endswith("_int") and stem[:-4] in layers.places}
    for stem in sorted(stems - doors - set(layers.places)):
        yield f"{stem} is not in LAYERS"
    for path in sorted(set(layers.places) - stems):
        yield f"{path} has no file"


def include_fault(layers, stem, header):
    """What is wrong with an include of that header in the module of that stem; None: nothing."""
    own, used = header[:-2], stem.split("/")[0]
    inside = own.endswith("_int") and own[:-4] in layers.places
    module = own[:-4] if inside else own
    if module not in layers.places:
        return "is of no module"
    folder = module.split("/")[0]
    if inside and folder != used:
        return "is for its own folder"
    if folder != used and folder not in layers.uses.get(used, []):
        return f"is of {folder}, which {used} does not use"
    if not inside and layers.places[module] > layers.places.get(stem, -1):
        return "is above it"
    return None


def faults_of(lib, path, layers):
    name = str(path.relative_to(lib))
    stem = name[:-2]
    if stem.endswith("_int") and stem[:-4] in layers.places:
        stem = stem[:-4]
    text = path.read_text(encoding="utf-8")
    for quote, header in INCLUDE.findall(text):
        fault = include_fault(layers, stem, header) if quote == '"' else None
        if fault:
            yield f'{name}: "{header}" {fault}'
        if LIBPQ_HEADER.match(header) and name not in LIBPQ_FILES:
            yield f"{name}: includes libpq"
        if LIBEVENT_HEADER.match(header) and name not in LIBEVENT_FILES:
            yield f"{name}: includes libevent"
    # A comment may name a function of libpq.
    if name not in LIBPQ_FILES and LIBPQ_USE.search(COMMENT.sub("", text)):
        yield f"{name}: uses libpq"


def main(folder):
    lib = pathlib.Path(folder)
    layers = Layers((lib / "LAYERS").read_text(encoding="utf-8"))
    found = layers.faults + list(unlisted(lib, layers))
    for path in sorted(lib.rglob("*.[ch]")):
        found += faults_of(lib, path, layers)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main(sys.argv[1]))
