"""What a mail costs through the bounded renderer, beside bare Jinja2 and, where Node is there, react-email.

One process renders the built-in new-device mail; only the figures of one run beside one another mean anything.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from jinja2 import Environment, StrictUndefined

from gatepost import package_files as assets
from gatepost.mail.rendering.isolation.pool import RenderPool
from gatepost.mail.rendering.language.variables import Variable, check_values
from gatepost.mail.rendering.shapes import Prepared, Source
from gatepost.mail.templates.files import LAYOUT, read_templates

_ROUNDS, _BATCHES, _BATCH = 5, 20, 100
_PEER = Path(__file__).with_name("react-email")


async def bounded(pool: RenderPool, prepared: Prepared, context: dict[str, object], batch: int, batches: int) -> float:
    """Return how many mails a second, so many at a time, by two callers: the process has always one more to do."""

    async def caller() -> None:
        for _ in range(batches // 2):
            await pool.render(prepared, [context] * batch)

    began = time.perf_counter()
    await asyncio.gather(caller(), caller())
    return batch * batches / (time.perf_counter() - began)


def bare(prepared: Prepared, context: dict[str, object]) -> float:
    """Return how many mails a second Jinja2 renders in this process, escaping, but with no bounds."""
    parts = [
        Environment(autoescape=autoescape, undefined=StrictUndefined).from_string(part)
        for part, autoescape in ((prepared.subject, False), (prepared.html, True), (prepared.text, False))
    ]
    began = time.perf_counter()
    for _ in range(_BATCHES * _BATCH):
        for part in parts:
            part.render(context)
    return _BATCHES * _BATCH / (time.perf_counter() - began)


async def run() -> None:
    """Render, in turns, and print the rates."""
    template = read_templates(assets.emails())["new-device"]
    words = template.sources["en"]
    declared = [Variable(**each.model_dump()) for each in template.variables]
    source = Source(subject=words.subject, html=words.html, text=words.text, preheader=words.preheader)
    given = {each.name: each.example for each in declared}
    context = check_values(declared, given, locale="en", product_name="Gatepost")
    pool = RenderPool((assets.emails() / LAYOUT).read_text(encoding="utf-8"), size=1)
    await pool.start()
    prepared, _ = await pool.publish(source, declared, "new-device")
    rates: dict[str, list[float]] = {"a hundred at a time": [], "one at a time": [], "bare Jinja2": []}
    for _ in range(_ROUNDS):
        rates["a hundred at a time"].append(await bounded(pool, prepared, context, _BATCH, _BATCHES))
        rates["one at a time"].append(await bounded(pool, prepared, context, 1, _BATCH))
        rates["bare Jinja2"].append(bare(prepared, context))
    await pool.close()
    for name, kept in rates.items():
        print(f"{name:20} {median(kept):8,.0f} mails/s  {min(kept):,.0f}-{max(kept):,.0f}")
    print("budget: 10,000 mails/s a core, a hundred at a time")


def react_email() -> None:
    """Print the rate of react-email, installed for this run alone."""
    if not shutil.which("npm"):
        print("react-email: there is no npm")
        return
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(_PEER, name, dirs_exist_ok=True)
        install = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        if subprocess.run(install, cwd=name, check=False).returncode:
            print("react-email: it could not be installed")
            return
        subprocess.run(["node", "mail.mjs"], cwd=name, check=True, env=os.environ | {"NODE_ENV": "production"})


if __name__ == "__main__":
    asyncio.run(run())
    react_email()
