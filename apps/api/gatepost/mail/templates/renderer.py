"""The renderer as the service uses it: models in, models out, and refusals in the contract's shape."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from gatepost.errors import (
    FieldError,
    Refusal,
    ServiceUnavailable,
    TemplateDiagnostic,
    TemplateInvalid,
    ValidationFailed,
)
from gatepost.mail.rendering.isolation.pool import RenderBusy, RenderPool
from gatepost.mail.rendering.isolation.process import ChildDied
from gatepost.mail.rendering.language.variables import ValuesRefused, Variable, check_values
from gatepost.mail.rendering.shapes import Prepared, Rendered, Source
from gatepost.mail.rendering.types import Diagnostic, TemplateRefused
from gatepost.mail.templates.files import LAYOUT
from gatepost.mail.templates.models import Preview, TemplateSource
from gatepost.mail.templates.words import Words
from gatepost.settings import Settings

_PREVIEWS_KEPT = 8


class Renderer:
    """Checks, prepares and renders templates in processes of their own; they start when the first template comes."""

    def __init__(self, settings: Settings, emails: Path) -> None:
        self._product_name = settings.product_name
        self._sender = settings.sender
        self._pool = RenderPool((emails / LAYOUT).read_text(encoding="utf-8"))
        self._starting = asyncio.Lock()
        self._started = False
        self._previews: OrderedDict[str, Preview] = OrderedDict()

    async def close(self) -> None:
        """End the processes."""
        await self._pool.close()

    async def check(self, source: TemplateSource) -> list[TemplateDiagnostic]:
        """Return what is wrong with a template.

        Raises:
            ServiceUnavailable: too many wait already.
        """
        pool = await self._ready()
        with _refusals():
            return _told(await pool.check(_source(source), declared_by(source)))

    async def prepare(self, source: TemplateSource, key: str = "") -> Prepared:
        """Return what is compiled of a template without errors, under a key that names this very content.

        Raises:
            TemplateInvalid: it has errors.
            ServiceUnavailable: too many wait already.
        """
        pool = await self._ready()
        with _refusals():
            prepared, _ = await pool.publish(_source(source), declared_by(source), key)
        return prepared

    async def preview(self, source: TemplateSource, values: Mapping[str, JsonValue], locale: str) -> Preview:
        """Return a mail as it would be sent; examples stand in for values that are not given.

        Raises:
            TemplateInvalid: the template has errors.
            ValidationFailed: a value does not fit its declaration.
            ServiceUnavailable: too many wait already.
        """
        # An editor asks twice, for its own use and for the frame that shows it.
        asked = json.dumps([source.model_dump(mode="json"), dict(values), locale])
        if asked not in self._previews:
            self._previews[asked] = await self._previewed(source, values, locale)
            if len(self._previews) > _PREVIEWS_KEPT:
                self._previews.popitem(last=False)
        return self._previews[asked]

    async def _previewed(self, source: TemplateSource, values: Mapping[str, JsonValue], locale: str) -> Preview:
        pool = await self._ready()
        declared = declared_by(source)
        always = {"locale": locale, "product_name": self._product_name}
        self.context([replace(each, required=False) for each in declared], values, locale)
        with _refusals():
            rendered, found = await pool.preview(_source(source), declared, values, **always)
        if rendered is None:
            raise TemplateInvalid(errors=_told(found))
        size = len(rendered.html.encode())
        return Preview(**asdict(rendered), sender=self._sender, size_bytes=size, diagnostics=_told(found))

    async def render(self, words: Words, values: Sequence[Mapping[str, JsonValue]]) -> list[Rendered | Refusal]:
        """Render published words once for each set of values, in their order; a refusal says why one cannot be.

        Raises:
            ServiceUnavailable: too many wait already.
        """
        done: list[Rendered | Refusal | None] = [None] * len(values)
        contexts: dict[int, Mapping[str, Any]] = {}
        for place, given in enumerate(values):
            try:
                contexts[place] = self.context(words.declared, given, words.locale)
            except ValidationFailed as refusal:
                done[place] = refusal
        for place, made in zip(contexts, await self._rendered(words, list(contexts.values())), strict=True):
            done[place] = made
        return [each for each in done if each is not None]

    def context(
        self, declared: Sequence[Variable], values: Mapping[str, JsonValue], locale: str
    ) -> Mapping[str, JsonValue]:
        """Return everything that a rendering knows.

        Raises:
            ValidationFailed: a value does not fit its declaration.
        """
        with _refusals():
            return check_values(declared, values, locale=locale, product_name=self._product_name)

    async def _rendered(self, words: Words, contexts: list[Mapping[str, Any]]) -> list[Rendered | Refusal]:
        pool = await self._ready()
        try:
            with _refusals():
                done = await pool.render(words.prepared, contexts)
        except TemplateInvalid as refusal:
            if len(contexts) == 1:
                return [refusal]
            # One of them holds up the others: each by itself.
            return [made for each in contexts for made in await self._rendered(words, [each])]
        return [
            TemplateInvalid(errors=_told(each.diagnostics)) if isinstance(each, TemplateRefused) else each
            for each in done
        ]

    async def _ready(self) -> RenderPool:
        async with self._starting:
            if not self._started:
                with _refusals():
                    await self._pool.start()
                self._started = True
        return self._pool


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except TemplateRefused as refused:
        raise TemplateInvalid(errors=_told(refused.diagnostics)) from None
    except ValuesRefused as refused:
        errors = [FieldError(loc=["body", "variables", name], msg=msg, type="variable") for name, msg in refused.errors]
        raise ValidationFailed("The values do not fit what the template declares.", errors=errors) from None
    except (RenderBusy, ChildDied, OSError, TimeoutError) as error:
        raise ServiceUnavailable("The service is busy rendering; try again in a moment.") from error


def _source(source: TemplateSource) -> Source:
    return Source(subject=source.subject, html=source.html, text=source.text, preheader=source.preheader)


def declared_by(source: TemplateSource) -> list[Variable]:
    """Return what a template declares."""
    return [Variable(**each.model_dump()) for each in source.variables]


def _told(diagnostics: Sequence[Diagnostic]) -> list[TemplateDiagnostic]:
    told: list[dict[str, Any]] = [asdict(each) for each in diagnostics]
    return [TemplateDiagnostic(**each) for each in told]
