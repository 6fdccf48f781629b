"""The processes that render, and the way to them: one job at a time each; one that takes too long is replaced."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from typing import Any

from gatepost.mail.rendering.isolation.process import ChildDied, ChildProcess
from gatepost.mail.rendering.language.variables import Variable
from gatepost.mail.rendering.shapes import Prepared, Rendered, Source
from gatepost.mail.rendering.types import Diagnostic, TemplateRefused, has_errors, refused

MAX_WAITING = 200
MAX_WAIT = 10.0
MAX_BATCH = 100
MAX_JOB = 24_000_000
ATTEMPTS = 3
LIMIT = 0.8
LIMIT_MORE = 0.02

_TOO_SLOW = "This takes longer to render than a template may; make its loops smaller."
_TOO_MUCH = "This takes more memory than a template may; make it simpler."
_START_AGAIN = 0.5


class RenderBusy(Exception):
    """Too many jobs are waiting, or the pool is closed; try again later."""


class RenderPool:
    """Child processes that check and render templates; `layout` is the page around templates that are parts of one.

    Authors' jobs never take the last process, so that a template that burns does not hold up what is being sent.
    """

    def __init__(self, layout: str, size: int | None = None) -> None:
        self._layout = layout
        self._size = size or min(2, os.cpu_count() or 1)
        self._children: set[ChildProcess] = set()
        self._idle: asyncio.Queue[ChildProcess | None] = asyncio.Queue()
        self._authors = asyncio.Semaphore(max(1, self._size - 1))
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._open = False

    async def start(self) -> None:
        """Start every process and wait until all are ready.

        Raises:
            OSError, ChildDied, TimeoutError: they cannot be started.
        """
        self._open = True
        try:
            await asyncio.gather(*(self._add() for _ in range(self._size)))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End every process; whoever still waits is told that the pool is busy."""
        self._open = False
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(child.kill() for child in [*self._children]))
        self._children.clear()
        for _ in range(self._waiting):
            self._idle.put_nowait(None)

    @property
    def pids(self) -> list[int]:
        """The processes that are running."""
        return [child.pid for child in self._children]

    async def check(self, source: Source, declared: Sequence[Variable]) -> list[Diagnostic]:
        """Return everything that is wrong with a template; what takes too long is a diagnostic too.

        Raises:
            RenderBusy: try again later.
        """
        return _diagnostics(await self._author("check", source, declared))

    async def publish(
        self, source: Source, declared: Sequence[Variable], key: str = ""
    ) -> tuple[Prepared, list[Diagnostic]]:
        """Check a template and return it ready to be rendered, under `key`, with the warnings.

        Raises:
            TemplateRefused: it has errors.
            RenderBusy: try again later.
        """
        answer = await self._author("publish", source, declared)
        found = _diagnostics(answer)
        if answer.get("prepared") is None or has_errors(found):
            raise TemplateRefused(found)
        return Prepared(**{**answer["prepared"], "key": key}), found

    async def preview(
        self,
        source: Source,
        declared: Sequence[Variable],
        values: Mapping[str, Any],
        *,
        locale: str,
        product_name: str,
    ) -> tuple[Rendered | None, list[Diagnostic]]:
        """Render as a sending would; examples stand in for values that are not given. None where it has errors.

        Raises:
            RenderBusy: try again later.
        """
        always = {"locale": locale, "product_name": product_name}
        answer = await self._author("preview", source, declared, values=dict(values), always=always)
        rendered = answer.get("rendered")
        return Rendered(**rendered) if rendered is not None else None, _diagnostics(answer)

    async def render(
        self, prepared: Prepared, contexts: Sequence[Mapping[str, Any]]
    ) -> list[Rendered | TemplateRefused]:
        """Render a published template once for each context, as `check_values` returns them, in their order.

        A context that is refused does not hold up the others; what takes too long stops them all.

        Raises:
            TemplateRefused: the template itself, `too-slow`, `too-much-memory` or `too-large`.
            RenderBusy: try again later.
        """
        done: list[Rendered | TemplateRefused] = []
        while len(done) < len(contexts):
            some = [dict(context) for context in contexts[len(done) : len(done) + MAX_BATCH]]
            answer = await self._render(prepared, some)
            if "items" not in answer:
                raise TemplateRefused(_diagnostics(answer))
            done += [_item(item) for item in answer["items"]]
        return done

    async def _author(self, op: str, source: Source, declared: Sequence[Variable], **more: Any) -> dict[str, Any]:
        job = {
            "op": op,
            "source": asdict(source),
            "declared": [asdict(one) for one in declared],
            "layout": self._layout,
            **more,
        }
        try:
            async with self._turn(self._authors):
                return await self._done(lambda _: [_encoded(job)], LIMIT)
        except TemplateRefused as refusal:
            return {"diagnostics": [asdict(found) for found in refusal.diagnostics]}

    async def _render(self, prepared: Prepared, contexts: list[dict[str, Any]]) -> dict[str, Any]:
        job: dict[str, Any] = {"op": "render", "key": prepared.key, "contexts": contexts}
        whole = job | {"prepared": asdict(prepared)}

        def messages(child: ChildProcess) -> Iterator[bytes]:
            # The template crosses once: the process may have forgotten it, though, and then asks for it again.
            if prepared.key in child.known:
                yield _encoded(job)
            child.known.add(prepared.key)
            yield _encoded(whole)

        return await self._done(messages, LIMIT + LIMIT_MORE * len(contexts))

    async def _done(self, messages: Callable[[ChildProcess], Iterable[bytes]], limit: float) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            child = await self._free()
            healthy = False
            try:
                async with asyncio.timeout(limit):
                    answer = await _asked(child, messages(child))
                healthy = not answer.get("last")
            except TimeoutError:
                raise refused("html", "too-slow", _TOO_SLOW) from None
            except ChildDied as death:
                if death.over_time:
                    raise refused("html", "too-slow", _TOO_SLOW) from None
                continue
            finally:
                # Cancelled, late or dying: whoever watches it starts another.
                if healthy:
                    self._idle.put_nowait(child)
                else:
                    child.end()
            return answer
        raise refused("html", "too-much-memory", _TOO_MUCH)

    async def _free(self) -> ChildProcess:
        with self._in_line():
            try:
                async with asyncio.timeout(MAX_WAIT):
                    child = await self._idle.get()
                    while child is not None and not child.alive:
                        child = await self._idle.get()
            except TimeoutError:
                raise RenderBusy from None
        if child is None or not self._open:
            raise RenderBusy
        return child

    @asynccontextmanager
    async def _turn(self, semaphore: asyncio.Semaphore) -> AsyncIterator[None]:
        with self._in_line():
            try:
                async with asyncio.timeout(MAX_WAIT):
                    await semaphore.acquire()
            except TimeoutError:
                raise RenderBusy from None
        try:
            yield
        finally:
            semaphore.release()

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        if not self._open or self._waiting >= MAX_WAITING:
            raise RenderBusy
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _add(self) -> None:
        child = await ChildProcess.start()
        self._children.add(child)
        self._watch(self._replace(child))
        self._idle.put_nowait(child)

    def _watch(self, task: Coroutine[Any, Any, None]) -> None:
        watching = asyncio.create_task(task)
        self._tasks.add(watching)
        watching.add_done_callback(self._tasks.discard)

    async def _replace(self, child: ChildProcess) -> None:
        """Wait for the end of a process, whatever brings it about, and start another."""
        await child.wait()
        await child.kill()
        self._children.discard(child)
        while self._open:
            try:
                await self._add()
            except (OSError, ChildDied):
                await asyncio.sleep(_START_AGAIN)
            else:
                return


async def _asked(child: ChildProcess, messages: Iterable[bytes]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for message in messages:
        answer = await child.ask(message)
        if "unknown" not in answer:
            break
    return answer


def _encoded(job: dict[str, Any]) -> bytes:
    data = json.dumps(job, separators=(",", ":")).encode()
    if len(data) > MAX_JOB:
        raise refused("html", "too-large", "The template and its values are too large; send less.")
    return data


def _diagnostics(answer: dict[str, Any]) -> list[Diagnostic]:
    return [Diagnostic(**found) for found in answer["diagnostics"]]


def _item(item: dict[str, Any]) -> Rendered | TemplateRefused:
    return Rendered(*item["rendered"]) if "rendered" in item else TemplateRefused(_diagnostics(item))
