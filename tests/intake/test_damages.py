"""A file with every kind of damage comes in to the cent, as a text and as a workbook that nobody tidied."""

from collections import Counter
from decimal import Decimal

import pytest

from recobra.intake.models import RejectedRow
from recobra.portfolio.models import Account, ContactPoint, Posting

from . import damaged_file


@pytest.mark.parametrize("is_workbook", [False, True], ids=["text", "workbook"])
def test_every_kind_of_damage_has_its_right_reading(load, tmp_path, is_workbook):
    rows, right, hidden = damaged_file.make_rows(is_workbook=is_workbook)
    path = tmp_path / "danada"
    write = damaged_file.write_workbook(rows, right, hidden) if is_workbook else damaged_file.write_text(rows)
    path.write_bytes(write)
    result = load(path, mapping=damaged_file.MAPPING)

    stated = {
        account: (Decimal(amount) / 100, due)
        for account, amount, due in Posting.objects.values_list(
            "account__external_id", "amount_minor", "instalment__due_date"
        )
    }
    owed = {account: value for account, value in right.accounts.items() if value[0]}
    assert stated == owed
    assert dict(Account.objects.values_list("external_id", "debtor__external_id")) == right.customers
    points = {account: set() for account in right.points}
    for account, value in ContactPoint.objects.filter(valid=True).values_list("debtor__accounts__external_id", "value"):
        points[account].add(value)
    assert points == right.points
    codes = Counter(row.errors[0]["code"] for row in RejectedRow.objects.all())
    assert codes == right.rejected
    assert Counter({each["code"]: each["rows"] for each in result["aside"]}) == right.aside
    assert result["amount_minor"] == sum(amount for amount, _due in owed.values()) * 100
    sums = next(each["amounts"] for each in result["aside"] if each["code"] == "currency")
    assert {name: Decimal(total) for name, total in sums.items()} == {"USD": right.other_amount}
    assert result["rows"] == result["accepted"] + result["rejected"] + result["set_aside"]


def test_the_kinds_are_no_fewer_than_people_meet():
    assert damaged_file.count_kinds() >= 60
