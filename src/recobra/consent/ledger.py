"""The ledger of consent: entries about a number or address, and what follows for each channel."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import pyarrow as pa
from django.db import connection, transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.consent.address_digest import canonical_form, list_known_forms
from recobra.consent.digested_wishes import revive_digested
from recobra.consent.facts import ConsentGranted, ConsentWithdrawn
from recobra.consent.models import ConsentEntry
from recobra.journal.operations import record_facts
from recobra.kit import tables
from recobra.kit.personal_data import ERASED
from recobra.messaging import reasons
from recobra.messaging.models import Contact
from recobra.messaging.outbox.transitions import cancel_where
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint
from recobra.portfolio.scope import check_debtor
from recobra.portfolio.sql import authorise_channel, keep_named

Act = ConsentEntry.Act
Source = ConsentEntry.Source
SAID_MAX: Final = 500
PROOF_LENGTH_MIN: Final = 10
"""Letters that the proof of an authorisation needs at least, to be told from «yes»."""
_LOCK_SEED: Final = 3
# Whom a fact about consent concerns: the contact point, its debtor, and the contact that was answered, if any.
SUBJECTS = pa.schema([("point_id", pa.int64()), ("debtor_id", pa.int64()), ("contact_id", pa.int64())])

_AUTHORISED = pa.schema(
    [("debtor_id", pa.int64()), ("contact_id", pa.int64()), ("channel", pa.string()), ("source", pa.string())]
)

# Contacts on their way to an address, over all debtors, portfolios and channels: found by contact point, or by their
# conversation while nobody knows whose number it is. A condition of `cancel_where`, which calls the contact `w`.
TO_ADDRESS: Final = """w.id IN (
        SELECT contact.id FROM messaging_contact contact
            JOIN portfolio_contactpoint point ON point.id = contact.point_id AND point.debtor_id = contact.debtor_id
            WHERE point.kind = %s AND point.value = ANY(%s)
        UNION SELECT contact.id FROM messaging_contact contact
            JOIN conversations_conversation conversation ON conversation.id = contact.conversation_id
            WHERE conversation.address = ANY(%s))"""


class OptOutRefused(Exception):
    """There is nothing to opt out of; the text is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A number or address in all its forms, and the debtor and contact that a statement was about where known."""

    kind: str
    value: str
    forms: tuple[str, ...]
    debtor_id: int | None = None
    contact_id: int | None = None
    channel: str = ""

    def sql_parameters(self) -> list[str | list[str]]:
        """Return the parameters of TO_ADDRESS."""
        return [self.kind, list(self.forms), list(self.forms)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatement:
    """How an opt-out, an authorisation or another act was stated, for its entry in the ledger.

    `channel` is the one it came by, or the one that an authorisation covers; `text_shown` is the text it answers and
    `said` the person's own words; `at` is when it was stated, if earlier than the actor's moment.
    """

    source: str
    actor: Actor
    # Providers call late, twice and in any order; the ledger must read as if they had called in time.
    at: datetime | None = None
    channel: str = ""
    text_shown: str = ""
    said: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError where staff is the source and the actor is none of its members."""
        if Source(self.source) == Source.STAFF and self.actor.service in {Service.DEBTOR, Service.PROVIDER}:
            raise ValueError("A wish that was put down by staff needs its actor.")

    def effective_at(self) -> datetime:
        """Return when it was stated, never later than the actor's moment."""
        return self.actor.now if self.at is None else min(self.at, self.actor.now)


def find_address(
    *, public_id: uuid.UUID | str | None = None, point_id: int | None = None, kind: str = "", value: str = ""
) -> Address:
    """Return the address of a contact, a contact point or a bare value, one of the three. Raises OptOutRefused."""
    if [public_id is not None, point_id is not None, bool(value)].count(True) != 1:
        raise TypeError("Give a contact's public id, a contact point or a kind and value, one of the three.")
    if value:
        return _build_address(kind, address_forms.normalise_address(value, kind=ContactPoint.Kind(kind)))
    if point_id is not None:
        point = ContactPoint.objects.filter(pk=point_id).first()
        if point is not None:
            return _address_of_point(point)
    if public_id is not None:
        contact = Contact.objects.select_related("point").filter(public_id=public_id).first()
        if contact is not None:
            return _address_of_contact(contact)
    raise OptOutRefused(_("There is no such message or address."))


