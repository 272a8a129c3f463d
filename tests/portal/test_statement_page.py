"""What is owed is shown to who proves to be the debtor, and to nobody else: not to guessers, previewers or strangers."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client

from recobra.consent.opt_out import record_wrong_person
from recobra.conversations import identity_proof, statement_access
from recobra.kit import clock
from recobra.messaging import tokens
from recobra.messaging.models import Contact, Provider, Receipt, ReplyMailbox, Template
from recobra.messaging.templates import render
from recobra.portfolio.models import Account, Creditor, Hold, Instalment, Posting
from recobra.portfolio.statement import Document, Statement
from tests.people import acting

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
SECRETS = ("Banco Sur", "F-0001", "123", "Rosa", "S/")


@pytest.fixture(autouse=True)
def _static_root(settings):
    """WhiteNoise warns of a missing folder for collected files; in tests none are collected."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


def debtor_page(world, *, left=None, **fields):
    """A debtor who owes, and the address of the page that a message to her links."""
    debtor = world.debtor(**{"national_id": "4567-8901 K", **fields})
    world.owes(debtor)
    contact = world.planned(debtor)
    Contact.objects.filter(pk=contact.pk).update(status="SENT", handed_over_at=left or clock.now())
    return contact, "/d/estado/" + tokens.statement_url(contact.pk).rpartition("/")[2]


def ask(path, figures="8901"):
    return Client(enforce_csrf_checks=True).post(path, {"figures": figures})


def test_nothing_is_told_before_proof_and_everything_after(world):
    contact, path = debtor_page(world)
    page = Client().get(path)
    assert page.status_code == 200
    assert "Confirme que es usted" in page.text
    main = page.text[page.text.index("<main>") :]
    assert not [secret for secret in SECRETS if secret in main]
    shown = ask(path)
    assert shown.status_code == 200
    for said in (
        "Banco Sur",
        "F-0001",
        "S/\xa0123.45",
        "Pague en bancosur.example",
        "Capital",
        "INDECOPI",
        "no constituye un procedimiento destinado a embargar",
        "derecho a recibir un detalle escrito",
    ):
        assert said in shown.text, said
    assert shown["Referrer-Policy"] == "no-referrer"
    assert "no-store" in shown["Cache-Control"]
    (entry,) = facts("statement.opened", contact)
    assert entry == {"asked": "national_id"}


def facts(kind, contact):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payload::text FROM journal_entry WHERE kind = %s AND contact_id = %s AND at > now() - interval '1 hour'",
            [kind, contact.pk],
        )
        return [json.loads(row[0]) for row in cursor.fetchall()]


@pytest.fixture
def mailbox(world):
    """The mailbox of the sender, which is read."""
    provider = Provider.objects.create(
        code="correo",
        channel="email",
        kind="smtp",
        name="Correo",
        enabled=True,
        created_at=world.now,
        created_by="dario",
        settings={"imap_url": "imaps://cobranzas@mail.sur.example", "reply_to": "cobranzas@sur.example"},
    )
    return ReplyMailbox.objects.create(provider=provider, read_at=world.now)


def test_three_wrong_answers_over_all_messages_close_every_door_for_a_day(world, mailbox):
    contact, path = debtor_page(world)
    world.owes(contact.debtor)
    other = world.planned(contact.debtor, channel="sms")
    Contact.objects.filter(pk=other.pk).update(status="SENT", handed_over_at=clock.now())
    paths = [path, "/d/estado/" + tokens.statement_url(other.pk).rpartition("/")[2]]
    answers = [ask(paths[n % 2], f"000{n}").status_code for n in range(3)]
    assert answers == [403, 403, 429]
    for each in paths:
        assert ask(each).status_code == 429
        closed = Client().get(each)
        assert "vuelve a abrirse en 24 horas" in closed.text
        assert "cobranzas@sur.example" in closed.text
    assert len(facts("statement.refused", contact)) + len(facts("statement.refused", other)) == 3
    token = path.rpartition("/")[2]
    tomorrow = clock.now() + timedelta(hours=25)
    judged = identity_proof.check_identity(token=token, figures="8901", actor=acting("debtor", now=tomorrow))
    assert judged is not None
    assert judged[1] is identity_proof.Proof.RIGHT


def test_what_is_no_answer_is_no_try(world):
    contact, path = debtor_page(world)
    assert [ask(path, given).status_code for given in ("", "89", "89012", "abcd", "٨٩٠١")] == [400] * 5
    assert facts("statement.refused", contact) == []
    assert ask(path).status_code == 200


