"""The open routes of a dispatcher, by which many messages leave at once."""

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
from recobra.messaging.dispatch.prepare import PreparedContact
from recobra.messaging.dispatch.throttle import DEADLINE_SECONDS
from recobra.messaging.providers.routing import Route

_log = logging.getLogger(__name__)


class Senders:
    """The open routes of one dispatcher.

    Its event loop runs only while messages are on their way, so that the database is written to outside of it.
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

    def open(self, route: Route) -> None:
        """Open a route, where it is not open with these very settings. Raises Unsuitable."""
        if _connection_key(route) not in self._open:
            self._open[_connection_key(route)] = self._event_loop().run(self._enter(route))

    def send(self, chunk: Sequence[PreparedContact]) -> list[tuple[Outcome, float]]:
        """Hand messages over, all at once, by open routes; return each one's outcome and the seconds it took."""
        return self._event_loop().run(self._send_all(chunk))

    def close(self) -> None:
        """Close all routes: idle connections would be broken by the time of the next message."""
        if self._runner is None:
            return
        stack = self._stack
        # Forgotten first: a route whose closing fails is not used again.
        self._stack = None
        self._open = {}
        if stack is not None:
            self._runner.run(stack.aclose())
        self._runner.close()
        self._runner = None

    def _event_loop(self) -> asyncio.Runner:
        """Return the event loop, which is made when first needed."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner

    async def _enter(self, route: Route) -> AsyncSender:
        """Open a route and keep it open until `close`."""
        if self._stack is None:
            self._stack = AsyncExitStack()
        return await self._stack.enter_async_context(route.adapter.open_sender(route.config))

    async def _send_all(self, chunk: Sequence[PreparedContact]) -> list[tuple[Outcome, float]]:
        """Send messages at once; one that takes longer than DEADLINE_SECONDS is given up and its outcome uncertain."""
        # Two rounds of the loop, so that it notices connections which the other side has closed.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks = [asyncio.create_task(self._send_one(prepared)) for prepared in chunk]
        _done, late = await asyncio.wait(tasks, timeout=DEADLINE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        # The provider may have received the message of a cancelled task all the same.
        answer = f"no end in {DEADLINE_SECONDS:g} seconds"
        lost = Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=answer)
        return [(lost, DEADLINE_SECONDS) if task.cancelled() else task.result() for task in tasks]

    async def _send_one(self, prepared: PreparedContact) -> tuple[Outcome, float]:
        """Send one message; return its outcome and the seconds it took. An adapter's exception is uncertain too."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        code = prepared.route.code
        try:
            outcome = await self._open[_connection_key(prepared.route)].send(prepared.message)
        except Exception as error:  # noqa: BLE001 - an adapter that fails says nothing of what the provider has
            _log.error("The way %s failed with %s; the message may have arrived.", code, type(error).__name__)
            answer = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            outcome = Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=answer)
        return outcome, loop.time() - started


def _connection_key(route: Route) -> tuple[str, str]:
    """Return the route with its settings: a route whose settings changed is another connection."""
    return route.code, repr((route.kind, route.config.settings, route.config.secrets))