def _address_of_contact(contact: Contact) -> Address:
    """Return the address that a contact went to: its contact point, else the number that was replied to."""
    channel = str(contact.channel)
    point = contact.point
    if point is not None:
        return _address_of_point(point, contact_id=contact.pk, channel=channel)
    # A reply to a number that belongs to no debtor yet has no contact point.
    kind = address_forms.point_kind(channel)
    return _build_address(kind, contact.address, debtor_id=contact.debtor_id, contact_id=contact.pk, channel=channel)


def _address_of_point(point: ContactPoint, *, contact_id: int | None = None, channel: str = "") -> Address:
    """Return the address of a contact point. Raises OptOutRefused for one of a person who is anonymised."""
    value = "" if point.value.startswith(ERASED) else point.value
    return _build_address(point.kind, value, debtor_id=point.debtor_id, contact_id=contact_id, channel=channel)


def _build_address(
    kind: str, value: str, *, debtor_id: int | None = None, contact_id: int | None = None, channel: str = ""
) -> Address:
    """Return an address with the other spellings of its value. Raises OptOutRefused for an empty value."""
    if not value:
        raise OptOutRefused(_("There is no such message or address."))
    return Address(
        kind=kind,
        value=value,
        forms=address_forms.list_forms(value, kind=kind),
        debtor_id=debtor_id,
        contact_id=contact_id,
        channel=channel,
    )


def add_entry(address: Address, act: str, statement: ConsentStatement) -> ConsentEntry:
    """Add an entry to the ledger. The caller holds `lock_address`, so that what it read before is still true.

    Whoever was anonymised in this moment has no number any more: the wish is that of a number that nobody has.
    """
    debtor_id = address.debtor_id
    if debtor_id is not None and not keep_named([debtor_id]):
        debtor_id = None
    entry = _build_entry(address, act, statement, debtor_id=debtor_id)
    entry.save()
    return entry


def _build_entry(address: Address, act: str, statement: ConsentStatement, *, debtor_id: int | None) -> ConsentEntry:
    return ConsentEntry(
        at=statement.effective_at(),
        kind=address.kind,
        value=address.value,
        channel=statement.channel or address.channel,
        act=Act(act),
        source=Source(statement.source),
        text_shown=statement.text_shown,
        said=statement.said[:SAID_MAX],
        debtor_id=debtor_id,
        contact_id=address.contact_id,
        actor=statement.actor.name,
        actor_id=statement.actor.user_id,
    )


def lock_address(address: Address) -> None:
    """Keep others from adding entries about an address until this transaction ends."""
    with connection.cursor() as cursor:
        # The least form stands for all of them: two spellings of one number take the same lock. The seed keeps these
        # locks apart from those of other modules.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [min(address.forms), _LOCK_SEED])


def latest_entry(address: Address, *acts: str, until: datetime | None = None) -> ConsentEntry | None:
    """Return the latest entry of some acts about an address, None where there is none until then.

    Entries of people who are anonymised since count too.
    """
    forms = list_known_forms(address.value, kind=address.kind)
    entries = ConsentEntry.objects.filter(kind=address.kind, value__in=forms, act__in=acts)
    if until is not None:
        entries = entries.filter(at__lte=until)
    # Of two acts in the same instant the opt-out counts: doubt silences.
    return max(entries, key=lambda entry: (entry.at, entry.act == Act.OPTED_OUT, entry.pk), default=None)


@consequence
def cancel_contacts(address: Address, *, reason: str, channel: str = "", actor: Actor) -> int:
    """Cancel the contacts to an address that are due or leased, but not handed over; return how many."""
    condition = TO_ADDRESS
    parameters = address.sql_parameters()
    if channel:
        condition = f"{TO_ADDRESS} AND w.channel = %s"
        parameters.append(channel)
    return cancel_where(condition, parameters, reason=reason, actor=actor)


@requires(Right.RECORD_CONSENT)
@transaction.atomic
def grant_consent(
    *,
    channel: str,
    source: str,
    text_shown: str = "",
    said: str = "",
    public_id: uuid.UUID | str | None = None,
    point_id: int | None = None,
    kind: str = "",
    value: str = "",
    actor: Actor,
) -> bool:
    """Record that a channel was authorised for an address; return False where the ledger says so already.

    It ends no silence: only the debtor does. Raises OptOutRefused where there is no such address.
    """
    address = find_address(public_id=public_id, point_id=point_id, kind=kind, value=value)
    if address.debtor_id is not None:
        check_debtor(actor, address.debtor_id)
    statement = ConsentStatement(source=source, actor=actor, channel=channel, text_shown=text_shown, said=said)
    (outcome,) = record_authorisations([(address, Act.GRANTED, statement)], actor=actor)
    return outcome == Outcome.NEW


