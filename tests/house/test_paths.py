"""The lists of functions in ARCHITECTURE.md that a load, a batch and a payment pass are those that they pass."""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta

import pytest

from recobra.intake import operations as intake
from recobra.kit import engine
from recobra.payments import operations as payments
from recobra.payments.operations import apply
from recobra.strategy import operations as strategy
from tests import receivables
from tests.people import acting
from tests.worlds import TODAY, add_library

from .call_trace import CallTrace
from .conftest import ROOT

NAME = re.compile(r"`((?:[a-z_]+\.)+[A-Za-z_]+)`")
FILE = "prestamo;producto;cliente;nombre;correo;vencimiento;saldo\n"
MAPPING = {
    "account": {"external_id": "prestamo", "product": "producto"},
    "debtor": {"external_id": "cliente", "name": "nombre"},
    "emails": ["correo"],
    "instalment": {"due_date": "vencimiento"},
    "balance": "saldo",
}
NOT_FOLLOWED = ("recobra.kit.", "recobra.journal.", "recobra.access.")
"""What everybody calls; the lists name it where it matters."""


def listed(heading):
    """Return the names in the numbered lines below a heading of ARCHITECTURE.md, in their order."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition(f"\n### {heading}\n")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if re.match(r"\s*\d+\. ", line)]
    names = [name for line in lines for name in NAME.findall(line)]
    whole = [name if name.startswith("recobra_core.") else f"recobra.{name}" for name in dict.fromkeys(names)]
    functions = [name for name in whole if is_in_source(name)]  # facts are named too, as `payment.recorded`
    assert functions, heading
    return functions


def is_in_source(name):
    """Return whether a name begins with a package of the product."""
    package = "/".join(name.split(".")[:2])
    return (ROOT / "src" / package).is_dir()


def differences(names, trace):
    """Return where a list of names differs from the calls of a trace, as sentences."""
    order = {name: number for number, name in enumerate(trace.callers)}
    never = [name for name in names if name not in order]
    called = [name for name in names if name in order]
    late = [
        f"{after} is listed after {before}, and called before it"
        for before, after in itertools.pairwise(called)
        if order[after] < order[before]
    ]
    known = set(names)
    left_out = [
        f"{name} is called by {', '.join(sorted(callers & known))}, and not listed"
        for name, callers in trace.callers.items()
        if name not in known and callers & known and is_followed(name, callers & known, known)
    ]
    return [f"{name} is listed, and never called" for name in never] + late + left_out


def is_followed(name, callers, known):
    """Return whether a list has to name a function: a public one of a module that it names otherwise.

    What three and more of the listed functions call is a tool of theirs, no step of the way.
    """
    module, _, function = name.rpartition(".")
    return (
        module in {each.rpartition(".")[0] for each in known}
        and not function.startswith(("_", "is_", "has_"))
        and not name.startswith(NOT_FOLLOWED)
        and len(callers) < 3
        and any(caller.rpartition(".")[0] != module for caller in callers)
    )


@pytest.fixture
def trace():
    return CallTrace()


@pytest.mark.django_db
def test_a_load_passes_the_functions_of_its_list(company, now, tmp_path, trace):
    path = tmp_path / "cartera.csv"

    def load(text, day):
        path.write_text(FILE + text, encoding="utf-8")
        return intake.load_file(
            path=path,
            portfolio_code=company.code,
            mapping=MAPPING,
            as_of=date(2026, 11, day),
            actor=acting("dario", now=now),
        )

    first = "".join(f"{n};prestamo;C{n};Rosa Quispe;rosa{n}@example.com;01/10/2026;100.00\n" for n in range(9))
    second = first.replace("0;prestamo", "N0;prestamo", 1).replace("rosa1@", "rosa@").replace("100.00", "60.00", 3)
    load(first, 22)
    with trace.record():
        load(second + "9;prestamo;C9;;;;nada\n", 23)
    found = differences(listed("One load"), trace)
    assert not found, "\n".join(["", *found])


@pytest.mark.django_db(transaction=True)
def test_a_batch_passes_the_functions_of_its_list(world, trace):
    world.someone_due()
    world.planned(world.debtor())  # owes nothing any more, so it is cancelled
    with trace.record():
        world.dispatch()
    found = differences(listed("One dispatch batch"), trace)
    assert not found, "\n".join(["", *found])


@pytest.mark.django_db
def test_a_payment_passes_the_functions_of_its_list(company, now, trace):
    add_library(now)
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=company.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(company, as_of=TODAY, now=now)
    loan = receivables.account(company, receivables.debtor(company, "Rosa"), "L-1", (TODAY - timedelta(20), 50_000))
    strategy.run_cycle(as_of=TODAY, actor=acting("dario", now=now))
    apply._compile_statements.cache_clear()  # a waterfall is compiled for the first payment of a process
    vars(engine._thread_local).pop("prepared", None)  # and accounts get their shape for the first debtor of a thread
    with trace.record():
        payments.record_payment(
            portfolio_id=company.pk,
            debtor_id=loan.debtor_id,
            account_id=loan.pk,
            amount_minor=50_000,
            paid_date=TODAY,
            reference="R-1",
            actor=acting("ana", now=now),
        )
    found = differences(listed("One payment"), trace)
    assert not found, "\n".join(["", *found])


def test_a_list_that_differs_is_found(trace):
    trace.callers = {
        "recobra.a.one": {""},
        "recobra.a.two": {"recobra.a.one"},
        "recobra.b.three": {"recobra.a.one"},
        "recobra.b.four": {"recobra.a.one"},
    }
    names = ["recobra.a.one", "recobra.a.two", "recobra.b.three", "recobra.b.four"]
    assert differences(names, trace) == []
    assert differences(["recobra.a.one", "recobra.b.three", "recobra.a.two", "recobra.c.five"], trace) == [
        "recobra.c.five is listed, and never called",
        "recobra.a.two is listed after recobra.b.three, and called before it",
        "recobra.b.four is called by recobra.a.one, and not listed",
    ]
