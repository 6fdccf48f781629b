"""The rendering processes: one job at a time each, killed and replaced, and none left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from gatepost.mail.rendering.isolation.pool import RenderBusy, RenderPool
from gatepost.mail.rendering.shapes import Prepared, Rendered, Source
from gatepost.mail.rendering.types import TemplateRefused
from tests.rendering.support import ALWAYS, DECLARED, PLAIN, context, only, open_pool, running, working


async def test_the_way_of_a_template(pool: RenderPool) -> None:
    source = Source(
        "Hi {{ name }}",
        "<p>{{ name }} owes {{ amount | round(1) }}</p>\n{% for item in items %}<p>{{ item.title }}</p>{% endfor %}",
        preheader="Pay & go, {{ name }}",
    )
    found = await pool.check(source, DECLARED)
    assert [(one.rule, one.line) for one in found] == [("unused-variable", 3), ("unused-variable", 4)]
    prepared, warnings = await pool.publish(source, DECLARED, "key-1")
    assert warnings == found
    shown, _ = await pool.preview(source, DECLARED, {"name": "<Ann>"}, **ALWAYS)
    assert shown is not None
    values = context(name="<Ann>", amount=12.5, items=[{"title": "One", "price": 1}], pay_url="https://pay.example/1")
    assert await only(pool, prepared, values) == shown
    assert shown.subject == "Hi <Ann>"
    assert "<div>Pay &amp; go, &lt;Ann&gt;</div>" in shown.html
    assert "&lt;Ann&gt; owes 12.5" in shown.html
    assert "<Ann> owes 12.5" in shown.text


async def test_each_context_of_a_batch_for_itself(pool: RenderPool) -> None:
    prepared = Prepared("batch", "{{ name }}", "{{ 1 / amount }}", "text")
    contexts = [context(name=f"n{at}", amount=at % 3) for at in range(250)]
    done = await pool.render(prepared, contexts)
    assert len(done) == 250
    for at, one in enumerate(done):
        if at % 3 == 0:
            assert isinstance(one, TemplateRefused)
            assert [(found.part, found.rule) for found in one.diagnostics] == [("html", "render-failed")]
        else:
            assert isinstance(one, Rendered)
            assert one.subject == f"n{at}"


async def test_large_answers_come_in_pieces(pool: RenderPool) -> None:
    prepared = Prepared("large", "s", "{{ name }}" * 20, "{{ name }}" * 20)
    done = await pool.render(prepared, [context(name="x" * 20_000)] * 40)
    assert {type(one) for one in done} == {Rendered}
    assert len(done) == 40


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_killed_process_is_replaced(pool: RenderPool) -> None:
    before = pool.pids
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert await only(pool, PLAIN, context())
    await until(lambda: len(pool.pids) == 2 and not {*pool.pids} & {*before})
    assert not [pid for pid in before if running(pid)]


async def test_a_job_whose_process_is_killed_is_done_by_another() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        job = asyncio.create_task(pool.render(PLAIN, [context()] * 10))
        await until(pool._idle.empty)
        os.kill(pid, signal.SIGKILL)
        assert len(await job) == 10


async def test_a_job_given_up_leaves_no_answer_to_the_next() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        job = asyncio.create_task(pool.render(PLAIN, [context(name="given up")]))
        await until(pool._idle.empty)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert (await only(pool, PLAIN, context())).subject == "Hi Zoë"
        assert not running(pid)


async def test_too_many_waiting_and_closing() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        jobs = [asyncio.create_task(pool.render(PLAIN, [context()])) for _ in range(201)]
        await until(lambda: pool._waiting == 200)
        with pytest.raises(RenderBusy):
            await pool.render(PLAIN, [context()])
        await pool.close()
        done = await asyncio.gather(*jobs, return_exceptions=True)
        assert {type(one) for one in done} <= {RenderBusy, TemplateRefused}
        with pytest.raises(RenderBusy):
            await pool.render(PLAIN, [context()])


async def test_processes_end_with_their_parent() -> None:
    code = (
        "import asyncio, os\n"
        "from gatepost.mail.rendering.isolation.pool import RenderPool\n"
        "async def main():\n"
        "    pool = RenderPool('<!-- content -->', 2)\n"
        "    await pool.start()\n"
        "    print(*pool.pids, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await parent.communicate()
    pids = [int(pid) for pid in out.split()]
    assert len(pids) == 2
    await until(lambda: not [pid for pid in pids if working(pid)])


async def test_the_process_knows_nothing_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPOST_SECRET_KEY", "secret")
    async with open_pool(1) as pool:
        [pid] = pool.pids
        process = Path(f"/proc/{pid}")
        assert b"GATEPOST" not in (process / "environ").read_bytes()
        loaded = (process / "maps").read_text()
        assert "pydantic" not in loaded
        assert "asyncpg" not in loaded
        assert len(list((process / "fd").iterdir())) == 3
