"""The SQL that reads plain numbers says what the library says, in every country."""

import random

import duckdb
import pytest

from recobra.tabular import phones
from recobra_core.law import load_countries

COUNTRIES = sorted(load_countries())


def _numbers(region):
    """Numbers of all lengths, with and without the country's and the trunk prefix."""
    chance = random.Random(region)
    plan = phones.phone_sql(region)
    code = str(plan.calling_code) if plan else "1"
    heads = ["", "", "", "0", "1", "00", f"+{code}", code, f"+{code}0", "+", "9", "15", "8", "6", "2", "3", "4", "7"]
    for _ in range(4000):
        digits = "".join(chance.choice("0123456789") for _ in range(chance.randint(4, 11)))
        yield chance.choice(heads) + digits
    for kind in (phones.phonenumbers.PhoneNumberType.MOBILE, phones.phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phones.phonenumbers.example_number_for_type(region, kind)
        number = str(example.national_number)
        yield from (number, f"+{code}{number}", f"{code}{number}", f"0{number}", number[:-1], number + "1")


@pytest.mark.parametrize("region", [country for country in COUNTRIES if phones.phone_sql(country)])
def test_sql_agrees_with_the_library(region):
    numbers = sorted(set(_numbers(region)))
    plan = phones.phone_sql(region)
    con = duckdb.connect()
    con.execute("CREATE TABLE numbers AS SELECT unnest(?) AS plain", [numbers])
    decided = con.execute(
        f"SELECT plain, national, {plan.valid} AS ok, {plan.line} FROM (SELECT plain, {plan.national} AS national FROM "
        f"numbers) WHERE {plan.decides}"
    ).fetchall()
    told = {plain: (f"+{plan.calling_code}{national}", line, True) for plain, national, ok, line in decided if ok}
    refused = {plain for plain, _national, ok, _line in decided if not ok}
    expected = {plain: phones.parse_one(plain, region) for plain in told.keys() | refused}
    assert told == {plain: expected[plain] for plain in told}
    assert not [plain for plain in refused if expected[plain][2]]
    assert len(told) >= 10


def test_many_odd_numbers_are_shared_among_processes(monkeypatch):
    odd = ["51 1 987-6543 anexo 12", "telefono", "+34 612 345 678", "00 51 987654321"]
    alone = [phones.parse_cell(number, "PE") for number in odd]
    monkeypatch.setattr(phones, "POOL_FROM", 2)
    assert phones.parse_many(odd, "PE") == alone
    assert alone[1:3] == [[("telefono", "", False)], [("+34612345678", "MOBILE", True)]]
