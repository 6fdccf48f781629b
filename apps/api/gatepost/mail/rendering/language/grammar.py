"""What a template may contain. Sources are parsed, never compiled, and every node is checked against an allow-list."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from jinja2 import TemplateSyntaxError, nodes

from gatepost.mail.rendering.language.lexer import CONTROL, PARSER, SURROGATE, Token, TokenIndex
from gatepost.mail.rendering.language.nodes import NodeChecker
from gatepost.mail.rendering.language.variables import Variable, check_declarations, did_you_mean, link_names
from gatepost.mail.rendering.types import Diagnostic, Part, Source, has_errors

MAX_LENGTH: dict[Part, int] = {"subject": 2_000, "preheader": 2_000, "html": 256_000, "text": 100_000}
MAX_NODES = 5_000
MAX_DEPTH = 40
# By how much the layout and inlined CSS may exceed the limits for an author's source.
PREPARED_FACTOR = 4
# Diagnostics that say which tag is the most similar: finding it takes time.
_MAX_HINTS = 10
TAGS = ("if", "elif", "else", "endif", "for", "endfor")

_QUOTED = re.compile(r"'([^']*)'")
_AT_OFFSET = re.compile(r" at (\d+)$")
_UNSAFE_IN_SUBJECT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]|=\?")


def check(source: Source, declared: Sequence[Variable], reserved_links: Collection[str] = ()) -> list[Diagnostic]:
    """Check the declarations and every part of a template, and report unused variables.

    Rules besides those of `check_declarations` and `check_part`: `empty-subject`, `unused-variable` (a warning).
    """
    found = check_declarations(declared, reserved_links)
    if found:
        return found
    links = link_names(declared)
    used: set[str] = set()
    parts: list[tuple[Part, str | None]] = [
        ("subject", source.subject),
        ("preheader", source.preheader),
        ("html", source.html),
        ("text", source.text),
    ]
    for part, text in parts:
        if text is not None:
            found += check_part(part, text, declared, used, links=links)
    if not source.subject.strip():
        found.append(Diagnostic("subject", "empty-subject", "error", 1, 1, "The subject is empty. Enter a subject."))
    if not has_errors(found):
        found += _unused(declared, used)
    return found


def check_part(
    part: Part,
    source: str,
    declared: Sequence[Variable] | None,
    used: set[str] | None = None,
    *,
    links: Collection[str] = (),
    limit_factor: int = 1,
) -> list[Diagnostic]:
    """Check one part.

    Rules: `too-large`, `too-deep`, `control-character`, `subject-unsafe`, `forbidden-tag`, `syntax`, and those of
    `NodeChecker`.

    Args:
        part: which part it is.
        source: the part's text.
        declared: the declared variables; None allows every name.
        used: a set to which the names of used variables are added.
        links: the names of the variables that are links.
        limit_factor: multiplies the limits on length and number of nodes.
    """
    if len(source) > MAX_LENGTH[part] * limit_factor:
        msg = f"This part is longer than {MAX_LENGTH[part] * limit_factor} characters. Shorten it."
        return [Diagnostic(part, "too-large", "error", 1, 1, msg)]
    tokens = TokenIndex(source)
    found = _check_characters(part, tokens) + _check_tags(part, tokens)
    if found:
        return found
    tree = _parse(part, tokens)
    if isinstance(tree, Diagnostic):
        return [tree]
    found = _check_size(part, tree, MAX_NODES * limit_factor)
    if found:
        return found
    checker = NodeChecker(part, tokens, declared, links)
    checker.visit(tree)
    if used is not None:
        used |= checker.used
    return checker.found


def _parse(part: Part, tokens: TokenIndex) -> nodes.Template | Diagnostic:
    last = tokens.tokens[-1] if tokens.tokens else None
    if last is not None and last.kind == "comment_begin":
        # Jinja accepts an unclosed comment at the end of a source, but in the layout something follows.
        return Diagnostic(part, "syntax", "error", last.line, last.column, "This comment is not closed. Add #}.")
    try:
        return PARSER.parse(tokens.source)
    except TemplateSyntaxError as error:
        return _syntax_error(part, error, tokens)
    except RecursionError:
        return Diagnostic(part, "too-deep", "error", 1, 1, "This part is nested too deeply. Simplify it.")
    except ValueError:
        return Diagnostic(part, "syntax", "error", 1, 1, "A number in this part has too many digits. Shorten it.")


def _unused(declared: Sequence[Variable], used: set[str]) -> list[Diagnostic]:
    return [
        Diagnostic(
            "variables",
            "unused-variable",
            "warning",
            line,
            1,
            f'"{variable.name}" is declared but never used. Use it or remove the declaration.',
        )
        for line, variable in enumerate(declared, 1)
        if variable.name not in used
    ]


def _check_characters(part: Part, tokens: TokenIndex) -> list[Diagnostic]:
    if part == "subject":
        # Editors end a file with a newline; it is stripped when the subject is rendered.
        unsafe = _UNSAFE_IN_SUBJECT.search(tokens.source.rstrip("\n"))
        rule, msg = (
            "subject-unsafe",
            "A subject must be a single line without control characters or encoded words (=?). Remove this character.",
        )
    else:
        unsafe = CONTROL.search(tokens.source) or SURROGATE.search(tokens.source)
        rule, msg = "control-character", "There is an invisible control character here. Remove it."
    if unsafe is None:
        return []
    return [Diagnostic(part, rule, "error", *tokens.position(unsafe.start()), msg)]


def _check_tags(part: Part, tokens: TokenIndex) -> list[Diagnostic]:
    """Return forbidden tags. Checked before parsing, because afterwards their column is unknown."""
    found: list[Diagnostic] = []
    in_tag = False
    for token in tokens.tokens:
        hint = len(found) < _MAX_HINTS
        if token.kind == "raw_begin":
            found.append(_forbidden_tag(part, token, "raw", hint=hint))
        elif in_tag and token.kind == "name" and token.text not in TAGS:
            found.append(_forbidden_tag(part, token, token.text, hint=hint))
        if token.kind != "whitespace":
            in_tag = token.kind == "block_begin"
    return found


def _forbidden_tag(part: Part, token: Token, name: str, *, hint: bool) -> Diagnostic:
    similar = did_you_mean(name, TAGS) if hint else ""
    msg = f'The tag "{name[:60]}" is not allowed. Use one of {", ".join(TAGS)}.{similar}'
    return Diagnostic(part, "forbidden-tag", "error", token.line, token.column, msg)


def _syntax_error(part: Part, error: TemplateSyntaxError, tokens: TokenIndex) -> Diagnostic:
    message = error.message or ""
    line, column = error.lineno, 1
    at = _AT_OFFSET.search(message)
    quoted = _QUOTED.findall(message)
    if at is not None:
        line, column = tokens.position(int(at.group(1)))
        message = message[: at.start()]
    else:
        column = tokens.column(line, quoted[-1] if quoted else "")
    msg = f"Syntax error: {message[:200].rstrip('.')}."
    return Diagnostic(part, "syntax", "error", line, column, msg)


def _check_size(part: Part, tree: nodes.Node, limit: int) -> list[Diagnostic]:
    """Count the nodes, level by level: the tree may be deeper than the call stack."""
    count = 0
    level: list[nodes.Node] = [tree]
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > limit:
            msg = "This part has too many tags and expressions. Simplify it."
            return [Diagnostic(part, "too-large", "error", 1, 1, msg)]
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return []
    msg = f"This is nested more than {MAX_DEPTH} levels deep. Simplify it."
    return [Diagnostic(part, "too-deep", "error", level[0].lineno, 1, msg)]
