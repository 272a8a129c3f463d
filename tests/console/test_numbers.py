"""Numbers, shares and prices of every page: in the form of its portfolio's country, else of the user's own."""

from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.translation import override

from recobra.console.screens.place import Installation
from recobra.conversations.models import Conversation
from recobra.insight.queries import board
from recobra.insight.queries.reach import cached_open_state
from recobra.journal.verification import Verification
from recobra.kit import clock
from recobra.portfolio.models import Portfolio

FORMS = "{% load console work %}{% number 1243 %} {% share 0.84 %} {% number 2.5 decimals=1 %}"


def written(**context):
    return Template(FORMS).render(Context(context))


@pytest.fixture
def chilean(world):
    """A portfolio of Chile whose code comes first, without an account."""
    return Portfolio.objects.create(
        creditor=world.portfolio.creditor,
        code="CL-FACTURAS",
        name="Facturas Chile",
        industry="INVOICES",
        country="CL",
        currency="CLP",
        time_zone="America/Santiago",
    )


def test_counts_shares_and_seconds_of_one_page_are_written_alike():
    assert written(country="PE") == "1,243 84.0 % 2.5"
    assert written(country="CL") == "1.243 84,0 % 2,5"
    assert written(country="CL", place=Installation(time_zone="America/Lima", country="PE")) == "1,243 84.0 % 2.5"
    assert written(country="PE", place=Installation(time_zone="America/Lima")) == "1,243 84.0 % 2.5"


def test_pages_of_no_portfolio_write_as_the_country_where_most_accounts_owe(at_desk, world, chilean, cast):
    assert board.main_country(cast["carla"]) == "PE"
    assert str(at_desk("carla").get("/ciclo/").context["country"]) == "PE"


def test_the_compliance_report_writes_its_figures_as_its_country(at_desk, world, chilean):
    # The month of what was sent, as each country counts it: today may be in the next one already.
    for country, zone, written_so in (("CL", "America/Santiago", "100,00 %"), ("PE", "America/Lima", "100.00 %")):
        Portfolio.objects.filter(pk=world.portfolio.pk).update(country=country)
        month = f"{world.sent.sent_at.astimezone(ZoneInfo(zone)):%Y-%m}"
        page = at_desk("carla").get(f"/cumplimiento/?pais={country}&mes={month}").content.decode()
        assert written_so in page


def test_each_state_of_brazil_stands_with_the_article_that_opens_or_closes_it(at_desk, world):
    answer = at_desk("ana").get("/paises/BR/")
    minute = answer.context["now"].replace(second=0, microsecond=0)
    told = {(row["channel"], place): row["now"].source for row in answer.context["open"] for place in row["places"]}
    for state in ("BR-AL", "BR-ES", "BR-RJ", "BR-SP"):
        for channel in ("call", "sms"):
            assert (
                told[channel, answer.context["names"][state]] == cached_open_state("BR", state, channel, minute).source
            )
    assert told["call", answer.context["names"]["BR-ES"]] == "Lei ES 10.626/2017"


def test_one_sealed_day_is_said_in_the_singular(cast):
    request = RequestFactory().get("/auditoria/verificar/")
    request.user, request.session = cast["hilda"], SessionStore()
    verdict = Verification(rows=1_518, days=1, seals=2, unsealed=0, unsigned=0, last=None, first_altered=None)
    with override("es"):
        page = render_to_string("console/audit/verdict.html", {"verdict": verdict}, request=request)
    assert "1,518 filas, 1 día sellado: todo coincide con los sellos." in page


def test_who_answers_reads_until_when_at_any_hour_and_until_when_at_all(at_desk, world):
    now = clock.now()
    found = Conversation.objects.create(
        channel="sms",
        address="+51987654321",
        debtor=world.debtors["María"],
        mode="PERSON",
        opened_at=now,
        mode_reason="talk_to_person",
        last_at=now,
        last_inbound_at=now,
        unread=1,
    )
    page = at_desk("ana").get(f"/conversaciones/{found.pk}/").content.decode()
    assert "Durante 15 minutos la respuesta puede salir a cualquier hora" in page
    assert "durante 24 horas dentro del horario permitido" in page
