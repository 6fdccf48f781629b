"""The two forms of a preview: JSON for a program, and for a form's POST the page itself, in which nothing runs."""

from __future__ import annotations

import html
import json
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from gatepost.errors import FieldError, Refusal, UnsupportedMediaType, ValidationFailed, field_errors
from gatepost.mail.templates.models import Preview, PreviewTemplate

_FORM = "application/x-www-form-urlencoded"
# HTML that we did not write can run, load and send nothing.
SANDBOX = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; "
    "frame-ancestors 'self'"
}

# Gmail's apps turn light colours dark and leave pictures alone, whatever a mail's own styles say of dark themes.
_FORCED_DARK = (
    "<style>:root { color-scheme: only light; background: #fff; filter: invert(0.9) hue-rotate(180deg) } "
    "img, video { filter: invert(1) hue-rotate(180deg) }</style>"
)

_SCHEMA = PreviewTemplate.model_json_schema(ref_template="#/components/schemas/{model}")
_SCHEMA.pop("$defs", None)
REQUEST_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}


def is_form(request: Request) -> bool:
    """Tell whether a form was posted."""
    return _media_type(request) == _FORM


async def read(request: Request) -> PreviewTemplate:
    """Return what is to be rendered, from JSON or from a form.

    A form's `variables` and `declared` are JSON in a field; its `text_from_html`, "true", is a `text` that is null.

    Raises:
        UnsupportedMediaType: it is neither.
        ValidationFailed: it is not of that form.
    """
    body = await request.body()
    try:
        if is_form(request):
            return PreviewTemplate.model_validate(_fields(body))
        if _media_type(request) != "application/json":
            raise UnsupportedMediaType
        return PreviewTemplate.model_validate_json(body)
    except ValidationError as error:
        found = field_errors(error.errors())
        raise ValidationFailed(
            errors=[each.model_copy(update={"loc": ["body", *each.loc]}) for each in found]
        ) from None
    except (ValueError, RecursionError):
        raise ValidationFailed(
            errors=[FieldError(loc=["body"], msg="is not a form of UTF-8 fields", type="form")]
        ) from None


def page(preview: Preview, *, forced_dark: bool) -> HTMLResponse:
    """Return the mail itself, for an iframe."""
    return HTMLResponse(preview.html + (_FORCED_DARK if forced_dark else ""), headers=SANDBOX)


def refused_page(refusal: Refusal) -> HTMLResponse:
    """Return a page that lists what is wrong."""
    lines = "".join(f"<li>{html.escape(_sentence(each))}</li>" for each in refusal.errors or [])
    body = f'<!doctype html><meta charset="utf-8"><title>Preview</title><p>{html.escape(refusal.detail)}</p><ul>{lines}'
    return HTMLResponse(body, refusal.status, headers=SANDBOX)


def _sentence(error: Any) -> str:
    if isinstance(error, FieldError):
        return f"{'.'.join(str(part) for part in error.loc)}: {error.msg}"
    return f"{error.part}, line {error.line}, column {error.column}: {error.msg}"


def _fields(body: bytes) -> dict[str, Any]:
    fields = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=False, max_num_fields=20, errors="strict")
    # A form's line breaks are CRLF, whatever was typed (HTML, 4.10.22.4).
    form: dict[str, Any] = {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
    if form.pop("text_from_html", "") == "true":
        form["text"] = None
    return form | {name: json.loads(form[name]) for name in ("variables", "declared") if form.get(name)}


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
