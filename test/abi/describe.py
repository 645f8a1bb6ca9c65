"""What programs are built against.

describe.py declarations HEADERS
        The types and functions of the public headers, as C without comments and macros. HEADERS is
        the folder that <pipit/pipit.h> is in.
describe.py stub DECLARATIONS
        The same declarations, with a body for each function: what a library would be made of.
describe.py layout DECLARATIONS LIBRARY
        Each function with its types and its version in the library, each struct with the places of
        its members, each enumerator with its number. One a line, so that a difference tells itself.

The compiler is $CC, or else cc.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

CC = os.environ.get("CC", "cc").split()
INCLUDES = "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
# What is in <pipit/export.h> says nothing about types.
BARE = ["-DPIPIT_EXPORT_H", "-DPIPIT_API=", "-DPIPIT_PRINTF(text,first)=", "-DPIPIT_MUST_CHECK="]
LINE_MARKER = re.compile(r'# \d+ "([^"]*)"')
FUNCTION = re.compile(r"(.*?[\s*])(pipit_\w+)\s*\((.*)\)", re.S)
CALLBACK = re.compile(r"typedef (.*?)\(\*(pipit_\w+)\)\s*\((.*)\)", re.S)
MEMBER = re.compile(r"(.*?)(\w+)\s*((?:\[[^]]*\])*)", re.S)


def run(*command, given=""):
    return subprocess.run(command, input=given, check=True, stdout=subprocess.PIPE, text=True).stdout


def own_lines(headers):
    """What the preprocessor makes of the lines of our own headers."""
    folder = str(pathlib.Path(headers, "pipit"))
    inside = False
    given = "#include <pipit/pipit.h>\n"
    text = run(*CC, "-std=c11", "-E", *BARE, f"-I{headers}", "-x", "c", "-", given=given)
    for line in text.splitlines():
        marker = LINE_MARKER.match(line)
        if marker:
            inside = marker[1].startswith(folder)
        elif inside:
            yield line


def split(text, ends=";"):
    """Parts of a text that end outside of all braces; an inline function ends with its own."""
    depth = 0
    part = ""
    for char in text:
        depth += {"{": 1, "}": -1}.get(char, 0)
        ended = depth == 0 and (char in ends or (char == "}" and part.strip().startswith("static")))
        part = part if ended and char in ends else part + char
        if ended:
            yield part.strip()
            part = ""
    if part.strip():
        yield part.strip()


def declarations(headers):
    text = re.sub(r"\s+", " ", " ".join(own_lines(headers))).replace("_Bool", "bool")
    for part in split(text):
        if not part.startswith("static ") and not re.fullmatch(r"struct \w+", part):
            yield part


def pretty(declaration):
    """One line for each member and each enumerator."""
    text = re.sub(r"\{\s*", "{\n", declaration)
    text = re.sub(r";\s*", ";\n", text)
    if text.startswith("enum"):
        text = re.sub(r",\s*", ",\n", text).replace(" }", "\n}")
    depth = 0
    lines = []
    for line in text.splitlines():
        depth -= line.startswith("}")
        lines.append("        " * depth + line.strip())
        depth += line.endswith("{")
    return "\n".join(lines) + ";\n"


def read(path):
    return list(split(re.sub(r"\s+", " ", pathlib.Path(path).read_text(encoding="utf-8"))))


def forward(parts):
    """Structs have to be known before a function takes one."""
    names = sorted(set(re.findall(r"struct (\w+)", " ".join(parts))))
    return "".join(f"struct {name};\n" for name in names)


def stub(parts):
    print(INCLUDES + forward(parts))
    for part in parts:
        is_function = FUNCTION.fullmatch(part) and not part.startswith("typedef")
        print(part + (" { __builtin_trap(); }" if is_function else ";"))


def types_of(parameters):
    """Without their names, which no program sees."""
    types = [re.sub(r"\w+$", "", text.strip()).strip() for text in parameters.split(",")]
    return "void" if parameters.strip() == "void" else ", ".join(types)


def members(body, path=""):
    """Each member's path and type; those of structs and unions inside of it as well."""
    for part in split(body):
        inner = re.fullmatch(r"(struct|union) \{(.*)\}\s*(\w+)", part, re.S)
        if inner:
            yield path + inner[3], inner[1]
            yield from members(inner[2], path + inner[3] + ".")
        else:
            found = MEMBER.fullmatch(part)
            yield path + found[2], (found[1].strip() + " " + found[3]).strip()


def struct_lines(name, body):
    whole = f"sizeof(struct {name}), _Alignof(struct {name})"
    yield f'printf("struct {name}: %zu bytes, aligned to %zu\\n", {whole});'
    for path, kind in members(body):
        place = f"offsetof(struct {name}, {path}), sizeof(((struct {name} *)0)->{path})"
        yield f'printf("struct {name}.{path}: at %zu, %zu bytes, {kind}\\n", {place});'


def enum_lines(name, body):
    for part in body.split(","):
        constant = part.split("=")[0].strip()
        if constant:
            yield f'printf("enum {name}: {constant} = %d\\n", (int){constant});'


def versions(library):
    """The version of each function that the library gives to programs."""
    symbols = re.findall(r"\s(pipit_\w+)(?:@@?(\S+))?\n", run("readelf", "-W", "--dyn-syms", library))
    return {name: version or "no version" for name, version in symbols}


def described(part, exported):
    """A declaration's name, and the lines of C that print what there is to say about it."""
    composite = re.fullmatch(r"(struct|enum) (\w+) \{(.*)\}", part, re.S)
    if composite:
        lines = struct_lines if composite[1] == "struct" else enum_lines
        return composite[2], list(lines(composite[2], composite[3]))
    callback = CALLBACK.fullmatch(part)
    if callback:
        kind, name, taken = callback.groups()
        return name, [f'puts("callback {name}: {kind.strip()} ({types_of(taken)})");']
    function = FUNCTION.fullmatch(part)
    if function:
        kind, name, taken = function.groups()
        version = exported.get(name, "not in the library")
        return name, [f'puts("function {name}: {kind.strip()} ({types_of(taken)}), {version}");']
    return part.split()[-1], [f'puts("{part}");']


def layout(parts, library):
    exported = versions(library)
    lines = [line for _, found in sorted(described(part, exported) for part in parts) for line in found]
    source = INCLUDES + forward(parts) + ";\n".join(parts) + ";\n#include <stdio.h>\nint main(void)\n{\n"
    source += 'printf("a pointer: %zu bytes\\n", sizeof(void *));\n' + "\n".join(lines) + "\nreturn 0;\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder, "layout"))
        run(*CC, "-std=c11", "-x", "c", "-o", program, "-", given=source)
        print(run(program), end="")


def main(verb, what, library=None):
    if verb == "declarations":
        print("\n".join(map(pretty, declarations(what))), end="")
    elif verb == "stub":
        stub(read(what))
    else:
        layout(read(what), library)


main(*sys.argv[1:])
