"""Collection fees that the law of a day allows. What is not known is refused, never guessed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from recobra_core.law.clauses import Fees, find_in_force
from recobra_core.law.files import load_countries
from recobra_core.money import MoneyError, Rounding, exponent_of, from_minor, to_minor

Fact = TypeVar("Fact")
ROUNDING: Rounding = "down"
"""A fee is never rounded against the debtor."""

SENTENCES = {
    "unknown_country": "There are no rules about fees for this country.",
    "unknown_rule": "No rule about fees is known for that day.",
    "unknown_currency": "The law's amounts cannot be told in this currency.",
    "unknown_uf": "The value of the UF of that day is not known.",
    "unknown_usd": "The rate of the dollar of that day is not known.",
    "unknown_supervised": "It is not known whether the creditor is a supervised lender.",
    "unknown_days": "It is not known how many days the debt is past due.",
    "unknown_notice": "It is not known whether a free notice was given in time.",
    "unknown_charged": "It is not known whether this fee was charged before.",
    "unknown_agreed": "It is not known what the contract agreed.",
    "unknown_proven": "It is not known what the collection really cost.",
    "unknown_tariff": "It is not known what the published tariff allows.",
    "too_early": "The law allows no fee so early.",
    "supervised": "A supervised lender may charge nothing for collection.",
    "charged_before": "This fee was charged already.",
    "nothing_overdue": "Nothing is overdue.",
}
"""Reasons to refuse a fee or to charge nothing, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeFacts:
    """Facts a fee depends on; None where unknown. Amounts are in minor units of the debt's currency.

    uf, usd: units of the currency for one UF, one US dollar, that day. agreed, proven, tariff: what the contract
    states, what collection really cost, what the published tariff allows. free_notice: a useful notice was given free
    in the days that the law says. charged_before: on the same instalment, or in the same month, as the law counts.
    """

    overdue_minor: int
    currency: str
    days_past_due: int | None
    supervised: bool | None = None
    uf: Decimal | None = None
    usd: Decimal | None = None
    agreed_minor: int | None = None
    proven_minor: int | None = None
    tariff_minor: int | None = None
    free_notice: bool | None = None
    charged_before: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """The most that may be charged, with its rule and article; `reason` says why it is nothing, '' where it is not."""

    amount_minor: int
    rule: str
    article: str
    reason: str = ""


class FeeRefused(Exception):
    """A fact is missing, so no fee may be charged. `reason` is a key of SENTENCES."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(SENTENCES[reason])


def compute_collection_fee(*, country: str, day: date, case: FeeFacts) -> Fee:
    """Return the most that collection may cost the debtor on a day. Raises FeeRefused where a fact is not known."""
    law = load_countries().get(country)
    if law is None:
        raise FeeRefused("unknown_country")
    clause = find_in_force(law.sections.fees, day)
    if clause is None:
        raise FeeRefused("unknown_rule")
    try:
        exponent_of(case.currency)
    except MoneyError:
        raise FeeRefused("unknown_currency") from None
    reason = _reason_for_no_fee(clause, case)
    if reason:
        return Fee(amount_minor=0, rule=clause.rule, article=clause.source, reason=reason)
    # Every bound holds at once, so the least of them is the fee.
    amount_minor = max(0, min(_upper_bounds(clause, case)))
    return Fee(amount_minor=amount_minor, rule=clause.rule, article=clause.source)


def _reason_for_no_fee(clause: Fees, case: FeeFacts) -> str:
    """Return why the law allows no fee at all, or ''."""
    if case.overdue_minor <= 0:
        return "nothing_overdue"
    if clause.none_if_supervised and _require(case.supervised, "unknown_supervised"):
        return "supervised"
    if clause.after_days and _require(case.days_past_due, "unknown_days") <= clause.after_days:
        return "too_early"
    if clause.once and _require(case.charged_before, "unknown_charged"):
        return "charged_before"
    return ""


def _upper_bounds(clause: Fees, case: FeeFacts) -> Iterator[int]:
    """Yield every amount, in minor units, that the fee may not pass."""
    overdue = from_minor(case.overdue_minor, case.currency)
    if clause.scale_uf:
        yield _bound_by_scale(clause, case, overdue)
    if clause.share is not None:
        yield to_minor(clause.share * overdue, case.currency, rounding=ROUNDING)
    if clause.cap_usd is not None:
        rate = Decimal(1) if case.currency == "USD" else _require(case.usd, "unknown_usd")
        yield to_minor(clause.cap_usd * rate, case.currency, rounding=ROUNDING)
    facts = {"agreed": case.agreed_minor, "proven": case.proven_minor, "tariff": case.tariff_minor}
    for need in clause.needs:
        yield _require(facts[need], f"unknown_{need}")


def _bound_by_scale(clause: Fees, case: FeeFacts, overdue: Decimal) -> int:
    """Return the fee by bands of the overdue amount, less the penalty for a notice that was not given."""
    # The UF is Chilean: no rate turns its bands into another currency.
    if case.currency != "CLP":
        raise FeeRefused("unknown_currency")
    uf = _require(case.uf, "unknown_uf")
    fee = Decimal(0)
    bottom = Decimal(0)
    # Bands up to 10 UF at 9 % and up to 50 at 6 %: a debt of 15 UF costs 10 at 9 % and 5 at 6 %.
    for band in clause.scale_uf:
        ceiling = overdue
        if band.up_to_uf is not None:
            ceiling = min(overdue, band.up_to_uf * uf)
        fee += max(Decimal(0), ceiling - bottom) * band.rate
        bottom = ceiling
    # The penalty can be more than the fee of a small debt, which then is nothing.
    if clause.penalty_uf is not None and not _require(case.free_notice, "unknown_notice"):
        fee -= clause.penalty_uf * uf
    return to_minor(max(Decimal(0), fee), case.currency, rounding=ROUNDING)


def _require(fact: Fact | None, reason: str) -> Fact:
    """Return a fact that must be known. Raises FeeRefused with the reason."""
    if fact is None:
        raise FeeRefused(reason)
    return fact
