"""Prices in minor units become prices in micros, by the decimals of each currency, and go back again."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = [("contact", "0004_contact_buttons")], [("contact", "0005_price_micros")]


def migrated(target):
    """Migrate the contact plane, and return its tables as they are then."""
    executor = MigrationExecutor(connection)
    executor.migrate(target)
    return MigrationExecutor(connection).loader.project_state(target).apps


@pytest.fixture
def earlier(db, now):
    """Providers and messages with prices in minor units, None where nobody knew."""
    tables = migrated(BEFORE)
    provider, contact = (tables.get_model("contact", name).objects for name in ("Provider", "Contact"))
    debtors = tables.get_model("portfolio", "Debtor").objects
    creditor = tables.get_model("portfolio", "Creditor").objects.create(code="SUR", name="Banco Sur")
    portfolio = tables.get_model("portfolio", "Portfolio").objects.create(
        creditor=creditor, code="PE", name="Perú", country="PE", currency="PEN", time_zone="America/Lima"
    )
    for n, (price, currency) in enumerate(
        [(5, "PEN"), (19, "CLP"), (7, "CLF"), (9, "KWD"), (3, "ITL"), (0, "CLP"), (None, "")]
    ):
        debtor = debtors.create(creditor=creditor, external_id=f"D{n}", name="X", country="PE")
        contact.create(
            debtor=debtor, portfolio=portfolio, channel="sms", template_code="recordatorio", status="DUE",
            planned_for=now.date(), planned_at=now, due_at=now, zones="America/Lima", price_minor=price,
            price_currency=currency,
        )  # fmt: skip
        if price is not None:
            provider.create(
                code=f"p{n}", channel="sms", kind="http_sms", name="SMS", price_minor=price, price_currency=currency,
                created_at=now, created_by="dario",
            )  # fmt: skip


MICROS = [50_000, 19_000_000, 700, 9_000, 30_000, 0]


def prices(tables, model, field):
    return list(tables.get_model("contact", model).objects.order_by("pk").values_list(field, flat=True))


def test_each_price_keeps_its_worth_in_its_own_currency(earlier):
    tables = migrated(AFTER)
    assert prices(tables, "Provider", "price_micros") == MICROS
    assert prices(tables, "Contact", "price_micros") == [*MICROS, None]


def test_back_again_a_price_is_rounded_half_up_to_the_minor_unit(earlier):
    tables = migrated(AFTER)
    for model in ("Provider", "Contact"):
        rows = tables.get_model("contact", model).objects
        rows.filter(price_currency="PEN").update(price_micros=55_000)
        rows.filter(price_currency="CLF").update(price_micros=749)
    before = migrated(BEFORE)
    assert prices(before, "Provider", "price_minor") == [6, 19, 7, 9, 3, 0]
    assert prices(before, "Contact", "price_minor") == [6, 19, 7, 9, 3, 0, None]
