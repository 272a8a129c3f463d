"""Peak memory of all processes of the product together."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Self

import psutil
from django.db import connection

from recobra.kit.sizes import MEGABYTE

EVERY_SECONDS = 0.2


class MemoryWatch:
    """Context manager that samples memory; may be entered several times. Shared memory counts once."""

    def __init__(self) -> None:
        self._peak = 0
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def peak_mb(self) -> int:
        """The largest sample, in megabytes."""
        return round(self._peak / MEGABYTE)

    def __enter__(self) -> Self:
        """Begin to sample; an earlier peak is kept."""
        self._done.clear()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        # The parent of our connection's process is the server.
        server = psutil.Process(backend).parent()
        assert server is not None
        self._thread = threading.Thread(target=self._sample, args=(server,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def _sample(self, server: psutil.Process) -> None:
        """Keep the peak up to date until the watch ends; runs in a thread of its own."""
        ours = psutil.Process(os.getpid())
        while not self._done.wait(EVERY_SECONDS):
            with contextlib.suppress(psutil.Error):
                self._peak = max(self._peak, _resident_bytes(ours) + _resident_bytes(server))


def _resident_bytes(root: psutil.Process) -> int:
    """Return the memory of a process and its descendants: the own part of each, and the largest shared part once."""
    own = 0
    shared = 0
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            memory = process.memory_info()
            own += memory.rss - memory.shared
            shared = max(shared, memory.shared)
    return own + shared
