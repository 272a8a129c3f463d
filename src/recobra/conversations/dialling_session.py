"""Dialling for people: every attempt is a contact of the outbox, judged by the gate and counted in the legal budget.

`recobra_core.dial` says how many calls to place. Here each of them is made lawful and placed once, by the same lease,
last check and mark before handing over as a message. A receipt says later whether anybody was reached.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.conversations import dialler
from recobra.kit.zones import local_date
from recobra.messaging import reasons
from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.dispatch.handover import Attempt, end_attempts, end_not_sent, mark_handed_over
from recobra.messaging.dispatch.lease import give_back, hold_lease, lease_contacts
from recobra.messaging.dispatch.prepare import PreparedContact, prepare_batch
from recobra.messaging.models import Contact, Provider
from recobra.messaging.outbox.plan import PLANNED, PLANNED_OPTIONAL, plan_contacts, withdraw_contacts
from recobra.messaging.providers import routing
from recobra.messaging.providers.routing import Route, Routes
from recobra.portfolio.models import Channel

MOST_AT_ONCE = 50
_OPTIONAL_COLUMNS = frozenset({"purpose", "body", "author"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """A debtor to call, with the telephone and the zones (`join_zones`) in which the debtor may live."""

    debtor_id: int
    portfolio_id: int
    point_id: int
    zones: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCall:
    """A call that rings. `reference` is the network's id, for putting it through or ending it."""

    contact_id: int
    public_id: UUID
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialResult:
    """The calls placed, and in `figures` how many others were blocked, cancelled, put off, failed or uncertain.

    `is_exhausted` says that nobody could be called although calls were asked for: the session may end.
    """

    placed: tuple[PlacedCall, ...] = ()
    figures: Counter[str] = field(default_factory=Counter)
    is_exhausted: bool = False


class DiallingSession:
    """An open telephone under one lease. Used from one thread."""

    def __init__(self, *, route: Route, lease: UUID, runner: asyncio.Runner, line: dialler.Telephony) -> None:
        self._route = route
        self._lease = lease
        self._runner = runner
        self._line = line
        # The gate asks whether a contact has a way out: this session's own is the only one.
        self._routes = Routes(configured=(route,), open_ids=frozenset({route.provider_id or 0}))

    def dial(self, *, calls: int, callees: Sequence[Callee], script: str, actor: Actor) -> DialResult:
        """Plan calls to the first callees, and place up to `calls` of all that are due and pass the gate now.

        `script` is what a gestor says to those who are put through; the actor started the session. A
        debtor whom the law, a wish or an earlier call of the day protects is not called, and the contact says why.
        """
        provider_id = self._route.provider_id
        most = min(calls, MOST_AT_ONCE)
        if provider_id is not None:
            # What the provider takes now, by its speed and after its failures.
            most = min(most, routing.take_allowance(provider_id=provider_id, wanted=calls))
        if most <= 0:
            return DialResult()
        with transaction.atomic():
            rows = _outbox_rows(callees[:most], script=script, actor=actor)
            planned = plan_contacts(contacts=rows, actor=actor)
            contact_ids = lease_contacts(lease=self._lease, now=actor.now, limit=most, only_channel=Channel.CALL.value)
        try:
            return self._place_leased(contact_ids, actor=actor)
        finally:
            give_back(contact_ids, lease=self._lease)
            # A call that was not placed does not wait in the outbox: later there may be no gestor to speak.
            due = Contact.objects.filter(pk__in=planned["contact_id"].to_pylist(), status=Contact.Status.DUE)
            due_ids = list(due.values_list("pk", flat=True))
            withdraw_contacts(contact_ids=due_ids, reason=reasons.REPLANNED, actor=actor)

    def find_answered(self, *, references: Sequence[str]) -> frozenset[str]:
        """Return the references of the ringing calls on which somebody has picked up."""
        answers = self._runner.run(self._ask_answered(references))
        return frozenset(reference for reference, is_answered in zip(references, answers, strict=True) if is_answered)

    def bridge(self, *, reference: str, room: str) -> bool:
        """Put an answered call through to a gestor; False where the network did not do it."""
        return self._runner.run(self._line.bridge(reference=reference, room=room)).kind == "SENT"

    def hang_up(self, *, reference: str) -> bool:
        """End a call; False where the network did not do it."""
        return self._runner.run(self._line.hang_up(reference=reference)).kind == "SENT"

    async def _ask_answered(self, references: Sequence[str]) -> list[bool]:
        """Return for each call, in the same order, whether it was answered."""
        return await asyncio.gather(*(self._line.is_answered(reference=reference) for reference in references))

    def _place_leased(self, contact_ids: list[int], *, actor: Actor) -> DialResult:
        """Place the calls of leased contacts that pass the gate, and record what became of each."""
        if not contact_ids:
            return DialResult(is_exhausted=True)
        batch = prepare_batch(contact_ids, now=actor.now, routes=self._routes)
        figures = end_not_sent(batch.not_sent, lease=self._lease, actor=actor)
        # Every call goes by this session's own line, whatever else could carry it.
        ready = [replace(prepared, route=self._route) for prepared in batch.ready]
        with transaction.atomic():
            marked_ids = mark_handed_over(ready, lease=self._lease, now=actor.now)
        marked = [prepared for prepared in ready if prepared.contact.contact_id in marked_ids]
        attempts = []
        if marked:
            attempts = self._runner.run(self._place(marked))
            with transaction.atomic():
                figures.update(end_attempts(attempts, lease=self._lease, actor=actor))
        placed = tuple(_build_placed_call(attempt) for attempt in attempts if attempt.outcome.kind == "SENT")
        return DialResult(placed=placed, figures=figures, is_exhausted=not marked)

    async def _place(self, marked: Sequence[PreparedContact]) -> list[Attempt]:
        """Ring all of the contacts at once; return their attempts in the same order."""
        outcomes = await asyncio.gather(*(self._line.place(_build_call(prepared)) for prepared in marked))
        return [Attempt(prepared=prepared, outcome=outcome) for prepared, outcome in zip(marked, outcomes, strict=True)]


