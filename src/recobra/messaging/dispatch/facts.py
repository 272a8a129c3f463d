"""What is true at this moment of the contacts of a leased batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.db import connection

from recobra.portfolio import address_forms as numbers

SERVICE_WINDOW = timedelta(hours=24)
"""How long after a debtor's own message a channel such as WhatsApp takes free text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A leased contact with the facts that judge and fill it, as they are now.

    `kind` is that of the contact point; `given` and `given_html` are words that a person or a bot has written,
    `given_buttons` the choices under them as JSON.
    `in_window` says that the debtor wrote by this channel a short time ago; `can_prove` that the page of the statement
    has a number of four figures or more to know its debtor by.
    """

    contact_id: int
    public_id: UUID
    debtor_id: int
    creditor_id: int
    portfolio_id: int
    channel: str
    template_code: str
    purpose: str
    zones: str
    attempts: int
    point_id: int | None
    kind: str
    address: str
    place: str
    country: str
    subdivision: str
    debtor_name: str
    language: str
    planned_for: date
    closes_at: datetime | None
    preferred_from: time | None
    preferred_to: time | None
    replies_to_at: datetime | None
    subject: str
    given: str
    given_html: str
    given_buttons: str
    opted_out: bool | None
    consent: str | None
    point_valid: bool | None
    in_window: bool
    can_prove: bool
    local_date: date | None = None

    @property
    def is_written(self) -> bool:
        """Return whether its words are there already, beside any template."""
        return bool(self.given) and not self.template_code


# What was said of an address anywhere, in any of its forms, holds for a debtor that was loaded with it later. An answer
# may go to a number that is nobody's contact point: the one that has just written to us.
_LEASED = f"""
    SELECT c.id, c.public_id, c.debtor_id, d.creditor_id, c.portfolio_id, c.channel, c.template_code, c.purpose,
        c.zones, c.attempts, c.point_id, a.kind, a.value, coalesce(p.place, ''),
        coalesce(nullif(d.country, ''), f.country), d.subdivision, d.name, coalesce(nullif(d.language, ''), 'es'),
        c.planned_for, c.closes_at, d.preferred_from, d.preferred_to, c.replies_to_at, c.subject,
        CASE WHEN c.template_code = '' THEN c.body ELSE '' END, CASE WHEN c.template_code = '' THEN c.html ELSE '' END,
        c.buttons::text,
        CASE WHEN a.value <> '' THEN p.opted_out_at IS NOT NULL
            OR EXISTS (SELECT FROM consent_silence s WHERE s.value = ANY(a.forms) AND s.kind = a.kind)
            OR EXISTS (SELECT FROM portfolio_contactpoint s
                WHERE s.value = ANY(a.forms) AND s.kind = a.kind AND s.opted_out_at IS NOT NULL) END,
        coalesce(
            (SELECT CASE e.act WHEN 'GRANTED' THEN 'granted' ELSE 'denied' END FROM consent_consententry e
             WHERE e.value = ANY(a.forms) AND e.kind = a.kind AND e.channel = c.channel
                AND e.act IN ('GRANTED', 'WITHDRAWN')
             ORDER BY e.at DESC, e.id DESC LIMIT 1),
            CASE WHEN c.channel = ANY (p.denied_for) THEN 'denied' WHEN c.channel = ANY (p.granted_for) THEN 'granted'
                WHEN p.consent THEN 'granted' WHEN NOT p.consent THEN 'denied' END),
        CASE WHEN p.id IS NOT NULL THEN p.valid AND p.retired_at IS NULL AND c.channel <> ALL (p.unusable_for)
            WHEN c.purpose = 'REPLY' AND v.id IS NOT NULL THEN true END,
        coalesce(greatest(v.last_inbound_at, c.replies_to_at) > %s, false),
        greatest(length(regexp_replace(d.national_id, '[^0-9]', '', 'g')),
            length(regexp_replace(d.external_id, '[^0-9]', '', 'g'))) >= 4
    FROM messaging_contact c
    JOIN portfolio_debtor d ON d.id = c.debtor_id
    JOIN portfolio_portfolio f ON f.id = c.portfolio_id
    LEFT JOIN portfolio_contactpoint p ON p.id = c.point_id AND p.debtor_id = c.debtor_id
    LEFT JOIN LATERAL (
        SELECT o.id, o.address, o.last_inbound_at FROM conversations_conversation o
        WHERE o.id = c.conversation_id
            OR (c.conversation_id IS NULL AND o.channel = c.channel AND o.address = p.value AND o.status <> 'CLOSED')
        ORDER BY o.id DESC LIMIT 1) v ON true
    CROSS JOIN LATERAL (
        SELECT t.value, {numbers.forms_sql("t.value")} AS forms,
            coalesce(p.kind, CASE c.channel WHEN 'email' THEN 'EMAIL' WHEN 'letter' THEN 'ADDRESS'
                WHEN 'visit' THEN 'ADDRESS' ELSE 'PHONE' END) AS kind
        FROM (SELECT coalesce(p.value, v.address, '') AS value) t OFFSET 0) a
    WHERE c.id = ANY(%s) ORDER BY c.priority, c.due_at, c.id"""


def load(contact_ids: Sequence[int], *, now: datetime) -> list[Leased]:
    """Return leased contacts with their facts, the most urgent at the front."""
    names = [name for name in Leased.__slots__ if name != "local_date"]
    with connection.cursor() as cursor:
        cursor.execute(_LEASED, [now - SERVICE_WINDOW, list(contact_ids)])
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [Leased(**row, local_date=local_date(row["zones"], now)) for row in rows]


def local_date(zones: str, now: datetime) -> date | None:
    """Return the debtor's day, or None in an unknown zone.

    Where a debtor may live in several zones the first one's day will do: the gate only opens while all of them
    have the same.
    """
    zone = first_zone(zones)
    return now.astimezone(zone).date() if zone else None


def first_zone(zones: str) -> ZoneInfo | None:
    """Return the first of the zones joined by `|`, None where it is not known."""
    return _zone(zones.partition("|")[0])


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    return ZoneInfo(name) if name in available_timezones() else None


def is_silent(*, kind: str, value: str) -> bool:
    """Return whether nothing may be sent to a number or address, whoever has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM consent_silence WHERE kind = %s AND value = %s)", [kind, value])
        (answer,) = cursor.fetchone()
    return bool(answer)
