"""Templates as files: the built-in ones, and those that a team keeps in git. A folder each, a folder a language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from gatepost.errors import ConfigurationError
from gatepost.mail.templates.models import TemplateSource, TemplateVariable

LAYOUT = "layouts/default.html"
FALLBACK = "en"


@dataclass(frozen=True)
class TemplateFiles:
    """A template in a folder: what it is called, what it declares, and its words by language.

    `security` mail overtakes the rest, and is never suppressed silently; `notice` says to its recipient when it comes.
    Both are of the built-in ones alone.
    """

    key: str
    name: str
    description: str
    variables: list[TemplateVariable]
    sources: Mapping[str, TemplateSource]
    security: bool = False
    notice: str | None = None


def read_templates(directory: Path) -> dict[str, TemplateFiles]:
    """Return the templates of a directory by key.

    Raises:
        ConfigurationError: a file is missing or is not what it should be.
    """
    return {path.parent.name: _read(path.parent) for path in sorted(directory.glob("*/template.toml"))}


def fallbacks(locale: str) -> list[str]:
    """Return the languages to look in, the best first: `fr-CA`, `fr`, `en`."""
    chain = [locale, locale.partition("-")[0], FALLBACK]
    return list(dict.fromkeys(chain))


def write_template(directory: Path, template: TemplateFiles) -> None:
    """Write a template's files; a language that it has no words in any more keeps its files."""
    folder = directory / template.key
    folder.mkdir(parents=True, exist_ok=True)
    variables = [each.model_dump(exclude_none=True) for each in template.variables]
    described = {"name": template.name, "description": template.description, "variables": variables}
    (folder / "template.toml").write_text(tomli_w.dumps(described), encoding="utf-8")
    for locale, source in template.sources.items():
        (folder / locale).mkdir(exist_ok=True)
        for name, words in _files(source).items():
            path = folder / locale / name
            if words is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(words, encoding="utf-8", newline="")


def as_text(source: TemplateSource) -> dict[str, str]:
    """Return the parts of a source as the files that hold them, for a diff."""
    variables = [each.model_dump(exclude_none=True) for each in source.variables]
    declared = tomli_w.dumps({"variables": variables})
    return {"variables": declared} | {name: words for name, words in _files(source).items() if words is not None}


def _files(source: TemplateSource) -> dict[str, str | None]:
    return {
        "subject.txt": source.subject + "\n",
        "preheader.txt": source.preheader + "\n",
        "body.html": source.html,
        "body.txt": source.text,
    }


def _read(directory: Path) -> TemplateFiles:
    try:
        return _parse(directory)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{directory}: {str(error).splitlines()[0]}") from None


def _parse(directory: Path) -> TemplateFiles:
    described = tomllib.loads((directory / "template.toml").read_text(encoding="utf-8"))
    variables = [TemplateVariable(**each) for each in described.get("variables", [])]
    sources = {path.parent.name: _source(path.parent, variables) for path in sorted(directory.glob("*/body.html"))}
    return TemplateFiles(
        directory.name,
        described["name"],
        described["description"],
        variables,
        sources,
        described.get("security", False),
        described.get("notice"),
    )


def _source(directory: Path, variables: list[TemplateVariable]) -> TemplateSource:
    text = directory / "body.txt"
    return TemplateSource(
        subject=_words(directory / "subject.txt").strip(),
        preheader=_words(directory / "preheader.txt").strip(),
        html=_words(directory / "body.html"),
        text=_words(text) if text.exists() else None,
        variables=variables,
    )


def _words(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()
