"""The reference lists every setting, with its default."""

from __future__ import annotations

from gatepost import Settings
from tests.support.docs.markdown import ROOT, table_of

ROWS = table_of(ROOT / "docs" / "reference" / "settings.md", "Setting")


def test_every_setting_is_listed_once() -> None:
    names = [name.strip("`").lower() for name, _, _ in ROWS]
    assert sorted(names) == sorted(Settings.model_fields)


def test_defaults_are_those_of_the_code() -> None:
    # What is written is read as the environment is: 5m and timedelta(minutes=5) are one default.
    shown = {name.strip("`").lower(): default.strip("`") for name, default, _ in ROWS}
    given = {name: default for name, default in shown.items() if default != "none"}
    settings, defaults = Settings(**given), Settings()
    assert {name: getattr(settings, name) for name in given} == {name: getattr(defaults, name) for name in given}
    unset = [getattr(defaults, name) for name in shown.keys() - given.keys()]
    assert all(value in (None, []) for value in unset)
