"""The ledger of consent: what was said about a number or address, and what follows for each channel."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa
from django.db import connection, transaction
from django.utils.translation import gettext as _

from recobra.consent.models import ConsentEntry
from recobra.journal.operations import record
from recobra.kit import tables
from recobra.messaging import reasons
from recobra.messaging.models import Contact
from recobra.messaging.outbox.transitions import cancel_where
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint

Act = ConsentEntry.Act
Source = ConsentEntry.Source
SAID_MAX: Final = 500
DEBTOR: Final = "debtor"
SUBJECTS = pa.schema([("point_id", pa.int64()), ("debtor_id", pa.int64()), ("contact_id", pa.int64())])

# Everything on its way to a line, over all debtors, portfolios and channels: by contact point, or by the
# conversation it answers in where nobody knows whose number that is.
TO_ADDRESS: Final = """w.id IN (
        SELECT t.id FROM messaging_contact t JOIN portfolio_contactpoint p ON p.id = t.point_id
            AND p.debtor_id = t.debtor_id WHERE p.kind = %s AND p.value = ANY(%s)
        UNION SELECT t.id FROM messaging_contact t JOIN conversations_conversation v ON v.id = t.conversation_id
            WHERE v.address = ANY(%s))"""


class OptOutRefused(Exception):
    """There is nothing to opt out of; the text is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A number or address that a wish is about, in all its forms, and whom it was about where that is known."""

    kind: str
    value: str
    forms: tuple[str, ...]
    debtor_id: int | None = None
    contact_id: int | None = None
    channel: str = ""

    def where(self) -> list[str | list[str]]:
        """Return the parameters of TO_ADDRESS."""
        return [self.kind, list(self.forms), list(self.forms)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatement:
    """How a wish was said. `channel` is where, or what an authorisation covers; `text_shown` what was answered to.

    `at` is when it was said, where that is earlier than `now`: calls come late, twice and in any order, and the
    ledger stands as if they had come as they were said.
    """

    source: str
    now: datetime
    at: datetime | None = None
    channel: str = ""
    text_shown: str = ""
    said: str = ""
    actor: str = ""
    actor_id: int | None = None

    def when(self) -> datetime:
        """Return when the wish was said; never later than now."""
        return self.now if self.at is None else min(self.at, self.now)

    def who(self) -> str:
        """Return the actor for the journal. Raises ValueError for a wish that staff put down and nobody did."""
        if Source(self.source) == Source.STAFF and not self.actor:
            raise ValueError("A wish that was put down by staff needs its actor.")
        return self.actor or ("provider" if self.source == Source.PROVIDER else DEBTOR)


def find_address(
    *, public_id: uuid.UUID | str | None = None, point_id: int | None = None, kind: str = "", value: str = ""
) -> Address:
    """Return the line of a contact, of a contact point or of a bare value, one of the three. Raises OptOutRefused."""
    if [public_id is not None, point_id is not None, bool(value)].count(True) != 1:
        raise TypeError("Give a contact's public id, a contact point or a kind and value, one of the three.")
    if value:
        kept = address_forms.normalise_address(value, kind=ContactPoint.Kind(kind))
        return _line(kind, kept)
    if public_id is None:
        point = ContactPoint.objects.filter(pk__in=[point_id or 0]).first()
        contact = None
    else:
        contact = Contact.objects.select_related("point").filter(public_id=public_id).first()
        point = contact.point if contact else None
    if contact is not None and point is None and contact.address:  # an answer to a number that is nobody's yet
        channel = str(contact.channel)
        return _line(address_forms.point_kind(channel), contact.address, contact.debtor_id, contact.pk, channel)
    if point is None:
        raise OptOutRefused(_("There is no such message or address."))
    channel = str(contact.channel) if contact else ""
    return _line(point.kind, point.value, point.debtor_id, contact.pk if contact else None, channel)


def _line(
    kind: str, value: str, debtor_id: int | None = None, contact_id: int | None = None, channel: str = ""
) -> Address:
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


def add_entry(line: Address, act: str, said: ConsentStatement) -> ConsentEntry:
    """Add an entry to the ledger, one writer per line at a time: what is read of a line before stays true."""
    return ConsentEntry.objects.create(
        at=said.when(),
        kind=line.kind,
        value=line.value,
        channel=said.channel or line.channel,
        act=Act(act),
        source=Source(said.source),
        text_shown=said.text_shown,
        said=said.said[:SAID_MAX],
        debtor_id=line.debtor_id,
        contact_id=line.contact_id,
        actor=said.who(),
        actor_id=said.actor_id,
    )


def lock_address(line: Address) -> None:
    """Let nobody else write about a line before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3))", [min(line.forms)])


def latest_entry(line: Address, *acts: str, until: datetime | None = None) -> ConsentEntry | None:
    """Return which of some acts was the last one said about a line, None where none was by then.

    Of those said in the same instant an opt-out counts.
    """
    found = ConsentEntry.objects.filter(kind=line.kind, value__in=line.forms, act__in=acts)
    if until is not None:
        found = found.filter(at__lte=until)
    return max(found, key=lambda entry: (entry.at, entry.act == Act.OPTED_OUT, entry.pk), default=None)


def cancel_contacts(line: Address, *, reason: str, at: datetime, actor: str, channel: str = "") -> int:
    """Take back what waits or is leased, but not handed over, to a line; return how many contacts."""
    which, parameters = TO_ADDRESS, line.where()
    if channel:
        which, parameters = f"{TO_ADDRESS} AND w.channel = %s", [*parameters, channel]
    return cancel_where(which, parameters, reason=reason, at=at, actor=actor)


