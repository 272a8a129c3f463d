"""Dial for people: every attempt is a contact of the outbox, judged by the gate and counted in the legal budget.

How many calls to place is the business of `recobra_core.dial`; here is what makes each of them lawful and placed once:
the same lease, last check and mark before handing over as for a message. If anybody was reached a receipt tells.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.conversations import dialler as dialling
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCall:
    """Somebody to call: a telephone of a debtor and the zones, joined by `|`, in which the debtor may live."""

    debtor_id: int
    portfolio_id: int
    point_id: int
    zones: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A call that rings: `reference` is the network's id, for putting it through or ending it."""

    contact_id: int
    public_id: UUID
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What became of a wish for calls. `figures`: blocked, cancelled, due (put off), failed, uncertain.

    `shut` says that nobody could be called although calls were asked for: the session may end.
    """

    placed: tuple[Placed, ...] = ()
    figures: Counter[str] = field(default_factory=Counter)
    shut: bool = False


class Session:
    """An open telephone under one lease. Used from one thread."""

    def __init__(self, *, way: Route, lease: UUID, runner: asyncio.Runner, line: dialling.Telephony) -> None:
        self._way, self._lease, self._runner, self._line = way, lease, runner, line
        self._ways = Routes(configured=(way,), open_ids=frozenset({way.provider_id or 0}))

    def dial(self, *, calls: int, wanted: Sequence[ToCall], script: str, now: datetime, actor: str) -> Round:
        """Plan calls to the first of `wanted`, and place up to `calls` of all that are due and pass the gate at `now`.

        Whom the law, a wish or an earlier call of the day keeps from being called is left out and says why.
        """
        most = min(calls, MOST_AT_ONCE, self._allowance(calls))
        if most <= 0:
            return Round()
        with transaction.atomic():
            made = plan_contacts(contacts=_rows(wanted[:most], script=script, now=now, actor=actor), now=now)
            leased = lease_contacts(lease=self._lease, now=now, limit=most, only_channel=Channel.CALL.value)
        try:
            return self._work(leased, now=now, actor=actor)
        finally:
            give_back(leased, lease=self._lease)
            # What was not placed is wished for again by whoever still wants it: no call goes without a gestor.
            left = Contact.objects.filter(pk__in=made["contact_id"].to_pylist(), status=Contact.Status.DUE)
            withdraw_contacts(
                contact_ids=list(left.values_list("pk", flat=True)), reason=reasons.REPLANNED, at=now, actor=actor
            )

    def answered(self, *, references: Sequence[str]) -> frozenset[str]:
        """Return those of the calls that ring on which somebody has picked up."""

        async def ask() -> list[bool]:
            return await asyncio.gather(*(self._line.is_answered(reference=each) for each in references))

        found = self._runner.run(ask())
        return frozenset(each for each, there in zip(references, found, strict=True) if there)

    def bridge(self, *, reference: str, room: str) -> bool:
        """Put an answered call through to a gestor; False where the network did not do it."""
        return self._runner.run(self._line.bridge(reference=reference, room=room)).kind == "SENT"

    def hang_up(self, *, reference: str) -> bool:
        """End a call; False where the network did not do it."""
        return self._runner.run(self._line.hang_up(reference=reference)).kind == "SENT"

    def _allowance(self, wanted: int) -> int:
        provider_id = self._way.provider_id
        return wanted if provider_id is None else routing.take_allowance(provider_id=provider_id, wanted=wanted)

    def _work(self, leased: list[int], *, now: datetime, actor: str) -> Round:
        if not leased:
            return Round(shut=True)
        batch = prepare_batch(leased, now=now, routes=self._ways)
        figures = end_not_sent(batch.not_sent, lease=self._lease, now=now, actor=actor)
        # Every call goes by this session's own line, whatever else could carry it.
        ready = [replace(prepared, route=self._way) for prepared in batch.ready]
        with transaction.atomic():
            marked_ids = mark_handed_over(ready, lease=self._lease, now=now)
        marked = [prepared for prepared in ready if prepared.contact.contact_id in marked_ids]
        attempts = self._runner.run(self._place(marked)) if marked else []
        with transaction.atomic():
            figures.update(end_attempts(attempts, lease=self._lease, now=now, actor=actor) if attempts else {})
        placed = tuple(_placed(attempt) for attempt in attempts if attempt.outcome.kind == "SENT")
        return Round(placed=placed, figures=figures, shut=not marked)

    async def _place(self, marked: Sequence[PreparedContact]) -> list[Attempt]:
        outcomes = await asyncio.gather(*(self._line.place(_call(prepared)) for prepared in marked))
        return [Attempt(prepared=prepared, outcome=outcome) for prepared, outcome in zip(marked, outcomes, strict=True)]


@contextlib.contextmanager
def dialling_session(*, provider_code: str) -> Iterator[Session]:
    """Open the telephone of a configured provider. Raises Unsuitable, Provider.DoesNotExist."""
    provider = Provider.objects.get(code=provider_code, kind="twilio_voice", enabled=True)
    way = Route(
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
        opened = dialling.twilio(way.config)
        line = runner.run(opened.__aenter__())
        try:
            yield Session(way=way, lease=lease, runner=runner, line=line)
        finally:
            runner.run(opened.__aexit__(None, None, None))


def _call(prepared: PreparedContact) -> dialling.Call:
    apology = _("This is %(company)s. We are sorry, nobody is free at the moment; we will call again.")
    return dialling.Call(
        public_id=prepared.message.public_id,
        number=prepared.message.address,
        apology=apology % {"company": prepared.message.on_behalf_of},
    )


def _placed(attempt: Attempt) -> Placed:
    contact, reference = attempt.prepared.contact, attempt.outcome.provider_reference
    return Placed(contact_id=contact.contact_id, public_id=contact.public_id, reference=reference)


def _rows(wanted: Sequence[ToCall], *, script: str, now: datetime, actor: str) -> pa.Table:
    """Return the attempts as rows of a plan: a claim that a gestor speaks by a script, due now, on the debtor's day."""
    schema = pa.schema([*PLANNED, *(name for name in PLANNED_OPTIONAL if name.name in {"purpose", "body", "author"})])
    rows = [
        {
            "debtor_id": each.debtor_id,
            "portfolio_id": each.portfolio_id,
            "point_id": each.point_id,
            "channel": Channel.CALL.value,
            "template_code": "",
            "step_key": "",
            "status": "DUE",
            "due_at": now,
            "planned_for": local_date(each.zones, now) or now.date(),
            "zones": each.zones,
            "body": script,
            "purpose": Contact.Purpose.CLAIM.value,
            "author": actor,
        }
        for each in wanted
    ]
    return pa.Table.from_pylist(rows, schema=schema)


__all__ = ["Placed", "Round", "Session", "ToCall", "Unsuitable", "dialling_session"]
