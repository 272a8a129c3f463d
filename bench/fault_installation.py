"""An installation as it is served, on a disk of its own where one can be mounted, and what can be broken of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import psutil

from recobra.kit import clock, cluster_folders, database

ROOT = Path(__file__).resolve().parents[1]
MORNING = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # ten in Lima, when the law allows contact in all three countries
DISK_MB = 1_600
RESERVE_MB = 200
DISPATCHERS = 2
UNIT = ROOT / "deploy" / "systemd" / "recobra.service"


class Installation:
    """A data directory with what runs on it: `recobra serve`, started again as its systemd unit says when it ends."""

    def __init__(self, smtp_port: int) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="recobra-faults-")).resolve()
        self.has_own_disk = self._mount_disk()
        self.home.chmod(0o711)  # under root, the database's own user must reach its cluster
        self.port = find_free_port()
        self.log = self.home / "serve.log"  # on the disk that will be full
        self._stopped = threading.Event()
        self._keeper: threading.Thread | None = None
        self._served: subprocess.Popen[bytes] | None = None
        found = re.search(r"^RestartSec=(\d+)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
        assert found is not None
        self._restart_seconds = float(found.group(1))
        # Whole minutes: the worker's ticks are those of the real clock.
        shift_minutes = str(round((MORNING - datetime.now(tz=UTC)) / timedelta(minutes=1)))
        clock.shift_marker(self.home).write_text(shift_minutes, encoding="utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RECOBRA_")},
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "DJANGO_SETTINGS_MODULE": "recobra.config.settings",
            "RECOBRA_DATA_DIR": str(self.home),
            "RECOBRA_DEMO": "1",
            "RECOBRA_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            "RECOBRA_DISPATCHERS": str(DISPATCHERS),
            "RECOBRA_CYCLE_TIME": "23:59",  # the people ask for cycles
            "RECOBRA_CYCLE_TIME_ZONE": "America/Lima",
            "RECOBRA_DISK_RESERVE_MB": str(RESERVE_MB if self.has_own_disk else 1_024),
            "RECOBRA_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            clock.SHIFT_VARIABLE: shift_minutes,
        }

    def _mount_disk(self) -> bool:
        """Mount a small disk, which only root may; return whether that was possible."""
        if os.geteuid() != 0:
            return False
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=711", "tmpfs", str(self.home)]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the product to its end."""
        return subprocess.run(
            [sys.executable, "-m", "recobra.cli", *words, "--json"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def serve(self) -> None:
        """Begin to serve, and keep serving until `stop`."""
        self._keeper = threading.Thread(target=self._keep_serving, daemon=True)
        self._keeper.start()

    def _keep_serving(self) -> None:
        """Do for `recobra serve` what systemd does by the unit: start it again some seconds after it ended."""
        words = [sys.executable, "-m", "recobra.cli", "serve", "--port", str(self.port), "--json"]
        with self.log.open("ab") as log:
            while not self._stopped.is_set():
                self._served = subprocess.Popen(
                    words, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
                self._served.wait()
                self._stopped.wait(self._restart_seconds)

    def stop(self) -> None:
        """End what serves in order, and the database with it."""
        self._stopped.set()
        if self._served is not None and self._served.poll() is None:
            self._served.send_signal(signal.SIGTERM)
            self._served.wait(60)
        if self._keeper is not None:
            self._keeper.join(10)

    def remove(self) -> None:
        """Remove everything; nothing of it runs any more."""
        database.embedded_server(self.home).remove()
        if self.has_own_disk:
            subprocess.run(["umount", "-l", str(self.home)], check=False)
        subprocess.run(["rm", "-rf", str(self.home)], check=True)

    def list_processes(self, kind: str) -> list[psutil.Process]:
        """Return the processes of a kind: serve, worker, dispatch, cage, postmaster, backend, or all of them."""
        with contextlib.suppress(psutil.NoSuchProcess):
            served = self._list_served()
            of_database = self._list_of_database()
            if kind in {"worker", "dispatch"}:
                return [each for each in served[1:] if _read_words(each)[-1:] == [kind]]
            return {
                "serve": served[:1],
                "cage": [each for each in served[1:] if "recobra.kit.cage_child" in _read_words(each)],
                "postmaster": of_database[:1],
                "backend": [each for each in of_database[1:] if "recobra_app" in " ".join(_read_words(each))],
                "all": [*served, *of_database],
            }[kind]
        return []

    def _list_served(self) -> list[psutil.Process]:
        """Return the process that serves and all that it has started."""
        if self._served is None or self._served.poll() is not None:
            return []
        process = psutil.Process(self._served.pid)
        return [process, *process.children(recursive=True)]

    def _list_of_database(self) -> list[psutil.Process]:
        """Return the database's first process and those that it has started."""
        try:
            pid = int((self._cluster() / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return []
        process = psutil.Process(pid)
        return [process, *process.children()] if process.cwd() == str(self._cluster()) else []

    def _cluster(self) -> Path:
        return (cluster_folders.find_root(self.home / "postgres") / "cluster").resolve()

    def count_signs_of_life(self, kind: str, *, since: float) -> int:
        """Return how many processes of a kind have given a sign of life since an instant of the machine's clock."""
        count = 0
        for path in (self.home / "run").glob(f"{kind}-*"):
            with contextlib.suppress(FileNotFoundError):
                count += path.stat().st_mtime > since
        return count

    @contextlib.contextmanager
    def full_disk(self):  # noqa: ANN201 - a context manager without a value
        """Leave nothing of the disk meanwhile, however much is freed."""
        ballast = self.home / "ballast"
        freed = threading.Event()

        def fill() -> None:
            with ballast.open("ab", buffering=0) as file:
                while not freed.is_set():
                    try:
                        file.write(b"x" * 65_536)
                    except OSError:
                        freed.wait(0.05)

        filler = threading.Thread(target=fill, daemon=True)
        filler.start()
        try:
            yield
        finally:
            freed.set()
            filler.join()
            ballast.unlink()


class Cable:
    """The line to a provider: it can be cut in three ways, and mended."""

    WAYS = ("refused", "hanging", "halfway")

    def __init__(self, target_port: int, *, chance: random.Random) -> None:
        self.port = find_free_port()
        self._target_port = target_port
        self._chance = chance
        self._way = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lines: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._mended = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_error: object) -> None:
        self._do(self._drop(is_listening=False))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def cut(self, way: str) -> None:
        """Refuse connections, take them and let nothing through, or break them off in the middle of answers."""
        self._mended.clear()
        self._way = way
        if way == "refused":
            self._do(self._drop(is_listening=False))

    def mend(self) -> None:
        """Let everything through again; what hung breaks off."""
        was, self._way = self._way, ""
        self._do(self._listen() if was == "refused" else self._drop(is_listening=True))
        self._loop.call_soon_threadsafe(self._mended.set)

    def _do(self, work) -> None:  # noqa: ANN001 - a coroutine of ours
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)

    async def _drop(self, *, is_listening: bool) -> None:
        if self._server is not None and not is_listening:
            self._server.close()
            self._server = None
        for line in list(self._lines):
            _break_off(line)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _break_off(writer)
            return
        self._lines |= {writer, back}
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer, is_answer=True))
        self._lines -= {writer, back}

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                if self._way == "hanging":
                    await self._mended.wait()
                    return  # what hung breaks off
                if is_answer and self._way == "halfway" and self._chance.random() < 0.5:
                    target.write(data[: len(data) // 2])
                    await target.drain()
                    _break_off(target)
                    return
                target.write(data)
                await target.drain()
        target.close()


def _read_words(process: psutil.Process) -> list[str]:
    """Return the words that a process was started with, none where it has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _break_off(line: asyncio.StreamWriter) -> None:
    """Reset a connection, without a farewell."""
    with contextlib.suppress(OSError, AttributeError):
        raw = line.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.transport.abort()


def find_free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(holds, *, seconds: float, every: float = 0.1) -> float | None:  # noqa: ANN001 - a question
    """Wait until something holds; return the seconds that it took, None where it did not come."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if holds():
            return time.monotonic() - begin
        time.sleep(every)
    return None
