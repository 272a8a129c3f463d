"""A debtor of Banco Sur on a Monday morning, and what each test changes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from recobra.conversations.bot.identity import digest_figures
from recobra.conversations.bot.turns import Facts, Limits, Plan

TODAY = date(2026, 11, 23)
SALT = b"of this conversation"
MONDAY_FACTS = Facts(
    creditor="Banco Sur",
    sender="Cobranzas Gama",
    country="PE",
    currency="PEN",
    overdue_minor=123_450,
    may_collect=True,
    is_office_open=True,
    office_hours="lunes a viernes de 9:00 a 18:00",
    limits=Limits(promise_days=15, promise_min_minor=5_000),
    allowed_plans=(
        Plan(id="three", instalments=3, instalment_minor=41_150, first_day=date(2026, 12, 1)),
        Plan(id="six", instalments=6, instalment_minor=20_575, first_day=date(2026, 12, 1)),
    ),
    identity=digest_figures("4321", salt=SALT),
    salt=SALT,
)


@pytest.fixture
def facts():
    return lambda **changes: replace(MONDAY_FACTS, **changes)


@pytest.fixture(scope="session")
def measured():
    from recobra.conversations.bot import evaluation  # noqa: PLC0415 - trains; only for the tests that look at figures

    return evaluation.measure_bot()
