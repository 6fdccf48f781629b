"""The preview of a template, in two forms: JSON for a program, and for the POST of a form the page itself."""

from __future__ import annotations

import html
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter

from gatepost.accounts import AdminGuard
from gatepost.audit import Actor
from gatepost.errors import ApiError, FieldError, UnsupportedMediaType, ValidationFailed
from gatepost.http import (
    ApiRoute,
    CurrentRuntime,
    load_json,
    parse_body,
    parse_json,
    problems,
    sandboxed_page,
    validate,
)
from gatepost.mail.templates.models import MAX_BODY_BYTES, Key, Locale, Preview, PreviewTemplate

_FORM = "application/x-www-form-urlencoded"

# Gmail's apps turn light colors dark and leave images alone, regardless of an email's own styles for dark themes.
_FORCED_DARK = (
    "<style>:root { color-scheme: only light; background: #fff; filter: invert(0.9) hue-rotate(180deg) } "
    "img, video { filter: invert(1) hue-rotate(180deg) }</style>"
)

_SCHEMA = PreviewTemplate.model_json_schema(ref_template="#/components/schemas/{model}")
_SCHEMA.pop("$defs", None)
_REQUEST_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}

_PREVIEW = TypeAdapter(PreviewTemplate)


class _PreviewBodies(ApiRoute):
    """A route that accepts the content of a template and values for it."""

    max_body_bytes = MAX_BODY_BYTES


router = APIRouter(prefix="/v1/settings/email-templates", tags=["templates"], route_class=_PreviewBodies)


@router.post(
    "/{key}/preview",
    response_model=Preview,
    responses=problems(401, 403, 404, 413, 415, 422),
    openapi_extra=_REQUEST_BODY,
)
async def preview_template(
    key: Annotated[Key, Path()],
    actor: Annotated[Actor, Depends(AdminGuard("templates:write"))],
    request: Request,
    runtime: CurrentRuntime,
    locale: Annotated[Locale, Query()] = "en",
) -> Any:
    """Render a template as it would be sent.

    A JSON request returns JSON. The POST of a form returns the page itself, for an iframe; nothing in it can run.
    """
    as_page = _media_type(request) == _FORM
    try:
        body = await _parse(request)
        preview = await runtime.templates.preview(key, locale, body)
    except ApiError as error:
        if as_page and error.status == 422:
            return _error_page(error)
        raise
    if as_page:
        return sandboxed_page(preview.html + (_FORCED_DARK if body.forced_dark else ""))
    return preview


async def _parse(request: Request) -> PreviewTemplate:
    """Return the body of a request.

    The fields `variables` and `declared` of a form are JSON. `text_from_html=true` in a form stands for `"text": null`.

    Raises:
        UnsupportedMediaType: it is neither JSON nor a form.
        ValidationFailed: it is invalid.
    """
    raw, media_type = await request.body(), _media_type(request)
    if media_type not in (_FORM, "application/json"):
        raise UnsupportedMediaType
    return await parse_body(request, raw, _parse_form if media_type == _FORM else partial(parse_json, _PREVIEW))


def _parse_form(raw: bytes) -> PreviewTemplate:
    try:
        fields = parse_qs(raw.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise ValidationFailed(
            errors=[FieldError(loc=["body"], msg="must be JSON or a form in UTF-8", type="form")]
        ) from None
    # Forms are sent with CRLF line breaks (HTML, 4.10.22.4).
    form: dict[str, Any] = {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
    if form.pop("text_from_html", "") == "true":
        form["text"] = None
    form |= {name: load_json(form[name].encode()) for name in ("variables", "declared") if form.get(name)}
    return validate(_PREVIEW, form)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _error_page(error: ApiError) -> HTMLResponse:
    items = "".join(f"<li>{html.escape(_describe(each))}</li>" for each in error.errors or [])
    page = f'<!doctype html><meta charset="utf-8"><title>Preview</title><p>{html.escape(error.detail)}</p><ul>{items}'
    return sandboxed_page(page, error.status)


def _describe(error: Any) -> str:
    if isinstance(error, FieldError):
        return f"{'.'.join(str(part) for part in error.loc)}: {error.msg}"
    return f"{error.part}, line {error.line}, column {error.column}: {error.msg}"
