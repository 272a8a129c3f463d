"""Database work of code in an event loop: one thread, with a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import ParamSpec, Self, TypeVar

from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """Thread for database work. What it wrote stays, whatever its user does afterwards."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread

    @classmethod
    @asynccontextmanager
    async def open(cls, name: str) -> AsyncIterator[Self]:
        """Start a thread; its connection is closed with it."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        try:
            yield cls(thread)
        finally:
            await asyncio.get_running_loop().run_in_executor(thread, connections.close_all)
            thread.shutdown()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the thread and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))
