"""Several instalments of one account: what a file leaves out, or says badly, is never taken for money."""

from datetime import date

import pytest
from django.db.models import Sum

from recobra.payments.models import Payment
from recobra.portfolio.models import Instalment

MAPPING = {
    "account": {"external_id": "cuenta"},
    "balance": "saldo",
    "instalment": {"number": "cuota", "due_date": "vence"},
    "options": {"due_rows": "several", "decimal": "point"},
}
FIRST = {"1": ("2026-09-01", 100), "2": ("2026-10-01", 100), "3": ("2026-11-01", 100)}


@pytest.fixture
def told(load):
    """Load {instalment: (due, amount)} of the account A as the file of a day in November."""

    def told(number, rows, **more):
        lines = "".join(f"A,{name},{due},{amount}\n" for name, (due, amount) in rows.items())
        text = f"cuenta,cuota,vence,saldo\n{lines}"
        return load(text, mapping=MAPPING, as_of=date(2026, 11, number), **more)

    return told


def _owed():
    rows = Instalment.objects.annotate(owes=Sum("postings__amount_minor")).order_by("number")
    return dict(rows.values_list("number", "owes"))


def test_a_payment_leaves_the_instalment_whose_row_was_bad_as_it_was(told):
    told(20, FIRST)
    result = told(21, FIRST | {"1": ("2026-02-30", 100), "2": ("2026-10-01", 40)})
    assert (result["rejected"], result["payments"]) == (1, 1)
    assert _owed() == {"1": 10000, "2": 4000, "3": 10000}


def test_a_part_of_the_file_says_nothing_about_the_other_instalments(told):
    told(20, FIRST)
    told(20, {"2": ("2026-10-01", 40), "3": ("2026-11-01", 90)}, partial=True)
    assert _owed() == {"1": 10000, "2": 4000, "3": 9000}


def test_the_instalment_that_was_paid_is_the_one_that_is_no_longer_there(told):
    told(20, {name: FIRST[name] for name in ("1", "2")})
    told(21, {"1": FIRST["1"]})
    assert _owed() == {"1": 10000, "2": 0}
    told(22, {"1": ("2026-09-01", 100.5)})
    assert _owed() == {"1": 10050, "2": 0}
    assert Payment.objects.get().amount_minor == 10000
