"""What a template may say: parsed, never compiled, and every node held against a list of those that are allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jinja2 import TemplateSyntaxError, nodes

from gatepost.mail.rendering.language.clean import SURROGATES, UNSAFE
from gatepost.mail.rendering.language.nodes import Walk
from gatepost.mail.rendering.language.tokens import READER, Token, Tokens
from gatepost.mail.rendering.language.variables import Variable, check_declarations, nearest
from gatepost.mail.rendering.shapes import Source
from gatepost.mail.rendering.types import Diagnostic, Part, has_errors

MAX_LENGTH: dict[Part, int] = {"subject": 2_000, "preheader": 2_000, "html": 256_000, "text": 100_000}
MAX_NODES = 5_000
MAX_DEPTH = 40
# What the layout and inlined CSS may add to what an author wrote.
PREPARED = 4
TAGS = ("if", "elif", "else", "endif", "for", "endfor")

_QUOTED = re.compile(r"'([^']*)'")
_AT = re.compile(r" at (\d+)$")
_SUBJECT_LITERAL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]|=\?")


def check(source: Source, declared: Sequence[Variable]) -> list[Diagnostic]:
    """Check the declarations and every part of a template, and name the variables that no part uses.

    Rules besides those of `check_declarations` and `check_part`: `empty-subject`, `unused-variable` (a warning).
    """
    found = check_declarations(declared)
    if found:
        return found
    used: set[str] = set()
    parts: list[tuple[Part, str | None]] = [
        ("subject", source.subject),
        ("preheader", source.preheader),
        ("html", source.html),
        ("text", source.text),
    ]
    for part, text in parts:
        if text is not None:
            found += check_part(part, text, declared, used)
    if not source.subject.strip():
        msg = "The subject is empty; write one."
        found.append(Diagnostic("subject", "empty-subject", "error", 1, 1, msg))
    if not has_errors(found):
        found += _unused(declared, used)
    return found


def check_part(
    part: Part, source: str, declared: Sequence[Variable] | None, used: set[str] | None = None, *, room: int = 1
) -> list[Diagnostic]:
    """Check one part; `declared` None lets every name pass, `room` multiplies the caps, `used` gathers names.

    Rules: `too-large`, `too-deep`, `control-character`, `subject-unsafe`, `forbidden-tag`, `syntax`, and those of
    `gatepost.mail.rendering.language.nodes`.
    """
    if len(source) > MAX_LENGTH[part] * room:
        msg = f"This is longer than {MAX_LENGTH[part] * room} characters; shorten it."
        return [Diagnostic(part, "too-large", "error", 1, 1, msg)]
    tokens = Tokens(source)
    found = _characters(part, tokens) + _tags(part, tokens)
    if found:
        return found
    tree = _parsed(part, tokens)
    if isinstance(tree, Diagnostic):
        return [tree]
    found = _size(part, tree, MAX_NODES * room)
    if found:
        return found
    walk = Walk(part, tokens, declared)
    walk.visit(tree)
    if used is not None:
        used |= walk.used
    return walk.found


def _parsed(part: Part, tokens: Tokens) -> nodes.Template | Diagnostic:
    if tokens.all and tokens.all[-1].kind == "comment_begin":
        # Jinja lets a comment go unended where nothing follows; in the layout something does.
        last = tokens.all[-1]
        return Diagnostic(part, "syntax", "error", last.line, last.column, "A comment begins here; end it with #}.")
    try:
        return READER.parse(tokens.source)
    except TemplateSyntaxError as error:
        return _syntax(part, error, tokens)
    except RecursionError:
        return Diagnostic(part, "too-deep", "error", 1, 1, "This is nested too deeply; make it simpler.")
    except ValueError:
        return Diagnostic(part, "syntax", "error", 1, 1, "A number in this part is too long; shorten it.")


def _unused(declared: Sequence[Variable], used: set[str]) -> list[Diagnostic]:
    return [
        Diagnostic(
            "variables",
            "unused-variable",
            "warning",
            line,
            1,
            f'"{variable.name}" is declared but used nowhere; use it, or take its declaration away.',
        )
        for line, variable in enumerate(declared, 1)
        if variable.name not in used
    ]


def _characters(part: Part, tokens: Tokens) -> list[Diagnostic]:
    if part == "subject":
        # A line end at the very end is the editor's, and goes when the subject is rendered.
        unsafe = _SUBJECT_LITERAL.search(tokens.source.rstrip("\n"))
        rule, msg = (
            "subject-unsafe",
            "A subject is one line without control characters and encoded words; take this out.",
        )
    else:
        unsafe = UNSAFE.search(tokens.source) or SURROGATES.search(tokens.source)
        rule, msg = "control-character", "An invisible control character stands here; take it out."
    if unsafe is None:
        return []
    return [Diagnostic(part, rule, "error", *tokens.place(unsafe.start()), msg)]


def _tags(part: Part, tokens: Tokens) -> list[Diagnostic]:
    """Tags that are not allowed, found before anything is parsed: this way their column is known."""
    found = []
    begun = False
    for token in tokens.all:
        if token.kind == "raw_begin":
            found.append(_tag(part, token, "raw"))
        elif begun and token.kind == "name" and token.text not in TAGS:
            found.append(_tag(part, token, token.text))
        if token.kind != "whitespace":
            begun = token.kind == "block_begin"
    return found


def _tag(part: Part, token: Token, name: str) -> Diagnostic:
    msg = f'The tag "{name[:60]}" cannot be used; there are if, elif, else, endif, for and endfor.{nearest(name, TAGS)}'
    return Diagnostic(part, "forbidden-tag", "error", token.line, token.column, msg)


def _syntax(part: Part, error: TemplateSyntaxError, tokens: Tokens) -> Diagnostic:
    message = error.message or ""
    line, column = error.lineno, 1
    at = _AT.search(message)
    quoted = _QUOTED.findall(message)
    if at is not None:
        line, column = tokens.place(int(at.group(1)))
        message = message[: at.start()]
    else:
        column = tokens.column(line, quoted[-1] if quoted else "")
    msg = f"This cannot be read: {message[:200].rstrip('.')}."
    return Diagnostic(part, "syntax", "error", line, column, msg)


def _size(part: Part, tree: nodes.Node, most: int) -> list[Diagnostic]:
    """Count without recursion: the tree may be deeper than the stack."""
    count = 0
    level: list[nodes.Node] = [tree]
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > most:
            msg = "This has too many tags and expressions; make it simpler."
            return [Diagnostic(part, "too-large", "error", 1, 1, msg)]
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return []
    msg = f"This is nested more than {MAX_DEPTH} deep; make it simpler."
    return [Diagnostic(part, "too-deep", "error", level[0].lineno, 1, msg)]
