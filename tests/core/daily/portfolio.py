"""A company drawn by chance, the same one each time: three portfolios in three countries and three currencies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.core.daily.tables import Row, write

from recobra_core.decide import list_templates, ready
from recobra_core.decide.daily import PortfolioLimits
from recobra_core.decide.strategy import Strategy
from recobra_core.law import zones_for
from recobra_core.money import exponent_of
from recobra_core.stages import Limits

AS_OF = date(2026, 11, 24)
CHANNELS_OPEN = ("email", "sms", "whatsapp")
SEED = 20261124
STAGES = ("PREVENTIVE", "ADMINISTRATIVE", "EXTRAJUDICIAL", "JUDICIAL")
CREDITORS = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Business:
    """A portfolio: what it collects, where, and what an instalment may come to."""

    portfolio_id: int
    code: str
    country: str
    currency: str
    product: str
    largest_minor: int
    regions: tuple[str | None, ...]
    limits: Limits
    strategy: Strategy


BUSINESSES = (
    Business(
        portfolio_id=1,
        code="PE-CONSUMO",
        country="PE",
        currency="PEN",
        product="LOAN",
        largest_minor=1_500_000,
        regions=("", None, "LIM", "PE-CUS"),
        limits=Limits(),
        strategy=ready.load_strategy("consumo"),
    ),
    Business(
        portfolio_id=2,
        code="CO-SERVICIOS",
        country="CO",
        currency="COP",
        product="SERVICE",
        largest_minor=400_000_000,
        regions=("", "DC", "ANT"),
        limits=Limits(extrajudicial_from=76),
        strategy=ready.load_strategy("servicios"),
    ),
    Business(
        portfolio_id=3,
        code="CL-FACTURAS",
        country="CL",
        currency="CLP",
        product="INVOICE",
        largest_minor=9_000_000,
        regions=("", "RM", "CL-MA", "no such region"),
        limits=Limits(administrative_from=5),
        strategy=ready.load_strategy("facturas"),
    ),
)
POLICIES = tuple(
    PortfolioLimits(portfolio_ids=(each.portfolio_id,), limits=each.limits, strategy=each.strategy)
    for each in BUSINESSES
)


def write_portfolio(folder: Path, *, accounts: int) -> None:
    """Write the snapshot of a company with so many accounts and half as many debtors."""
    rows: dict[str, list[Row]] = {name: [] for name in ("items", "points", "holds", "events", "history", "planned")}
    rows |= {"accounts": [], "debtors": [], "states": [], "firings": [], "portfolios": list(_portfolios())}
    chance = Random(SEED)
    for debtor in range(1, accounts // 2 + 1):
        home, creditor = chance.choice(BUSINESSES), chance.choice(CREDITORS)
        rows["debtors"].append(_debtor(chance, debtor, creditor, home))
        _add(rows, _about_debtor(chance, debtor, creditor))
        for account in (2 * debtor - 1, 2 * debtor):
            # Now and then a person owes in two countries, and in two currencies.
            business = home if chance.random() < 0.9 else chance.choice(BUSINESSES)
            _add(rows, _about_account(chance, account, debtor, business))
    templates = {code for each in BUSINESSES for code in list_templates(each.strategy)} - {"aviso-preventivo"}
    write(folder, rows, templates=templates, channels=CHANNELS_OPEN, as_of=AS_OF)


def _add(rows: dict[str, list[Row]], more: Iterator[tuple[str, Row]]) -> None:
    for name, row in more:
        rows[name].append(row)


def _portfolios() -> Iterator[Row]:
    for each in BUSINESSES:
        yield {
            "portfolio_id": each.portfolio_id,
            "portfolio": each.code,
            "currency": each.currency,
            "currency_exponent": exponent_of(each.currency),
            "active": True,
        }


def _debtor(chance: Random, debtor: int, creditor: int, home: Business) -> Row:
    region = chance.choice(home.regions)
    zones = zones_for(country=home.country, subdivision=region or None, stated_zone=None)
    return {
        "debtor_id": debtor,
        "creditor_id": creditor,
        "debtor_kind": "COMPANY" if home.product == "INVOICE" else "PERSON",
        "country": home.country,
        "subdivision": region,
        "zones": chance.choice([zones, zones, zones, zones, None]),
    }


def _ago(chance: Random, days: int) -> date:
    return AS_OF - timedelta(chance.randrange(days))


def _about_debtor(chance: Random, debtor: int, creditor: int) -> Iterator[tuple[str, Row]]:
    for at in range(chance.randrange(4)):
        yield "points", _point(chance, 4 * debtor + at, debtor)
    if chance.random() < 0.3:
        yield "events", _events(chance, debtor)
    if chance.random() < 0.02:
        yield "holds", {"debtor_id": debtor, "reason": chance.choice(["DECEASED", "INSOLVENCY", "COMPLAINT"])}
    if chance.random() < 0.05:
        yield "planned", {"debtor_id": debtor, "channel": "email"}
    for _ in range(chance.choice([0, 0, 0, 1, 2, 4])):
        yield (
            "history",
            {
                "creditor_id": creditor,
                "debtor_id": debtor,
                "account_id": chance.choice([None, 2 * debtor]),
                "channel": chance.choice(["email", "sms", "call", None]),
                "local_date": chance.choice([_ago(chance, 35), _ago(chance, 3)]),
                "reached": chance.choice([True, True, False, None]),
            },
        )


def _point(chance: Random, number: int, debtor: int) -> Row:
    kind = chance.choice(["EMAIL", "EMAIL", "PHONE", "ADDRESS"])
    channel = Random(number)  # a draw of its own: what was drawn before these columns stays as it was
    return {
        "contact_point_id": number,
        "debtor_id": debtor,
        "kind": kind,
        "line": chance.choice(["MOBILE", "FIXED", ""]) if kind == "PHONE" else "",
        "valid": chance.random() < 0.9,
        "opted_out": chance.random() < 0.05,
        "consent": chance.choice([None, None, "granted", "denied"]),
        "quality": chance.choice([None, 10, 50, 90]),
        "place": channel.choice(["", "", "personal", "work"]),
        "unusable_for": channel.choice([[], [], [], ["whatsapp"], ["sms", "whatsapp"]]),
        "granted_for": channel.choice([None, [], ["email", "sms"]]),
        "denied_for": channel.choice([[], [], [], ["sms"]]),
        "preferred_channel": channel.choice(["", "", "email", "whatsapp"]),
    }


def _events(chance: Random, debtor: int) -> Row:
    events: dict[str, Any] = {"debtor_id": debtor, "payments_90d": chance.randrange(4)}
    for name in ("last_payment_on", "last_promise_on", "last_dispute_on", "last_reply_on"):
        events[name] = chance.choice([None, None, _ago(chance, 60), _ago(chance, 5)])
    return events


def _about_account(chance: Random, account: int, debtor: int, business: Business) -> Iterator[tuple[str, Row]]:
    first_due = AS_OF + timedelta(chance.randrange(-160, 25))
    yield (
        "accounts",
        {
            "account_id": account,
            "debtor_id": debtor,
            "portfolio_id": business.portfolio_id,
            "product": business.product,
            "opened_date": chance.choice([None, first_due - timedelta(30)]),
            "attr_branch": chance.choice([None, "", "Centro", "Ñuñoa"]),
            "attr_score": chance.choice([None, chance.randrange(1000)]),
        },
    )
    for month in range(chance.choice([0, 1, 1, 2, 3, 3])):
        yield (
            "items",
            {
                "account_id": account,
                "due_date": None if chance.random() < 0.02 else first_due + timedelta(30 * month),
                "open_minor": chance.randrange(1, business.largest_minor) * (-1 if chance.random() < 0.05 else 1),
            },
        )
    if chance.random() < 0.03:
        disputed = chance.choice([None, 1, chance.randrange(business.largest_minor)])
        yield "holds", {"debtor_id": debtor, "account_id": account, "reason": "DISPUTE", "disputed_minor": disputed}
    if chance.random() < 0.85:
        yield from _yesterday(chance, account, first_due, business)


def _yesterday(chance: Random, account: int, first_due: date, business: Business) -> Iterator[tuple[str, Row]]:
    """Tell what was written of the account a day before, and what had fired: true of most, out of date for some."""
    dpd = (AS_OF - first_due).days - 1
    reached = 0 if dpd < 1 else 1 if dpd < business.limits.extrajudicial_from else 2
    cycle = chance.choice([first_due, first_due, first_due, _ago(chance, 100)])
    yield (
        "states",
        {
            "account_id": account,
            "stage": STAGES[reached] if chance.random() < 0.9 else chance.choice(STAGES),
            "stage_since": _ago(chance, 60),
            "cycle_date": None if chance.random() < 0.02 else cycle,
            "bucket": chance.choice([bucket.key for bucket in business.limits.buckets]),
            "segment": "general",
            "balance_minor": chance.randrange(business.largest_minor),
            "overdue_minor": chance.randrange(1, business.largest_minor) if dpd > 0 else chance.choice([0, None]),
            "oldest_due_date": first_due,
            "next_due_date": chance.choice([None, first_due]),
        },
    )
    for step in _fired(chance, business.strategy):
        yield (
            "firings",
            {
                "account_id": account,
                "strategy_code": business.strategy.code,
                "step_key": step,
                "cycle_date": cycle,
                "occurrence": 1,
                "fired_on": _ago(chance, 40),
            },
        )


def _fired(chance: Random, strategy: Strategy) -> Sequence[str]:
    return chance.sample([step.key for step in strategy.steps], chance.choice([0, 0, 1, 2]))
