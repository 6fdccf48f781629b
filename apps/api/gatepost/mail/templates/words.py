"""Words that mails are made of: a version of a template in one language, ready to be rendered."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.mail.rendering.language.variables import Variable
from gatepost.mail.rendering.shapes import Prepared


@dataclass(frozen=True, slots=True)
class Words:
    """What is rendered, and what it declares. `prepared.key` names this very content."""

    locale: str
    declared: tuple[Variable, ...]
    prepared: Prepared
