"""Templates as files: the built-in ones, and those that a team keeps in git.

Each template is a folder with a `template.toml` and one folder per language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from gatepost.errors import ConfigurationError
from gatepost.mail.templates.models import TemplateSource, TemplateVariable

LAYOUT = "layouts/default.html"
FALLBACK_LOCALE = "en"


@dataclass(frozen=True)
class TemplateFiles:
    """A template in a folder; `sources` is its content by language.

    Only built-in templates have `security` and `notification`. Security emails are sent before others, and users cannot
    turn them off. `notification` tells users when they get this email. With `contains_secrets`, nobody but the
    recipients sees the emails of a template that is created from these files.
    """

    key: str
    name: str
    description: str
    variables: list[TemplateVariable]
    sources: Mapping[str, TemplateSource]
    security: bool = False
    notification: str | None = None
    contains_secrets: bool = False


def read_templates(directory: Path) -> dict[str, TemplateFiles]:
    """Return the templates of a directory by key.

    Raises:
        ConfigurationError: a file is missing or invalid.
    """
    return {path.parent.name: _read(path.parent) for path in sorted(directory.glob("*/template.toml"))}


def reserved_links(templates: Mapping[str, TemplateFiles]) -> frozenset[str]:
    """Return the names of the variables that are links with tokens in one of these templates."""
    return frozenset(each.name for template in templates.values() for each in template.variables if each.type == "link")


def fallback_locales(locale: str) -> list[str]:
    """Return the languages to look for, best match first: `fr-CA`, `fr`, `en`."""
    return list(dict.fromkeys([locale, locale.partition("-")[0], FALLBACK_LOCALE]))


def write_template(directory: Path, template: TemplateFiles) -> None:
    """Write a template's files. Files of languages that it does not have are left alone."""
    folder = directory / template.key
    folder.mkdir(parents=True, exist_ok=True)
    variables = [each.model_dump(exclude_none=True) for each in template.variables]
    metadata: dict[str, Any] = {"name": template.name, "description": template.description}
    if template.contains_secrets:
        metadata["contains_secrets"] = True
    metadata["variables"] = variables
    (folder / "template.toml").write_text(tomli_w.dumps(metadata), encoding="utf-8")
    for locale, source in template.sources.items():
        (folder / locale).mkdir(exist_ok=True)
        for name, content in _contents(source).items():
            path = folder / locale / name
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(content, encoding="utf-8", newline="")


def source_files(source: TemplateSource) -> dict[str, str]:
    """Return the contents of a source's files by name, for a diff; its variables are one of them."""
    variables = [each.model_dump(exclude_none=True) for each in source.variables]
    contents = {name: content for name, content in _contents(source).items() if content is not None}
    return {"variables": tomli_w.dumps({"variables": variables})} | contents


def _contents(source: TemplateSource) -> dict[str, str | None]:
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
    metadata = tomllib.loads((directory / "template.toml").read_text(encoding="utf-8"))
    variables = [TemplateVariable(**each) for each in metadata.get("variables", [])]
    sources = {path.parent.name: _source(path.parent, variables) for path in sorted(directory.glob("*/body.html"))}
    return TemplateFiles(
        directory.name,
        metadata["name"],
        metadata["description"],
        variables,
        sources,
        metadata.get("security", False),
        metadata.get("notification"),
        metadata.get("contains_secrets", False),
    )


def _source(directory: Path, variables: list[TemplateVariable]) -> TemplateSource:
    text = directory / "body.txt"
    return TemplateSource(
        subject=_read_text(directory / "subject.txt").strip(),
        preheader=_read_text(directory / "preheader.txt").strip(),
        html=_read_text(directory / "body.html"),
        text=_read_text(text) if text.exists() else None,
        variables=variables,
    )


def _read_text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()
