"""Hand many messages over at once, and hear what became of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from recobra.messaging import reasons
from recobra.messaging.channels import Outcome, OutcomeKind
from recobra.messaging.channels.adapter import AsyncSender
from recobra.messaging.dispatch.handover import Going
from recobra.messaging.dispatch.throttle import DEADLINE_SECONDS
from recobra.messaging.providers.routing import Route

_log = logging.getLogger(__name__)


class Senders:
    """The open ways of one dispatcher.

    Its event loop runs only while messages are on their way: what is written to the database happens outside of it.
    """

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._stack: AsyncExitStack | None = None
        self._open: dict[tuple[str, str], AsyncSender] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self, way: Route) -> None:
        """Open a way, where it is not open with these very settings. Raises Unsuitable."""
        if _key(way) not in self._open:
            self._open[_key(way)] = self._loop().run(self._opened(way))

    def send(self, going: Sequence[Going]) -> list[tuple[Outcome, float]]:
        """Hand messages over, all at once, by open ways; return what became of each and in how many seconds."""
        return self._loop().run(self._send(going))

    def close(self) -> None:
        """Leave the providers. What waits for the next message too long would be broken when it comes."""
        if self._runner is not None:
            stack, self._stack, self._open = self._stack, None, {}
            if stack is not None:
                self._runner.run(stack.aclose())
            self._runner.close()
            self._runner = None

    def _loop(self) -> asyncio.Runner:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner

    async def _opened(self, way: Route) -> AsyncSender:
        if self._stack is None:
            self._stack = AsyncExitStack()
        return await self._stack.enter_async_context(way.adapter.opened(way.config))

    async def _send(self, going: Sequence[Going]) -> list[tuple[Outcome, float]]:
        # Two rounds of the loop, so that connections which the other side has left are seen before they are used.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks = [asyncio.create_task(self._one(each)) for each in going]
        _done, late = await asyncio.wait(tasks, timeout=DEADLINE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return [_unended() if task.cancelled() else task.result() for task in tasks]

    async def _one(self, going: Going) -> tuple[Outcome, float]:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        try:
            outcome = await self._open[_key(going.way)].send(going.item.message)
        except Exception as error:  # noqa: BLE001 - an adapter that fails says nothing of what the provider has
            _log.error("The way %s failed with %s; the message may have arrived.", going.way.code, type(error).__name__)
            answer = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            outcome = Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=answer)
        return outcome, loop.time() - begin


def _unended() -> tuple[Outcome, float]:
    answer = f"no end in {DEADLINE_SECONDS:g} seconds"
    return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=answer), DEADLINE_SECONDS


def _key(way: Route) -> tuple[str, str]:
    return way.code, repr((way.kind, way.config.settings, way.config.secrets))