@requires(Right.RECORD_CONSENT)
@transaction.atomic
def withdraw_consent(
    *,
    channel: str,
    source: str,
    text_shown: str = "",
    said: str = "",
    public_id: uuid.UUID | str | None = None,
    point_id: int | None = None,
    kind: str = "",
    value: str = "",
    actor: Actor,
) -> bool:
    """Record that a channel is no longer authorised for an address, and cancel the contacts due by it."""
    address = find_address(public_id=public_id, point_id=point_id, kind=kind, value=value)
    if address.debtor_id is not None:
        check_debtor(actor, address.debtor_id)
    statement = ConsentStatement(source=source, actor=actor, channel=channel, text_shown=text_shown, said=said)
    (outcome,) = record_authorisations([(address, Act.WITHDRAWN, statement)], actor=actor)
    return outcome == Outcome.NEW


class Outcome(StrEnum):
    """What became of a statement about a channel: OVERTAKEN is one that the ledger knows a later word about."""

    NEW = "new"
    KNOWN = "known"
    OVERTAKEN = "overtaken"


Authorisation = tuple[Address, str, ConsentStatement]
"""An address, GRANTED or WITHDRAWN, and how it was stated; the channel is the statement's."""


@consequence
@transaction.atomic
def record_authorisations(authorisations: Sequence[Authorisation], *, actor: Actor) -> list[Outcome]:
    """Enter what was authorised or withdrawn, one or many, and return what became of each.

    The last word about an address and channel counts, by when it was said; of two at the same moment the refusal. What
    waits for a channel that is no longer authorised is cancelled.
    """
    if not all(statement.channel for _address, _act, statement in authorisations):
        raise ValueError("An authorisation is for one channel.")
    _lock_addresses([address for address, _act, _statement in authorisations])
    last_words = _read_last_words([address for address, _act, _statement in authorisations])
    outcomes = [Outcome.KNOWN] * len(authorisations)
    new: dict[tuple[str, str, str], Authorisation] = {}
    entries = []
    named = keep_named({address.debtor_id for address, _act, _statement in authorisations if address.debtor_id})
    in_time = sorted(enumerate(authorisations), key=lambda each: (each[1][2].effective_at(), each[1][1]))
    for position, authorisation in in_time:
        address, act, statement = authorisation
        key = (address.kind, min(address.forms), statement.channel)
        at, last_act = last_words.get(key, (None, ""))
        is_later = at is None or statement.effective_at() > at or (statement.at is None)
        is_refusal = at == statement.effective_at() and act == Act.WITHDRAWN
        if last_act == act:
            continue
        if not (is_later or is_refusal):
            outcomes[position] = Outcome.OVERTAKEN
            continue
        outcomes[position] = Outcome.NEW
        last_words[key] = (statement.effective_at(), act)
        new[key] = authorisation
        debtor_id = address.debtor_id if address.debtor_id in named else None
        entries.append(_build_entry(address, act, statement, debtor_id=debtor_id))
    ConsentEntry.objects.bulk_create(entries)
    _apply_authorisations(list(new.values()), actor)
    return outcomes


def _lock_addresses(addresses: Sequence[Address]) -> None:
    """Keep others from adding entries about addresses, as `lock_address` does for one."""
    forms = sorted({min(address.forms) for address in addresses})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(form, %s)) FROM unnest(%s::text[]) AS form",
            [_LOCK_SEED, forms],
        )


def _read_last_words(addresses: Sequence[Address]) -> dict[tuple[str, str, str], tuple[datetime, str]]:
    """Return when and how addresses were last authorised or not, by kind, least form and channel."""
    values = {form for address in addresses for form in address.forms}
    entries = ConsentEntry.objects.filter(value__in=values, act__in=[Act.GRANTED, Act.WITHDRAWN])
    return {
        (kind, canonical_form(value, kind=kind), channel): (at, act)
        for kind, value, channel, at, act in entries.order_by("at", "pk").values_list(
            "kind", "value", "channel", "at", "act"
        )
    }


def _apply_authorisations(authorisations: Sequence[Authorisation], actor: Actor) -> None:
    """Let contact points, contacts and the journal know the last word about each address and channel."""
    groups: dict[tuple[str, str, str], list[Authorisation]] = {}
    for authorisation in authorisations:
        address, act, statement = authorisation
        groups.setdefault((address.kind, statement.channel, act), []).append(authorisation)
    for (kind, channel, act), group in groups.items():
        forms = sorted({form for address, _act, _statement in group for form in address.forms})
        # Contact points carry a copy of the authorisations, so that planning needs no look into the ledger.
        authorise_channel(kind=kind, forms=forms, channel=channel, is_granted=act == Act.GRANTED)
        rows = [
            {
                "debtor_id": address.debtor_id,
                "contact_id": address.contact_id,
                "channel": channel,
                "source": str(statement.source),
            }
            for address, _act, statement in group
        ]
        fact = ConsentGranted if act == Act.GRANTED else ConsentWithdrawn
        record_facts(fact, pa.Table.from_pylist(rows, _AUTHORISED), actor=actor)
        if act == Act.WITHDRAWN:
            everywhere = Address(kind=kind, value=forms[0], forms=tuple(forms))
            cancel_contacts(everywhere, reason=reasons.CONSENT_WITHDRAWN, channel=channel, actor=actor)


