"""The program of a sandbox process, which compiles and renders templates with limits on memory and CPU time.

The process has no secrets, opens no files and can be killed at any time. It reads jobs from stdin, each as its length
in four bytes and JSON. A job is one of:

- `{"op": "check" | "publish", "source", "declared", "layout", "reserved_links"}`
- `{"op": "preview", "source", "declared", "layout", "reserved_links", "values", "built_in"}`
- `{"op": "render", "key", "prepared"?, "contexts"}`

It writes answers to stdout: the length of the whole answer in four bytes, the length of its JSON in four bytes, and the
JSON. An answer is one of:

- `{"diagnostics"}`, after "publish" with "prepared" and after "preview" with "rendered"
- `{"invalid": [[variable, message]]}` after "preview" with values that do not match the declarations
- `{"unknown": true}` if it does not have the template of a key
- `{"items": [{"rendered"} or {"diagnostics"}]}`, which may be fewer than requested. `rendered` are the lengths in bytes
  of subject, HTML and text, which follow the JSON one after another.

After an answer with `"last": true` the process ends.
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
from gatepost.mail.rendering.language.render import Compiled
from gatepost.mail.rendering.language.variables import InvalidValues, Variable
from gatepost.mail.rendering.types import Prepared, RenderError, Source, render_error

MAX_MEMORY = 512 * 1024 * 1024
MAX_CACHED = 200
# Seconds of CPU time for one job.
MAX_TIME = 1
# Bytes of rendered text after which the remaining contexts are left for the next job.
MAX_ANSWER = 8_000_000

_LENGTH = struct.Struct(">I")
_cache: OrderedDict[str, Compiled] = OrderedDict()


def main(parent: int) -> None:
    """Answer jobs until stdin ends. `parent` is the process id of the pool's process."""
    _die_with(parent)
    _limit_resources()
    _write({"ready": True})
    while (job := _read()) is not None:
        answer = _answer(job)
        _write(answer)
        if answer.get("last"):
            return


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    _limit_time()
    try:
        return _OPERATIONS[job["op"]](job)
    except RenderError as error:
        return _diagnostics(error)
    except (MemoryError, RecursionError):
        # The state of this process is not trusted with another template.
        msg = "This template uses too much memory. Simplify it."
        return _diagnostics(render_error("html", "too-much-memory", msg)) | {"last": True}
    except Exception:  # noqa: BLE001 - details of the failure stay in the sandbox
        msg = "This template cannot be processed. Simplify it."
        return _diagnostics(render_error("html", "render-failed", msg)) | {"last": True}


def _check(job: dict[str, Any]) -> dict[str, Any]:
    found, _ = pipeline.prepare(_source(job), _declared(job), job["layout"], job["reserved_links"])
    return {"diagnostics": [asdict(one) for one in found]}


def _publish(job: dict[str, Any]) -> dict[str, Any]:
    found, prepared = pipeline.prepare(_source(job), _declared(job), job["layout"], job["reserved_links"])
    return {
        "diagnostics": [asdict(one) for one in found],
        "prepared": asdict(prepared) if prepared is not None else None,
    }


def _preview(job: dict[str, Any]) -> dict[str, Any]:
    try:
        found, rendered = pipeline.preview(
            _source(job), _declared(job), job["layout"], job["values"], job["built_in"], job["reserved_links"]
        )
    except InvalidValues as error:
        return {"invalid": error.errors}
    return {
        "diagnostics": [asdict(one) for one in found],
        "rendered": asdict(rendered) if rendered is not None else None,
    }


def _render(job: dict[str, Any]) -> dict[str, Any]:
    key = job["key"]
    compiled = _cache.get(key)
    if compiled is None:
        if "prepared" not in job:
            return {"unknown": True}
        compiled = pipeline.compile_prepared(Prepared(**job["prepared"]))
    _remember(key, compiled)
    items: list[dict[str, Any]] = []
    texts: list[bytes] = []
    size = 0
    for context in job["contexts"]:
        try:
            rendered = pipeline.render(compiled, context)
        except RenderError as error:
            items.append(_diagnostics(error))
            continue
        parts = [part.encode() for part in (rendered.subject, rendered.html, rendered.text)]
        items.append({"rendered": [len(part) for part in parts]})
        texts += parts
        size += sum(map(len, parts))
        if size > MAX_ANSWER:
            break
    return {"items": items, "texts": texts}


def _remember(key: str, compiled: Compiled) -> None:
    if key:
        _cache[key] = compiled
        _cache.move_to_end(key)
        if len(_cache) > MAX_CACHED:
            _cache.popitem(last=False)


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


def _diagnostics(error: RenderError) -> dict[str, Any]:
    return {"diagnostics": [asdict(found) for found in error.diagnostics]}


def _read() -> dict[str, Any] | None:
    head = _read_bytes(_LENGTH.size)
    body = _read_bytes(_LENGTH.unpack(head)[0]) if head else b""
    return json.loads(body) if body else None


def _read_bytes(count: int) -> bytes:
    pieces = []
    while count:
        piece = os.read(0, min(count, 1 << 20))
        if not piece:
            return b""
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _write(answer: dict[str, Any]) -> None:
    # Rendered texts are written as they are: encoding them as JSON takes as long as rendering them.
    texts: list[bytes] = answer.pop("texts", [])
    body = json.dumps(answer, separators=(",", ":")).encode()
    whole = b"".join([_LENGTH.pack(len(body)), body, *texts])
    data = memoryview(_LENGTH.pack(len(whole)) + whole)
    while data:
        data = data[os.write(1, data) :]


def _die_with(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - only needed here

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            sys.exit(0)


def _limit_resources() -> None:
    sys.dont_write_bytecode = True
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not available on Windows

    for what, limit in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (limit, limit))


def _limit_time() -> None:
    """Have the kernel end the process when the next job exceeds its CPU time."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not available on Windows

    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 1 + MAX_TIME, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(os.getppid())
