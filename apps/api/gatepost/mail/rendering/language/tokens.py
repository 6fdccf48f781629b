"""Where things stand in a template: Jinja's nodes know their line, its tokens laid side by side know the column too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from jinja2 import Environment, TemplateSyntaxError

_NEWLINES = re.compile(r"\r\n|\r")
# Reads only: nothing is compiled or rendered with it.
READER = Environment(autoescape=True, optimized=False, keep_trailing_newline=True)


def normal(source: str) -> str:
    """The source with the line ends that Jinja gives it."""
    return _NEWLINES.sub("\n", source)


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it begins; `column` and `line` count from 1, `offset` from 0."""

    kind: str
    text: str
    offset: int
    line: int
    column: int


class Tokens:
    """The tokens of one part, as many as could be read."""

    def __init__(self, source: str) -> None:
        self.source = normal(source)
        self.all: list[Token] = []
        self._read()

    def _read(self) -> None:
        at = line = 0
        begin = 0
        try:
            for _, kind, text in READER.lexer.tokeniter(self.source, None):
                # White space that a "-" swallows is in no token.
                found = self.source.find(text, at)
                line += self.source.count("\n", at, found)
                begin = self.source.rfind("\n", 0, found) + 1 if found > at or begin < found else begin
                self.all.append(Token(kind, text, found, line + 1, found - begin + 1))
                at = found + len(text)
                line += text.count("\n")
        except TemplateSyntaxError:
            return

    @cached_property
    def by_line(self) -> dict[int, list[Token]]:
        """The tokens other than white space that begin in each line."""
        lines: dict[int, list[Token]] = {}
        for token in self.all:
            if token.kind != "whitespace":
                lines.setdefault(token.line, []).append(token)
        return lines

    def column(self, line: int, text: str, nth: int = 1) -> int:
        """The column of the nth such token in the line that is no field's name, of the first tag there, or 1."""
        tokens = self.by_line.get(line, [])
        same = [
            token for at, token in enumerate(tokens) if token.text == text and (not at or tokens[at - 1].text != ".")
        ]
        if same:
            return same[min(nth, len(same)) - 1].column
        same = [token for token in tokens if token.text == text]
        if same:
            return same[0].column
        return next((token.column for token in tokens if token.kind.endswith("_begin")), 1)

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of a character."""
        return self.source.count("\n", 0, offset) + 1, offset - self.source.rfind("\n", 0, offset)
