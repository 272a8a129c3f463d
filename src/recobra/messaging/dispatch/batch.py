"""The work of one dispatcher on one batch after another: what it leases, by which ways it leaves, at which pace."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import DatabaseError, transaction

from recobra.messaging.channels import Outcome
from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.dispatch import handover as handing_over
from recobra.messaging.dispatch import lease as leasing
from recobra.messaging.dispatch.handover import Going, Gone
from recobra.messaging.dispatch.prepare import Ready, Unsent, examine
from recobra.messaging.dispatch.send import Senders
from recobra.messaging.dispatch.throttle import REST_SECONDS, Pace
from recobra.messaging.providers import routing
from recobra.messaging.providers.routing import Route, Routes
from recobra.portfolio.models import Channel

BATCH_SECONDS: Final = 25.0  # what is left of a batch so long after it was judged is judged again
LIMITED_SECONDS: Final = 2.0  # of a provider with a limit, what may leave within so long is leased at once
WAIT_SECONDS: Final = 0.05

_log = logging.getLogger(__name__)
Lanes = dict[str, deque[Going]]


class Batches:
    """Works batches under one lease at a time; what it has learnt of the providers and their open ways stay."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self.stopping = stopping
        self._senders = Senders()
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)
        self._lease = UUID(int=0)
        self._figures: Counter[str] = Counter()

    def begin(self, *, lease: UUID, now: Callable[[], datetime], actor: str, figures: Counter[str]) -> None:
        """Work from here on under a lease, by a clock, counting into `figures`."""
        self._lease, self._now, self._actor, self._figures = lease, now, actor, figures

    def idle(self) -> None:
        """Leave the providers: there is nothing to send for the moment."""
        self._senders.close()

    def work(self, room: int) -> bool:
        """Lease and work one batch of up to `room` contacts; return whether there was one."""
        ways = routing.load_routes()
        batch = self._take(ways, room)
        if not batch:
            return False
        self._figures["leased"] += len(batch)
        try:
            self._end(batch, ways)
        except BaseException:
            with contextlib.suppress(DatabaseError):  # then the next dispatcher finds them by our dead lease
                leasing.give_back(batch, lease=self._lease)
            raise
        return True

    def _take(self, ways: Routes, room: int) -> list[int]:
        """Lease what may leave soon: of channels with a limit no more than that, of those that rest nothing."""
        resting = {*ways.resting_channels(), *self._resting(ways)}
        limits = {channel: rate for channel in ways.channels() if (rate := ways.rate_limit(channel)) is not None}
        batch = leasing.take(lease=self._lease, now=self._now(), limit=room, but=sorted(resting | limits.keys()))
        for channel, rate in limits.items():
            most = min(room - len(batch), math.ceil(rate * LIMITED_SECONDS))
            if channel not in resting and most > 0:
                batch += leasing.take(lease=self._lease, now=self._now(), limit=most, only=channel)
        return batch

    def _resting(self, ways: Routes) -> list[str]:
        """Return the channels that this dispatcher leaves alone in all their ways."""
        if not any(pace.rests() for pace in self._paces.values()):
            return []
        return [
            c
            for c in Channel.values
            if (mine := ways.routes_of_channel(c)) and all(self._paces[w.code].rests() for w in mine)
        ]

    def _end(self, batch: list[int], ways: Routes) -> None:
        now = self._now()
        examined = examine(batch, now=now, ways=ways)
        lanes, left = self._lanes(examined.ready)
        later = now + timedelta(seconds=REST_SECONDS)
        resting = [Unsent(contact_id=i, status="DUE", reason="", due_at=later) for i in [*examined.waiting, *left]]
        self._figures.update(
            handing_over.end_unsent([*examined.unsent, *resting], lease=self._lease, now=now, actor=self._actor)
        )
        self._send(lanes)
        leasing.give_back(batch, lease=self._lease)  # what was not sent, and what somebody held at its mark

    def _lanes(self, ready: Iterable[Ready]) -> tuple[Lanes, list[int]]:
        """Divide messages by the way they leave by; return those too for which none is open at the moment."""
        lanes: Lanes = defaultdict(deque)
        left = []
        for item in ready:
            way = next((way for way in item.ways if not self._paces[way.code].rests() and self._is_open(way)), None)
            if way is None:
                left.append(item.contact.contact_id)
            else:
                lanes[way.code].append(Going(item=item, way=way))
        return lanes, left

    def _is_open(self, way: Route) -> bool:
        try:
            self._senders.open(way)
        except Unsuitable as error:
            if way.provider_id is None:
                raise
            _log.error("The provider %s cannot be used: %s", way.code, error)
            self._paces[way.code].rest()
            return False
        return True

    def _send(self, lanes: Lanes) -> None:
        """Send lane by lane what may go at once, until all is gone or nothing may."""
        begin, gone = time.monotonic(), list[Gone]()
        waited = 0.0
        while any(lanes.values()) and not self.stopping() and time.monotonic() - begin < BATCH_SECONDS:
            chunk = self._chunk(lanes)
            if not chunk:
                if all(self._paces[code].rests() for code, lane in lanes.items() if lane) or waited > LIMITED_SECONDS:
                    break
                gone = self._commit_ends(gone)
                time.sleep(WAIT_SECONDS)
                waited += WAIT_SECONDS
                continue
            gone = self._hand_over(self._commit(gone, chunk))
        self._commit_ends(gone)

    def _chunk(self, lanes: Lanes) -> list[Going]:
        """Take from each lane as many messages as its provider may be given at once."""
        chunk: list[Going] = []
        for code, lane in lanes.items():
            pace = self._paces[code]
            if not lane or pace.rests():
                continue
            most = min(pace.at_once, len(lane))
            provider_id = lane[0].way.provider_id
            if provider_id is not None:
                most = routing.take_allowance(provider_id=provider_id, wanted=most)
            chunk += [lane.popleft() for _ in range(most)]
        return chunk

    def _commit(self, gone: list[Gone], chunk: list[Going]) -> list[Going]:
        """Write in one transaction how messages ended and which follow; return those of them that are ours to send."""
        with transaction.atomic():
            if gone:
                self._note_ends(gone)
            now = self._now()
            marked = handing_over.mark([each for each in chunk if now < each.item.until], lease=self._lease, now=now)
            ours = [going for going in chunk if going.item.contact.contact_id in marked]
            if len(ours) < len(chunk):
                taken_back = [each.item.contact.contact_id for each in chunk]
                leasing.give_back([i for i in taken_back if i not in marked], lease=self._lease)
        return ours

    def _commit_ends(self, gone: list[Gone]) -> list[Gone]:
        if gone:
            with transaction.atomic():
                self._note_ends(gone)
        return []

    def _note_ends(self, gone: list[Gone]) -> None:
        self._figures.update(handing_over.end(gone, lease=self._lease, now=self._now(), actor=self._actor))

    def _hand_over(self, ours: list[Going]) -> list[Gone]:
        """Send what was marked, and learn from it how the providers fare."""
        if not ours:
            return []
        answers = self._senders.send(ours)
        by_way = defaultdict(list)
        for going, answer in zip(ours, answers, strict=True):
            by_way[going.way.code].append((going.way, answer))
        for code, mine in by_way.items():
            answered = self._paces[code].note(answer for _way, answer in mine)
            provider_id = mine[0][0].provider_id
            if provider_id is not None:
                (routing.record_success if answered else routing.record_failure)(provider_id)
        return [self._gone(going, outcome) for going, (outcome, _seconds) in zip(ours, answers, strict=True)]

    def _gone(self, going: Going, outcome: Outcome) -> Gone:
        others = [way for way in going.item.ways if way.code != going.way.code and not self._paces[way.code].rests()]
        elsewhere = outcome.unreachable and bool(others)
        if elsewhere:
            self._paces[going.way.code].rest()
        return Gone(item=going.item, way=going.way, outcome=outcome, elsewhere=elsewhere)
