"""`gatepost migrate`, `gatepost seed` and `gatepost migrations copy`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.db.migrations import load
from gatepost.errors import ConfigurationError
from tests.support import RANDOM_SECRET
from tests.support.cli import configuration_error, in_parallel, run_here, run_process
from tests.support.database import connect

SERVE = ("serve", "--port", 0)


async def test_migrate_and_seed_can_be_repeated(empty_database: str, tmp_path: Path) -> None:
    settings = {"database_url": empty_database, "data_dir": tmp_path}
    for message in in_parallel(lambda command: configuration_error(command, settings), [SERVE, ("seed",)]):
        assert "run `gatepost migrate`" in message
    code, out, err = run_process(("migrate",), settings)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["Applied"] * len(load())
    assert run_process(("migrate",), settings) == (0, "The schema is up to date.\n", "")

    sign_ins = "Demo sign-in: demo@example.com / gatepost-demo\nAdmin sign-in: admin@example.com / gatepost-admin\n"
    for _ in range(2):
        assert run_process(("seed",), settings) == (0, sign_ins, "")
        async with connect(empty_database) as connection:
            users = await connection.fetch("select email, role from gatepost.users")
            assert {tuple(row) for row in users} == {("admin@example.com", "admin"), ("demo@example.com", "user")}
            assert await connection.fetchval("select count(*) from gatepost.sessions") == 2


def test_demo_data_is_rejected_in_production() -> None:
    settings = {
        "environment": "production",
        "secret_key": RANDOM_SECRET,
        "public_url": "https://acme.com",
        "mail_transport": "smtp",
        "smtp_url": "smtp://host",
        "mail_from": "a@acme.com",
    }
    with pytest.raises(ConfigurationError, match="GATEPOST_ENVIRONMENT: is production"):
        run_here(("seed",), settings)


def test_migrations_are_copied_once_and_never_overwritten(tmp_path: Path) -> None:
    code, out, err = run_process(("migrations", "copy", tmp_path), {})
    assert (code, err) == (0, "")
    files = sorted(tmp_path.iterdir())
    assert out == "".join(f"Copied {path}\n" for path in files)
    assert len(files) > 1
    repeated = run_here(("migrations", "copy", tmp_path), {})
    assert repeated == (0, "The directory has all migrations already.\n", "")
    assert sorted(tmp_path.iterdir()) == files

    files[0].unlink()
    files[-1].write_text("select 'mine';")
    assert configuration_error(("migrations", "copy", tmp_path), {}).startswith(f"{files[-1]}: already exists")
    assert files[-1].read_text() == "select 'mine';"
    assert not files[0].exists()
    with pytest.raises(ConfigurationError) as caught:
        run_here(("migrations", "copy", tmp_path / "none"), {})
    assert str(caught.value).startswith(f"{tmp_path / 'none'}: is not a directory")
