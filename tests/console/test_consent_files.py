"""Consents by file: what they do to the plan, what is refused, and that twice changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from recobra.consent.models import ConsentEntry
from recobra.consent.opt_out import record_opt_out
from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Contact
from recobra.strategy.alarms import check_data
from tests.people import acting

from .test_countries import text

HEADER = "cliente;canal;autoriza;fecha;prueba;contacto\n"
GOOD = (
    f"{HEADER}CLI-0001;whatsapp;sí;01/10/2026;Formulario web del banco, casilla 3;\n"
    "40112233;correo;sí;02/10/2026;Contrato firmado, cláusula 12;persona2@correo.example\n"
    "CLI-0003;todos;no;03/10/2026;;\n"
)


@pytest.fixture
def bring(at_desk, world):
    """Upload a list as Bruno and say what to do with it: `bring(text, "try")`."""

    def bring(content, do="load", who="bruno"):
        client = at_desk(who)
        file = SimpleUploadedFile("autorizaciones.csv", content.encode())
        sent = client.post("/consentimientos/archivo/", {"portfolio": world.portfolio.code, "file": file})
        assert sent.status_code == 302, text(sent)
        page = client.get(sent["Location"])
        form = {"do": do}
        for position, (_header, target) in enumerate(page.context["chosen"]):
            form[f"column-{position}"] = target
        return client.post(sent["Location"], form, follow=True)

    return bring


def test_a_list_is_tried_then_entered_and_twice_changes_nothing(bring, world):
    assert "nada se ha guardado" in text(bring(GOOD, "try"))
    assert not ConsentEntry.objects.exists()
    page = text(bring(GOOD))
    assert "Autorizaciones 2" in page
    maria, jose = world.debtors["María"], world.debtors["José"]
    assert maria.points.get(kind="PHONE").granted_for == ["whatsapp"]
    assert jose.points.get(kind="EMAIL").granted_for == ["email"]
    assert "email" in world.debtors["Comercial"].points.get(kind="EMAIL").denied_for
    entry = ConsentEntry.objects.get(debtor=maria)
    assert (entry.source, entry.actor, entry.said) == ("LOAD", "bruno", "Formulario web del banco, casilla 3")
    assert entry.at.date().isoformat() == "2026-10-01"
    entries = ConsentEntry.objects.count()
    again = text(bring(GOOD))
    assert "Autorizaciones 0" in again
    assert ConsentEntry.objects.count() == entries
    assert Entry.objects.filter(kind="consent.file_loaded").count() == 2


def test_each_wrong_cell_is_named_with_its_line_and_what_was_expected(bring):
    bad = (
        f"{HEADER}NADIE;fax;quizás;31/12/2999;x;\nCLI-0001;sms;sí;01/10/2026;sí;\nCLI-0001;sms;no;01/10/2026;;+51900\n"
    )
    page = text(bring(bad, "try"))
    for said in (
        "2 Número de cliente o documento",
        "2 Canal",
        "2 Autoriza: sí o no",
        "2 Día en que lo dijo",
        "3 Prueba",
        "4 Número o dirección",
        "Filas rechazadas 3",
    ):
        assert said in page, said
    assert "necesita una columna" in text(bring("cliente;canal\nCLI-0001;sms\n", "try"))


def test_the_last_word_counts_and_no_list_ends_a_silence(bring, world):
    phone = world.debtors["María"].points.get(kind="PHONE")
    bring(f"{HEADER}CLI-0001;sms;no;05/10/2026;Lo pidió en la oficina;\n")
    page = text(bring(f"{HEADER}CLI-0001;sms;sí;01/10/2026;Formulario web del banco;\n"))
    phone.refresh_from_db()
    assert (phone.granted_for, phone.denied_for) == ([], ["sms"])
    assert "Anteriores a lo que ya se sabe 1" in page
    record_opt_out(point_id=phone.pk, source="STAFF", said="Basta", actor=acting("ana", now=clock.now()))
    bring(f"{HEADER}CLI-0001;whatsapp;sí;06/10/2026;Formulario web del banco;\n")
    phone.refresh_from_db()
    assert phone.opted_out_at is not None


def test_a_withdrawal_by_file_takes_back_what_waits(bring, world):
    waiting = Contact.objects.get(debtor=world.debtors["María"], status="DUE")
    bring(f"{HEADER}CLI-0001;correo;no;05/10/2026;;\n")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == ("CANCELLED", "consent_withdrawn")


def test_the_page_says_by_country_who_authorised_what(at_desk, bring, world):
    before = text(at_desk("ana").get("/consentimientos/"))
    assert "Perú" in before
    assert "Correo 5 0 5" in before
    bring(GOOD)
    after = text(at_desk("ana").get("/consentimientos/"))
    assert "WhatsApp 4 1 3" in after
    assert at_desk("ana").get("/consentimientos/archivo/").status_code == 403


def test_the_start_page_says_that_a_portfolio_is_mute_with_the_way_out(at_desk, world):
    now = clock.now()
    day = clock.today("America/Lima")
    Contact.objects.filter(planned_for__gte=day - timedelta(3)).update(status="BLOCKED", reason="no_consent")
    check_data(portfolio_ids=[world.portfolio.pk], actor=acting("dario", now=now))
    page = at_desk("bruno").get("/").content.decode()
    assert "la ley pide autorizaciones" in page
    assert 'href="/consentimientos/"' in page
    Contact.objects.update(reason="closed_day")
    check_data(portfolio_ids=[world.portfolio.pk], actor=acting("dario", now=now))
    assert "la ley pide autorizaciones" not in at_desk("bruno").get("/").content.decode()