def test_the_customer_number_is_asked_where_there_is_no_national_id_and_nothing_where_neither_is_known(world):
    contact, path = debtor_page(world, national_id="")
    page = Client().get(path)
    assert "no tenemos con qué reconocerle" in page.text
    assert ask(path).status_code == 200
    assert "Banco Sur" not in ask(path).text
    type(contact.debtor).objects.filter(pk=contact.debtor_id).update(external_id="CLI-0077-12")
    assert "número de cliente" in Client().get(path).text
    assert ask(path, "7712").status_code == 200
    assert "Banco Sur" in ask(path, "7712").text


def test_a_link_dies_after_ninety_days_and_when_somebody_says_not_me(world):
    contact, path = debtor_page(world, left=clock.now() - timedelta(days=90))
    assert (Client().get(path).status_code, ask(path).status_code) == (404, 404)
    Contact.objects.filter(pk=contact.pk).update(handed_over_at=clock.now() - timedelta(days=89))
    page = Client().get(path)
    action = re.search(r'action="(/d/baja/[^"]+)"', page.text)
    assert action is not None
    assert Client(enforce_csrf_checks=True).post(action[1], {"wish": "not_me"}).status_code == 200
    assert (Client().get(path).status_code, ask(path).status_code) == (404, 404)


def test_a_number_denied_for_one_debtor_opens_nothing_for_the_next(world):
    contact, path = debtor_page(world)
    record_wrong_person(
        kind="EMAIL", value=contact.point.value, source="PROVIDER", actor=acting("provider", now=clock.now())
    )
    assert Client().get(path).status_code == 404


def test_what_never_left_or_was_made_up_opens_nothing(world):
    contact, path = debtor_page(world)
    Contact.objects.filter(pk=contact.pk).update(status="DUE", handed_over_at=None)
    assert Client().get(path).status_code == 404
    for token in ("nada", "a" * 20, "ñ" * 20, "!" * 20, path.rpartition("/")[2][:-1] + "_", "a" * 5_000):
        assert tokens.read_statement_token(token) is None
        assert Client().get("/d/estado/" + token).status_code == 404


def test_links_are_short_all_different_and_tell_no_number(settings):
    made = [tokens.statement_url(number).rpartition("/")[2] for number in range(1, 2_000)]
    assert {len(token) for token in made} == {20}
    assert len({token[-6:] for token in made}) > 1_990
    assert [tokens.read_statement_token(token) for token in made] == list(range(1, 2_000))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-key"
    assert tokens.read_statement_token(made[0]) == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert tokens.read_statement_token(made[0]) is None


def test_the_first_person_who_opens_it_counts_once_and_programs_do_not(world):
    contact, path = debtor_page(world)
    for agent in (
        "WhatsApp/2.24",
        "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "SkypeUriPreview Preview/0.5",
        "curl/8",
        "",
    ):
        assert Client().get(path, headers={"User-Agent": agent}).status_code == 200
    assert Client().head(path, headers={"User-Agent": PHONE}).status_code == 200
    assert Client().get(path, headers={"User-Agent": PHONE, "Sec-Purpose": "prefetch"}).status_code == 200
    contact.refresh_from_db()
    assert contact.clicked_at is None
    for _again in range(2):
        Client().get(path, headers={"User-Agent": PHONE})
    contact.refresh_from_db()
    assert contact.clicked_at is not None
    assert Receipt.objects.filter(contact=contact, kind="CLICKED").count() == 1


def test_a_held_account_is_shown_apart_and_in_no_total(world):
    contact, path = debtor_page(world)
    held = world.owes(contact.debtor, amount_minor=900_000, number="F-EN-DISPUTA")
    Hold.objects.create(
        debtor=contact.debtor,
        account=held,
        reason="DISPUTE",
        starts_on=date(2026, 1, 1),
        author="ana",
        created_at=world.now,
    )
    text = ask(path).text
    assert "F-EN-DISPUTA" in text
    assert "en pausa o en revisión" in text
    total = re.search(r'class="total">([^<]+)<', text)
    assert total is not None
    assert total[1].replace("\xa0", " ").replace("&nbsp;", " ") == "S/ 123.45"


