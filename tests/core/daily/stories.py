"""The cases of `daily_cases.yaml` as the tables of a snapshot: what a case does not tell is ordinary."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tests.core.daily.tables import Row, write

from recobra_core import yaml_text
from recobra_core.decide import Strategy, list_templates
from recobra_core.decide.daily import PortfolioLimits
from recobra_core.stages import Limits

AS_OF = date(2026, 11, 24)
CHANNELS_OPEN = ("email", "sms")
DOCUMENT = yaml_text.load(Path(__file__).with_name("daily_cases.yaml").read_text("utf-8"))
CASES: list[Mapping[str, Any]] = DOCUMENT["cases"]
STRATEGY = Strategy.parse(DOCUMENT["strategy"])
POLICIES = (
    PortfolioLimits(portfolio_ids=(1, 3), limits=Limits(), strategy=STRATEGY),
    PortfolioLimits(portfolio_ids=(2,), limits=Limits(), strategy=STRATEGY),
)
PORTFOLIOS = (
    {"portfolio_id": 1, "portfolio": "PE", "currency": "PEN", "currency_exponent": 2, "active": True},
    {"portfolio_id": 2, "portfolio": "CL", "currency": "CLP", "currency_exponent": 0, "active": True},
    {"portfolio_id": 3, "portfolio": "PE-STALE", "currency": "PEN", "currency_exponent": 2, "active": False},
)
ORDINARY_DEBTOR = {"creditor_id": 1, "debtor_kind": "PERSON", "country": "PE", "zones": "America/Lima"}
ORDINARY_POINT = {"line": "", "valid": True, "opted_out": False}
ORDINARY_STATE = {"stage": "PREVENTIVE", "stage_since": date(2026, 11, 1), "bucket": "not_due", "balance_minor": 1}


def account_of(number: int) -> int:
    """Return the account of a case; that of `also` follows it."""
    return 2 * number


def write_cases(folder: Path) -> None:
    """Write the snapshot in which case n is debtor n."""
    rows: dict[str, list[Row]] = {"portfolios": list(PORTFOLIOS)}
    for number, case in enumerate(CASES):
        for name, row in _case(number, case):
            rows.setdefault(name, []).append(row)
    write(folder, rows, templates=list_templates(STRATEGY), channels=CHANNELS_OPEN, as_of=AS_OF)


def _case(number: int, case: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    who = {"debtor_id": number}
    yield "debtors", ORDINARY_DEBTOR | who
    yield from _account(account_of(number), who, case)
    if "also" in case:
        yield from _account(account_of(number) + 1, who, case["also"])
    for at, point in enumerate(case.get("points", [{"kind": "EMAIL"}])):
        yield "points", ORDINARY_POINT | who | {"contact_point_id": 10 * number + at} | point
    for hold in case.get("holds", ()):
        account = account_of(number) if hold.get("account") else None
        yield "holds", hold | who | {"account_id": account}
    for channel in case.get("planned", ()):
        yield "planned", who | {"channel": channel}
    for day in case.get("history", ()):
        yield "history", who | {"creditor_id": 1, "channel": "email", "local_date": day, "reached": True}
    if "events" in case:
        yield "events", case["events"] | who


def _account(account: int, who: Row, told: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    what = {"account_id": account}
    yield "accounts", {"product": "LOAN", "portfolio_id": told.get("portfolio_id", 1), **who, **what}
    for item in told["owes"]:
        yield "items", what | {"due_date": item["due"], "open_minor": item["minor"]}
    if "was" in told:
        yield "states", ORDINARY_STATE | what | told["was"]
    for firing in told.get("fired", ()):
        yield "firings", what | {"strategy_code": STRATEGY.code, "occurrence": 1} | firing