@transaction.atomic
def grant_consent(
    *,
    channel: str,
    source: str,
    now: datetime,
    text_shown: str = "",
    said: str = "",
    actor: str = "",
    actor_id: int | None = None,
    public_id: uuid.UUID | str | None = None,
    point_id: int | None = None,
    kind: str = "",
    value: str = "",
) -> bool:
    """Put down that a channel was authorised for a line; False where that is its last word already.

    It ends no silence: only the debtor does. Raises OptOutRefused where there is no such line.
    """
    line = find_address(public_id=public_id, point_id=point_id, kind=kind, value=value)
    words = ConsentStatement(
        source=source, now=now, channel=channel, text_shown=text_shown, said=said, actor=actor, actor_id=actor_id
    )
    return _authorise(line, Act.GRANTED, words)


@transaction.atomic
def withdraw_consent(
    *,
    channel: str,
    source: str,
    now: datetime,
    text_shown: str = "",
    said: str = "",
    actor: str = "",
    actor_id: int | None = None,
    public_id: uuid.UUID | str | None = None,
    point_id: int | None = None,
    kind: str = "",
    value: str = "",
) -> bool:
    """Put down that a channel is no longer authorised for a line, and take back what waits for it there."""
    line = find_address(public_id=public_id, point_id=point_id, kind=kind, value=value)
    words = ConsentStatement(
        source=source, now=now, channel=channel, text_shown=text_shown, said=said, actor=actor, actor_id=actor_id
    )
    if not _authorise(line, Act.WITHDRAWN, words):
        return False
    cancel_contacts(line, reason=reasons.CONSENT_WITHDRAWN, at=now, actor=words.who(), channel=channel)
    return True


_MIRROR = """
    UPDATE portfolio_contactpoint p
    SET granted_for = CASE WHEN %s THEN array_append(array_remove(p.granted_for, %s), %s)
            ELSE array_remove(p.granted_for, %s) END,
        denied_for = CASE WHEN %s THEN array_remove(p.denied_for, %s)
            ELSE array_append(array_remove(p.denied_for, %s), %s) END
    WHERE p.kind = %s AND p.value = ANY(%s)"""


def _authorise(line: Address, act: str, said: ConsentStatement) -> bool:
    if not said.channel:
        raise ValueError("An authorisation is for one channel.")
    lock_address(line)
    about = ConsentEntry.objects.filter(kind=line.kind, value__in=line.forms, channel=said.channel)
    last = about.filter(act__in=[Act.GRANTED, Act.WITHDRAWN]).order_by("-at", "-pk").first()
    if last is not None and last.act == act:
        return False
    add_entry(line, act, said)
    granted, channel = act == Act.GRANTED, said.channel
    with connection.cursor() as cursor:
        cursor.execute(
            _MIRROR,
            [granted, channel, channel, channel, granted, channel, channel, channel, line.kind, list(line.forms)],
        )
    record(
        "consent.granted" if granted else "consent.withdrawn",
        at=said.now,
        actor=said.who(),
        actor_id=said.actor_id,
        debtor_id=line.debtor_id,
        contact_id=line.contact_id,
        payload={"channel": channel, "source": said.source},
    )
    return True


_SILENT_POINTS = """
    WITH late AS (
        SELECT p.id, s.since FROM consent_silence s
        JOIN portfolio_contactpoint p ON p.value = s.value AND p.kind = s.kind
        WHERE p.opted_out_at IS NULL ORDER BY p.id FOR NO KEY UPDATE OF p)
    UPDATE portfolio_contactpoint p SET opted_out_at = late.since FROM late WHERE p.id = late.id
    RETURNING p.id"""

# A silence has all forms of its line already.
_LATE_CONSENTS = f"""
    WITH last AS (
        SELECT DISTINCT ON (p.id, e.channel) p.id, e.channel, e.act
        FROM consent_consententry e CROSS JOIN LATERAL unnest({address_forms.forms_sql("e.value")}) AS f(value)
        JOIN portfolio_contactpoint p ON p.value = f.value AND p.kind = e.kind
        WHERE e.act IN ('GRANTED', 'WITHDRAWN') AND cardinality(p.granted_for) + cardinality(p.denied_for) = 0
        ORDER BY p.id, e.channel, e.at DESC, e.id DESC
    ), now_is AS (
        SELECT l.id, array_agg(l.channel) FILTER (WHERE l.act = 'GRANTED') AS granted,
            array_agg(l.channel) FILTER (WHERE l.act = 'WITHDRAWN') AS denied
        FROM last l GROUP BY l.id)
    UPDATE portfolio_contactpoint p
    SET granted_for = coalesce(n.granted, '{{}}'), denied_for = coalesce(n.denied, '{{}}')
    FROM now_is n WHERE p.id = n.id
    RETURNING p.id"""


@transaction.atomic
def apply_to_new_points() -> int:
    """Let contact points that were loaded since know what the ledger says of them; return how many changed.

    The gate reads the ledger itself: this spares the plan of the day messages that would be refused.
    """
    schema = pa.schema([("point_id", pa.int64())])
    return tables.fetch(_SILENT_POINTS, [], schema).num_rows + tables.fetch(_LATE_CONSENTS, [], schema).num_rows


def build_payloads(points: pa.Table, said: ConsentStatement) -> pa.Array:
    """Return the payload of a fact per contact point of `points` (schema SUBJECTS)."""
    listed = [json.dumps({"point_id": point, "source": said.source}) for point in points["point_id"].to_pylist()]
    return pa.array(listed, pa.string())
