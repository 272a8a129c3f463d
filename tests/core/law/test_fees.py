"""What collection may cost the debtor: tables of cases per country, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest

from recobra_core.law import load_countries
from recobra_core.law.fees import SENTENCES, FeeFacts, FeeRefused, compute_collection_fee

DAY = date(2026, 11, 24)
UF = Decimal("39000.50")
CLP = {"currency": "CLP", "days_past_due": 30, "uf": UF, "free_notice": True, "charged_before": False}
CRC = {"currency": "CRC", "days_past_due": 30, "usd": Decimal("505.10"), "charged_before": False, "proven_minor": 10**9}


def fee(country, overdue, **told):
    return compute_collection_fee(country=country, day=DAY, case=FeeFacts(overdue_minor=overdue, **told))


# Chile, by hand: 10 UF are 390,005 pesos and 9 % of them 35,100.45; the 40 UF above them, 1,560,020, give 93,601.20.
CHILE = [
    (100_000, {}, 9_000, ""),
    (390_005, {}, 35_100, ""),
    (390_105, {}, 35_106, ""),
    (1_950_025, {}, 128_701, ""),
    (2_950_025, {}, 158_701, ""),
    (100_000, {"free_notice": False}, 1_199, ""),
    (10_000, {"free_notice": False}, 0, ""),
    (100_000, {"days_past_due": 20}, 0, "too_early"),
    (100_000, {"days_past_due": 21}, 9_000, ""),
    (100_000, {"charged_before": True}, 0, "charged_before"),
    (0, {}, 0, "nothing_overdue"),
]


@pytest.mark.parametrize(("overdue", "told", "amount", "reason"), CHILE)
def test_chile_charges_by_bands_of_the_uf(overdue, told, amount, reason):
    found = fee("CL", overdue, **CLP | told)
    assert (found.amount_minor, found.reason) == (amount, reason)
    assert (found.rule, found.article) == ("CL/fees", "Ley 19.496 art. 37")


# Costa Rica: 5 % of 40,000.00 colones is 2,000.00; 12 dollars are 6,061.20.
COSTA_RICA = [
    (4_000_000, {}, 200_000, ""),
    (40_000_000, {}, 606_120, ""),
    (40_000_000, {"proven_minor": 100_000}, 100_000, ""),
    (4_000_000, {"days_past_due": 5}, 0, "too_early"),
    (4_000_000, {"days_past_due": 6}, 200_000, ""),
    (4_000_000, {"charged_before": True}, 0, "charged_before"),
    (40_000, {"currency": "USD", "usd": None}, 1_200, ""),
    (33, {}, 1, ""),
]


@pytest.mark.parametrize(("overdue", "told", "amount", "reason"), COSTA_RICA)
def test_costa_rica_caps_at_five_per_cent_and_twelve_dollars(overdue, told, amount, reason):
    found = fee("CR", overdue, **CRC | told)
    assert (found.amount_minor, found.reason) == (amount, reason)


OTHERS = [
    ("PE", {"supervised": True}, 0, "supervised"),
    ("PE", {"supervised": False, "agreed_minor": 5_000, "proven_minor": 3_000}, 3_000, ""),
    ("PY", {"currency": "PYG", "agreed_minor": 50_000, "tariff_minor": 40_000}, 40_000, ""),
    ("EC", {"currency": "USD", "tariff_minor": 638}, 638, ""),
    ("UY", {"currency": "UYU", "agreed_minor": 900, "tariff_minor": 1_000}, 900, ""),
    ("BO", {"currency": "BOB", "agreed_minor": 900}, 900, ""),
    ("AR", {"currency": "ARS", "agreed_minor": 900, "proven_minor": 0}, 0, ""),
    ("BO", {"currency": "BOB", "agreed_minor": -5}, 0, ""),
]


@pytest.mark.parametrize(("country", "told", "amount", "reason"), OTHERS)
def test_elsewhere_what_is_agreed_proven_or_published(country, told, amount, reason):
    found = fee(country, 100_000, **{"currency": "PEN", "days_past_due": 30} | told)
    assert (found.amount_minor, found.reason) == (amount, reason)


REFUSED = [
    ("CL", CLP | {"uf": None}, "unknown_uf"),
    ("CL", CLP | {"free_notice": None}, "unknown_notice"),
    ("CL", CLP | {"days_past_due": None}, "unknown_days"),
    ("CL", CLP | {"charged_before": None}, "unknown_charged"),
    ("CL", CLP | {"currency": "USD"}, "unknown_currency"),
    ("CL", CLP | {"currency": "XXX"}, "unknown_currency"),
    ("CR", CRC | {"usd": None}, "unknown_usd"),
    ("CR", CRC | {"proven_minor": None}, "unknown_proven"),
    ("PE", {"currency": "PEN", "days_past_due": 30}, "unknown_supervised"),
    ("PE", {"currency": "PEN", "days_past_due": 30, "supervised": False}, "unknown_agreed"),
    ("PY", {"currency": "PYG", "days_past_due": 30, "agreed_minor": 1}, "unknown_tariff"),
    ("ZZ", {"currency": "PEN", "days_past_due": 30}, "unknown_country"),
]


@pytest.mark.parametrize(("country", "told", "reason"), REFUSED)
def test_what_is_not_known_is_refused(country, told, reason):
    with pytest.raises(FeeRefused) as refused:
        fee(country, 100_000, **told)
    assert refused.value.reason == reason
    assert str(refused.value) == SENTENCES[reason]


def test_before_the_law_no_fee_is_known():
    with pytest.raises(FeeRefused, match="No rule about fees"):
        compute_collection_fee(country="CL", day=date(2021, 4, 19), case=FeeFacts(overdue_minor=1, **CLP))


def test_more_debt_never_costs_less_and_never_more_than_the_highest_rate():
    amounts = [fee("CL", overdue, **CLP).amount_minor for overdue in range(1_000, 4_000_000, 7_919)]
    assert amounts == sorted(amounts)
    assert all(a <= o * 9 // 100 for a, o in zip(amounts, range(1_000, 4_000_000, 7_919), strict=True))


def test_every_country_says_what_it_allows():
    assert all(country.sections.fees for country in load_countries().values())