@contextlib.contextmanager
def open_dialling_session(*, provider_code: str) -> Iterator[DiallingSession]:
    """Open the telephone of a configured provider. Raises Unsuitable, Provider.DoesNotExist."""
    provider = Provider.objects.get(code=provider_code, kind="twilio_voice", enabled=True)
    route = Route(
        provider_id=provider.pk,
        code=provider.code,
        kind=provider.kind,
        channel=Channel.CALL.value,
        country=provider.country,
        rate_per_second=provider.rate_per_second,
        price_micros=provider.price_micros,
        price_currency=provider.price_currency,
        config=routing.build_config(provider),
    )
    with asyncio.Runner() as runner, hold_lease() as lease:
        # Entered and left by hand, since this function is no coroutine.
        opened = dialler.open_twilio(route.config)
        line = runner.run(opened.__aenter__())
        try:
            yield DiallingSession(route=route, lease=lease, runner=runner, line=line)
        finally:
            runner.run(opened.__aexit__(None, None, None))


def _build_call(prepared: PreparedContact) -> dialler.Call:
    """Return the call to a prepared contact, with the apology that names the company alone."""
    apology = _("This is %(company)s. We are sorry, nobody is free at the moment; we will call again.")
    return dialler.Call(
        public_id=prepared.message.public_id,
        number=prepared.message.address,
        apology=apology % {"company": prepared.message.on_behalf_of},
    )


def _build_placed_call(attempt: Attempt) -> PlacedCall:
    """Return the call of an attempt that rang."""
    contact = attempt.prepared.contact
    return PlacedCall(
        contact_id=contact.contact_id,
        public_id=contact.public_id,
        reference=attempt.outcome.provider_reference,
    )


def _outbox_rows(callees: Sequence[Callee], *, script: str, actor: Actor) -> pa.Table:
    """Return the attempts as rows of a plan: a claim that a gestor speaks by a script, due now, on the debtor's day."""
    optional = [column for column in PLANNED_OPTIONAL if column.name in _OPTIONAL_COLUMNS]
    schema = pa.schema([*PLANNED, *optional])
    rows = [
        {
            "debtor_id": callee.debtor_id,
            "portfolio_id": callee.portfolio_id,
            "point_id": callee.point_id,
            "channel": Channel.CALL.value,
            "template_code": "",
            "step_key": "",
            "status": "DUE",
            "due_at": actor.now,
            "planned_for": local_date(callee.zones, actor.now) or actor.now.date(),
            "zones": callee.zones,
            "body": script,
            "purpose": Contact.Purpose.CLAIM.value,
            "author": actor.name,
        }
        for callee in callees
    ]
    return pa.Table.from_pylist(rows, schema=schema)


__all__ = ["Callee", "DialResult", "DiallingSession", "PlacedCall", "Unsuitable", "open_dialling_session"]
