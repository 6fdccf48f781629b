"""`gatepost templates`: what counts, pulled into a folder, checked, compared and published from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatepost.errors import ConfigurationError, NotFound
from tests.shell import Ended, run_here, run_processes


def templates(url: str, *arguments: object) -> Ended:
    return run_here(("templates", *arguments), {"database_url": url})


def test_the_story(database_url: str, tmp_path: Path) -> None:
    """A team pulls the words, changes a subject, sees the difference, and publishes it."""
    status, told, _ = templates(database_url, "pull", tmp_path)
    assert (status, told) == (0, f"Wrote 7 templates into {tmp_path}.\n")
    assert templates(database_url, "lint", tmp_path)[0] == 0
    assert templates(database_url, "push", tmp_path) == (0, "", "Nothing differs.\n")

    (tmp_path / "welcome" / "en" / "subject.txt").write_text("Good to have you\n")
    status, shown, told = templates(database_url, "push", tmp_path, "--dry-run")
    assert (status, told) == (0, "1 would change.\n")
    assert "+Good to have you\n" in shown
    assert shown.count("\n@@") == 1
    assert templates(database_url, "push", tmp_path)[0] == 1
    assert templates(database_url, "push", tmp_path, "--yes")[1].endswith("Published 1.\n")
    assert templates(database_url, "push", tmp_path, "--yes")[2] == "Nothing differs.\n"
    assert templates(database_url, "render", "welcome", "--part", "subject")[1] == "Good to have you\n"
    there = json.loads(templates(database_url, "show", "welcome", "--json")[1])
    assert (there["published"]["version"], there["published"]["published_by"]) == (1, "shell")


def test_a_new_template_is_pushed_in_all_its_languages(database_url: str, tmp_path: Path) -> None:
    templates(database_url, "pull", tmp_path, "welcome")
    (tmp_path / "welcome").rename(tmp_path / "hello")
    assert templates(database_url, "push", tmp_path, "--yes")[1].endswith("Published 2.\n")
    listed = json.loads(templates(database_url, "list", "--json")[1])["items"]
    [hello] = [item for item in listed if item["key"] == "hello"]
    assert (hello["source"], hello["locales"], hello["published_version"]) == ("custom", ["de", "en"], 1)


def test_a_broken_one_publishes_nothing(database_url: str, tmp_path: Path) -> None:
    templates(database_url, "pull", tmp_path)
    (tmp_path / "welcome" / "en" / "body.html").write_text("<p>\n{{ nmae }}</p>")
    (tmp_path / "verify-email" / "en" / "subject.txt").write_text("Other")
    status, _, told = templates(database_url, "lint", tmp_path)
    assert status == 1
    assert "welcome/en/html:2:4: error: " in told
    status, _, told = templates(database_url, "push", tmp_path, "--yes")
    assert status == 1
    assert "nothing was published" in told
    listed = json.loads(templates(database_url, "list", "--json")[1])["items"]
    assert {item["published_version"] for item in listed} == {0}


def test_a_mail_is_rendered_with_values(database_url: str) -> None:
    status, shown, _ = templates(database_url, "render", "welcome", "--set", "name=Ada", "--part", "text")
    assert status == 0
    assert "Ada" in shown
    status, _, told = templates(database_url, "render", "welcome", "--set", "login_url=javascript:alert(1)")
    assert status == 1
    assert "login_url" in told
    assert templates(database_url, "render", "welcome", "--set", "name")[0] == 2
    assert templates(database_url, "render", "welcome", "--part", "nonsense")[0] == 2


def test_what_is_not_there_is_refused(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        templates(database_url, "show", "nonsense")
    assert templates(database_url, "lint", tmp_path)[0] == 1
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "template.toml").write_text("name = 3")
    with pytest.raises(ConfigurationError, match="x"):
        templates(database_url, "lint", tmp_path)


def test_as_processes(database_url: str, tmp_path: Path) -> None:
    listed, shown, nothing = run_processes(
        {"database_url": database_url},
        ("templates", "list"),
        ("templates", "show", "welcome", "--locale", "de"),
        ("templates", "show", "nonsense"),
    )
    assert listed[0] == 0
    assert listed[1].splitlines()[0].split("\t")[0] == "KEY"
    assert len(listed[1].splitlines()) == 8
    assert shown[1].splitlines()[0] == "key          welcome"
    assert (nothing[0], nothing[2]) == (2, "gatepost: There is nothing here.\n")
