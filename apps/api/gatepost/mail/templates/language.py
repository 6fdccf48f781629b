"""What templates are written in, described for whoever writes one and for editors that complete it."""

from __future__ import annotations

from pydantic import BaseModel

from gatepost.mail.rendering.language.grammar import TAGS
from gatepost.mail.templates.models import TemplateVariable


class LanguageWord(BaseModel):
    """A filter or a test: what it does, and how it is written."""

    name: str
    description: str
    example: str


class TemplateLanguage(BaseModel):
    """Everything that a template may be written with; `variables` are those that are always there."""

    tags: list[str]
    filters: list[LanguageWord]
    tests: list[LanguageWord]
    variables: list[TemplateVariable]


_FILTERS = (
    ("abs", "A number without its sign.", "{{ balance | abs }}"),
    ("capitalize", "The first letter in capitals, the rest small.", "{{ status | capitalize }}"),
    ("default", "Something else where the value is missing; with true also where it is empty.",
     '{{ name | default("there", true) }}'),
    ("e", "Signs that mean something in HTML, written so that they show; values are escaped anyway.", "{{ name | e }}"),
    ("escape", "The same as e.", "{{ name | escape }}"),
    ("first", "The first item of a list, or the first letter of a text.", "{{ items | first }}"),
    ("join", "The items of a list as one text.", '{{ items | join(", ") }}'),
    ("last", "The last item of a list, or the last letter of a text.", "{{ items | last }}"),
    ("length", "How many items a list has, or letters a text.", "{{ items | length }}"),
    ("lower", "All letters small.", "{{ code | lower }}"),
    ("round", "A number rounded to so many places.", "{{ amount | round(2) }}"),
    ("title", "Each word with a capital first.", "{{ name | title }}"),
    ("trim", "Without the spaces around it.", "{{ name | trim }}"),
    ("truncate", "No longer than so many letters, with … at the end.", "{{ note | truncate(80) }}"),
    ("upper", "All letters in capitals.", "{{ currency | upper }}"),
    ("urlencode", "Written so that it fits into a link's address.", "{{ name | urlencode }}"),
)  # fmt: skip
_TESTS = (
    ("defined", "The variable was given.", "{% if name is defined %}"),
    ("even", "A number that two divides.", "{% if loop.index is even %}"),
    ("none", "There is no value.", "{% if name is none %}"),
    ("odd", "A number that two does not divide.", "{% if loop.index is odd %}"),
)
_ALWAYS = (
    ("locale", "The language of the mail, like en or de.", "en"),
    ("product_name", "What the product is called.", "Gatepost"),
)


def _words(table: tuple[tuple[str, str, str], ...]) -> list[LanguageWord]:
    return [LanguageWord(name=name, description=description, example=example) for name, description, example in table]


LANGUAGE = TemplateLanguage(
    tags=sorted(TAGS),
    filters=_words(_FILTERS),
    tests=_words(_TESTS),
    variables=[
        TemplateVariable(name=name, description=description, example=example) for name, description, example in _ALWAYS
    ],
)
