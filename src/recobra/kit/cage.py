"""Child processes in which files of others are read: a file that breaks its reader breaks only the child.

A child has no connection to the database and nothing secret in its environment. This process watches its memory, its
time and the disk of its folder, and ends it beyond the limits; the kernel limits its open files, its largest file and
its processor time besides. What it answers is JSON; large results are files in its folder, which the caller checks.

One child waits ready, so that a task costs no start. A child that took much memory is ended, and another one started.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from .sizes import MEGABYTE

Reason = Literal["memory", "time", "disk", "broken", "busy"]
Answer = dict[str, Any]
Task = Callable[..., Answer]

MOST_AT_ONCE: Final = 2
LONGEST_WAIT_SECONDS: Final = 60
ANSWER_BYTES: Final = 8 * MEGABYTE
KEPT_MEMORY_BYTES: Final = 256 * MEGABYTE
"""A child that holds more than this after its task is ended: what it freed seldom goes back to the machine."""
_TICK_SECONDS: Final = 0.05
_DISK_EVERY_TICKS: Final = 4
_END_SECONDS: Final = 5
_KILLED: Final = "signal 9"
# All that a child sees of this process's environment.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "PYTHONHASHSEED")


class CageEnded(Exception):
    """A task was ended, or broke its child; `reason` says by what, `detail` how, for the log and for people."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


@dataclass(frozen=True, kw_only=True)
class CageLimits:
    """What one task may take: seconds by the clock, bytes of memory, bytes of disk in its folder."""

    seconds: int
    memory_bytes: int
    disk_bytes: int


def run_in_cage(task: Task, *, limits: CageLimits, folder: Path, **arguments: Any) -> Answer:
    """Return the answer of a function of this program that runs in a child; `arguments` are JSON.

    The function gets `folder` too: where it may find files and leave some. Raises CageEnded.
    """
    request = {
        "task": f"{task.__module__}:{task.__qualname__}",
        "arguments": {"folder": str(folder), **arguments},
        "seconds": limits.seconds,
        "memory_bytes": limits.memory_bytes,
        "disk_bytes": limits.disk_bytes,
    }
    given = set(folder.iterdir())
    try:
        answer = _ask_child(request, limits, folder)
    except CageEnded as ended:
        if ended.detail != _KILLED:
            raise
        # By somebody else, as where the machine ran out of memory: the task may be innocent. One that is not, is ended
        # again.
        for path in set(folder.iterdir()) - given:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        answer = _ask_child(request, limits, folder)
    if "broken" in answer:
        raise CageEnded("broken", str(answer["broken"]))
    result: Answer = answer["result"]
    return result


def _ask_child(request: Mapping[str, Any], limits: CageLimits, folder: Path) -> Answer:
    """Return what a child answers to a request. Raises CageEnded."""
    with _POOL.take() as child:
        return child.ask(request, limits, folder)


def warm_up(task: Task) -> None:
    """Start a child that will soon be asked for a task, unless one waits; returns at once."""
    _POOL.warm_up(task.__module__)


