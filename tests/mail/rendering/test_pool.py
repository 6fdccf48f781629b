"""The render pool: one job at a time per process, killed processes are replaced, and none is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from gatepost.mail.rendering import Prepared, Rendered, RenderError, RenderPool, RenderUnavailable, Source
from tests.support.processes import exists, is_running
from tests.support.rendering import ALWAYS, DECLARED, PLAIN, context, open_pool, render_one


async def test_a_template_is_checked_published_previewed_and_rendered(pool: RenderPool) -> None:
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
    assert await render_one(pool, prepared, values) == Rendered(shown.subject, shown.html, shown.text)
    assert shown.subject == "Hi <Ann>"
    assert "<div>Pay &amp; go, &lt;Ann&gt;</div>" in shown.html
    assert "&lt;Ann&gt; owes 12.5" in shown.html
    assert "<Ann> owes 12.5" in shown.text


async def test_each_context_of_a_batch_succeeds_or_fails_separately(pool: RenderPool) -> None:
    prepared = Prepared("batch", "{{ name }}", "{{ 1 / amount }}", "text")
    contexts = [context(name=f"n{at}", amount=at % 3) for at in range(250)]
    done = await pool.render(prepared, contexts)
    assert len(done) == 250
    for at, one in enumerate(done):
        if at % 3 == 0:
            assert isinstance(one, RenderError)
            assert [(found.part, found.rule) for found in one.diagnostics] == [("html", "render-failed")]
        else:
            assert isinstance(one, Rendered)
            assert one.subject == f"n{at}"


async def test_large_results(pool: RenderPool) -> None:
    prepared = Prepared("large", "s", "{{ name }}" * 20, "{{ name }}" * 20)
    done = await pool.render(prepared, [context(name="x" * 20_000)] * 40)
    assert {type(one) for one in done} == {Rendered}
    assert len(done) == 40


async def wait_for(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_killed_process_is_replaced(pool: RenderPool) -> None:
    old_pids = pool.pids
    for pid in old_pids:
        os.kill(pid, signal.SIGKILL)
    assert await render_one(pool, PLAIN, context())
    await wait_for(lambda: len(pool.pids) == 2 and not {*pool.pids} & {*old_pids})
    assert not [pid for pid in old_pids if exists(pid)]


async def test_a_job_whose_process_is_killed_is_done_by_another() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        job = asyncio.create_task(pool.render(PLAIN, [context()] * 10))
        await wait_for(pool._idle.empty)
        os.kill(pid, signal.SIGKILL)
        assert len(await job) == 10


async def test_the_result_of_a_canceled_job_does_not_reach_the_next() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        job = asyncio.create_task(pool.render(PLAIN, [context(name="canceled")]))
        await wait_for(pool._idle.empty)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert (await render_one(pool, PLAIN, context())).subject == "Hi Zoë"
        assert not exists(pid)


async def test_too_many_waiting_jobs_and_closing_raise_busy() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        jobs = [asyncio.create_task(pool.render(PLAIN, [context()])) for _ in range(201)]
        await wait_for(lambda: pool._waiting == 200)
        with pytest.raises(RenderUnavailable):
            await pool.render(PLAIN, [context()])
        await pool.close()
        done = await asyncio.gather(*jobs, return_exceptions=True)
        assert {type(one) for one in done} <= {RenderUnavailable, RenderError}
        with pytest.raises(RenderUnavailable):
            await pool.render(PLAIN, [context()])


async def test_processes_end_with_their_parent() -> None:
    code = (
        "import asyncio, os\n"
        "from gatepost.mail.rendering import RenderPool\n"
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
    await wait_for(lambda: not [pid for pid in pids if is_running(pid)])


async def test_a_process_has_no_settings_and_no_connections_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPOST_SECRET_KEY", "secret")
    async with open_pool(1) as pool:
        [pid] = pool.pids
        process = Path(f"/proc/{pid}")
        assert b"GATEPOST" not in (process / "environ").read_bytes()
        loaded = (process / "maps").read_text()
        assert "pydantic" not in loaded
        assert "asyncpg" not in loaded
        assert len(list((process / "fd").iterdir())) == 3
