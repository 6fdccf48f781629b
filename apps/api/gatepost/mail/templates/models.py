"""What the templates' routes take and give."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, JsonValue, StrictBool

from gatepost.errors import TemplateDiagnostic
from gatepost.mail.rendering.language.variables import Type

# Characters of JSON.
_MAX_SAMPLES = 65_536

_SURROGATES = re.compile(r"[\ud800-\udfff]")


def storable(value: Any) -> Any:
    """Return a JSON value as PostgreSQL's jsonb holds it: without NUL and halves of characters.

    Raises:
        ValueError: a number is none that JSON can say.
    """
    if isinstance(value, str):
        return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", value.replace("\0", " "))
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number must be finite")
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(name): storable(each) for name, each in value.items()}
    return value


def _small(values: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(values)) > _MAX_SAMPLES:
        raise ValueError("must be 64 KB of JSON or less")
    return values


Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="The key of a template")]
Locale = Annotated[
    str, Field(pattern=r"^[a-z]{2,3}(-([A-Z]{2}|[A-Z][a-z]{3}))?$", description="A language, like en, de or fr-CA")
]
Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(storable)]
Words = Annotated[str, Field(max_length=1000), AfterValidator(storable)]
# How long the parts of a template may be is for the renderer to say, with a diagnostic.
Part = Annotated[str, AfterValidator(storable)]


class TemplateVariable(BaseModel):
    """A variable that a template declares; a list holds scalars or flat objects of scalars."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    type: Type = "string"
    required: StrictBool = True
    example: Annotated[JsonValue, AfterValidator(storable)] = None
    description: Words = ""


Variables = Annotated[list[TemplateVariable], Field(max_length=50)]


class _TemplateWords(BaseModel):
    subject: Part
    preheader: Part = ""
    html: Part
    text: Part | None = None


class TemplateSource(_TemplateWords):
    """The words of a template in one language. Without `text` it is made from the HTML."""

    variables: Variables = []


class SaveDraft(_TemplateWords):
    """A draft; without `variables` those that are declared stay."""

    variables: Variables | None = None


class CreateTemplate(TemplateSource):
    """A new template of one's own."""

    key: Key
    name: Label
    description: Words = ""


class TemplateDraft(TemplateSource):
    """A draft, with what is wrong with it; a broken one is kept, but not published."""

    etag: str
    diagnostics: list[TemplateDiagnostic]
    updated_at: datetime
    updated_by: str


class TemplateVersion(TemplateSource):
    """A published version; it never changes."""

    version: int
    published_at: datetime
    published_by: str


class VersionEntry(BaseModel):
    """A published version, without its words."""

    version: int
    published_at: datetime
    published_by: str
    current: bool


class VersionList(BaseModel):
    """The versions of a template in one language, the newest first."""

    items: list[VersionEntry]
    next_cursor: str | None


class Published(BaseModel):
    """The number of the version that counts from now on."""

    version: int


class TemplateEntry(BaseModel):
    """A template in the list; `locales` are the languages it has words in, `changed` those that hold somebody's own."""

    key: str
    name: str
    description: str
    source: Literal["builtin", "custom"]
    locales: list[str]
    changed: list[str]
    published_version: int | None
    has_draft: bool
    updated_at: datetime | None
    updated_by: str | None


class TemplateList(BaseModel):
    """Every template; `next_cursor` is always null, for there are few."""

    items: list[TemplateEntry]
    next_cursor: str | None


class EmailTemplate(BaseModel):
    """A template in one language: its draft, what is published, and the built-in words where there are some.

    `etag` names what stands: the draft, else the published version. `samples` are the values to look at it with.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    key: str
    name: str
    description: str
    source: Literal["builtin", "custom"]
    locale: str
    locales: list[str]
    etag: str
    variables: Variables
    samples: dict[str, JsonValue]
    draft: TemplateDraft | None
    published: TemplateVersion | None
    default: TemplateSource | None


class PreviewTemplate(BaseModel):
    """What to render: parts that are left out are the draft's, else what is published, else the built-in ones.

    A `text` that is null is made from the HTML.
    `variables` are values; those left out are the declared examples. `declared` stands for the declarations.
    `forced_dark` has the page of a form's POST in the colours that Gmail's apps force on mail in a dark theme.
    """

    subject: Part | None = None
    preheader: Part | None = None
    html: Part | None = None
    text: Part | None = None
    variables: dict[str, JsonValue] = {}
    declared: Variables | None = None
    forced_dark: bool = False


class SaveSamples(BaseModel):
    """Values to look at a template with; 64 KB of JSON at most."""

    model_config = ConfigDict(extra="forbid")

    variables: Annotated[dict[str, JsonValue], AfterValidator(storable), AfterValidator(_small)]


class SendTestEmail(BaseModel):
    """A test to send: `to` defaults to one's own address, and without `version` the words are those that stand."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[EmailStr | None, Field(max_length=254)] = None
    variables: Annotated[dict[str, JsonValue], AfterValidator(storable)] = {}
    version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class TestSent(BaseModel):
    """The message that the test is."""

    email_id: UUID


class Preview(BaseModel):
    """A mail as it would be sent; `size_bytes` is that of the HTML in UTF-8 (Gmail clips beyond 102 KB)."""

    sender: str
    subject: str
    html: str
    text: str
    size_bytes: int
    diagnostics: list[TemplateDiagnostic]