_SILENCE_NEW_POINTS: Final = """
    WITH unmarked AS (
        SELECT point.id, silence.since FROM consent_silence silence
        JOIN portfolio_contactpoint point ON point.value = silence.value AND point.kind = silence.kind
        WHERE point.opted_out_at IS NULL{which} ORDER BY point.id FOR NO KEY UPDATE OF point)
    UPDATE portfolio_contactpoint point SET opted_out_at = unmarked.since FROM unmarked WHERE point.id = unmarked.id
    RETURNING point.id"""

_WRITE_AUTHORISATIONS: Final = """, authorisation AS (
        SELECT id, array_agg(channel) FILTER (WHERE act = 'GRANTED') AS granted,
            array_agg(channel) FILTER (WHERE act = 'WITHDRAWN') AS denied
        FROM latest GROUP BY id)
    UPDATE portfolio_contactpoint point
    SET granted_for = coalesce(authorisation.granted, '{}'), denied_for = coalesce(authorisation.denied, '{}')
    FROM authorisation WHERE point.id = authorisation.id
    RETURNING point.id"""

# Unlike a silence, which is stored in every form of its address, an entry keeps one: `forms_sql` finds the others.
_COPY_TO_NEW_POINTS = f"""
    -- The latest entry per channel, about points that carry no authorisation yet.
    WITH latest AS (
        SELECT DISTINCT ON (point.id, entry.channel) point.id, entry.channel, entry.act
        FROM consent_consententry entry
        CROSS JOIN LATERAL unnest({address_forms.forms_sql("entry.value")}) AS form(value)
        JOIN portfolio_contactpoint point ON point.value = form.value AND point.kind = entry.kind
        WHERE entry.act IN ('GRANTED', 'WITHDRAWN')
            AND cardinality(point.granted_for) + cardinality(point.denied_for) = 0
        ORDER BY point.id, entry.channel, entry.at DESC, entry.id DESC
    ){_WRITE_AUTHORISATIONS}"""


_AUTHORISE_POINTS: Final = f"""
    -- As above, from the other end: of a few points.
    WITH latest AS (
        SELECT DISTINCT ON (point.id, entry.channel) point.id, entry.channel, entry.act
        FROM portfolio_contactpoint point
        CROSS JOIN LATERAL unnest({address_forms.forms_sql("point.value")}) AS form(value)
        JOIN consent_consententry entry ON entry.value = form.value AND entry.kind = point.kind
        WHERE point.id = ANY(%s) AND entry.act IN ('GRANTED', 'WITHDRAWN')
        ORDER BY point.id, entry.channel, entry.at DESC, entry.id DESC
    ){_WRITE_AUTHORISATIONS}"""


@transaction.atomic
def apply_to_new_points(load_ids: Collection[int] = ()) -> int:
    """Copy the ledger to contact points that were loaded since; return how many changed.

    Of the loads that are named, the points are also compared with what is only known by its digest.
    """
    for load_id in load_ids:
        revive_digested(ContactPoint.objects.filter(load_id=load_id))
    # The gate reads the ledger itself: this only spares the plan of the day messages that would be refused.
    schema = pa.schema([("point_id", pa.int64())])
    silenced = tables.fetch(_SILENCE_NEW_POINTS.format(which=""), [], schema)
    authorised = tables.fetch(_COPY_TO_NEW_POINTS, [], schema)
    return silenced.num_rows + authorised.num_rows


@transaction.atomic
def apply_to_points(*, point_ids: Sequence[int]) -> None:
    """Copy the ledger to a few contact points that staff put in use: what was wished about a number holds for it."""
    revive_digested(ContactPoint.objects.filter(pk__in=list(point_ids)))
    schema = pa.schema([("point_id", pa.int64())])
    tables.fetch(_SILENCE_NEW_POINTS.format(which=" AND point.id = ANY(%s)"), [list(point_ids)], schema)
    tables.fetch(_AUTHORISE_POINTS, [list(point_ids)], schema)
