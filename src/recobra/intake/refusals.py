"""Refusals of whole files and errors of single rows: codes, with their sentences by gettext."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

REASONS: Final = {
    "not_found": _("There is no file «%(name)s»."),
    "folder": _("«%(name)s» is a folder; a file was expected."),
    "no_permission": _("«%(name)s» cannot be read: no permission."),
    "not_a_file": _("«%(name)s» is not an ordinary file."),
    "empty": _("The file is empty."),
    "too_big": _("The file holds more than %(limit)s bytes, the limit for one load."),
    "too_many_rows": _("The file holds more than %(limit)s rows, the limit for one load."),
    "too_many_columns": _("The file has %(found)s columns; %(limit)s is the limit."),
    "binary": _("The file is binary and none of the formats known: CSV, XLSX, XLS or Parquet."),
    "nul": _("Line %(line)s holds a NUL byte: the file is damaged or not text."),
    "encoding": _("The file is not %(encoding)s as the mapping says: the byte at position %(position)s is invalid."),
    "unknown_encoding": _("The mapping names the encoding «%(encoding)s», which does not exist."),
    "gzip": _("The compressed file is damaged or cut off."),
    "zip_bomb": _("The workbook unpacks to %(unpacked)s bytes from %(packed)s: it is refused as a decompression bomb."),
    "encrypted": _("The workbook is protected by a password; save it without one."),
    "workbook": _("The workbook is damaged or is no workbook: %(detail)s"),
    "sheet_missing": _("The workbook has no sheet «%(sheet)s»; it has: %(sheets)s."),
    "parquet": _("The Parquet file is damaged: %(detail)s"),
    "no_header": _("The first line holds no column names."),
    "header_only": _("The file has a header and no rows."),
    "missing_columns": _(
        "The mapping needs columns that the file does not have: %(missing)s. The file has: %(found)s."
    ),
    "duplicate_columns": _("The file has the column «%(column)s» more than once and the mapping uses it."),
    "ambiguous_decimal": _(
        "In the column «%(column)s» amounts such as «%(value)s» may mean two things and nothing in the file decides; "
        "set the option decimal to comma or point."
    ),
    "mixed_decimal": _(
        "Amounts are written in two ways, «%(comma)s» and «%(point)s»; set the option decimal to comma or point."
    ),
    "mixed_dates": _(
        "In the column «%(column)s» dates are written in two orders, «%(dmy)s» and «%(mdy)s»; set the option "
        "date_order to dmy or mdy."
    ),
    "unclear_dates": _(
        "In the column «%(column)s» dates such as «%(told)s» tell of an unusual order, too few to be sure what dates "
        "such as «%(value)s» mean; set the option date_order to dmy or mdy."
    ),
    "not_as_mapped": _(
        "The file is not what the mapping says: %(rejected)s of %(rows)s rows are wrong, %(count)s of them in the "
        "column «%(column)s» (for example «%(value)s»)."
    ),
    "older": _("A file of %(latest)s has already been loaded; one of %(as_of)s would turn the portfolio back."),
    "ahead": _("The file is of %(as_of)s, days ahead of today, %(today)s; check the date it was made."),
    "running": _("Another load of this portfolio is in progress."),
    "portfolio": _("There is no portfolio «%(code)s»."),
    "mapping": _("The mapping has problems: %(problems)s"),
    "failed": _("The load broke off: %(detail)s"),
    "not_held": _("The load %(load)s is not waiting for confirmation."),
    "file_lost": _("The file of the load %(load)s is no longer there; load it again."),
}

HELD: Final = {
    "shrunk": _("The file has %(found)s accounts; the portfolio has %(known)s open ones."),
    "control_rows": _("The control total says %(given)s rows; the file has %(found)s."),
    "control_amount": _("The control total says %(given)s; the rows add up to %(found)s."),
}

EXPECTED: Final = {
    "ragged": _("%(expected)s columns; the row has %(found)s"),
    "unclosed_quote": _("a closing quotation mark"),
    "too_long": _("at most %(limit)s characters; there are %(found)s"),
    "bad_bytes": _("text in the file's own encoding"),
    "cell_error": _("a value; the cell %(cell)s shows %(error)s"),
    "cell_formula": _("a value; the formula in the cell %(cell)s was never calculated"),
    "missing": _("a value"),
    "amount": _("an amount such as %(example)s"),
    "amount_decimals": _("at most %(decimals)s decimals in %(currency)s"),
    "amount_negative": _("an amount that is not negative"),
    "amount_absurd": _("an amount below %(limit)s"),
    "date": _("a date such as %(example)s"),
    "date_absurd": _("a date between 1900 and 2200"),
    "duplicate": _("one row for this key; it is also in the lines %(lines)s"),
    "product": _("one of: %(known)s"),
    "kind": _("one of: %(known)s"),
    "currency": _("%(currency)s, the portfolio's currency"),
    "time_zone": _("a time zone such as America/Lima"),
    "number": _("a number"),
    "boolean": _("yes or no"),
    "two_debtors": _("one debtor for this account; its rows name several"),
    "length": _("at most %(limit)s characters"),
}


class LoadRefused(Exception):
    """A file, or a step of its load, is refused whole; `code` and `facts` say why, the text is fit to show."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        self.code = code
        self.facts = facts
        super().__init__(code, facts)

    def __str__(self) -> str:
        return str(REASONS[self.code]) % self.facts


def held_words(reasons: list[dict[str, Any]]) -> str:
    """Return why a load waits, in words; `reasons` hold `code` and its facts."""
    return " ".join(str(HELD[reason["code"]]) % reason for reason in reasons)


def expected_words(error: dict[str, Any]) -> str:
    """Return in words what a row error says was expected."""
    return str(EXPECTED[error["code"]]) % (error.get("params") or {})
