"""The render pool: sandbox processes that each do one job at a time. One that exceeds its limits is replaced."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, fields
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from gatepost.mail.rendering.isolation.process import SandboxExited, SandboxProcess
from gatepost.mail.rendering.language.variables import InvalidValues, Variable
from gatepost.mail.rendering.types import (
    Diagnostic,
    Prepared,
    Rendered,
    RenderedPreview,
    RenderError,
    Source,
    has_errors,
    render_error,
)

MAX_WAITING = 200
# Seconds.
MAX_WAIT = 10.0
MAX_BATCH = 100
# Bytes.
MAX_JOB = 24_000_000
ATTEMPTS = 3
# Seconds for a job, and in addition for each context that it renders.
TIME_LIMIT = 0.8
TIME_LIMIT_PER_CONTEXT = 0.02

_TOO_SLOW = "This template takes too long to render. Make its loops smaller."
_TOO_MUCH_MEMORY = "This template uses too much memory. Simplify it."
_TOO_LARGE = "The template and its values are too large. Send less."
_RESTART_DELAY = 0.5
# Five times as fast as `json`: a job may have tens of thousands of values.
_JOB = TypeAdapter(dict[str, Any])
_DECLARATION = [field.name for field in fields(Variable)]


class RenderUnavailable(Exception):
    """The pool cannot do a job now: too many are waiting, it is closed, or it cannot be started. Try again later."""


class RenderPool:
    """Sandbox processes that check and render templates. `layout` is the page around templates that are fragments.

    Variables with the names in `reserved_links` must be declared as links.

    Jobs for authors (check, publish, preview) never take the last process, so that a slow draft does not hold up
    sending.
    """

    def __init__(self, layout: str, size: int | None = None, reserved_links: Iterable[str] = ()) -> None:
        self._layout = layout
        self._reserved_links = sorted(reserved_links)
        self._size = size or min(2, os.cpu_count() or 1)
        self._sandboxes: set[SandboxProcess] = set()
        self._idle: asyncio.Queue[SandboxProcess | None] = asyncio.Queue()
        self._author_slots = asyncio.Semaphore(max(1, self._size - 1))
        self._watchers: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._open = False

    async def start(self) -> None:
        """Start every process and wait until all are ready.

        Raises:
            RenderUnavailable: a process cannot be started.
        """
        self._open = True
        try:
            await asyncio.gather(*(self._add() for _ in range(self._size)))
        except (OSError, SandboxExited) as error:
            await self.close()
            raise RenderUnavailable from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End every process. Jobs that are still waiting raise `RenderUnavailable`."""
        self._open = False
        for task in [*self._watchers]:
            task.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await asyncio.gather(*(sandbox.kill() for sandbox in [*self._sandboxes]))
        self._sandboxes.clear()
        for _ in range(self._waiting):
            self._idle.put_nowait(None)

    @property
    def pids(self) -> list[int]:
        """The ids of the running processes."""
        return [sandbox.pid for sandbox in self._sandboxes]

    async def check(self, source: Source, declared: Sequence[Variable]) -> list[Diagnostic]:
        """Return all problems of a template. Exceeding a limit is a diagnostic too.

        Raises:
            RenderUnavailable: try again later.
        """
        return _diagnostics(await self._author_job("check", source, declared))

    async def publish(
        self, source: Source, declared: Sequence[Variable], key: str = ""
    ) -> tuple[Prepared, list[Diagnostic]]:
        """Check a template and return it prepared for rendering, under `key`, with its warnings.

        Raises:
            RenderError: it has errors.
            RenderUnavailable: try again later.
        """
        answer = await self._author_job("publish", source, declared)
        found = _diagnostics(answer)
        if answer.get("prepared") is None or has_errors(found):
            raise RenderError(found)
        return Prepared(**{**answer["prepared"], "key": key}), found

    async def preview(
        self,
        source: Source,
        declared: Sequence[Variable],
        values: Mapping[str, Any],
        *,
        locale: str,
        product_name: str,
    ) -> tuple[RenderedPreview | None, list[Diagnostic]]:
        """Render a template as it would be sent; None if it has errors. Examples are used for missing values.

        Raises:
            InvalidValues: the values do not match the declarations.
            RenderUnavailable: try again later.
        """
        built_in = {"locale": locale, "product_name": product_name}
        answer = await self._author_job("preview", source, declared, values=dict(values), built_in=built_in)
        if "invalid" in answer:
            raise InvalidValues([(name, msg) for name, msg in answer["invalid"]])
        rendered = answer.get("rendered")
        return RenderedPreview(**rendered) if rendered is not None else None, _diagnostics(answer)

    async def render(self, prepared: Prepared, contexts: Sequence[Mapping[str, Any]]) -> list[Rendered | RenderError]:
        """Render a prepared template once for each context that `check_values` returned, in the same order.

        An error in one context does not affect the others; exceeding a limit fails all of them.

        Raises:
            RenderError: `too-slow`, `too-much-memory` or `too-large`, or the template itself has errors.
            RenderUnavailable: try again later.
        """
        done: list[Rendered | RenderError] = []
        while len(done) < len(contexts):
            batch = [dict(context) for context in contexts[len(done) : len(done) + MAX_BATCH]]
            answer = await self._render_batch(prepared, batch)
            if "items" not in answer:
                raise RenderError(_diagnostics(answer))
            done += [_item(item) for item in answer["items"]]
        return done

    async def _author_job(self, op: str, source: Source, declared: Sequence[Variable], **more: Any) -> dict[str, Any]:
        job = {
            "op": op,
            "source": asdict(source),
            # Not `asdict`, which copies the examples, however large they are.
            "declared": [{name: getattr(one, name) for name in _DECLARATION} for one in declared],
            "layout": self._layout,
            "reserved_links": self._reserved_links,
            **more,
        }
        try:
            async with self._author_slot():
                return await self._run(lambda _: [_encode(job)], TIME_LIMIT)
        except RenderError as error:
            return {"diagnostics": [asdict(found) for found in error.diagnostics]}

    async def _render_batch(self, prepared: Prepared, contexts: list[dict[str, Any]]) -> dict[str, Any]:
        job: dict[str, Any] = {"op": "render", "key": prepared.key, "contexts": contexts}
        job_with_template = job | {"prepared": asdict(prepared)}

        def messages(sandbox: SandboxProcess) -> Iterator[bytes]:
            # The template is sent once. The process may have dropped it from its cache since, and then asks for it.
            if prepared.key in sandbox.known:
                yield _encode(job)
            sandbox.known.add(prepared.key)
            yield _encode(job_with_template)

        return await self._run(messages, TIME_LIMIT + TIME_LIMIT_PER_CONTEXT * len(contexts))

    async def _run(self, messages: Callable[[SandboxProcess], Iterable[bytes]], limit: float) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            sandbox = await self._take_idle()
            healthy = False
            try:
                async with asyncio.timeout(limit):
                    answer = await _ask(sandbox, messages(sandbox))
                healthy = not answer.get("last")
            except TimeoutError:
                raise render_error("html", "too-slow", _TOO_SLOW) from None
            except SandboxExited as error:
                if error.over_time:
                    raise render_error("html", "too-slow", _TOO_SLOW) from None
                continue
            finally:
                if healthy:
                    self._idle.put_nowait(sandbox)
                else:
                    # Its watcher starts another.
                    sandbox.terminate()
            return answer
        raise render_error("html", "too-much-memory", _TOO_MUCH_MEMORY)

    async def _take_idle(self) -> SandboxProcess:
        with self._count_waiting():
            try:
                async with asyncio.timeout(MAX_WAIT):
                    sandbox = await self._idle.get()
                    while sandbox is not None and not sandbox.alive:
                        sandbox = await self._idle.get()
            except TimeoutError:
                raise RenderUnavailable from None
        if sandbox is None or not self._open:
            raise RenderUnavailable
        return sandbox

    @asynccontextmanager
    async def _author_slot(self) -> AsyncIterator[None]:
        with self._count_waiting():
            try:
                async with asyncio.timeout(MAX_WAIT):
                    await self._author_slots.acquire()
            except TimeoutError:
                raise RenderUnavailable from None
        try:
            yield
        finally:
            self._author_slots.release()

    @contextmanager
    def _count_waiting(self) -> Iterator[None]:
        if not self._open or self._waiting >= MAX_WAITING:
            raise RenderUnavailable
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _add(self) -> None:
        sandbox = await SandboxProcess.start()
        self._sandboxes.add(sandbox)
        self._start_watcher(self._replace_when_ended(sandbox))
        self._idle.put_nowait(sandbox)

    def _start_watcher(self, watcher: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(watcher)
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def _replace_when_ended(self, sandbox: SandboxProcess) -> None:
        await sandbox.wait()
        await sandbox.kill()
        self._sandboxes.discard(sandbox)
        while self._open:
            try:
                await self._add()
            except (OSError, SandboxExited):
                await asyncio.sleep(_RESTART_DELAY)
            else:
                return


async def _ask(sandbox: SandboxProcess, messages: Iterable[bytes]) -> dict[str, Any]:
    """Send messages until one is answered other than with `unknown`."""
    answer: dict[str, Any] = {}
    for message in messages:
        answer = await sandbox.ask(message)
        if "unknown" not in answer:
            break
    return answer


def _encode(job: dict[str, Any]) -> bytes:
    try:
        data = _JOB.dump_json(job)
    except PydanticSerializationError:
        # Text with lone surrogates, which UTF-8 cannot represent. The grammar reports them.
        data = json.dumps(job, separators=(",", ":")).encode()
    if len(data) > MAX_JOB:
        raise render_error("html", "too-large", _TOO_LARGE)
    return data


def _diagnostics(answer: dict[str, Any]) -> list[Diagnostic]:
    return [Diagnostic(**found) for found in answer["diagnostics"]]


def _item(item: dict[str, Any]) -> Rendered | RenderError:
    return Rendered(*item["rendered"]) if "rendered" in item else RenderError(_diagnostics(item))
