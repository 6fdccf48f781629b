"""What goes into rendering and what comes out; plain, for both sides of the pipe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """What an author writes; `text` None is made from `html`, which is a part of a page or a whole one."""

    subject: str
    html: str
    text: str | None = None
    preheader: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A template ready to be rendered: whole pages, CSS inlined. `key` names this very content for good."""

    key: str
    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent."""

    subject: str
    html: str
    text: str
