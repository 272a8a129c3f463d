"""The policy of a portfolio on screen: written in a form, used from its day on, refused with every fault at once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

import pytest

from recobra.policy.models import PortfolioPolicy
from recobra.policy.portfolio_policies import policy_on
from recobra.policy.queries import buckets_of
from recobra.policy.settings import Policy
from recobra.strategy import operations as strategy
from recobra.strategy.models import AccountState
from tests import receivables
from tests.people import acting

from .test_countries import text

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TUESDAY = date(2026, 11, 24)
FORM = {
    "effective_from": "2026-11-24",
    "buckets-to_days": ["0", "15", "40", ""],
    "buckets-name": ["", "Mora 1", "", ""],
    "buckets-last": "Pesada",
    "administrative_from": "3",
    "extrajudicial_from": "20",
    "late_from": "41",
    "freshness_days": "4",
    "freshness_extra_days": "1",
    "waterfall-by": "concept",
    "waterfall-concepts": ["PRINCIPAL", "INTEREST", "LATE_INTEREST", "FEE", "TAX"],
    "waterfall-in_advance": ["", "", "", "", ""],
    "promise_days": "10",
    "promise_min_minor": "50.00",
    "promise_grace_days": "1",
    "payment_search_days": "3",
    "complaint_days": "7",
    "people_from": "08:30",
    "people_to": "19:00",
    "holidays-day": ["2026-12-24", ""],
    "holidays-name": ["Nochebuena", ""],
}


@pytest.fixture
def desk(at_desk, clock_at, company):
    clock_at(MONDAY)
    return at_desk


@pytest.fixture
def address(company):
    return f"/politicas/{company.pk}/"


def save(client, address, **changes):
    return client.post(f"{address}nueva/", FORM | changes)


def test_a_manager_goes_from_nothing_to_a_policy_that_the_next_cycle_uses(desk, company, address):
    carla = desk("carla")
    assert address in carla.get("/politicas/").content.decode()
    assert "Todavía no hay versiones" in text(carla.get(address))
    assert 'value="2026-11-24"' in carla.get(f"{address}nueva/").content.decode()
    assert save(carla, address).status_code == 302
    page = text(carla.get(address))
    assert "Por regir" in page
    assert "Etapa extrajudicial desde el día: 61 20" in page
    assert "Orden de imputación: Primero el vencimiento más antiguo" in page
    assert policy_on(company.pk, MONDAY.date()) == Policy()
    receivables.account(company, receivables.debtor(company, "Rosa"), "L-1", (date(2026, 11, 2), 50_000))
    receivables.fresh_load(company, as_of=MONDAY.date(), now=MONDAY)
    found = []
    for day in (MONDAY.date(), TUESDAY):
        strategy.run_cycle(as_of=day, actor=acting("dario", now=MONDAY + (day - MONDAY.date())))
        found.append(AccountState.objects.values_list("stage", "bucket").get())
    assert found == [("ADMINISTRATIVE", "early_30"), ("EXTRAJUDICIAL", "d16_40")]


def test_what_is_typed_is_what_is_saved_and_what_the_form_shows_again(desk, company, address):
    carla = desk("carla")
    save(carla, address)
    policy = policy_on(company.pk, TUESDAY)
    assert [(bucket.to_days, bucket.label_es) for bucket in policy.buckets] == [
        (0, "Pre mora (por vencer)"),
        (15, "Mora 1"),
        (40, "16–40 días"),
        (None, "Pesada"),
    ]
    assert (policy.waterfall.by, policy.waterfall.concepts[0], policy.waterfall.in_advance) == (
        "concept",
        "PRINCIPAL",
        None,
    )
    assert (policy.promise_min_minor, policy.people_from, policy.is_holiday(date(2026, 12, 24))) == (
        5_000,
        time(8, 30),
        True,
    )
    page = carla.get(f"{address}nueva/").content.decode()
    shown = {
        name: re.findall(rf'name="{name}"[^>]* value="([^"]*)"|value="([^"]*)"[^>]* name="{name}"', page)
        for name in ("promise_min_minor", "people_from", "extrajudicial_from")
    }
    assert shown == {
        "promise_min_minor": [("50.00", "")],
        "people_from": [("08:30", "")],
        "extrajudicial_from": [("20", "")],
    }
    # The version to come is written anew under its own day.
    assert save(carla, address, promise_days="12").status_code == 302
    assert PortfolioPolicy.objects.get().document["promise_days"] == 12
    names = {bucket.key: bucket.label_es for bucket in buckets_of([company], day=TUESDAY)}
    assert names["d1_15"] == "Mora 1"


def test_every_fault_is_said_at_its_field_and_nothing_is_saved(desk, company, address):
    wrong = {
        "effective_from": "2026-11-22",
        "buckets-to_days": ["0", "15", "10", ""],
        "extrajudicial_from": "pronto",
        "waterfall-concepts": ["FEE", "FEE", "LATE_INTEREST", "FEE", "TAX"],
        "promise_min_minor": "1,2,3",
        "people_from": "",
        "holidays-day": ["", ""],
    }
    answer = save(desk("carla"), address, **wrong)
    page = text(answer)
    assert answer.status_code == 422
    assert "hay 7 datos por corregir" in page
    assert "Se encontró «2026-11-22»; se espera: hoy o un día posterior: lo pasado conserva su política." in page
    assert "Fila 3: se encontró «10»; se espera: un último día de 16 a 3650." in page
    assert "Se encontró «pronto»; se espera: un número entero de 2 a 3650." in page
    assert "Se encontró «Comisión → Comisión → Interés moratorio → Comisión → Impuesto»;" in page
    assert "Se encontró «1,2,3»; se espera: un importe mayor que cero" in page
    assert "La fila 1 está vacía; se espera: un día como 24/12/2026." in page
    assert 'value="pronto"' in answer.content.decode()
    assert not PortfolioPolicy.objects.exists()


def test_who_may_not_edit_rules_only_reads(desk, company, address):
    assert "Escribir una nueva versión" not in text(desk("bruno").get(address))
    assert save(desk("bruno"), address).status_code == 403
    assert not PortfolioPolicy.objects.exists()
