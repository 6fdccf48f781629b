"""`/v1/settings/email-templates`: the words of the mails, drafted, previewed, published and taken back."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from gatepost.accounts import store as accounts
from gatepost.accounts.permissions import Actor, StaffGuard
from gatepost.errors import FieldError, NotFound, Refusal, ValidationFailed
from gatepost.http import pagination as paging
from gatepost.http.dependencies import Connection, CurrentRuntime, Runtime
from gatepost.http.problems import ContractRoute, refuses
from gatepost.mail.templates import models, previews, store
from gatepost.mail.templates.language import LANGUAGE, TemplateLanguage
from gatepost.mail.templates.models import (
    CreateTemplate,
    EmailTemplate,
    Preview,
    Published,
    SaveDraft,
    TemplateList,
    TemplateVersion,
    VersionList,
)

language = APIRouter(tags=["templates"], route_class=ContractRoute)
router = APIRouter(prefix="/v1/settings/email-templates", tags=["templates"], route_class=ContractRoute)

Writer = Annotated[Actor, Depends(StaffGuard("templates:write"))]
ActingWriter = Annotated[Actor, Depends(StaffGuard("templates:write", acts=True))]
Key = Annotated[models.Key, Path()]
Locale = Annotated[models.Locale, Query()]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
IfMatch = Annotated[str | None, Header(max_length=100, description="The ETag of what this replaces")]


@language.get("/v1/settings/email-template-language", responses=refuses(401, 403))
async def read_template_language(actor: Writer) -> TemplateLanguage:
    """Tell what a template may be written with: the filters and tests, and the variables that are always there."""
    return LANGUAGE


@router.get("", responses=refuses(401, 403, 422))
async def list_templates(actor: Writer, runtime: CurrentRuntime, locale: Locale = "en") -> TemplateList:
    """List every template, built-in and custom."""
    return TemplateList(items=await runtime.templates.entries(locale), next_cursor=None)


@router.post("", status_code=201, responses=refuses(401, 403, 409, 413, 415, 422))
async def create_template(
    body: CreateTemplate, actor: ActingWriter, runtime: CurrentRuntime, response: Response, locale: Locale = "en"
) -> EmailTemplate:
    """Make a template of one's own; its words are a draft until they are published."""
    return _tagged(response, await runtime.templates.create(body, locale, actor.name, actor.ip))


@router.get("/{key}", responses=refuses(401, 403, 404, 422))
async def read_template(
    key: Key, actor: Writer, runtime: CurrentRuntime, response: Response, locale: Locale = "en"
) -> EmailTemplate:
    """Show a template in one language: its draft, what is published, and the built-in words."""
    return _tagged(response, await runtime.templates.read(key, locale))


@router.put("/{key}/draft", responses=refuses(401, 403, 404, 409, 413, 415, 422, 428))
async def save_template_draft(
    key: Key,
    body: SaveDraft,
    actor: Writer,
    runtime: CurrentRuntime,
    response: Response,
    locale: Locale = "en",
    if_match: IfMatch = None,
) -> EmailTemplate:
    """Save a draft, with what is wrong with it; a broken one is kept, but cannot be published."""
    saved = await runtime.templates.save_draft(key, locale, body, if_match, actor.name, actor.ip)
    return _tagged(response, saved)


@router.post("/{key}/publish", status_code=201, responses=refuses(401, 403, 404, 409, 422, 503))
async def publish_template(
    key: Key, actor: ActingWriter, runtime: CurrentRuntime, locale: Locale = "en", if_match: IfMatch = None
) -> Published:
    """Make the draft the next version; it never changes again."""
    number = await runtime.templates.publish(key, locale, if_match, actor.name, actor.ip)
    return Published(version=number)


