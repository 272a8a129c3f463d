"""The dispatcher: leases one batch after another, prepares it, and sends it as fast as the providers accept it."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import DatabaseError, transaction

from recobra.access.actors import Actor
from recobra.messaging.channels import Outcome
from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.dispatch.handover import Attempt, end_attempts, end_not_sent, mark_handed_over
from recobra.messaging.dispatch.lease import give_back, lease_contacts
from recobra.messaging.dispatch.prepare import NotSent, PreparedContact, prepare_batch
from recobra.messaging.dispatch.send import Senders
from recobra.messaging.dispatch.throttle import REST_SECONDS, Pace
from recobra.messaging.providers import routing
from recobra.messaging.providers.routing import Route, Routes
from recobra.portfolio.models import Channel

BATCH_SECONDS: Final = 25.0  # the rest of a batch is given back after so long, to be judged again
LIMITED_SECONDS: Final = 2.0  # a channel with a rate limit leases what may leave within so long
WAIT_SECONDS: Final = 0.05

_log = logging.getLogger(__name__)
Lanes = dict[str, deque[PreparedContact]]
"""Messages by the code of the route that they leave by."""


class Dispatcher:
    """Works batches under one lease at a time; open routes and the paces of providers outlive the lease."""

    def __init__(self, is_stopping: Callable[[], bool], *, goes_on: bool = False) -> None:
        """Make one; with `goes_on` an unsuitable mail server of the settings only lets its channel rest."""
        self.is_stopping = is_stopping
        self._goes_on = goes_on
        self._senders = Senders()
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)
        self._lease = UUID(int=0)
        self._figures: Counter[str] = Counter()

    def begin(self, *, lease: UUID, now: Callable[[], datetime], actor: Actor, figures: Counter[str]) -> None:
        """Use a lease, a clock and an actor from now on, and count into `figures`."""
        self._lease = lease
        self._now = now
        self._actor = actor
        self._figures = figures

    def close(self) -> None:
        """Close the connections to the providers while there is nothing to send."""
        self._senders.close()

    def work_batch(self, limit: int) -> bool:
        """Lease and work one batch of up to `limit` contacts; return whether there was one."""
        routes = routing.load_routes()
        contact_ids = self._lease_batch(routes, limit)
        if not contact_ids:
            return False
        self._figures["leased"] += len(contact_ids)
        try:
            self._work_leased(contact_ids, routes)
        except BaseException:
            with contextlib.suppress(DatabaseError):  # the next dispatcher then recovers them by our dead lease
                give_back(contact_ids, lease=self._lease)
            raise
        return True

    def _lease_batch(self, routes: Routes, limit: int) -> list[int]:
        """Lease what may leave soon: nothing of channels that rest, and of those with a rate limit only so much."""
        resting = self._resting_channels(routes)
        rate_limits: dict[str, float] = {}
        for channel in routes.channels():
            rate_limit = routes.rate_limit(channel)
            if rate_limit is not None:
                rate_limits[channel] = rate_limit
        # Channels with a limit are leased apart, so that they do not stand before the others.
        except_channels = sorted(resting | rate_limits.keys())
        leased = lease_contacts(lease=self._lease, now=self._now(), limit=limit, except_channels=except_channels)
        for channel, rate_limit in rate_limits.items():
            channel_limit = min(limit - len(leased), math.ceil(rate_limit * LIMITED_SECONDS))
            if channel not in resting and channel_limit > 0:
                leased += lease_contacts(lease=self._lease, now=self._now(), limit=channel_limit, only_channel=channel)
        return leased

    def _resting_channels(self, routes: Routes) -> set[str]:
        """Return the channels all of whose routes rest, for every dispatcher or for this one alone."""
        resting = set(routes.resting_channels())
        # Beside the circuits, which all dispatchers share, this one may have had enough of every route of a channel.
        if any(pace.is_resting() for pace in self._paces.values()):
            for channel in Channel.values:
                channel_routes = routes.routes_of_channel(channel)
                if channel_routes and all(self._paces[route.code].is_resting() for route in channel_routes):
                    resting.add(channel)
        return resting

    def _work_leased(self, contact_ids: list[int], routes: Routes) -> None:
        """Prepare leased contacts, end or put off those that may not go now, and send the others."""
        now = self._now()
        batch = prepare_batch(contact_ids, now=now, routes=routes)
        lanes, unroutable_ids = self._divide_into_lanes(batch.ready)
        later = now + timedelta(seconds=REST_SECONDS)
        routeless_ids = [*batch.waiting, *unroutable_ids]
        put_off = [NotSent(contact_id=contact_id, status="DUE", due_at=later) for contact_id in routeless_ids]
        self._figures.update(
            end_not_sent(
                [*batch.not_sent, *put_off],
                lease=self._lease,
                actor=self._actor.at(now),
            )
        )
        self._send(lanes)
        give_back(contact_ids, lease=self._lease)  # those not sent, and those locked by others when we marked

    def _divide_into_lanes(self, ready: Iterable[PreparedContact]) -> tuple[Lanes, list[int]]:
        """Divide messages by the route they leave by; return also the contacts for which none is open now."""
        lanes: Lanes = defaultdict(deque)
        unroutable_ids = []
        for prepared in ready:
            route = self._first_open_route(prepared)
            if route is None:
                unroutable_ids.append(prepared.contact.contact_id)
            elif route is prepared.route:
                lanes[route.code].append(prepared)
            else:
                lanes[route.code].append(replace(prepared, route=route))
        return lanes, unroutable_ids

    def _first_open_route(self, prepared: PreparedContact) -> Route | None:
        """Return the most preferred route of a message that does not rest and can be opened."""
        for route in prepared.routes:
            if not self._paces[route.code].is_resting() and self._open(route):
                return route
        return None

    def _open(self, route: Route) -> bool:
        """Return whether a route is open now. Raises Unsuitable for the settings' mail server, unless it goes on."""
        try:
            self._senders.open(route)
        except Unsuitable as error:
            if route.provider_id is None and not self._goes_on:
                raise
            _log.error("The provider %s cannot be used: %s", route.code, error)
            self._paces[route.code].rest()
            return False
        return True

    def _send(self, lanes: Lanes) -> None:
        """Send lane by lane what may go at once, until all is sent or nothing may."""
        deadline = time.monotonic() + BATCH_SECONDS
        attempts: list[Attempt] = []
        waited_seconds = 0.0
        while any(lanes.values()) and not self.is_stopping() and time.monotonic() < deadline:
            chunk = self._take_chunk(lanes)
            if chunk:
                # The ends of one chunk and the marks of the next share a commit: half as many flushes of the disk.
                with transaction.atomic():
                    self._write_ends(attempts)
                    marked = self._mark(chunk)
                attempts = self._hand_over(marked)
                continue
            resting = all(self._paces[code].is_resting() for code, lane in lanes.items() if lane)
            if resting or waited_seconds > LIMITED_SECONDS:
                break
            # All allowances are used up for the moment. The ends of what was sent do not wait for the next one.
            self._commit_ends(attempts)
            attempts = []
            time.sleep(WAIT_SECONDS)
            waited_seconds += WAIT_SECONDS
        self._commit_ends(attempts)

    def _take_chunk(self, lanes: Lanes) -> list[PreparedContact]:
        """Take from each lane as many messages as its provider may be given at once."""
        chunk: list[PreparedContact] = []
        for code, lane in lanes.items():
            pace = self._paces[code]
            if not lane or pace.is_resting():
                continue
            count = min(pace.at_once, len(lane))
            provider_id = lane[0].route.provider_id
            if provider_id is not None:
                count = routing.take_allowance(provider_id=provider_id, wanted=count)
            chunk += [lane.popleft() for _ in range(count)]
        return chunk

    def _mark(self, chunk: Sequence[PreparedContact]) -> list[PreparedContact]:
        """Mark a chunk as handed over and return the messages to send; give back those that may no longer go.

        The transaction must commit before the first byte leaves: what a crash leaves marked is never sent again.
        """
        now = self._now()
        timely = [prepared for prepared in chunk if now < prepared.hand_over_until]
        marked_ids = mark_handed_over(timely, lease=self._lease, now=now)
        marked = [prepared for prepared in chunk if prepared.contact.contact_id in marked_ids]
        unmarked_ids = [
            prepared.contact.contact_id for prepared in chunk if prepared.contact.contact_id not in marked_ids
        ]
        if unmarked_ids:
            give_back(unmarked_ids, lease=self._lease)
        return marked

    def _commit_ends(self, attempts: Sequence[Attempt]) -> None:
        """Write the ends of attempts in a transaction of their own."""
        if attempts:
            with transaction.atomic():
                self._write_ends(attempts)

    def _write_ends(self, attempts: Sequence[Attempt]) -> None:
        """Write the ends of attempts and count them; inside the transaction of the caller."""
        if attempts:
            self._figures.update(
                end_attempts(
                    attempts,
                    lease=self._lease,
                    actor=self._actor.at(self._now()),
                )
            )

    def _hand_over(self, marked: Sequence[PreparedContact]) -> list[Attempt]:
        """Send marked messages, and return each one as an attempt with its outcome."""
        if not marked:
            return []
        results = self._senders.send(marked)
        self._learn_from(marked, results)
        attempts = []
        for prepared, (outcome, _seconds) in zip(marked, results, strict=True):
            has_other_route = outcome.unreachable and self._has_other_route(prepared)
            if has_other_route:
                self._paces[prepared.route.code].rest()  # the next batch takes the other route at once
            attempts.append(Attempt(prepared=prepared, outcome=outcome, has_other_route=has_other_route))
        return attempts

    def _learn_from(self, sent: Sequence[PreparedContact], results: Sequence[tuple[Outcome, float]]) -> None:
        """Adapt the pace of each route, and the circuit of its provider, to the outcomes and seconds of messages."""
        routes: dict[str, Route] = {}
        route_results: defaultdict[str, list[tuple[Outcome, float]]] = defaultdict(list)
        for prepared, result in zip(sent, results, strict=True):
            routes[prepared.route.code] = prepared.route
            route_results[prepared.route.code].append(result)
        for code, route in routes.items():
            is_answered = self._paces[code].learn(route_results[code])
            if route.provider_id is None:
                continue
            if is_answered:
                routing.record_success(route.provider_id)
            else:
                routing.record_failure(route.provider_id)

    def _has_other_route(self, prepared: PreparedContact) -> bool:
        """Return whether a message could leave at once by a route other than the one it was given."""
        return any(
            route.code != prepared.route.code and not self._paces[route.code].is_resting() for route in prepared.routes
        )
