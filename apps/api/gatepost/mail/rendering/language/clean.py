"""Values made harmless before a template sees them: no control characters, in a subject no line ends either."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_IN_SUBJECT = 150

# C0 and C1 but tab and line feed, bidirectional embeddings, overrides and isolates. The plain marks of direction and
# the joiners stay: names and emoji need them.
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SURROGATES = re.compile(r"[\ud800-\udfff]")
_BLANKS = re.compile(r"\n{3,}")
_UNSEEN = " \t\f\v\r\u034f\u200b\u200c\u200d\u2060\ufeff"
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def text(value: str) -> str:
    """A text without control characters; tabs and line feeds stay, carriage returns go."""
    if value.isprintable():
        return value
    return UNSAFE.sub("", SURROGATES.sub("\ufffd", value))


def subject_text(value: str) -> str:
    """A text for one line: white space and control characters become one space; no encoded word; cut at 150."""
    if not value.isprintable() or "  " in value:
        value = UNSAFE.sub("", SURROGATES.sub("\ufffd", _SPACES.sub(" ", value)))
    if "=?" in value:
        value = value.replace("=?", "= ?")
    return value if len(value) <= MAX_IN_SUBJECT else value[: MAX_IN_SUBJECT - 1] + "…"


def values(context: Mapping[str, Any]) -> dict[str, Any]:
    """A context for HTML and text."""
    return {name: _walk(value, text) for name, value in context.items()}


def subject_values(context: Mapping[str, Any]) -> dict[str, Any]:
    """A context for the subject."""
    return {name: _walk(value, subject_text) for name, value in context.items()}


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_walk(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _walk(item, change) for key, item in value.items()}
    return value


def tidy(rendered: str) -> str:
    """A text part without white space at the ends of its lines and with one blank line at most between two others."""
    lines = "\n".join(line.rstrip(_UNSEEN) for line in rendered.replace("\u00a0", " ").split("\n"))
    return _BLANKS.sub("\n\n", lines).strip("\n") + "\n"
