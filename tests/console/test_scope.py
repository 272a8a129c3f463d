"""Who sees what: Zoe nothing at all, each role its own screens (another's portfolio: test_scope_elsewhere.py)."""

import pytest
from django.urls import get_resolver, reverse

from recobra.access.roles import RIGHTS, Right
from recobra.journal.models import Entry
from tests.console.addresses import ADDRESSES, OPEN, numbers
from tests.console.world import PEOPLE

SECRETS = [text for person in PEOPLE for text in person[:3] if text] + ["PR-100", "CLI-000", "Banco Sur", "OP-0001"]


def ask(client, name, world):
    method, _who, form = ADDRESSES[name]
    return getattr(client, method)(reverse(f"console:{name}", kwargs=numbers(name, world)), form)


def body(answer):
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode(errors="replace")


def test_every_address_is_in_the_table():
    console = next(each for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "console")
    names = {pattern.name for pattern in console.url_patterns}
    assert names - OPEN - set(ADDRESSES) == set(), "tell tests/console/addresses.py who may open these"


@pytest.mark.parametrize("name", ADDRESSES)
def test_zoe_never_sees_anything(at_desk, world, name):
    answer = ask(at_desk("zoe"), name, world)
    found = [secret for secret in SECRETS if secret in body(answer)]
    assert found == []
    if name.startswith("debtor"):
        assert answer.status_code in {403, 404}


@pytest.mark.parametrize("name", ADDRESSES)
def test_each_role_opens_its_own_screens_and_no_other(at_desk, world, cast, name):
    _method, may, _form = ADDRESSES[name]
    for person in ("dario", "hilda", "ana", "carla", "bruno"):
        answer = ask(at_desk(person), name, world)
        body(answer)  # reading a download to its end is what closes it
        status = answer.status_code
        assert status == 403 if person not in may else status in {200, 302}, f"{person} got {status}"


@pytest.mark.parametrize("name", [name for name, row in ADDRESSES.items() if row[0] == "post"])
def test_what_changes_something_is_never_done_by_a_link(at_desk, world, name):
    answer = at_desk("carla").get(reverse(f"console:{name}", kwargs=numbers(name, world)))
    assert answer.status_code == 405


def test_the_auditor_changes_nothing():
    changing = {
        Right.RECORD_PAYMENT, Right.REVERSE_PAYMENT, Right.PLACE_HOLD, Right.LIFT_HOLD, Right.CLOSE_TASK,
        Right.LOAD_FILES, Right.EDIT_STRATEGIES, Right.EDIT_TEMPLATES, Right.RUN_CYCLE, Right.MANAGE_USERS,
        Right.ANSWER_MESSAGES, Right.APPROVE_TEMPLATES, Right.RUN_CAMPAIGNS, Right.MANAGE_CHANNELS, Right.EDIT_RULES,
        Right.RECORD_INCIDENT, Right.VISIT,
    }  # fmt: skip
    assert RIGHTS["AUDITOR"] & changing == frozenset()


def test_the_side_bar_shows_only_what_the_role_may_open(at_desk, world):
    client = at_desk("ana")
    links = [entry["url"] for entry in client.get("/").context["navigation"]]
    assert "/cartera/" in links
    assert {client.get(link).status_code for link in links} == {200}


def test_personal_data_is_masked_for_who_does_not_need_it(at_desk, world):
    address = reverse("console:debtor", args=[world.debtors["María"].pk])
    seen = {name: at_desk(name).get(address).content.decode() for name in ("ana", "bruno", "hilda")}
    assert ("45678912" in seen["ana"], "+51987654321" in seen["ana"]) == (False, True)
    assert ("45678912" in seen["bruno"], "+51987654321" in seen["bruno"]) == (True, True)
    assert ("45678912" in seen["hilda"], "+51987654321" in seen["hilda"]) == (False, False)
    assert "•••••912" in seen["hilda"]


def test_an_export_is_recorded_without_what_was_searched_for(at_desk, world):
    answer = at_desk("hilda").get("/cartera/exportar.csv?q=María&stage=ADMINISTRATIVE")
    lines = body(answer).lstrip("\ufeff").splitlines()
    assert lines[0].startswith("Cartera;Cuenta;Deudor;")
    assert lines[1].startswith("PE-CONSUMO;PR-1001;María Ñahui Quispe;Préstamo;Abierta;PEN;1650.50;450.50;12;")
    (fact,) = Entry.objects.filter(kind="export.made")
    assert fact.payload["rows"] == 1
    assert "María" not in str(fact.payload)
