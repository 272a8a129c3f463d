"""Refusals of whole loads and errors of single rows: codes, with their sentences by gettext."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Final, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recobra.tabular import refusals
from recobra.tabular.refusals import FileRefused

WriteSums: TypeAlias = Callable[[Mapping[str, str]], str]
"""How sums by currency are written, in major units."""

REASONS: Final[Mapping[str, Promise]] = {
    **refusals.REASONS,
    "not_as_mapped": _(
        "The file is not what the mapping says: %(rejected)s of %(rows)s rows are wrong, %(count)s of them in the "
        "column «%(column)s» (for example «%(value)s»)."
    ),
    "older": _("A file of %(latest)s has already been loaded; one of %(as_of)s would turn the portfolio back."),
    "ahead": _("The file is of %(as_of)s, days ahead of today, %(today)s; check the date it was made."),
    "running": _("Another load of this portfolio is in progress."),
    "portfolio": _("There is no portfolio «%(code)s»."),
    "disabled": _("The portfolio «%(code)s» is disabled: enable it before files are loaded into it."),
    "mapping": _("The mapping has problems: %(problems)s"),
    "own_column": _(
        "The mapping reads the column «%(column)s» (attributes.%(name)s.type) as %(found)s; in this portfolio "
        "«%(label)s» is %(expected)s. Choose that in the mapping, give it another name, or change the type of the "
        "column on its page."
    ),
    "route": _(
        "The mapping sends rows in %(currency)s to the portfolio «%(code)s», whose currency is %(own)s; it must be "
        "another portfolio, in that currency."
    ),
    "failed": _("The load broke off: %(detail)s"),
    "killed": _(
        "The load was cut off while it ran: its program or the machine stopped. Nothing of it was written; load the "
        "file again."
    ),
    "disk": _(
        "The disk has %(free)s MB free and the load needs %(needed)s with the reserve; it can go on once there is room."
    ),
    "not_held": _("The load %(load)s is not waiting for confirmation."),
    "file_lost": _("The file of the load %(load)s is no longer there; load it again."),
}

HELD: Final = {
    "shrunk": _("The file has %(found)s accounts; the portfolio has %(known)s open ones."),
    "less_money": _("The file adds up to %(found)s; the last one to %(known)s."),
    "unread_currency": _(
        "The column «%(column)s» names another currency in %(found)s of %(rows)s rows (for example «%(value)s», line "
        "%(line)s), and the mapping does not read it: their amounts would count as %(own)s. Say in the mapping that it "
        "is the currency."
    ),
    "other_currency": _("%(found)s of %(rows)s rows are in another currency and would be left out: %(amounts)s."),
    "doubles": _(
        "Of %(rows)s rows, %(repeated)s repeat another one and would count once, and %(different)s have the number of "
        "another one and differ, so they would be rejected."
    ),
    "alike": _(
        "Numbers of the file that are like known ones or like each other: %(count)s. They differ only in leading zeros "
        "or in what a spreadsheet does to a number; loaded as they are, they would be debts or debtors of their own."
    ),
    "control_rows": _("The control total says %(given)s rows; the file has %(found)s."),
    "control_amount": _("The control total says %(given)s; the rows add up to %(found)s."),
}

ASIDE: Final[Mapping[str, Promise]] = {
    "total": _("Totals, set aside: %(rows)s (lines %(lines)s)."),
    "header": _("Names of the columns once more, set aside: %(rows)s (lines %(lines)s)."),
    "filter": _("Left out by the mapping's filter: %(rows)s rows (lines %(lines)s), %(amounts)s."),
    "repeated": _("Identical lines, taken once: %(rows)s more (lines %(lines)s), %(amounts)s."),
    "currency": _("In other currencies, set aside: %(rows)s rows (lines %(lines)s), %(amounts)s."),
    "hidden": _(
        "Hidden rows, set aside: %(rows)s (lines %(lines)s). If they belong to the table, show them in the workbook "
        "and load it again."
    ),
}
"""What was set aside of a file, by reason."""

EXPECTED: Final[Mapping[str, Promise]] = {
    **refusals.EXPECTED,
    "missing": _("a value"),
    "amount": _("an amount, written as the file's own: %(example)s"),
    "amount_decimals": _("at most %(decimals)s decimals in %(currency)s"),
    "amount_negative": _("an amount that is not negative"),
    "amount_absurd": _("an amount below %(limit)s"),
    "date": _("a date such as %(example)s"),
    "date_absurd": _("a date between 1900 and 2200"),
    "duplicate": _("one row for this number, or rows that say the same; it is in the lines %(lines)s"),
    "product": _("one of: %(known)s"),
    "kind": _("one of: %(known)s"),
    "currency": _("%(currency)s, the portfolio's currency"),
    "place": _("a state, province or region of %(country)s by its name or code, such as %(example)s"),
    "time_zone": _("a time zone such as America/Lima"),
    # Of rows that earlier versions rejected; now they are warnings.
    "number": _("a number"),
    "boolean": _("yes or no"),
    "paid": _("what was paid, as an amount that is not above what is owed"),
    "gathered": _("all rows of this account accepted; line %(line)s was not"),
    "alike": _("%(known)s, which is known, or a decision that it is another one"),
    "alike_several": _("one of %(known)s … %(last)s, which are known, or a decision that it is another one"),
    "alike_in_file": _("%(other)s, as the same file writes it, or a decision that they are two"),
    "two_debtors": _("one debtor for this account; its rows name several"),
    "signs": _("a name without hidden signs that turn the text around"),
    "length": _("at most %(limit)s characters"),
}

WARNINGS: Final[Mapping[str, Promise]] = {
    "balance_above_amount": _("The balance is above the amount of the document"),
    "day_far": _("A day more than ten years away"),
    "doubtful_id": _("Identity document in doubt: it joins only with the same name"),
    "due_before_issue": _("Due before it was issued"),
    "invalid_id": _("The identity document is not valid"),
    "no_contact_point": _("No telephone, e-mail or address that can be used"),
    "no_due_date": _("No due date"),
    "no_national_id": _("No identity document"),
    "not_a_day": _("The value is no date: left out"),
    "not_a_whole_number": _("The value is no whole number: left out"),
    "not_an_amount": _("The value is no amount in the portfolio's currency: left out"),
    "not_a_number": _("The value is no number: left out"),
    "not_yes_or_no": _("The value is neither yes nor no: left out"),
    "nothing_owed": _("Nothing is owed"),
    "payment_contradicted": _("The file does not show what was paid, or not all of it: what it says is owed"),
    "payment_unseen": _("A payment on record that the file does not show yet: it stays paid"),
    "stand_in_id": _("What stands for no identity document: general public, zeros, S/N"),
}
"""What is worth a look in rows that were accepted."""

QUALITY: Final[Mapping[str, Promise]] = {
    "accepted": _("Rows accepted"),
    "contact": _("With a way to reach the debtor"),
    "identity": _("With a valid identity document"),
    "due_date": _("With a due date"),
    "coherence": _("Without a contradiction"),
}
"""The parts of the score of a file's data."""

