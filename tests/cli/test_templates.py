"""`gatepost templates`: pulling into a folder, checking, comparing and publishing from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatepost import package_files
from gatepost.errors import ConfigurationError, NotFound
from gatepost.mail.templates import read_templates
from tests.support.cli import Result, run_here, run_processes


def run_templates(url: str, *arguments: object) -> Result:
    return run_here(("templates", *arguments), {"database_url": url})


def test_templates_are_pulled_changed_compared_and_pushed(database_url: str, tmp_path: Path) -> None:
    status, output, _ = run_templates(database_url, "pull", tmp_path)
    assert (status, output) == (0, f"Wrote {len(read_templates(package_files.emails()))} templates to {tmp_path}.\n")
    assert run_templates(database_url, "lint", tmp_path)[0] == 0
    assert run_templates(database_url, "push", tmp_path) == (0, "", "No changes.\n")

    (tmp_path / "welcome" / "en" / "subject.txt").write_text("Good to have you\n")
    status, output_, output = run_templates(database_url, "push", tmp_path, "--dry-run")
    assert (status, output) == (0, "1 change would be published.\n")
    assert "+Good to have you\n" in output_
    assert output_.count("\n@@") == 1
    assert run_templates(database_url, "push", tmp_path)[0] == 1
    assert run_templates(database_url, "push", tmp_path, "--yes")[1].endswith("Published 1 change.\n")
    assert run_templates(database_url, "push", tmp_path, "--yes")[2] == "No changes.\n"
    assert run_templates(database_url, "render", "welcome", "--part", "subject")[1] == "Good to have you\n"
    template = json.loads(run_templates(database_url, "show", "welcome", "--json")[1])
    assert (template["published"]["version"], template["published"]["published_by"]) == (1, "cli")


def test_a_new_template_is_pushed_in_all_its_locales(database_url: str, tmp_path: Path) -> None:
    run_templates(database_url, "pull", tmp_path, "welcome")
    (tmp_path / "welcome").rename(tmp_path / "hello")
    assert run_templates(database_url, "push", tmp_path, "--yes")[1].endswith("Published 2 changes.\n")
    listed = json.loads(run_templates(database_url, "list", "--json")[1])["items"]
    [hello] = [item for item in listed if item["key"] == "hello"]
    assert (hello["source"], hello["locales"], hello["published_version"]) == ("custom", ["de", "en"], 1)


def test_an_invalid_template_prevents_publishing(database_url: str, tmp_path: Path) -> None:
    run_templates(database_url, "pull", tmp_path)
    (tmp_path / "welcome" / "en" / "body.html").write_text("<p>\n{{ nmae }}</p>")
    (tmp_path / "verify-email" / "en" / "subject.txt").write_text("Other")
    status, _, output = run_templates(database_url, "lint", tmp_path)
    assert status == 1
    assert "welcome/en/html:2:4: error: " in output
    status, _, output = run_templates(database_url, "push", tmp_path, "--yes")
    assert status == 1
    assert "Nothing was published" in output
    listed = json.loads(run_templates(database_url, "list", "--json")[1])["items"]
    assert {item["published_version"] for item in listed} == {0}


def test_a_template_is_rendered_with_values(database_url: str) -> None:
    status, output_, _ = run_templates(database_url, "render", "welcome", "--set", "name=Ada", "--part", "text")
    assert status == 0
    assert "Ada" in output_
    status, _, output = run_templates(database_url, "render", "welcome", "--set", "login_url=javascript:alert(1)")
    assert status == 1
    assert "login_url" in output
    assert run_templates(database_url, "render", "welcome", "--set", "name")[0] == 2
    assert run_templates(database_url, "render", "welcome", "--part", "nonsense")[0] == 2


def test_unknown_templates_and_invalid_folders_are_errors(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        run_templates(database_url, "show", "nonsense")
    assert run_templates(database_url, "lint", tmp_path)[0] == 1
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "template.toml").write_text("name = 3")
    with pytest.raises(ConfigurationError, match="x"):
        run_templates(database_url, "lint", tmp_path)


def test_processes(database_url: str, tmp_path: Path) -> None:
    listed, output_, nothing = run_processes(
        {"database_url": database_url},
        ("templates", "list"),
        ("templates", "show", "welcome", "--locale", "de"),
        ("templates", "show", "nonsense"),
    )
    assert listed[0] == 0
    assert listed[1].splitlines()[0].split("\t")[0] == "KEY"
    assert len(listed[1].splitlines()) == 1 + len(read_templates(package_files.emails()))
    assert output_[1].splitlines()[0] == "key          welcome"
    assert nothing[0] == 2
    assert nothing[2].startswith("gatepost: No template has the key nonsense.")
    assert nothing[2].count("\n") == 1
