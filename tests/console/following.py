"""The small company of `world.py` under the ready-made consumer strategy, with a fresh load behind it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import connections
from procrastinate.contrib.django import app

from recobra.messaging import operations as messaging
from recobra.strategy import operations as strategy
from recobra.strategy import schedule
from tests import receivables
from tests.console.world import World
from tests.people import acting


def follow(world: World, now: datetime) -> None:
    """Give the company its strategy, its templates and a load of today."""
    messaging.ensure_library(actor=acting("library", now=now))
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=world.portfolio.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(world.portfolio, as_of=schedule.today(now), now=now)


class KeptThread(ThreadPoolExecutor):
    """The thread of jobs, which stays when a worker ends, as it does in a worker that runs for days."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Keep what the thread has prepared for the next worker."""


JOBS = KeptThread(max_workers=1)


def work_off() -> None:
    """Let a real worker do what is queued, and end."""

    async def work() -> None:
        asyncio.get_running_loop().set_default_executor(JOBS)
        with app.replace_connector(app.connector.get_worker_connector()) as working:
            async with working.open_async():
                await working.run_worker_async(wait=False, concurrency=1, install_signal_handlers=False)

    def alone() -> None:
        asyncio.run(work())
        connections.close_all()

    # A connection kept for the next job would be in the way when the test database goes.
    kept = connections.settings["default"]["CONN_MAX_AGE"]
    connections.settings["default"]["CONN_MAX_AGE"] = 0
    thread = threading.Thread(target=alone)
    thread.start()
    thread.join()
    connections.settings["default"]["CONN_MAX_AGE"] = kept
