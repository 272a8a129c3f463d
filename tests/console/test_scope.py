"""Who sees what: Zoe nothing at all, each role its own screens, and nobody another portfolio."""

from contextlib import contextmanager
from datetime import date

import pytest
from django.db import transaction
from django.urls import get_resolver, reverse

from recobra.access.roles import RIGHTS, Right
from recobra.journal.models import Entry
from recobra.portfolio.models import Portfolio
from tests import extent, receivables
from tests.console import screens
from tests.console.addresses import ADDRESSES, OPEN, numbers_of_all
from tests.console.world import PEOPLE

ROLES = ("dario", "hilda", "ana", "carla", "bruno")
SECRETS = [text for person in PEOPLE for text in person[:3] if text] + ["PR-100", "CLI-000", "Banco Sur", "OP-0001"]


def ask(client, name, address):
    method, _who, form = ADDRESSES[name]
    return getattr(client, method)(address, form)


def body(answer):
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode(errors="replace")


def move_ana_and_bruno(cast, company):
    """Create another portfolio of the same creditor, for which Ana and Bruno work from now on; return it."""
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    for name in ("ana", "bruno"):
        cast[name].scopes.all().delete()
        cast[name].scopes.create(portfolio_code=other.code)
    return other


def test_every_address_is_in_the_table():
    console = next(each for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "console")
    names = {pattern.name for pattern in console.url_patterns}
    assert names - OPEN - set(ADDRESSES) == set(), "tell tests/console/addresses.py who may open these"


OF_NO_PORTFOLIO = {
    "campaign-create",
    "campaign-rule",
    "campaign-rule-count",
    "inbox-canned",
    "inbox-canned-retire",
    "house-rule-new",
    "house-rule-preview",
}
OF_A_PORTFOLIO = {
    name
    for name in ADDRESSES
    if name.startswith(("debtor", "campaign-", "inbox-", "mailbox-", "house-rule-", "load-", "policy"))
} - OF_NO_PORTFOLIO - {"load-new", "policies"} | {
    "campaign",
    "message",
    "message-settle",
    "evidence",
    "evidence-export",
    "incident-close",
    "letters-file",
    "visit",
    "house-rule",
    "load",
    "own-columns",
    "own-column",
    "group-edit",
    "group-retire",
}
# The creditor is known to who works for another of its portfolios.
HIDDEN = [text for text in SECRETS if text != "Banco Sur"] + ["Verano", "suave", "Se quejó", "persona1@correo.example"]
OWED = ["PR-100", "450.50", "450,50", "1,650.50", "OP-0001", "Estimada", "Verano", "suave", "Se quejó"]


@contextmanager
def undone():
    """Take back what is written inside, so that the next question finds the world as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def numbers(django_db_setup, django_db_blocker):
    """Give the numbers of every address; what they are of is written once and taken back after the last test.

    A campaign, a conversation, a letter, a visit, an incident and a rule, which each question finds again.
    """
    with django_db_blocker.unblock():
        written = transaction.atomic()
        world = screens.connect().world
        written.__enter__()
        numbers = numbers_of_all(world)
    yield numbers
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        written.__exit__(None, None, None)


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_opens_for_its_roles_and_shows_only_the_portfolios_of_its_user(at_desk, numbers, world, cast, name):
    """One world answers every question about an address; each question finds it as it was."""
    address = reverse(f"console:{name}", kwargs=numbers[name])
    _ask_zoe(at_desk, address, name)
    _ask_each_role(at_desk, address, name)
    _ask_by_a_link(at_desk, address, name)
    other = move_ana_and_bruno(cast, world.portfolio)
    if name in OF_A_PORTFOLIO:
        _ask_from_another_portfolio(at_desk, address, name)
    # What answers with a refusal and nothing else has no two things to show.
    if extent.is_whole() or name not in OF_A_PORTFOLIO:
        _ask_what_is_shown(at_desk, address, name, HIDDEN)
    # Of a debtor of two portfolios, only one's own accounts.
    receivables.account(other, world.debtors["María"], "OT-2", (date(2026, 11, 23), 7_777))
    _ask_what_is_shown(at_desk, address, name, OWED)


def _ask_zoe(at_desk, address, name):
    with undone():
        answer = ask(at_desk("zoe"), name, address)
        found = [secret for secret in SECRETS if secret in body(answer)]
    assert found == [], "Zoe, who works for no portfolio"
    if name.startswith("debtor"):
        assert answer.status_code in {403, 404}


def choose_roles(name):
    """Return who asks for an address in this run: everybody, or day by day one who may and one who may not.

    They take turns from address to address, so that each day every role is let in and refused in many places.
    """
    turn, may = list(ADDRESSES).index(name), ADDRESSES[name][1]
    groups = [[each for each in ROLES if (each in may) is allowed] for allowed in (True, False)]
    turns = [group[turn % len(group)] for group in groups if group]
    return extent.choose(daily=turns, whole=list(ROLES))


def test_day_by_day_every_role_is_let_in_and_refused():
    asked = [(person, person in ADDRESSES[name][1]) for name in ADDRESSES for person in choose_roles(name)]
    assert {(person, allowed) for person in ROLES for allowed in (True, False)} == set(asked)
    assert min(asked.count(each) for each in set(asked)) >= 5


def _ask_each_role(at_desk, address, name):
    _method, may, _form = ADDRESSES[name]
    for person in choose_roles(name):
        with undone():
            answer = ask(at_desk(person), name, address)
            body(answer)  # reading a download to its end is what closes it
            status = answer.status_code
            assert status == 403 if person not in may else status in {200, 302}, f"{person} got {status}"


def _ask_by_a_link(at_desk, address, name):
    if ADDRESSES[name][0] == "post":
        answer = at_desk("carla").get(address)
        assert answer.status_code == 303, "what changes something is never done by a link"


def _ask_from_another_portfolio(at_desk, address, name):
    turn = list(ADDRESSES).index(name) % 2
    with undone():
        # Zoe was asked before; the two who work for another portfolio take turns day by day.
        for person in extent.choose(daily=(("ana", "bruno")[turn],), whole=("zoe", "ana", "bruno")):
            answer = ask(at_desk(person), name, address)
            found = [secret for secret in HIDDEN if secret in body(answer)]
            expected = {404} if person in ADDRESSES[name][1] else {403}
            if person == "zoe":
                expected = {403, 404}
            assert (answer.status_code in expected, found) == (True, []), f"{person} of another portfolio"


def _ask_what_is_shown(at_desk, address, name, secrets):
    with undone():
        shown = body(ask(at_desk("bruno"), name, address))
    assert [secret for secret in secrets if secret in shown] == [], "Bruno, who works for another portfolio"


def test_the_auditor_changes_nothing():
    changing = {
        Right.RECORD_PAYMENT,
        Right.REVERSE_PAYMENT,
        Right.PLACE_HOLD,
        Right.LIFT_HOLD,
        Right.CLOSE_TASK,
        Right.LOAD_FILES,
        Right.EDIT_STRATEGIES,
        Right.EDIT_TEMPLATES,
        Right.RUN_CYCLE,
        Right.MANAGE_USERS,
        Right.ANSWER_MESSAGES,
        Right.APPROVE_TEMPLATES,
        Right.DECIDE,
        Right.REGISTER_PROMISE,
        Right.RUN_CAMPAIGNS,
        Right.MANAGE_CHANNELS,
        Right.EDIT_RULES,
        Right.RECORD_INCIDENT,
        Right.VISIT,
    }
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
