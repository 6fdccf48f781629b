"""The process that templates are compiled and rendered in: it holds no secrets, opens nothing and can be killed.

It reads jobs from stdin, each a JSON text after its length in four bytes. A job is one of
`{"op": "check"|"publish", "source", "declared", "layout"}`, the same for "preview" with "values" and "always", and
`{"op": "render", "key", "prepared"?, "contexts"}`.

It answers to stdout alike, with the length of the whole in four bytes before. An answer is `{"diagnostics"}`, with
"prepared" and "rendered" where there are some; `{"unknown": true}` for a key whose template it does not have; or
`{"items": [{"rendered"} or {"diagnostics"}]}`, perhaps fewer than were asked for, with the lengths in bytes of subject,
HTML and text, which follow one after another behind the JSON. After `"last": true` it ends.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from gatepost.mail.rendering import pipeline
from gatepost.mail.rendering.language.render import Compiled, render
from gatepost.mail.rendering.language.variables import Variable
from gatepost.mail.rendering.shapes import Prepared, Source
from gatepost.mail.rendering.types import Diagnostic, TemplateRefused

MEMORY = 512 * 1024 * 1024
KEPT = 200
# What one answer may grow to before the rest is left for the next.
ANSWER = 8_000_000

_LENGTH = struct.Struct(">I")
_compiled: OrderedDict[str, Compiled] = OrderedDict()


def main(parent: int) -> None:
    """Answer jobs until stdin ends; `parent` is the process that asks."""
    _die_with(parent)
    _limit()
    _write({"ready": True})
    while (job := _read()) is not None:
        answer = _answered(job)
        _write(answer)
        if answer.get("last"):
            return


def _answered(job: dict[str, Any]) -> dict[str, Any]:
    _limit_time(job.get("seconds", 1))
    try:
        return _OPERATIONS[job["op"]](job)
    except TemplateRefused as refusal:
        return {"diagnostics": [asdict(found) for found in refusal.diagnostics]}
    except (MemoryError, RecursionError):
        # Whatever is left in this process is not to be trusted with another template.
        msg = "This takes more memory than a template may; make it simpler."
        return {"diagnostics": [asdict(Diagnostic("html", "too-much-memory", "error", 1, 1, msg))], "last": True}
    except Exception:  # noqa: BLE001 - the parent is told nothing of the inside
        msg = "This template cannot be handled; make it simpler."
        return {"diagnostics": [asdict(Diagnostic("html", "render-failed", "error", 1, 1, msg))], "last": True}


def _check(job: dict[str, Any]) -> dict[str, Any]:
    found, _ = pipeline.prepare(_source(job), _declared(job), job["layout"])
    return {"diagnostics": [asdict(one) for one in found]}


def _publish(job: dict[str, Any]) -> dict[str, Any]:
    found, prepared = pipeline.prepare(_source(job), _declared(job), job["layout"])
    return {
        "diagnostics": [asdict(one) for one in found],
        "prepared": asdict(prepared) if prepared is not None else None,
    }


def _preview(job: dict[str, Any]) -> dict[str, Any]:
    found, rendered = pipeline.preview(_source(job), _declared(job), job["layout"], job["values"], job["always"])
    return {
        "diagnostics": [asdict(one) for one in found],
        "rendered": asdict(rendered) if rendered is not None else None,
    }


def _render(job: dict[str, Any]) -> dict[str, Any]:
    key = job["key"]
    compiled = _compiled.get(key)
    if compiled is None:
        if "prepared" not in job:
            return {"unknown": True}
        compiled = pipeline.compiled(Prepared(**job["prepared"]))
    _keep(key, compiled)
    items: list[dict[str, Any]] = []
    texts: list[bytes] = []
    size = 0
    for context in job["contexts"]:
        try:
            done = render(compiled, context)
        except TemplateRefused as refusal:
            items.append({"diagnostics": [asdict(found) for found in refusal.diagnostics]})
            continue
        parts = [part.encode() for part in (done.subject, done.html, done.text)]
        items.append({"rendered": [len(part) for part in parts]})
        texts += parts
        size += sum(map(len, parts))
        if size > ANSWER:
            break
    return {"items": items, "texts": texts}


def _keep(key: str, compiled: Compiled) -> None:
    if key:
        _compiled[key] = compiled
        _compiled.move_to_end(key)
        if len(_compiled) > KEPT:
            _compiled.popitem(last=False)


_OPERATIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "check": _check,
    "publish": _publish,
    "preview": _preview,
    "render": _render,
}


def _source(job: dict[str, Any]) -> Source:
    return Source(**job["source"])


def _declared(job: dict[str, Any]) -> list[Variable]:
    return [Variable(**variable) for variable in job["declared"]]


def _read() -> dict[str, Any] | None:
    head = _bytes(_LENGTH.size)
    body = _bytes(_LENGTH.unpack(head)[0]) if head else b""
    return json.loads(body) if body else None


def _bytes(count: int) -> bytes:
    pieces = []
    while count:
        piece = os.read(0, min(count, 1 << 20))
        if not piece:
            return b""
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _write(answer: dict[str, Any]) -> None:
    # What was rendered goes as it is: to spell it as JSON would take as long as to render it.
    texts: list[bytes] = answer.pop("texts", [])
    body = json.dumps(answer, separators=(",", ":")).encode()
    whole = b"".join([_LENGTH.pack(len(body)), body, *texts])
    data = memoryview(_LENGTH.pack(len(whole)) + whole)
    while data:
        data = data[os.write(1, data) :]


def _die_with(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - there is no other way to ask for it

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(0)


def _limit() -> None:
    sys.dont_write_bytecode = True
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on every platform

    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))


def _limit_time(seconds: int) -> None:
    """Allow this many seconds of processor more; the kernel ends the process beyond."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on every platform

    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 1 + seconds, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(os.getppid())
