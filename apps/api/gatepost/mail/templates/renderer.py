"""The renderer that services use: it takes and returns models, and raises API errors."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import JsonValue, TypeAdapter

from gatepost.errors import (
    ApiError,
    FieldError,
    ServiceUnavailable,
    TemplateDiagnostic,
    TemplateInvalid,
    ValidationFailed,
)
from gatepost.mail.rendering import (
    Diagnostic,
    InvalidValues,
    Prepared,
    Rendered,
    RenderError,
    RenderPool,
    RenderUnavailable,
    Source,
    Variable,
    check_values,
)
from gatepost.mail.templates.files import LAYOUT, read_templates, reserved_links
from gatepost.mail.templates.models import Preview, TemplateSource
from gatepost.settings import Settings

_PREVIEW_CACHE_SIZE = 8
_VALUES = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """A published version, ready to be rendered. `prepared.key` identifies its content."""

    locale: str
    declared: tuple[Variable, ...]
    prepared: Prepared


class Renderer:
    """Checks, prepares and renders templates in sandbox processes, which start with the first template."""

    def __init__(self, settings: Settings, emails: Path) -> None:
        self._product_name = settings.product_name
        self._sender = settings.sender
        self._links = reserved_links(read_templates(emails))
        self._pool = RenderPool((emails / LAYOUT).read_text(encoding="utf-8"), reserved_links=self._links)
        self._starting = asyncio.Lock()
        self._started = False
        self._previews: OrderedDict[str, Preview] = OrderedDict()

    async def close(self) -> None:
        """Stop the sandbox processes."""
        await self._pool.close()

    async def check(self, source: TemplateSource) -> list[TemplateDiagnostic]:
        """Return the errors and warnings of a template.

        Raises:
            ServiceUnavailable: too many calls are waiting.
        """
        pool = await self._ready()
        with _api_errors():
            return _diagnostics(await pool.check(_source(source), declared_variables(source)))

    def stored_variables(self, source: TemplateSource) -> tuple[Variable, ...]:
        """Return the variables of a published template. Links are links even if it was published before they were."""
        return tuple(
            replace(each, type="link") if each.name in self._links else each for each in declared_variables(source)
        )

    async def prepare(self, source: TemplateSource, key: str = "") -> Prepared:
        """Return the compiled form of a template without errors, under a key that identifies its content.

        Raises:
            TemplateInvalid: it has errors.
            ServiceUnavailable: too many calls are waiting.
        """
        pool = await self._ready()
        with _api_errors():
            prepared, _ = await pool.publish(_source(source), declared_variables(source), key)
        return prepared

    async def preview(self, source: TemplateSource, values: Mapping[str, JsonValue], locale: str) -> Preview:
        """Return an email as it would be sent; missing values are replaced by the examples.

        Raises:
            TemplateInvalid: the template has errors.
            ValidationFailed: a value does not match its declaration.
            ServiceUnavailable: too many calls are waiting.
        """
        # The editor requests each preview twice: as JSON, and as the page in a frame.
        request = source.model_dump_json() + _VALUES.dump_json(dict(values)).decode() + locale
        if request not in self._previews:
            self._previews[request] = await self._render_preview(source, values, locale)
            if len(self._previews) > _PREVIEW_CACHE_SIZE:
                self._previews.popitem(last=False)
        return self._previews[request]

    async def render(
        self, version: PublishedVersion, values: Sequence[Mapping[str, JsonValue]]
    ) -> list[Rendered | ApiError]:
        """Render a version with each set of values, in order. The result is an error where one fails.

        Raises:
            ServiceUnavailable: too many calls are waiting.
        """
        results: dict[int, Rendered | ApiError] = {}
        contexts: dict[int, Mapping[str, Any]] = {}
        for index, given in enumerate(values):
            try:
                contexts[index] = self.build_context(version.declared, given, version.locale)
                # Other tasks run between the emails of a batch.
                await asyncio.sleep(0)
            except ValidationFailed as error:
                results[index] = error
        rendered = await self._render(version, list(contexts.values()))
        results |= dict(zip(contexts, rendered, strict=True))
        return [results[index] for index in range(len(values))]

    def build_context(
        self, declared: Sequence[Variable], values: Mapping[str, JsonValue], locale: str
    ) -> Mapping[str, JsonValue]:
        """Return the context of a rendering: the given values and the built-in variables.

        Raises:
            ValidationFailed: a value does not match its declaration.
        """
        with _api_errors():
            return check_values(declared, values, locale=locale, product_name=self._product_name)

    async def _render_preview(self, source: TemplateSource, values: Mapping[str, JsonValue], locale: str) -> Preview:
        pool = await self._ready()
        declared = declared_variables(source)
        with _api_errors():
            rendered, found = await pool.preview(
                _source(source), declared, values, locale=locale, product_name=self._product_name
            )
        if rendered is None:
            raise TemplateInvalid(errors=_diagnostics(found))
        size = len(rendered.html.encode())
        return Preview(**asdict(rendered), sender=self._sender, size_bytes=size, diagnostics=_diagnostics(found))

    async def _render(self, version: PublishedVersion, contexts: list[Mapping[str, Any]]) -> list[Rendered | ApiError]:
        pool = await self._ready()
        try:
            with _api_errors():
                results = await pool.render(version.prepared, contexts)
        except TemplateInvalid as error:
            if len(contexts) == 1:
                return [error]
            # Together they exceed a limit, or one of them does.
            return [result for each in contexts for result in await self._render(version, [each])]
        return [
            TemplateInvalid(errors=_diagnostics(each.diagnostics)) if isinstance(each, RenderError) else each
            for each in results
        ]

    async def _ready(self) -> RenderPool:
        async with self._starting:
            if not self._started:
                with _api_errors():
                    await self._pool.start()
                self._started = True
        return self._pool


@contextmanager
def _api_errors() -> Iterator[None]:
    try:
        yield
    except RenderError as error:
        raise TemplateInvalid(errors=_diagnostics(error.diagnostics)) from None
    except InvalidValues as error:
        errors = [FieldError(loc=["body", "variables", name], msg=msg, type="variable") for name, msg in error.errors]
        raise ValidationFailed("The values do not match the variables of the template.", errors=errors) from None
    except RenderUnavailable as error:
        raise ServiceUnavailable("Too many templates are being rendered. Try again in a moment.") from error


def _source(source: TemplateSource) -> Source:
    return Source(subject=source.subject, html=source.html, text=source.text, preheader=source.preheader)


def declared_variables(source: TemplateSource) -> list[Variable]:
    """Return the variables that a template declares."""
    # Not `model_dump`, which copies the examples, however large they are.
    return [Variable(each.name, each.type, each.required, each.example, each.description) for each in source.variables]


def _diagnostics(diagnostics: Sequence[Diagnostic]) -> list[TemplateDiagnostic]:
    return [TemplateDiagnostic.model_validate(asdict(each)) for each in diagnostics]
