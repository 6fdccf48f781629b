"""Measure the sandboxed renderer beside bare Jinja2 and, if npm is installed, react-email.

One process renders the built-in template new-device. Compare figures only within one run.
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

from gatepost import package_files
from gatepost.mail.rendering import Prepared, RenderPool, Source, Variable, check_values
from gatepost.mail.templates.files import LAYOUT, read_templates

_ROUNDS, _BATCHES, _BATCH = 5, 20, 100
_PEER = Path(__file__).with_name("react-email")


async def sandboxed(
    pool: RenderPool, prepared: Prepared, context: dict[str, object], batch: int, batches: int
) -> float:
    """Return emails per second in batches of this size. Two callers keep the process busy."""

    async def caller() -> None:
        for _ in range(batches // 2):
            await pool.render(prepared, [context] * batch)

    began = time.perf_counter()
    await asyncio.gather(caller(), caller())
    return batch * batches / (time.perf_counter() - began)


def bare(prepared: Prepared, context: dict[str, object]) -> float:
    """Return emails per second of Jinja2 in this process: with escaping, without a sandbox."""
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
    """Render in turns and print the rates."""
    template = read_templates(package_files.emails())["new-device"]
    content = template.sources["en"]
    declared = [Variable(**each.model_dump()) for each in template.variables]
    source = Source(subject=content.subject, html=content.html, text=content.text, preheader=content.preheader)
    values = {each.name: each.example for each in declared}
    context = check_values(declared, values, locale="en", product_name="Gatepost")
    pool = RenderPool((package_files.emails() / LAYOUT).read_text(encoding="utf-8"), size=1)
    await pool.start()
    prepared, _ = await pool.publish(source, declared, "new-device")
    rates: dict[str, list[float]] = {"batches of 100": [], "one by one": [], "bare Jinja2": []}
    for _ in range(_ROUNDS):
        rates["batches of 100"].append(await sandboxed(pool, prepared, context, _BATCH, _BATCHES))
        rates["one by one"].append(await sandboxed(pool, prepared, context, 1, _BATCH))
        rates["bare Jinja2"].append(bare(prepared, context))
    await pool.close()
    for name, measured in rates.items():
        print(f"{name:20} {median(measured):8,.0f} emails/s  {min(measured):,.0f}-{max(measured):,.0f}")
    print("budget: 10,000 emails/s per core in batches of 100")


def react_email() -> None:
    """Print the rate of react-email, which is installed for this run only."""
    if not shutil.which("npm"):
        print("react-email: skipped, npm is not installed")
        return
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(_PEER, name, dirs_exist_ok=True)
        install = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        if subprocess.run(install, cwd=name, check=False).returncode:
            print("react-email: skipped, npm could not install it")
            return
        subprocess.run(["node", "mail.mjs"], cwd=name, check=True, env=os.environ | {"NODE_ENV": "production"})


if __name__ == "__main__":
    asyncio.run(run())
    react_email()
