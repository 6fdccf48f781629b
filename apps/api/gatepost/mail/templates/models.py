"""The request and response bodies of template routes."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, JsonValue, StrictBool

from gatepost.errors import TemplateDiagnostic
from gatepost.mail.rendering import VariableType
from gatepost.types import without_nul

# Characters of JSON.
_MAX_SAMPLES = 64 * 1024

_SURROGATES = re.compile(r"[\ud800-\udfff]")
# A NUL character in JSON: after an even number of backslashes.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def make_storable(value: Any) -> Any:
    """Return a JSON value as PostgreSQL's jsonb can store it: without NUL characters and lone surrogates.

    Works on the JSON text, in C: a value may have hundreds of thousands of items, and other requests wait meanwhile.

    Raises:
        ValueError: a number is infinite or NaN.
    """
    if isinstance(value, str):
        return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", without_nul(value))
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise ValueError("a number must be finite") from None
    storable = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _NUL.sub(r"\1 ", text))
    return value if storable == text else json.loads(storable)


def _limit_size(values: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(values)) > _MAX_SAMPLES:
        raise ValueError("must be at most 64 KB of JSON")
    return values


# Of the request body with a template, whose parts the renderer limits.
MAX_BODY_BYTES = 1024 * 1024

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="The key of a template")]
Locale = Annotated[
    str, Field(pattern=r"^[a-z]{2,3}(-([A-Z]{2}|[A-Z][a-z]{3}))?$", description="A language, such as en, de or fr-CA")
]
Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(make_storable)]
Description = Annotated[str, Field(max_length=1000), AfterValidator(make_storable)]
# The renderer limits the length, with a diagnostic.
Part = Annotated[str, AfterValidator(make_storable)]


class TemplateVariable(BaseModel):
    """A variable that a template declares. The items of a list are scalars or flat objects of scalars."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    type: VariableType = "string"
    required: StrictBool = True
    example: Annotated[JsonValue, AfterValidator(make_storable)] = None
    description: Description = ""


Variables = Annotated[list[TemplateVariable], Field(max_length=50)]


class _TemplateContent(BaseModel):
    subject: Part
    preheader: Part = ""
    html: Part
    text: Part | None = None


class TemplateSource(_TemplateContent):
    """A template in one language. If `text` is null, the text part is generated from the HTML."""

    variables: Variables = []


class SaveDraft(_TemplateContent):
    """The new content of a draft. Without `variables`, the declarations stay as they are."""

    variables: Variables | None = None


class CreateTemplate(TemplateSource):
    """A new custom template.

    With `contains_secrets`, its emails contain codes or links that nobody but their recipients may see: their subject
    and content are not shown, and are erased once they are sent.
    """

    key: Key
    name: Label
    description: Description = ""
    contains_secrets: StrictBool = False


class TemplateDraft(TemplateSource):
    """A draft with its errors and warnings. With errors, it can be saved but not published."""

    etag: str
    diagnostics: list[TemplateDiagnostic]
    updated_at: datetime
    updated_by: str


class TemplateVersion(TemplateSource):
    """A published version. It never changes."""

    version: int
    published_at: datetime
    published_by: str


class VersionEntry(BaseModel):
    """A published version in a list, without its content."""

    version: int
    published_at: datetime
    published_by: str
    current: bool


class VersionList(BaseModel):
    """The published versions of a template in one language, newest first."""

    items: list[VersionEntry]
    next_cursor: str | None


class Published(BaseModel):
    """The number of the version that was published."""

    version: int


class TemplateEntry(BaseModel):
    """A template in a list: the languages that it has, and those that were customized (`changed`)."""

    key: str
    name: str
    description: str
    source: Literal["builtin", "custom"]
    contains_secrets: bool
    locales: list[str]
    changed: list[str]
    published_version: int | None
    has_draft: bool
    updated_at: datetime | None
    updated_by: str | None


class TemplateList(BaseModel):
    """All templates. `next_cursor` is always null: the list is not paginated."""

    items: list[TemplateEntry]
    next_cursor: str | None


class EmailTemplate(BaseModel):
    """A template in one language: its draft, its published version, and its built-in source (`default`), if any.

    `current` is what an editor starts from: the draft, else the published version, else the built-in source, which may
    be that of a fallback language. `live` is what emails in this language are rendered from: the published version,
    else the built-in source of this very language. `etag` identifies `current`. `samples` are values for previews.
    `contains_secrets` says that emails of this template are shown to nobody; it is always true for security templates.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    key: str
    name: str
    description: str
    source: Literal["builtin", "custom"]
    contains_secrets: bool
    locale: str
    locales: list[str]
    etag: str
    variables: Variables
    samples: dict[str, JsonValue]
    draft: TemplateDraft | None
    published: TemplateVersion | None
    default: TemplateSource | None
    current: TemplateSource | None
    current_origin: Literal["draft", "published", "builtin"] | None
    live: TemplateSource | None


class PreviewTemplate(BaseModel):
    """What to render. Omitted parts are taken from the current source: the draft, published or built-in content.

    If `text` is null, the text part is generated from the HTML. `variables` are values; the declared examples are used
    for the rest. `declared` replaces the declarations. `forced_dark` shows a page in the colors that Gmail's apps force
    on emails in a dark theme.
    """

    subject: Part | None = None
    preheader: Part | None = None
    html: Part | None = None
    text: Part | None = None
    variables: dict[str, JsonValue] = {}
    declared: Variables | None = None
    forced_dark: bool = False


class SaveSamples(BaseModel):
    """Sample values for previews of a template, at most 64 KB of JSON."""

    model_config = ConfigDict(extra="forbid")

    variables: Annotated[dict[str, JsonValue], AfterValidator(_limit_size), AfterValidator(make_storable)]


class MarkSecrets(BaseModel):
    """Whether the emails of a template contain codes or links that nobody but their recipients may see."""

    model_config = ConfigDict(extra="forbid")

    contains_secrets: StrictBool


class SendTestEmail(BaseModel):
    """A test email. `to` defaults to your own email address, `version` to the current source (0: built-in)."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[EmailStr | None, Field(max_length=254)] = None
    variables: Annotated[dict[str, JsonValue], AfterValidator(make_storable)] = {}
    version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class TestSent(BaseModel):
    """The email that was queued."""

    email_id: UUID


class Preview(BaseModel):
    """An email as it would be sent.

    `text_source` is the text part before its variables are filled in, generated from the HTML where none is written.
    `size_bytes` is the size of the HTML in UTF-8; Gmail clips emails beyond 102 KB.
    """

    sender: str
    subject: str
    html: str
    text: str
    text_source: str
    size_bytes: int
    diagnostics: list[TemplateDiagnostic]
