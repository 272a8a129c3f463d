"""Outbox of the bench: debtors who owe one invoice each, and a message due to each of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db import connection

from recobra.access.actors import Service, service_actor
from recobra.kit import tables
from recobra.messaging import operations as messaging
from recobra.messaging.outbox.plan import PLANNED
from recobra.portfolio import setup

PORTFOLIO: dict[str, Any] = {
    "code": "BENCH",
    "name": "Bench",
    "industry": "CONSUMER",
    "country": "PE",
    "currency": "PEN",
    "time_zone": "America/Lima",
}
POINTS = pa.schema([("debtor_id", pa.int64()), ("point_id", pa.int64())])
TEMPLATE = "recordatorio"

# Debtors, then their contact points, accounts, instalments and charges. The numbers of a round begin with its prefix.
_SEED = (
    """INSERT INTO portfolio_debtor (creditor_id, external_id, kind, name, national_id_kind, national_id, country,
        subdivision, time_zone) SELECT %(creditor)s, %(round)s || g, 'PERSON', 'Persona ' || g, '', '', 'PE', '', ''
        FROM generate_series(1, %(n)s) g""",
    """INSERT INTO portfolio_contactpoint (debtor_id, kind, value, line, source, valid, quality)
        SELECT id, %(kind)s, CASE WHEN %(kind)s = 'EMAIL' THEN external_id || '@correo.example'
            ELSE '+519' || lpad((id %% 100000000)::text, 8, '0') END,
            CASE WHEN %(kind)s = 'EMAIL' THEN '' ELSE 'MOBILE' END, 'LOAD', true, 50
        FROM portfolio_debtor WHERE external_id LIKE %(round)s || '%%'""",
    """INSERT INTO portfolio_account (portfolio_id, debtor_id, external_id, product, status, contract, attributes)
        SELECT %(portfolio)s, id, 'F' || external_id, 'INVOICE', 'OPEN', '', '{}'
        FROM portfolio_debtor WHERE external_id LIKE %(round)s || '%%'""",
    """INSERT INTO portfolio_instalment (account_id, number, due_date)
        SELECT id, '1', %(day)s::date - 10 FROM portfolio_account WHERE external_id LIKE 'F' || %(round)s || '%%'""",
    """INSERT INTO portfolio_posting (account_id, instalment_id, kind, concept, amount_minor, value_date, booked_at)
        SELECT i.account_id, i.id, 'CHARGE', 'PRINCIPAL', 12345 + i.id %% 100000, i.due_date, %(now)s
        FROM portfolio_instalment i JOIN portfolio_account a ON a.id = i.account_id
        WHERE a.external_id LIKE 'F' || %(round)s || '%%'""",
)


def open_portfolio(*, now: datetime) -> tuple[int, int]:
    """Create the creditor, its portfolio and the starter templates; return the ids of the first two."""
    messaging.ensure_library(actor=service_actor(Service.LIBRARY, now=now))
    creditor = setup.open_creditor(code="BENCH", name="Bench", actor=service_actor(Service.BENCH, now=now))
    portfolio = setup.open_portfolio(creditor=creditor, **PORTFOLIO, actor=service_actor(Service.BENCH, now=now))
    return creditor.pk, portfolio.pk


def fill_outbox(*, messages: int, prefix: str, channel: str, ids: tuple[int, int], now: datetime) -> None:
    """Create debtors whose numbers begin with `prefix`, and plan a message to each of them.

    `ids` are creditor and portfolio of `open_portfolio`.
    """
    creditor_id, portfolio_id = ids
    values: dict[str, Any] = {
        "n": messages,
        "round": prefix,
        "creditor": creditor_id,
        "portfolio": portfolio_id,
        "day": now.date(),
        "now": now,
        "kind": "EMAIL" if channel == "email" else "PHONE",
    }
    with connection.cursor() as cursor:
        for statement in _SEED:
            cursor.execute(statement, values)
    points = tables.fetch(
        """SELECT p.debtor_id, p.id FROM portfolio_contactpoint p JOIN portfolio_debtor d ON d.id = p.debtor_id
        WHERE d.external_id LIKE %s || '%%'""",
        [prefix],
        POINTS,
    )
    constants = {
        "portfolio_id": portfolio_id,
        "channel": channel,
        "template_code": TEMPLATE,
        "step_key": TEMPLATE,
        "strategy_version_id": None,
        "status": "DUE",
        "planned_for": now.date(),
        "due_at": now,
        "closes_at": None,
        "zones": "America/Lima",
        "reason": None,
        "rule": None,
        "article": None,
    }
    columns = {name: points[name] for name in points.column_names}
    for name, value in constants.items():
        columns[name] = pa.array([value] * points.num_rows, PLANNED.field(name).type)
    rows = pa.table(columns).select(PLANNED.names)
    messaging.plan_contacts(contacts=rows, actor=service_actor(Service.CYCLE, now=now))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT maintenance.analyze_tables(array_agg(oid::regclass)) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