def test_the_page_says_what_the_law_of_chile_wants_said(world):
    creditor = Creditor.objects.get()
    Creditor.objects.update(
        tax_id="76.000.000-1",
        address="Av. Uno 1, Santiago",
        agency_name="Cobros Ltda.",
        agency_phone="+56 2 2345 6789",
    )
    creditor.payment_instructions = "Pague en su sucursal"
    creditor.save(update_fields=["payment_instructions"])
    contact, path = debtor_page(world, national_id="12.345.678-5")
    type(contact.debtor).objects.update(country="CL")
    account = Account.objects.get()
    Account.objects.update(
        opened_date=date(2024, 3, 4), contract="C-77", attributes={"interest_terms": "2,1 % mensual"}
    )
    part = Instalment.objects.get()
    for concept, minor in (("LATE_INTEREST", 4_00), ("FEE", 2_00)):
        Posting.objects.create(
            account=account,
            instalment=part,
            kind="CHARGE",
            concept=concept,
            amount_minor=minor,
            value_date=date(2026, 10, 1),
            booked_at=world.now,
        )
    text = ask(path, "6785").text
    for said in (
        "C-77",
        "suscrito el 04-03-24",
        "2,1 % mensual",
        "Intereses por atraso",
        "Gastos",
        "SERNAC",
        "quince días",
        "Cobros Ltda.",
        "76.000.000-1",
        "Av. Uno 1",
        "+56 2 2345 6789",
    ):
        assert said in text, said
    assert creditor.name in text


def test_a_message_does_not_leave_parts_of_the_law_to_a_page_that_could_not_say_them():
    template = Template(channel="sms", language="es", text="{{ acreedor }} {{ total_vencido }} {{ enlace_detalle }}")
    creditor = Creditor(name="Banco Sur", code="SUR")
    document = {
        "account_id": 1,
        "number": "1",
        "currency": "CLP",
        "due_date": date(2026, 11, 1),
        "owed_minor": 5_000,
        "days": 22,
        "held": False,
        "concepts_minor": {"PRINCIPAL": 5_000},
    }

    def write(country, **more):
        return render.render(
            template,
            Statement(overdue=(Document(**document, **more),)),
            day=date(2026, 11, 23),
            country=country,
            debtor_name="Rosa",
            creditor=creditor,
            sender="c@sur.example",
            reference="",
            unsubscribe_url="",
            statement_url="https://sur.example/d/estado/x",
        )

    with pytest.raises(render.NotRendered, match="contratos"):
        write("CL")
    assert write("CL", signed_on=date(2024, 3, 4)).text.endswith("/d/estado/x\n")
    with pytest.raises(render.NotRendered, match="agencia_domicilio"):
        write("MX")


def test_a_link_to_a_page_that_could_know_nobody_does_not_leave(world):
    Template.objects.create(
        code="con-enlace",
        version=1,
        channel="email",
        name="Con enlace",
        subject="Detalle",
        created_at=world.now,
        created_by="carla",
        status="APPROVED",
        text="{{ acreedor }}: {{ total_vencido }}. {{ como_pagar }} {{ como_reclamar }} {{ enlace_detalle }}",
        html="<p>{{ acreedor }} {{ total_vencido }} {{ como_pagar }} {{ como_reclamar }} {{ enlace_detalle }}</p>",
    )
    known, unknown = world.debtor(national_id="45678901"), world.debtor(name="Sin Documento")
    for debtor in (known, unknown):
        world.owes(debtor)
    sent, failed = (world.planned(debtor, template_code="con-enlace") for debtor in (known, unknown))
    world.dispatch()
    for each in (sent, failed):
        each.refresh_from_db()
    assert (failed.status, failed.reason) == ("FAILED", "not_rendered")
    assert sent.status == "SENT"
    link = re.search(r"/d/estado/\S{20}", sent.body)
    assert link is not None
    assert "Banco Sur" in ask(link[0]).text


def test_a_door_tells_how_to_go_on_but_not_for_whom(world):
    Creditor.objects.update(agency_phone="+51 1 555 0000")
    _contact, path = debtor_page(world)
    door = statement_access.find_statement_link(path.rpartition("/")[2], now=clock.now())
    assert door is not None
    assert door.reach == "+51 1 555 0000"  # and no address that nobody reads


def test_a_door_names_the_address_that_is_read(world, mailbox):
    Creditor.objects.update(agency_phone="+51 1 555 0000")
    _contact, path = debtor_page(world)
    door = statement_access.find_statement_link(path.rpartition("/")[2], now=clock.now())
    assert door is not None
    assert door.reach == "+51 1 555 0000 · cobranzas@sur.example"
