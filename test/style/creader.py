"""A small reader of C: of which type is the a in a->b?

It is no compiler: it needs no flags and no headers of the system, and takes correct code for
granted. It knows structs, typedefs, functions, variables and scopes of names, and of macros those
that are attributes, loops ("for (struct T *name = ...") or like calls; the bodies of others are not
looked into. Both branches of an #if are read. A type of a header that is not read has members of
such types. Where it does not understand the text, or a name is not known that has a member, it
raises NotUnderstood.
"""

import collections
import re

COMMENT_OR_STRING = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
DEFINE = re.compile(r"\s*#\s*define\s+(\w+)(\([^)]*\))?(.*)", re.S)
LOOP = re.compile(r"[\s\\]*for\s*\(\s*(?:const\s+)?(?:struct\s+(\w+)\s*\*|\w+)\s*(\w+)\s*=")
TOKEN = re.compile(r"[A-Za-z_]\w*|\.?\d(?:[eEpP][-+]|[\w.])*|\"\"|''|->|\+\+|--|<<=|>>=|\.\.\.|"
                   r"<<|>>|&&|\|\||[-+*/%&|^<>=!]=|\S")
NAME = re.compile(r"[A-Za-z_]\w*$")

QUALIFIERS = {"const", "volatile", "restrict", "static", "extern", "inline", "typedef", "register",
              "_Noreturn", "_Thread_local", "_Atomic"}
SCALARS = {"void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "bool",
           "_Bool", "__int128"}
KEYWORDS = {"if", "else", "for", "while", "do", "switch", "case", "default", "return", "break",
            "continue", "goto", "sizeof"}
BINARY = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "=", "+=", "-=", "*=", "/=", "%=",
          "&=", "|=", "^=", "<<=", ">>="}
TRUTH = {"&&", "||", "==", "!=", "<", ">", "<=", ">="}

# A type is one of these pairs, or None when it is not known. An array counts as a pointer.
SCALAR = ("scalar", None)
OUTSIDE = ("outside", None)  # of a header that is not read: none of its members is counted


def struct(tag):
    return ("struct", tag)


def pointer(to):
    return ("pointer", to)


Token = collections.namedtuple("Token", "text line")


class NotUnderstood(Exception):
    pass


class Text:
    """The text of a file as tokens, without comments, what is in strings, and directives."""

    def __init__(self, path, name):
        self.name = name
        text = path.read_text(encoding="utf-8")
        self.lines = text.splitlines()
        text = COMMENT_OR_STRING.sub(self.blank, text)
        self.directives = [match[0] for match in DIRECTIVE.finditer(text)]
        text = DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
        self.tokens = [Token(match[0], number) for number, line in enumerate(text.split("\n"), 1)
                       for match in TOKEN.finditer(line)]

    @staticmethod
    def blank(match):
        if match[0][0] == "/":
            return " " + "\n" * match[0].count("\n")
        return match[0][0] * 2


class Names:
    """What names mean: maps that a file, a function, a block each put one in front of."""

    def __init__(self, outer=None):
        self.structs = outer.structs.new_child() if outer else collections.ChainMap()
        self.typedefs = outer.typedefs.new_child() if outer else collections.ChainMap()
        self.values = outer.values.new_child() if outer else collections.ChainMap()
        self.attributes = outer.attributes if outer else set()  # macros that mean no code
        self.loops = outer.loops if outer else {}  # macros that are loops: the type of their node

    def learn_macros(self, text):
        self.attributes = set(self.attributes)
        self.loops = dict(self.loops)
        for directive in text.directives:
            define = DEFINE.match(directive)
            if not define:
                continue
            body = define[3].strip()
            loop = LOOP.match(define[3])
            if loop and define[2] and loop[2] in re.findall(r"\w+", define[2])[:1]:
                self.loops[define[1]] = pointer(struct(loop[1])) if loop[1] else SCALAR
            elif body == "" or body.startswith("__attribute__"):
                self.attributes.add(define[1])


