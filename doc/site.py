"""Builds the documentation with Doxygen: site.py build ROOT OUTPUT VERSION.

OUTPUT/html is the site: the guide as its main page, the other pages of doc/ and doc/internals/, and
a page for each public header. OUTPUT/man has the manual pages of section 3. Exits with 1 when
Doxygen warns of anything.

Doxygen calls it as a filter, too: site.py page ROOT FILE prints a page of Markdown as Doxygen wants
it. Headings get labels; links to other pages and to public headers become references; a link to any
other file of the tree, which is not in the site, becomes its text; and Doxygen's commands count as
text.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

MAIN_PAGE = "doc/guide.md"
# The order of the pages, as far as it is not that of their names.
FIRST = ["doc/guide.md", "README.md", "doc/reference.md", "doc/performance.md", "doc/glossary.md",
         "doc/internals/README.md"]
LAST = ["SECURITY.md", "NEWS.md"]
# The titles of Doxygen's own indices, and what the one of groups says.
TITLES = {"mainpage": "Guide", "pages": "Pages", "modules": "Headers", "classes": "Structs"}
INTRO = "The public headers; each documents one noun."

FENCE = re.compile(r"^ *(```|~~~).*?^ *\1[ \t]*$", re.M | re.S)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.S)
HEADING = re.compile(r"^(#+)[ \t]+(.*?)[ \t]*#*[ \t]*$", re.M)
LINK = re.compile(r"\[([^][]*)\]\(\s*([^)\s]+)\s*\)")
COMMAND = re.compile(r"[@\\](?=[A-Za-z])")


def pages(root):
    """The pages of the site, as paths from the root, in their order."""
    found = [path.relative_to(root).as_posix()
             for pattern in ("doc/*.md", "doc/internals/*.md") for path in root.glob(pattern)]
    found += [page for page in ("README.md", *LAST) if (root / page).exists()]
    first = [page for page in FIRST if page in found]
    last = [page for page in LAST if page in found]
    return first + sorted(set(found) - set(first) - set(last)) + last


def headers(root):
    """The public headers that have a page: those that a program includes for what is in them."""
    found = sorted(root.glob("include/pipit/*.h"))
    return [path for path in found if path.name not in ("pipit.h", "export.h")]


def page_label(page):
    """What a page is called in references: doc/internals/request.md is page-internals-request."""
    name = page.removesuffix(".md").removeprefix("doc/").lower()
    return "page-" + name.replace("/", "-")


def slug(heading):
    """What a heading is called in links, as the common viewers of Markdown make it."""
    heading = LINK.sub(r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", heading, flags=re.A).replace(" ", "-")


def header_label(path):
    """The group of declarations that doxygen.awk makes of a public header."""
    return "pipit-" + pathlib.PurePosixPath(path).stem


class Page:
    """One page on its way to Doxygen."""

    def __init__(self, root, path):
        self.site = pages(root)
        self.root = root
        self.path = path.relative_to(root).as_posix()
        self.label = page_label(self.path)
        self.code = []
        self.slugs = {}
        self.listed = set()

    def heading(self, match):
        marks, title = match.groups()
        if marks == "#":
            return f"{marks} {title} {{#{self.label}}}"
        name = slug(self.restored(title))
        n = self.slugs[name] = self.slugs.get(name, -1) + 1
        return f"{marks} {title} {{#{self.label}_{name}{f'-{n}' if n else ''}}}"

    def link(self, match):
        text, target = match.groups()
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            return match[0]
        label = self.target_label(target)
        if label is None:
            return text
        plain = self.restored(text).replace("`", "")  # there is no code in the text of a reference
        if self.is_child(target, label):
            return f'@subpage {label} "{plain}"'
        return f"[{plain}](@ref {label})"

    def target_label(self, target):
        """The label that a link leads to; None when that is no part of the site."""
        name, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(self.path), name))
        page = path if name else self.path
        if page in self.site:
            return page_label(page) + (f"_{slug(anchor)}" if anchor else "")
        if self.root / page in headers(self.root):
            return header_label(page)
        return None

    def is_child(self, target, label):
        """Whether this is the index of a folder, and the link its first one to a page in there."""
        if self.path != "doc/internals/README.md" or "/" in target or "#" in target:
            return False
        first = label not in self.listed and label != self.label
        self.listed.add(label)
        return first

    def keep(self, match):
        """Takes code out of the page, so that nothing in it is changed."""
        self.code.append(match[0])
        return f"\0{len(self.code) - 1}\0"

    def restored(self, text):
        """Puts the code back."""
        while "\0" in text:
            text = re.sub("\0(\\d+)\0", lambda match: self.code[int(match[1])], text)
        return text

    def text(self, text):
        """The page as Doxygen wants it."""
        text = CODE.sub(self.keep, FENCE.sub(self.keep, text))
        text = COMMAND.sub(r"\\\g<0>", text)
        return self.restored(LINK.sub(self.link, HEADING.sub(self.heading, text)))


def quoted(*paths):
    return " ".join(f'"{path}"' for path in paths)


def doxyfile(root, output, version, **more):
    """The text of a Doxyfile: the one that is kept here, and what is known only now."""
    here = root / "doc"
    settings = {
        "PROJECT_NUMBER": version,
        "OUTPUT_DIRECTORY": quoted(output),
        "USE_MDFILE_AS_MAINPAGE": quoted(root / MAIN_PAGE),
        "STRIP_FROM_PATH": quoted(root / "include"),
        "STRIP_FROM_INC_PATH": quoted(root / "include"),
        "FILTER_PATTERNS": f'"*.h=awk -f {here}/doxygen.awk" '
                           f'"*.md={sys.executable} {here}/site.py page {root}"',
        **more,
    }
    lines = [f"{key} = {value}\n" for key, value in settings.items()]
    return (here / "Doxyfile").read_text(encoding="utf-8") + "".join(lines)


def layout(output):
    """Doxygen's own layout with the titles of this site; the path of the file that has it."""
    path = output / "layout.xml"
    subprocess.run(["doxygen", "-l", str(path)], check=True)
    text = path.read_text(encoding="utf-8")
    for tab, title in TITLES.items():
        text = re.sub(f'(<tab type="{tab}"[^>]* title=)""', f'\\1"{title}"', text, count=1)
    text = re.sub(f'( title="{TITLES["modules"]}" intro=)""', f'\\1"{INTRO}"', text)
    path.write_text(text, encoding="utf-8")
    return path


def build(root, output, version):
    """0; 1 when Doxygen warned or failed."""
    reference = headers(root)
    site = [root / page for page in pages(root)]
    output.mkdir(parents=True, exist_ok=True)
    for folder in ("html", "man"):
        shutil.rmtree(output / folder, ignore_errors=True)
    more = {"LAYOUT_FILE": quoted(layout(output))}
    # Manual pages are of declarations only: the pages of the site are for reading there.
    runs = [{"INPUT": quoted(*site, *reference), "GENERATE_HTML": "YES", "GENERATE_MAN": "NO"},
            {"INPUT": quoted(*reference), "GENERATE_HTML": "NO", "GENERATE_MAN": "YES"}]
    status = 0
    for run in runs:
        text = doxyfile(root, output, version, **more, **run)
        status |= subprocess.run(["doxygen", "-"], input=text, text=True, check=False).returncode
    return 1 if status else 0


def main(command, root, *rest):
    root = pathlib.Path(root).resolve()
    if command == "build":
        return build(root, pathlib.Path(rest[0]).resolve(), rest[1])
    path = pathlib.Path(rest[0]).resolve()
    sys.stdout.write(Page(root, path).text(path.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