@dataclass
class _Child:
    """A child process and the pipes to it."""

    process: subprocess.Popen[bytes]

    def prepare(self, modules: list[str]) -> None:
        """Let the child import modules before it is asked for anything."""
        self._send({"import": modules})

    def ask(self, request: Mapping[str, Any], limits: CageLimits, folder: Path) -> Answer:
        """Return the answer to a request. Raises CageEnded, and then the child is gone."""
        try:
            self._send(request)
            return self._wait(limits, folder)
        except BaseException:
            self.end()
            raise

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise CageEnded("broken", self._describe_end()) from None

    def _wait(self, limits: CageLimits, folder: Path) -> Answer:
        """Wait for the answer and watch what the child takes meanwhile."""
        assert self.process.stdout is not None
        output = self.process.stdout.fileno()
        ends_at = time.monotonic() + limits.seconds
        received = b""
        tick = 0
        while True:
            if select.select([output], [], [], _TICK_SECONDS)[0]:
                piece = os.read(output, 1 << 16)
                received += piece
                if not piece or len(received) > ANSWER_BYTES:
                    raise CageEnded("broken", self._describe_end())
                if received.endswith(b"\n"):
                    return _parse_answer(received)
            if time.monotonic() > ends_at:
                raise CageEnded("time", f"{limits.seconds} s")
            if self.memory_bytes() > limits.memory_bytes:
                raise CageEnded("memory", f"{limits.memory_bytes} B")
            tick += 1
            if tick % _DISK_EVERY_TICKS == 0 and _folder_bytes(folder) > limits.disk_bytes:
                raise CageEnded("disk", f"{limits.disk_bytes} B")

    def memory_bytes(self) -> int:
        """Return how much memory of its own the child holds; 0 where the system does not say."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            _size, resident, shared = Path(f"/proc/{self.process.pid}/statm").read_text().split()[:3]
            return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def is_alive(self) -> bool:
        """Return whether the child still runs."""
        return self.process.poll() is None

    def _describe_end(self) -> str:
        """Return how the child ended, in the system's words."""
        try:
            code = self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return "no answer"
        return f"signal {-code}" if code < 0 else f"exit {code}"

    def end(self) -> None:
        """End the child, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _parse_answer(received: bytes) -> Answer:
    """Return an answer. Raises CageEnded where it is none."""
    try:
        answer = json.loads(received)
    except ValueError:
        raise CageEnded("broken", "no answer") from None
    if not isinstance(answer, dict) or not ("broken" in answer or isinstance(answer.get("result"), dict)):
        raise CageEnded("broken", "no answer")
    return answer


def _folder_bytes(folder: Path) -> int:
    """Return how many bytes the files below a folder take on disk; those that go meanwhile do not count."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_blocks * 512
    return total


@dataclass
class _Pool:
    """The children of this process: some at work, one that waits."""

    _slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(MOST_AT_ONCE))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _idle: list[_Child] = field(default_factory=list)
    _modules: set[str] = field(default_factory=set)
    _owner: int = 0

    @contextlib.contextmanager
    def take(self) -> Iterator[_Child]:
        """Yield a child that is ready; it waits for others afterwards, unless it was ended. Raises CageEnded."""
        if not self._slots.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise CageEnded("busy")
        try:
            child = self._pop() or self._start()
            try:
                yield child
            except CageEnded:
                self._give_back(self._start())
                raise
            self._give_back(child)
        finally:
            self._slots.release()

    def warm_up(self, module: str) -> None:
        """Let a child wait that has imported a module."""
        self._modules.add(module)
        with self._lock:
            self._drop_foreign()
            if not self._idle:
                self._idle.append(self._start())

    def end_all(self) -> None:
        """End the children that wait."""
        while child := self._pop():
            child.end()

    def _pop(self) -> _Child | None:
        with self._lock:
            self._drop_foreign()
            while self._idle:
                child = self._idle.pop()
                if child.is_alive():
                    return child
                child.end()
        return None

    def _drop_foreign(self) -> None:
        """Forget the children of another process, of which this one is a copy."""
        if self._owner != os.getpid():
            self._owner = os.getpid()
            self._idle.clear()

    def _give_back(self, child: _Child) -> None:
        is_light = child.memory_bytes() <= KEPT_MEMORY_BYTES
        if not is_light:
            child.end()
            child = self._start()
        with self._lock:
            if not self._idle:
                self._idle.append(child)
                return
        child.end()

    def _start(self) -> _Child:
        process = subprocess.Popen(
            [sys.executable, "-m", "recobra.kit.cage_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # where a library writes what it was reading
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the parent
        )
        child = _Child(process)
        if self._modules:
            child.prepare(sorted(self._modules))
        return child


_POOL: Final = _Pool()
atexit.register(_POOL.end_all)