class Reader:
    """Reads one file; calls found(tag, line) for each access to a member of a struct. Without found
    it leaves the bodies of functions out."""

    def __init__(self, text, names, found):
        self.text = text
        self.names = names
        self.found = found
        self.at = 0
        self.n_unnamed = 0
        self.tokens = self.without_attributes(text.tokens)

    # Tokens.

    def without_attributes(self, tokens):
        kept = []
        at = 0
        while at < len(tokens):
            if tokens[at].text in self.names.attributes or tokens[at].text == "__attribute__":
                at += 1
                if at < len(tokens) and tokens[at].text == "(":
                    at = self.behind_pair(tokens, at)
            else:
                kept.append(tokens[at])
                at += 1
        return kept

    @staticmethod
    def behind_pair(tokens, at):
        """The place after the bracket that closes the one there."""
        depth = 0
        while at < len(tokens):
            depth += (tokens[at].text in "([{") - (tokens[at].text in ")]}")
            at += 1
            if depth == 0:
                break
        return at

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead].text if self.at + ahead < len(self.tokens) else ""

    def line(self):
        return self.tokens[min(self.at, len(self.tokens) - 1)].line

    def fail(self, why):
        raise NotUnderstood(f"{self.text.name}:{self.line()}: {why}")

    def next(self):
        if self.at >= len(self.tokens):
            self.fail("the text ends too early")
        self.at += 1
        return self.tokens[self.at - 1].text

    def take(self, text):
        if self.peek() != text:
            return False
        self.at += 1
        return True

    def expect(self, text):
        if not self.take(text):
            self.fail(f'"{self.peek()}" where "{text}" was expected')

    def another(self, end):
        """After an item of a list: what is next must be its end, or a comma."""
        if self.peek() != end:
            self.expect(",")

    def name(self):
        if not self.is_name():
            self.fail(f'"{self.peek()}" where a name was expected')
        return self.next()

    def is_name(self, ahead=0):
        return bool(NAME.match(self.peek(ahead))) and self.peek(ahead) not in KEYWORDS

    def skip_pair(self):
        self.at = self.behind_pair(self.tokens, self.at)

    def skip_past(self, text):
        while self.peek() != text:
            if self.peek() in ("(", "[", "{"):
                self.skip_pair()
            else:
                self.next()
        self.next()

    # Types.

    def plain(self, of):
        """A type without its typedef names."""
        while of and of[0] == "name":
            of = self.names.typedefs.get(of[1], OUTSIDE)
        return of

    def target(self, of):
        of = self.plain(of)
        if of == OUTSIDE:
            return of
        return of[1] if of and of[0] == "pointer" else None

    def returned(self, of):
        of = self.plain(of)
        if of and of[0] == "pointer":
            of = self.plain(of[1])
        if of == OUTSIDE:
            return of
        return of[1] if of and of[0] == "function" else None

    def member(self, of, name, line):
        """Counts an access; the member's type."""
        of = self.plain(of)
        if of == OUTSIDE or (of and of[0] == "struct" and of[1] not in self.names.structs):
            return OUTSIDE
        if not of or of[0] != "struct":
            raise NotUnderstood(f"{self.text.name}:{line}: of what type is that which has {name}?")
        if name not in self.names.structs[of[1]]:
            raise NotUnderstood(f"{self.text.name}:{line}: struct {of[1]} has no {name}")
        if self.found is not None:
            self.found(of[1], line)
        return self.names.structs[of[1]][name]

    def starts_type(self, ahead=0):
        text = self.peek(ahead)
        if text in QUALIFIERS or text in SCALARS or text in ("struct", "union", "enum"):
            return True
        if not self.is_name(ahead) or text in self.names.values:
            return False
        # A type of a header that is not read is known by its ending, or as "(NAME *)".
        behind = self.peek(ahead + 1) + self.peek(ahead + 2)
        return text in self.names.typedefs or text.endswith("_t") or behind == "*)"

    def starts_declaration(self):
        if self.starts_type():
            return True
        if not self.is_name() or self.peek() in self.names.values:
            return False
        # Or as "NAME name" and "NAME *name =".
        return self.is_name(1) or (self.peek(1) == "*" and self.is_name(2)
                                   and self.peek(3) in ("=", ";", ",", "["))

    def specifiers(self):
        """The type in front of declarators, and the words there."""
        of = None
        words = set()
        while True:
            text = self.peek()
            if text in QUALIFIERS:
                words.add(self.next())
            elif text in SCALARS:
                self.next()
                of = SCALAR
            elif text == "_Alignas":
                self.next()
                self.skip_pair()
            elif text in ("struct", "union"):
                of = self.struct_type()
            elif text == "enum":
                self.next()
                if self.is_name():
                    self.next()
                if self.peek() == "{":
                    self.skip_pair()
                of = SCALAR
            elif of is None and self.is_name():
                of = ("name", self.next())
            else:
                return of, words

    def struct_type(self):
        self.next()
        if self.is_name():
            tag = self.next()
        else:
            self.n_unnamed += 1
            tag = f"{self.text.name} {self.n_unnamed}"
        if self.peek() == "{":
            self.names.structs[tag] = self.members()
        return struct(tag)

    def members(self):
        """The members of a struct, in their order; its tokens are next."""
        self.expect("{")
        found = {}
        while not self.take("}"):
            if self.take("_Static_assert"):
                self.skip_past(";")
                continue
            of, _ = self.specifiers()
            if self.peek() == ";" and of and of[0] == "struct":
                found.update(self.names.structs.get(of[1], {}))  # an anonymous one
            while not self.take(";"):
                name, declared, _ = self.declarator(of)
                if self.take(":"):
                    self.conditional()
                if name:
                    found[name] = declared
                self.another(";")
        return found

    def declarator(self, of):
        """Its name, or None, its type, and its parameters when it is a function."""
        while self.take("*"):
            of = pointer(of)
            while self.peek() in QUALIFIERS:
                self.next()
        name = None
        inner = None
        if self.peek() == "(" and (self.peek(1) in ("*", "(") or
                                   (self.is_name(1) and not self.starts_type(1))):
            inner = self.at
            self.skip_pair()
        elif self.is_name():
            name = self.next()
        of, parameters = self.suffixes(of)
        if inner is not None:
            behind = self.at
            self.at = inner
            self.expect("(")
            name, of, parameters = self.declarator(of)
            self.expect(")")
            self.at = behind
        return name, of, parameters

    def suffixes(self, of):
        """The type with what stands after the name: arrays, or parameters."""
        n_arrays = 0
        while self.take("["):
            while self.peek() in QUALIFIERS:
                self.next()
            if self.peek() != "]":
                self.expression()
            self.expect("]")
            n_arrays += 1
        for _ in range(n_arrays):
            of = pointer(of)
        if n_arrays or not self.take("("):
            return of, None
        parameters = []
        while not self.take(")"):
            if not self.take("..."):
                base, _ = self.specifiers()
                name, declared, _ = self.declarator(base)
                parameters.append((name, declared))
            self.another(")")
        return ("function", of), parameters

    def type_name(self):
        of, _ = self.specifiers()
        return self.declarator(of)[1]

    # Expressions; each function returns the type.

    def expression(self):
        of = self.assignment()
        while self.take(","):
            of = self.assignment()
        return of

    def assignment(self):
        return self.conditional(BINARY | TRUTH)

    def conditional(self, operators=BINARY | TRUTH):
        """Operands with any operators between them: which binds closer makes no difference here."""
        found = [self.unary()]
        truth = False
        while self.peek() in operators:
            truth |= self.next() in TRUTH
            found.append(self.unary())
        if self.take("?"):
            found = [self.expression()]
            truth = False
            self.expect(":")
            found.append(self.conditional(operators))
        if truth:
            return SCALAR
        return next((of for of in found if of and of != SCALAR), found[0])

    def unary(self):
        text = self.peek()
        if text in ("!", "~", "-", "+", "++", "--"):
            self.next()
            return self.unary()
        if text == "&":
            self.next()
            return pointer(self.unary())
        if text == "*":
            self.next()
            return self.target(self.unary())
        if text in ("sizeof", "_Alignof"):
            self.next()
            if self.peek() == "(" and self.starts_type(1):
                self.next()
                self.type_name()
                self.expect(")")
            else:
                self.unary()
            return SCALAR
        if text == "(" and self.starts_type(1):
            self.next()
            of = self.type_name()
            self.expect(")")
            if self.peek() != "{":
                self.unary()
                return of
            self.initialiser(of)
            return self.postfix(of)
        return self.postfix(self.primary())

    def primary(self):
        text = self.peek()
        if text == '""':
            while self.peek() == '""' or self.is_name():
                self.next()
            return pointer(SCALAR)
        if text == "(":
            self.next()
            of = self.expression()
            self.expect(")")
            return of
        if text in ("container_of", "offsetof", "va_arg"):
            return self.with_type()
        if self.is_name():
            return self.names.values.get(self.next())
        if text == "''" or text[:1].isdigit() or text[:1] == ".":
            self.next()
            return SCALAR
        return self.fail(f'"{text}" where an expression was expected')

    def with_type(self):
        """container_of(x, type, member), offsetof(type, member), va_arg(x, type)."""
        macro = self.next()
        self.expect("(")
        if macro != "offsetof":
            self.assignment()
            self.expect(",")
        of = self.type_name()
        self.skip_past(")")
        return {"container_of": pointer(of), "offsetof": SCALAR, "va_arg": of}[macro]

    def postfix(self, of):
        while True:
            if self.take("["):
                self.expression()
                self.expect("]")
                of = self.target(of)
            elif self.take("("):
                self.arguments()
                of = self.returned(of)
            elif self.peek() in (".", "->"):
                line = self.line()
                of = self.target(of) if self.next() == "->" else of
                of = self.member(of, self.name(), line)
            elif self.peek() in ("++", "--"):
                self.next()
            else:
                return of

    def arguments(self):
        while not self.take(")"):
            if self.starts_type():
                self.type_name()
            else:
                self.assignment()
            self.another(")")

    def initialiser(self, of):
        if not self.take("{"):
            self.assignment()
            return
        plain = self.plain(of)
        is_struct = bool(plain) and plain[0] == "struct"
        in_order = list(self.names.structs.get(plain[1], {}).values()) if is_struct else []
        n = 0
        while not self.take("}"):
            if is_struct:
                inner = in_order[n] if n < len(in_order) else None
            else:
                inner = self.target(plain)
            designated = self.peek() in (".", "[")
            if designated:
                inner = of
            while self.peek() in (".", "["):
                line = self.line()
                if self.next() == ".":
                    inner = self.member(inner, self.name(), line)
                else:
                    self.expression()
                    self.expect("]")
                    inner = self.target(inner)
            if designated:
                self.expect("=")
            self.initialiser(inner)
            n += 1
            self.another("}")

    # Statements.

    def block(self):
        self.expect("{")
        outer = self.names
        self.names = Names(outer)
        while not self.take("}"):
            self.statement()
        self.names = outer

    def condition(self):
        self.expect("(")
        self.expression()
        self.expect(")")

    def statement(self):
        text = self.peek()
        reader = getattr(self, f"{text}_statement", None) if text in KEYWORDS else None
        if text == "{":
            self.block()
        elif reader:
            self.next()
            reader()
        elif text == "_Static_assert":
            self.skip_past(";")
        elif text in self.names.loops and self.peek(1) == "(":
            self.loop()
        elif self.is_name() and self.peek(1) == ":":
            self.at += 2
        elif self.starts_declaration():
            self.declaration()
        else:
            if text != ";":
                self.expression()
            self.expect(";")

    def if_statement(self):
        self.condition()
        self.statement()
        if self.take("else"):
            self.statement()

    def while_statement(self):
        self.condition()
        self.statement()

    switch_statement = while_statement

    def do_statement(self):
        self.statement()
        self.expect("while")
        self.condition()
        self.expect(";")

    def for_statement(self):
        outer = self.names
        self.names = Names(outer)
        self.expect("(")
        if self.starts_declaration():
            self.declaration()
        else:
            if self.peek() != ";":
                self.expression()
            self.expect(";")
        if self.peek() != ";":
            self.expression()
        self.expect(";")
        if self.peek() != ")":
            self.expression()
        self.expect(")")
        self.statement()
        self.names = outer

    def loop(self):
        """A macro that is a loop: its first argument is the name of its node."""
        outer = self.names
        self.names = Names(outer)
        of = self.names.loops[self.next()]
        self.expect("(")
        node = self.name()
        self.expect(",")
        self.expression()
        self.expect(")")
        self.names.values[node] = of
        self.statement()
        self.names = outer

    def case_statement(self):
        self.conditional()
        if self.take("..."):
            self.conditional()
        self.expect(":")

    def default_statement(self):
        self.expect(":")

    def return_statement(self):
        if self.peek() != ";":
            self.expression()
        self.expect(";")

    def goto_statement(self):
        self.skip_past(";")

    break_statement = goto_statement
    continue_statement = goto_statement

    # Declarations.

    def declaration(self):
        """One with all its declarators, or the definition of a function."""
        base, words = self.specifiers()
        while not self.take(";"):
            name, of, parameters = self.declarator(base)
            if "typedef" in words:
                self.names.typedefs[name] = of
            else:
                self.names.values[name] = of
            if self.peek() == "{":
                self.body(parameters)
                return
            if self.take("="):
                self.initialiser(of)
            self.another(";")

    def body(self, parameters):
        if self.found is None:
            self.skip_pair()
            return
        outer = self.names
        self.names = Names(outer)
        self.names.values.update((name, of) for name, of in parameters or () if name)
        self.block()
        self.names = outer

    def file(self):
        while self.at < len(self.tokens):
            if self.peek() in (";", "}"):  # the end of extern "C", too
                self.next()
            elif self.peek() == "extern" and self.peek(1) == '""':
                self.at += 2 + (self.peek(2) == "{")
            elif self.peek() == "_Static_assert":
                self.skip_past(";")
            elif self.is_name() and self.peek(1) == "(":  # a macro
                self.next()
                self.skip_pair()
            else:
                self.declaration()


def read(text, names, found=None):
    """Adds to names what a file declares; with found, reads bodies of functions too."""
    Reader(text, names, found).file()
