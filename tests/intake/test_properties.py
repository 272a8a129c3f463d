"""What holds whatever a file says: who is who, what became of its money, and that order and repetition change nothing."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import stdnum.pe.ruc
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from recobra.intake.models import RejectedRow
from recobra.payments import operations as payments
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, ContactPoint, Debtor, Posting
from tests import extent
from tests.people import acting

from .balances import owed, received

# Each example is a load or more, rolled back; by day the same few, in the long run many and others each time.
FILES = settings(
    max_examples=extent.choose(daily=2, whole=60),
    derandomize=not extent.is_whole(),
    phases=[phase for phase in Phase if extent.is_whole() or phase is not Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
HEADER = "cuenta;cliente;documento;nombre;vence;saldo;moneda;estado;correo"
MAPPING = {
    "account": {"external_id": "cuenta"},
    "debtor": {"external_id": "cliente", "name": "nombre", "national_id": "documento"},
    "instalment": {"due_date": "vence"},
    "balance": "saldo",
    "currency": "moneda",
    "emails": ["correo"],
    "filters": {"estado": {"leave_out": ["anulada"]}},
}
ACCOUNTS = [*(f"A{n}" for n in range(9)), "0012", "12", "F001-07", "F001-7", "", "#N/D", "1,9E+15", "Total", "'0012"]
CUSTOMERS = ["", "", "", "S/N", "0", "C1", "C2", "N/A", "0077", "77", "45678901", "99999999", "account:A1", "--"]
DOCUMENTS = ["", "S/N", "0", "00000000", "99999999", "20512333797", "20512333798", "45678901", "45.678.901", "4567890"]
DOCUMENTS += ["XAXX010101000", "10203040", "20100070970", "05678901", "5678901", "A1"]
# As they are written, and what they are worth; None: nobody can say.
AMOUNTS = {
    "10,50": Decimal("10.50"),
    "1.234,00": Decimal(1234),
    "2\u00a0000,10": Decimal("2000.10"),
    "(5,00)": Decimal(-5),
    "-": Decimal(0),
    "S/ 3,00": Decimal(3),
    "US$ 4,00": Decimal(4),
    "+7,25": Decimal("7.25"),
    "0,00": Decimal(0),
    "100 50": None,
    "x": None,
    "": None,
    "#N/A": None,
}
CURRENCIES = {"": None, "PEN": "PEN", "soles": "PEN", "USD": "USD", "US$": "USD", "EUR": "EUR"}
ROWS = st.tuples(
    st.sampled_from(ACCOUNTS),
    st.sampled_from(CUSTOMERS),
    st.sampled_from(DOCUMENTS),
    st.sampled_from(["Rosa Quispe", "Comercial Andina SAC", "José Peña"]),
    st.sampled_from(["01/10/2026", "01/10/2026", "2/10/2026", "31/02/2026", ""]),
    st.sampled_from(list(AMOUNTS)),
    st.sampled_from([*["PEN"] * 4, *CURRENCIES]),
    st.sampled_from(["viva", "viva", "anulada"]),
    st.sampled_from(["", "a@a.example", "b@b.example"]),
)
FILES_OF_ROWS = st.lists(ROWS, min_size=1, max_size=25)


@contextmanager
def forgotten():
    """Undo what is written, so that each example begins with an empty portfolio."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def write(rows):
    return "\n".join([HEADER, *map(";".join, rows)]) + "\n"


def load_all(load, rows, *, as_of=date(2026, 11, 23), **more):
    """Load rows, whatever speaks against it but an order of dates or amounts that nobody can tell."""
    options = {"decimal": "comma", "date_order": "dmy", "shrink_limit": 1, **more}
    # Rows that are good beside the others: a file of which nearly nothing can be read is refused whole.
    good = [(f"B{n}", f"D{n}", "", "Ana", "01/10/2026", "1,00", "PEN", "viva", "") for n in range(8)]
    return load(write([*rows, *good]), mapping=MAPPING | {"options": options}, as_of=as_of, confirm=True)


