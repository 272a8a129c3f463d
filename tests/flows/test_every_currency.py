"""An amount of any currency is the same where it is typed, kept, shown, written to a spreadsheet and said."""

import io
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
import python_calamine
from babel import Locale
from babel.numbers import get_currency_precision
from django.core.exceptions import ValidationError

from recobra.console import spreadsheet
from recobra.console.forms import MoneyField
from recobra.console.templatetags.console import currency_amount
from recobra.kit.money_format import format_minor
from recobra_core.money import EXPONENTS, MoneyError, from_minor, largest_minor, to_minor

PLACE = {"country": "PE", "time_zone": "America/Lima"}
CODES = sorted(EXPONENTS)


def figures(text):
    """Return the number in an amount written as Peru writes it, with exactly its decimals."""
    return Decimal(re.search(r"\d[\d,]*(\.\d+)?", text)[0].replace(",", ""))


def typed(text, currency):
    return MoneyField(place=SimpleNamespace(currency=currency, **PLACE)).clean(text)


@pytest.mark.parametrize("amount_of", [lambda _currency: 123_456_789, largest_minor], ids=["usual", "largest"])
def test_an_amount_is_the_same_everywhere(amount_of):
    amounts = {code: amount_of(code) for code in CODES}
    shown = {code: currency_amount(minor, code, "PE") for code, minor in amounts.items()}
    said = {code: format_minor(minor, code, Locale("es", "PE")) for code, minor in amounts.items()}
    whole = {code: from_minor(minor, code) for code, minor in amounts.items()}
    assert {code: figures(text) for code, text in shown.items()} == whole
    assert said == shown
    assert {code: typed(f"{amount:f}", code) for code, amount in whole.items()} == amounts
    assert {code: to_minor(amount, code) for code, amount in whole.items()} == amounts


def test_a_spreadsheet_holds_the_same_amount():
    content = io.BytesIO()
    lines = [["minor"], *([spreadsheet.amount_cell(largest_minor(code), code)] for code in CODES)]
    spreadsheet.write_xlsx(content, lines, name="x")
    rows = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content.getvalue())).get_sheet_by_index(0).to_python()
    )
    cells = {code: Decimal(f"{row[0]:.15g}") for code, row in zip(CODES, rows[1:], strict=True)}
    assert cells == {code: from_minor(largest_minor(code), code) for code in CODES}


def test_what_is_too_much_is_too_much_everywhere():
    for currency in CODES:
        beyond = from_minor(largest_minor(currency) + 1, currency)
        with pytest.raises(MoneyError):
            to_minor(beyond, currency)
        with pytest.raises(ValidationError):
            typed(f"{beyond:f}", currency)


def test_currencies_of_which_cldr_has_other_decimals_keep_those_of_iso():
    differing = [code for code in CODES if get_currency_precision(code) != EXPONENTS[code]]
    assert len(differing) == 13
    assert {code: typed("1", code) for code in differing} == {code: 10 ** EXPONENTS[code] for code in differing}
