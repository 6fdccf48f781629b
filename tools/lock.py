"""Write the lock files: requirements/*.txt with hashes, and apps/web/package-lock.json.

Locked versions stay, unless pyproject.toml, requirements/*.in or package.json ask for others. With `--upgrade` the
newest Python packages are taken that they allow. `--check` writes nothing and needs no network: it compares the direct
dependencies with the lock files and fails where they differ.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "apps" / "web"
_COMPILE = ("--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header")
# Each file, with what uv makes it from. No index URL is written: where to install from is up to the machine.
_LOCKS = {
    "run.txt": ("pyproject.toml", "--extra", "embedded", "--group", "build"),
    "dev.txt": ("pyproject.toml", "--extra", "embedded", "--group", "build", "--group", "dev"),
    "bench.txt": ("requirements/bench.in",),
    "node.txt": ("requirements/node.in",),
    "docs.txt": ("requirements/docs.in",),
}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)", re.MULTILINE)


def main() -> int:
    """Write the lock files, or with `--check` name what is stale and return 1."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a lock file is stale")
    parser.add_argument("--upgrade", action="store_true", help="take the newest Python packages that are allowed")
    options = parser.parse_args()
    if not options.check:
        return write(upgrade=options.upgrade)
    stale = [*python_differences(), *web_differences()]
    for line in stale:
        print(line)
    if stale:
        print("Run `make lock`.")
    return 1 if stale else 0


def write(*, upgrade: bool) -> int:
    """Write the lock files; return the exit status of the first command that fails, else 0."""
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "compile", *_COMPILE, "--no-emit-index-url"]
    commands = [
        [*uv, *source, *(["--upgrade"] if upgrade else []), "--output-file", f"requirements/{name}"]
        for name, source in _LOCKS.items()
    ]
    commands.append(["npm", "--prefix", str(WEB), "install", "--package-lock-only", "--loglevel=error"])
    for command in commands:
        if status := subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603
            print(f"Locking failed: {' '.join(command)}", file=sys.stderr)
            return status
    return 0


def python_differences() -> Iterator[str]:
    """Name the direct dependencies that are missing, no longer wanted, or locked to a version that is not allowed."""
    for name, (source, *options) in _LOCKS.items():
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        if "://" in text:
            yield f"requirements/{name} contains a URL."
        pins = {canonicalize_name(package): version for package, version in _PIN.findall(text)}
        wanted = {canonicalize_name(each.name): each for each in _wanted(source, options)}
        for package in sorted(wanted.keys() | _direct(text, source)):
            if package not in wanted:
                yield f"requirements/{name}: {package} is no longer in {source}."
            elif package not in pins:
                yield f"requirements/{name}: {package} is missing."
            elif not wanted[package].specifier.contains(pins[package]):
                yield f"requirements/{name}: {package} {pins[package]} is not what {source} allows."


def _wanted(source: str, options: list[str]) -> Iterator[Requirement]:
    """Return the direct dependencies that a source asks for with these options of uv."""
    if source.endswith(".in"):
        lines = (ROOT / source).read_text(encoding="utf-8").splitlines()
    else:
        document = tomllib.loads((ROOT / source).read_text(encoding="utf-8"))
        chosen = list(zip(options[::2], options[1::2], strict=True))
        lines = [
            *document["project"]["dependencies"],
            *(
                line
                for option, extra in chosen
                if option == "--extra"
                for line in document["project"]["optional-dependencies"][extra]
            ),
            *(line for option, group in chosen if option == "--group" for line in document["dependency-groups"][group]),
        ]
    return (Requirement(line) for line in lines if line.strip() and not line.startswith("#"))


def _direct(text: str, source: str) -> set[NormalizedName]:
    """Return the packages that a requirements file holds because the source itself asks for them."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    named = re.compile(rf"# +(?:via )?(?:-r |.*\(){re.escape(source)}")
    return {canonicalize_name(match[1]) for block in blocks if (match := _PIN.match(block)) and named.search(block)}


def web_differences() -> Iterator[str]:
    """Name the direct dependencies that differ between package.json and its lock file."""
    manifest = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    locked = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"][""]
    for group in ("dependencies", "devDependencies"):
        given, found = manifest.get(group, {}), locked.get(group, {})
        for package in sorted(given.keys() | found.keys()):
            if given.get(package) != found.get(package):
                yield (
                    f"apps/web/package-lock.json: {package} is {found.get(package, 'missing')}, "
                    f"in package.json {given.get(package, 'missing')}."
                )


if __name__ == "__main__":
    sys.exit(main())
