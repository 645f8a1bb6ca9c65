"""The links of a site: html.py FOLDER.

A link to a file must lead to one in the folder, and one to a place in a page to a place with that
name. Links in the lists of names and the listings that Doxygen adds are its own business. Prints a
line for each link that does not; exits with 1 when there was any, or no page.
"""

import pathlib
import re
import sys
import urllib.parse

LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')
ADDED = re.compile(r"functions|.*_source\.html")
NAME = re.compile(r'\b(?:id|name)="([^"]+)"')


class Site:
    """The pages of a folder, each read once."""

    def __init__(self, folder):
        self.texts = {path.name: path.read_text(encoding="utf-8")
                      for path in sorted(folder.glob("*.html"))}
        self.names = {name: set(NAME.findall(text)) for name, text in self.texts.items()}
        self.folder = folder

    def complaints(self):
        for page, text in self.texts.items():
            links = [] if ADDED.match(page) else LINK.findall(text)
            for link in sorted(set(links)):
                if not re.match(r"[a-z]+:", link) and not self.leads(page, link):
                    yield f"{page}: {link} leads nowhere"
        if not self.texts:
            yield f"{self.folder} has no page"

    def leads(self, page, link):
        name, _, anchor = link.partition("#")
        name = urllib.parse.unquote(name) or page
        if not (self.folder / name).exists():
            return False
        return not anchor or anchor in self.names.get(name, ())


def main(folder):
    found = list(Site(pathlib.Path(folder)).complaints())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main(sys.argv[1]))