@router.get("/{key}/versions", responses=refuses(401, 403, 422))
async def list_template_versions(
    key: Key,
    actor: Writer,
    connection: Connection,
    locale: Locale = "en",
    limit: paging.Limit = 50,
    cursor: paging.RawCursor = None,
) -> VersionList:
    """List the published versions in one language, the newest first."""
    place = paging.decode(cursor, int)
    before = min(place[0], 2**31 - 1) if place else None
    found = await store.list_versions(connection, key, locale, before, limit + 1)
    page = found[:limit]
    return VersionList(items=page, next_cursor=paging.encode(page[-1].version) if len(found) > limit else None)


@router.get("/{key}/versions/{version}", responses=refuses(401, 403, 404, 422))
async def read_template_version(
    key: Key, version: Number, actor: Writer, connection: Connection, locale: Locale = "en"
) -> TemplateVersion:
    """Show one published version."""
    found = await store.read_version(connection, key, locale, version)
    if found is None:
        raise NotFound
    return found


@router.post("/{key}/versions/{version}/restore", responses=refuses(401, 403, 404, 409, 422, 428))
async def restore_template_version(
    key: Key,
    version: Number,
    actor: Writer,
    runtime: CurrentRuntime,
    response: Response,
    locale: Locale = "en",
    if_match: IfMatch = None,
) -> EmailTemplate:
    """Make a draft of an old version, in place of the draft there is."""
    restored = await runtime.templates.restore(key, locale, version, if_match, actor.name, actor.ip)
    return _tagged(response, restored)


@router.put("/{key}/samples", status_code=204, response_class=Response, responses=refuses(401, 403, 404, 413, 415, 422))
async def save_template_samples(key: Key, body: models.SaveSamples, actor: Writer, runtime: CurrentRuntime) -> None:
    """Keep the values to look at a template with, for everybody who edits it."""
    await runtime.templates.save_samples(key, body.variables)


@router.post(
    "/{key}/preview",
    response_model=Preview,
    responses=refuses(401, 403, 404, 413, 415, 422),
    openapi_extra=previews.REQUEST_BODY,
)
async def preview_template(
    key: Key, actor: Writer, request: Request, runtime: CurrentRuntime, locale: Locale = "en"
) -> Any:
    """Show the mail as it would be sent: as JSON, or to a form's POST as the page itself, which can run nothing."""
    as_page = previews.is_form(request)
    try:
        wanted = await previews.read(request)
        preview = await runtime.templates.preview(key, locale, wanted)
    except Refusal as refusal:
        if as_page and refusal.status == 422:
            return previews.refused_page(refusal)
        raise
    return previews.page(preview, forced_dark=wanted.forced_dark) if as_page else preview


@router.post("/{key}/test", status_code=202, responses=refuses(401, 403, 404, 409, 413, 415, 422))
async def send_test_email(
    key: Key, body: models.SendTestEmail, actor: ActingWriter, runtime: CurrentRuntime, locale: Locale = "en"
) -> models.TestSent:
    """Send a template as it stands, or one version of it, to look at it; its log entry is that of any message."""
    to = body.to or await _own_address(runtime, actor)
    sent = await runtime.emails.send_test(key, locale, body.version, to, body.variables, actor.name)
    return models.TestSent(email_id=sent.id)


@router.delete("/{key}", status_code=204, response_class=Response, responses=refuses(401, 403, 404, 422))
async def delete_template(key: Key, actor: ActingWriter, runtime: CurrentRuntime) -> None:
    """Delete a template of one's own; a built-in one goes back to its default words."""
    await runtime.templates.delete(key, actor.name, actor.ip)


async def _own_address(runtime: Runtime, actor: Actor) -> str:
    kind, _, identifier = actor.name.partition(":")
    if kind != "person":
        raise ValidationFailed(errors=[FieldError(loc=["body", "to"], msg="a key has no address: say whom", type="to")])
    async with runtime.database.connection() as connection:
        person = await accounts.read_person(connection, UUID(identifier))
    if person is None:
        raise NotFound
    return person[0].email


def _tagged(response: Response, template: EmailTemplate) -> EmailTemplate:
    response.headers["ETag"] = f'"{template.etag}"'
    return template