def prove(number, document, account):
    """Return what a row proves, by a second reading of the rules; without a proof it is alone with its account."""
    bare = re.sub("[^0-9A-Z]", "", document.upper())
    is_repeated = len({*bare}) < 2
    if number.strip("0-") and number not in {"S/N", "N/A"} and not (number == bare and is_repeated):
        return "number", number
    is_ruc = re.fullmatch("[0-9]{11}", bare) and stdnum.pe.ruc.is_valid(bare)
    if not is_repeated and (is_ruc or re.fullmatch("[0-9]{8}", bare)):
        return "document", bare
    return "alone", account


def hold():
    """Return what the portfolio holds, but for numbers of rows and of lines."""
    accounts = Account.objects.values_list("external_id", "debtor__external_id", "status")
    postings = Posting.objects.values_list("account__external_id", "instalment__due_date", "kind", "amount_minor")
    debtors = Debtor.objects.values_list("external_id", "name", "national_id", "national_id_valid")
    points = ContactPoint.objects.values_list("debtor__external_id", "value", "valid", "quality")
    return tuple(Counter(rows) for rows in (accounts, postings, debtors, points))


def refused():
    """Return the rows that were rejected, as they came, each with its errors."""
    return Counter(
        (str(sorted(row.row.items())), str(sorted(error["code"] for error in row.errors)))
        for row in RejectedRow.objects.all()
    )


@FILES
@given(rows=FILES_OF_ROWS, currencies=st.sampled_from(["reject", "set_aside"]))
@example(rows=[("Total", "", "", "", "", "10,50", "PEN", "viva", "")], currencies="reject")
def test_accepted_rejected_and_set_aside_are_the_files_money(load, rows, currencies):
    with forgotten():
        result = load_all(load, rows, other_currencies=currencies)
        *parts, whole = result["money"]
        expected = Counter()
        for account, *_who, due, amount, currency, _state, _mail in rows:
            is_total = account == "Total" and not due
            if not is_total and AMOUNTS[amount] is not None:
                named = "USD" if amount.startswith("US$") else "PEN"
                expected[CURRENCIES[currency] or named] += AMOUNTS[amount]
        expected["PEN"] += 8
        found = {name: Decimal(sum_) for name, sum_ in whole["amounts"].items()}
        assert {name: sum_ for name, sum_ in found.items() if sum_} == {name: n for name, n in expected.items() if n}
        added = Counter()
        for part in parts:
            added.update({name: Decimal(sum_) for name, sum_ in part["amounts"].items()})
        assert {name: sum_ for name, sum_ in added.items() if sum_} == {name: n for name, n in expected.items() if n}
        assert sum(part["rows"] for part in parts) == whole["rows"] == result["rows"] == len(rows) + 8
        assert result["accepted"] + result["rejected"] + result["set_aside"] == result["rows"]
        owed = sum(Posting.objects.values_list("amount_minor", flat=True))
        assert Decimal(parts[0]["amounts"]["PEN"]) == Decimal(owed) / 100 == Decimal(result["amount_minor"]) / 100


@FILES
@given(rows=FILES_OF_ROWS)
def test_two_debtors_are_one_only_where_a_valid_proof_says_so(load, rows):
    with forgotten():
        load_all(load, rows)
        owners = dict(Account.objects.exclude(external_id__startswith="B").values_list("external_id", "debtor_id"))
        proofs = {row[0].lstrip("'"): prove(row[1], row[2], row[0].lstrip("'")) for row in rows}
        debtors = {(proofs[account], debtor) for account, debtor in owners.items()}
        # One debtor for each proof, and no debtor of two proofs.
        assert len({proof for proof, _debtor in debtors}) == len({debtor for _proof, debtor in debtors}) == len(debtors)