MONEY: Final[Mapping[str, Promise]] = {
    "accepted": _("Accepted"),
    "rejected": _("Rejected"),
    "currency": _("Set aside: other currencies"),
    "filter": _("Set aside: by the mapping's filter"),
    "header": _("Set aside: names of the columns once more"),
    "hidden": _("Set aside: hidden rows"),
    "repeated": _("Set aside: identical lines"),
    "total": _("Set aside: totals, which say once more what other rows say"),
    "file": _("The whole file"),
}
"""What became of a file's money."""


LINE_KINDS: Final[Mapping[str, Promise]] = {**WARNINGS, **{f"aside_{code}": MONEY[code] for code in ASIDE}}
"""Why a line is in the list of a load's warnings and of what was set aside."""


class LoadRefused(FileRefused):
    """A file, or a step of its load, is refused whole; `code` and `facts` say why, the text is fit to show."""

    reasons: ClassVar[Mapping[str, Promise]] = REASONS

    @property
    def is_passing(self) -> bool:
        """Return whether the load only has to wait: for another one of its portfolio, or for room on the disk."""
        return self.code in {"running", "disk"}


@contextmanager
def refuse_load() -> Iterator[None]:
    """Turn the refusal of a file into that of its load."""
    try:
        yield
    except FileRefused as refusal:
        raise LoadRefused(refusal.code, **refusal.facts) from None


def plain_sums(amounts: Mapping[str, str]) -> str:
    """Return sums by currency as a command writes them, such as «PEN 10.50»."""
    return ", ".join(f"{currency} {amount}" for currency, amount in amounts.items())


def held_words(reasons: list[dict[str, Any]], write_sums: WriteSums = plain_sums) -> str:
    """Return why a load waits, in words; `reasons` hold `code` and its facts, of which sums are by currency."""
    facts = [
        {name: write_sums(value) if isinstance(value, dict) else value for name, value in reason.items()}
        for reason in reasons
    ]
    return " ".join(str(HELD[each["code"]]) % each for each in facts)


def aside_words(aside: dict[str, Any], write_sums: WriteSums = plain_sums) -> str:
    """Return in words what was set aside for one reason; `aside` holds `code`, `rows`, first `lines`, `amounts`."""
    lines = ", ".join(map(str, aside["lines"]))
    more = ", …" if aside["rows"] > len(aside["lines"]) else ""
    amounts = write_sums(aside.get("amounts", {}))
    return str(ASIDE[aside["code"]]) % {"rows": aside["rows"], "lines": lines + more, "amounts": amounts}


def routed_words(routed: dict[str, Any]) -> str:
    """Return in words what came of the rows of another currency; `routed` is as `load_file` tells it."""
    if "refused" in routed:
        return gettext("Rows in %(currency)s, for the portfolio %(portfolio)s: %(refused)s") % routed
    text = gettext(
        "Rows in %(currency)s, in the portfolio %(portfolio)s: accepted %(accepted)s, rejected %(rejected)s."
    )
    return text % routed


def expected_words(error: dict[str, Any]) -> str:
    """Return in words what a row error says was expected."""
    return str(EXPECTED[error["code"]]) % (error.get("params") or {})
