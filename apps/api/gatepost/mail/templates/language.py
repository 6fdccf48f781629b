"""The template language, described for authors and for editors with completion."""

from __future__ import annotations

from pydantic import BaseModel

from gatepost.mail.rendering import TAGS
from gatepost.mail.templates.models import TemplateVariable


class LanguageFeature(BaseModel):
    """A filter or a test: what it does, and an example."""

    name: str
    description: str
    example: str


class TemplateLanguage(BaseModel):
    """The tags, filters and tests of the template language, and the variables that every template can use."""

    tags: list[str]
    filters: list[LanguageFeature]
    tests: list[LanguageFeature]
    variables: list[TemplateVariable]


_FILTERS = (
    ("abs", "The absolute value of a number.", "{{ balance | abs }}"),
    ("capitalize", "The first character in upper case, the rest in lower case.", "{{ status | capitalize }}"),
    ("default", "A fallback for a missing value; with true, also for an empty one.",
     '{{ name | default("there", true) }}'),
    ("e", "Escapes HTML. Values are always escaped, so this is not needed.", "{{ name | e }}"),
    ("escape", "The same as e.", "{{ name | escape }}"),
    ("first", "The first item of a list, or the first character of a text.", "{{ items | first }}"),
    ("join", "The items of a list, joined into one text.", '{{ items | join(", ") }}'),
    ("last", "The last item of a list, or the last character of a text.", "{{ items | last }}"),
    ("length", "The number of items in a list, or of characters in a text.", "{{ items | length }}"),
    ("lower", "The text in lower case.", "{{ code | lower }}"),
    ("round", "The number, rounded to this many decimal places.", "{{ amount | round(2) }}"),
    ("title", "Each word with its first character in upper case.", "{{ name | title }}"),
    ("trim", "The text without spaces at its ends.", "{{ name | trim }}"),
    ("truncate", "The text, shortened to at most this many characters, with … at the end.",
     "{{ note | truncate(80) }}"),
    ("upper", "The text in upper case.", "{{ currency | upper }}"),
    ("urlencode", "The text, encoded for use in a URL.", "{{ name | urlencode }}"),
)  # fmt: skip
_TESTS = (
    ("defined", "The value exists, even if it is empty.", "{% if name is defined %}"),
    ("even", "The number is even.", "{% if loop.index is even %}"),
    ("none", "There is no value.", "{% if name is none %}"),
    ("odd", "The number is odd.", "{% if loop.index is odd %}"),
)
_BUILT_IN_VARIABLES = (
    ("locale", "The language of the email, such as en or de.", "en"),
    ("product_name", "The name of the product.", "Gatepost"),
)


def _features(table: tuple[tuple[str, str, str], ...]) -> list[LanguageFeature]:
    return [
        LanguageFeature(name=name, description=description, example=example) for name, description, example in table
    ]


LANGUAGE = TemplateLanguage(
    tags=sorted(TAGS),
    filters=_features(_FILTERS),
    tests=_features(_TESTS),
    variables=[
        TemplateVariable(name=name, description=description, example=example)
        for name, description, example in _BUILT_IN_VARIABLES
    ],
)
