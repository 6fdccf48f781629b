"""`/v1/settings/email-templates`: templates are drafted, published, restored and deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from gatepost.accounts import AdminGuard, RecentAdmin
from gatepost.audit import Actor
from gatepost.http import ApiRoute, Connection, CurrentRuntime, pagination, problems
from gatepost.mail.templates import models
from gatepost.mail.templates.language import LANGUAGE, TemplateLanguage
from gatepost.mail.templates.models import (
    CreateTemplate,
    EmailTemplate,
    MarkSecrets,
    Published,
    SaveDraft,
    SaveSamples,
    SendTestEmail,
    TemplateList,
    TemplateVersion,
    TestSent,
    VersionList,
)


class _TemplateBodies(ApiRoute):
    """A route that accepts the content of a template or values for it."""

    max_body_bytes = models.MAX_BODY_BYTES


language = APIRouter(tags=["templates"], route_class=ApiRoute)
router = APIRouter(prefix="/v1/settings/email-templates", tags=["templates"], route_class=_TemplateBodies)

Writer = Annotated[Actor, Depends(AdminGuard("templates:write"))]
RecentWriter = Annotated[Actor, Depends(AdminGuard("templates:write", recent=True))]
Key = Annotated[models.Key, Path()]
Locale = Annotated[models.Locale, Query()]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
IfMatch = Annotated[str | None, Header(max_length=100, description="The ETag of the source that this replaces")]


@language.get("/v1/settings/email-template-language", responses=problems(401, 403))
async def read_template_language(actor: Writer) -> TemplateLanguage:
    """Return the tags, filters and tests that templates can use, and the variables that every template has."""
    return LANGUAGE


@router.get("", responses=problems(401, 403, 422))
async def list_templates(actor: Writer, runtime: CurrentRuntime, locale: Locale = "en") -> TemplateList:
    """List all templates, built-in and custom."""
    return TemplateList(items=await runtime.templates.list_templates(locale), next_cursor=None)


@router.post("", status_code=201, responses=problems(401, 403, 409, 413, 415, 422))
async def create_template(
    body: CreateTemplate, actor: RecentWriter, runtime: CurrentRuntime, response: Response, locale: Locale = "en"
) -> EmailTemplate:
    """Create a custom template. Its content is a draft until you publish it."""
    return _with_etag(response, await runtime.templates.create(body, locale, actor))


@router.get("/{key}", responses=problems(401, 403, 404, 422))
async def read_template(
    key: Key, actor: Writer, runtime: CurrentRuntime, response: Response, locale: Locale = "en"
) -> EmailTemplate:
    """Return a template in one language: its draft, published version and built-in source."""
    return _with_etag(response, await runtime.templates.read(key, locale))


@router.put("/{key}/draft", responses=problems(401, 403, 404, 409, 413, 415, 422, 428))
async def save_template_draft(
    key: Key,
    body: SaveDraft,
    actor: Writer,
    runtime: CurrentRuntime,
    response: Response,
    locale: Locale = "en",
    if_match: IfMatch = None,
) -> EmailTemplate:
    """Save a draft. It may have errors, which the response lists, but cannot be published before they are fixed."""
    saved = await runtime.templates.save_draft(key, locale, body, if_match, actor)
    return _with_etag(response, saved)


@router.post("/{key}/publish", status_code=201, responses=problems(401, 403, 404, 409, 422, 503))
async def publish_template(
    key: Key, actor: RecentWriter, runtime: CurrentRuntime, locale: Locale = "en", if_match: IfMatch = None
) -> Published:
    """Publish the draft as the next version, which never changes.

    An API key can publish only templates whose emails contain no links with tokens and no secrets.
    """
    version = await runtime.templates.publish(key, locale, if_match, actor)
    return Published(version=version)


@router.get("/{key}/versions", responses=problems(401, 403, 422))
async def list_template_versions(
    key: Key,
    actor: Writer,
    runtime: CurrentRuntime,
    connection: Connection,
    locale: Locale = "en",
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> VersionList:
    """List the published versions in one language, newest first."""
    return await runtime.templates.list_versions(connection, key, locale, cursor, limit)


@router.get("/{key}/versions/{version}", responses=problems(401, 403, 404, 422))
async def read_template_version(
    key: Key,
    version: Version,
    actor: Writer,
    runtime: CurrentRuntime,
    connection: Connection,
    locale: Locale = "en",
) -> TemplateVersion:
    """Return a published version."""
    return await runtime.templates.read_version(connection, key, locale, version)


@router.post("/{key}/versions/{version}/restore", responses=problems(401, 403, 404, 409, 422, 428))
async def restore_template_version(
    key: Key,
    version: Version,
    actor: Writer,
    runtime: CurrentRuntime,
    response: Response,
    locale: Locale = "en",
    if_match: IfMatch = None,
) -> EmailTemplate:
    """Save an old version as the draft. It replaces the current draft, if there is one."""
    restored = await runtime.templates.restore(key, locale, version, if_match, actor)
    return _with_etag(response, restored)


@router.put(
    "/{key}/samples", status_code=204, response_class=Response, responses=problems(401, 403, 404, 413, 415, 422)
)
async def save_template_samples(key: Key, body: SaveSamples, actor: Writer, runtime: CurrentRuntime) -> None:
    """Save sample values for previews, for everyone who edits this template."""
    await runtime.templates.save_samples(key, body.variables)


@router.put(
    "/{key}/secrets", status_code=204, response_class=Response, responses=problems(401, 403, 404, 409, 413, 415, 422)
)
async def mark_template_secrets(key: Key, body: MarkSecrets, actor: RecentAdmin, runtime: CurrentRuntime) -> None:
    """Say whether the emails of a template contain secrets.

    Then their subject and content are not shown, and erased once they are sent. This applies to emails that were sent
    before, too. API keys cannot do this.
    """
    await runtime.templates.mark_secrets(key, contains_secrets=body.contains_secrets, actor=actor)


@router.post("/{key}/test", status_code=202, responses=problems(401, 403, 404, 409, 413, 415, 422))
async def send_test_email(
    key: Key, body: SendTestEmail, actor: RecentWriter, runtime: CurrentRuntime, locale: Locale = "en"
) -> TestSent:
    """Send a test email of the current source, or of one version. It appears in the email log."""
    email = await runtime.emails.send_test_email(key, locale, body, actor)
    return TestSent(email_id=email.id)


@router.delete("/{key}", status_code=204, response_class=Response, responses=problems(401, 403, 404, 422))
async def delete_template(key: Key, actor: RecentWriter, runtime: CurrentRuntime) -> None:
    """Delete a custom template, or reset a built-in one to its default.

    An API key can do this only to templates whose emails contain no links with tokens and no secrets.
    """
    await runtime.templates.delete(key, actor)


def _with_etag(response: Response, template: EmailTemplate) -> EmailTemplate:
    response.headers["ETag"] = f'"{template.etag}"'
    return template