@FILES
@given(rows=FILES_OF_ROWS, zeros=st.sampled_from(["keep", "strip"]), data=st.data())
def test_a_file_again_or_in_another_order_changes_nothing(load, rows, zeros, data):
    shuffled = data.draw(st.permutations(rows))
    with forgotten():
        load_all(load, rows, id_zeros=zeros)
        held, wrong = hold(), refused()
        for as_of in (date(2026, 11, 23), date(2026, 11, 24)):
            again = load_all(load, shuffled, as_of=as_of, id_zeros=zeros)
            assert (again["created"], again["updated"], again["gone"], again["payments"]) == (0, 0, 0, 0)
            assert hold() == held
    with forgotten():
        load_all(load, shuffled, id_zeros=zeros)
        assert (hold(), refused()) == (held, wrong)


@dataclass(frozen=True)
class Paid:
    """A payment of an account on a day of November; the bank's file with it comes on `told`, it bounces on `back`."""

    account: str
    amount: int
    day: int
    told: int
    back: int | None

    def is_shown(self, *, until: int, day: int) -> bool:
        """Return whether the creditor's sheet of a day counts it, whose books go until another one."""
        return self.day <= until and (self.back is None or day <= self.back)


@st.composite
def payments_of_a_week(draw):
    """Draw payments, and the sheets of some days, each with the day until which the creditor's books go."""
    paid = []
    for account in ("G1", "G2"):
        left = 100
        for _payment in range(draw(st.integers(0, 4))):
            day = draw(st.integers(16, 20))
            told = draw(st.integers(day, 22))
            back = draw(st.one_of(st.none(), st.integers(told, 22)))
            amount = min(left, draw(st.sampled_from([10, 25, 40, 100])))
            if amount:
                paid.append(Paid(account, amount, day, told, back))
                left -= amount
    sheets, until = [], 15
    for day in sorted(draw(st.sets(st.integers(16, 21)))):
        # The books are behind the bank by two days at most, and never go back.
        until = draw(st.integers(max(until, day - 2), day))
        sheets.append((day, until))
    is_sheet_first = draw(st.booleans())
    return paid, sheets, is_sheet_first


@FILES
@given(week=payments_of_a_week())
def test_payments_by_file_inference_and_reversal_end_in_the_same_balances(day, bank, company, now, week):
    paid, sheets, is_sheet_first = week
    with forgotten():
        day(15, {"G1": 100, "G2": 100})
        events = [(number, 2 * is_sheet_first, ("sheet", number, until)) for number, until in [*sheets, (23, 23)]]
        events += [(each.told, 1, ("bank", n, each)) for n, each in enumerate(paid)]
        events += [(each.back, 3, ("back", n, each)) for n, each in enumerate(paid) if each.back]
        for number, _turn, (kind, which, what) in sorted(events, key=lambda event: event[:2]):
            if kind == "sheet":
                shown = Counter({"G1": 100, "G2": 100})
                for each in paid:
                    if each.is_shown(until=what, day=number):
                        shown[each.account] -= each.amount
                day(which, shown)
            elif kind == "bank":
                bank((what.account, f"{what.amount},00", what.day, f"TR-{which}"))
            else:
                payment = Payment.objects.get(source="FILE", reference=f"TR-{which}", reversed_at=None)
                returned_at = now.replace(day=number)
                payments.reverse_payment(payment_id=payment.pk, reason="devuelto", actor=acting("ana", now=returned_at))
        standing = [each for each in paid if each.back is None]
        owes = Counter({"G1": 100, "G2": 100})
        for each in standing:
            owes[each.account] -= each.amount
        assert owed() == {account: 100 * amount for account, amount in owes.items()}
        assert received() == 100 * sum(each.amount for each in standing)
        statuses = dict(Account.objects.values_list("external_id", "status"))
        assert statuses == {account: "OPEN" if amount else "PAID" for account, amount in owes.items()}
