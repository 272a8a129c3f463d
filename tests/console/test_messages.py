"""A message on screen: in the money of its accounts, and no more of it than the reader may know."""

from datetime import timedelta

import pytest

from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Contact, MailboxMessage, Template
from recobra.portfolio.models import Account, Portfolio
from tests.console.following import follow


@pytest.fixture
def elsewhere(world):
    """María owes the same creditor dollars too, in a portfolio of which Ana and Bruno know nothing."""
    dollars = Portfolio.objects.create(
        creditor=world.portfolio.creditor,
        code="PE-AUTOS",
        name="Autos Perú",
        industry="CONSUMER",
        country="PE",
        currency="USD",
        time_zone="America/Lima",
    )
    account = Account.objects.create(
        portfolio=dollars, debtor=world.debtors["María"], external_id="AUTO-77", product="LOAN"
    )
    world.sent.items.create(account=account, overdue_minor=99_900)
    return dollars


def test_each_account_of_a_message_is_written_in_its_own_currency(at_desk, world, elsewhere):
    page = at_desk("carla").get(f"/mensajes/{world.sent.pk}/").content.decode().replace("\xa0", " ")
    for number, amount in (("PR-1001", "S/ 450.50"), ("AUTO-77", "USD 999.00")):
        assert amount in page.partition(number)[2].partition("</tr>")[0]


def test_what_the_mailbox_of_a_demonstration_answered_is_said_in_spanish(at_desk, world):
    world.sent.answer = "250 kept in the mailbox"
    world.sent.save()
    for address in (f"/mensajes/{world.sent.pk}/", f"/ficha/{world.debtors['María'].pk}/mensajes/{world.sent.pk}/"):
        assert "250 guardado en el buzón" in at_desk("carla").get(address).content.decode()


WHY = "también en carteras que no son suyas"


def test_words_that_tell_of_portfolios_out_of_scope_are_withheld_with_their_reason(at_desk, world, elsewhere):
    world.sent.body = "María: su cuota de S/ 450.50 y el auto AUTO-77 por USD 999.00 vencieron."
    world.sent.save()
    file = f"/ficha/{world.debtors['María'].pk}/"
    for address in (f"/mensajes/{world.sent.pk}/", f"{file}mensajes/{world.sent.pk}/"):
        of_ana, of_carla = (at_desk(name).get(address).content.decode() for name in ("ana", "carla"))
        assert WHY in of_ana
        assert "PR-1001" in of_ana
        assert not any(told in of_ana for told in ("AUTO-77", "999.00", world.sent.subject))
        assert world.sent.body in of_carla
        assert WHY not in of_carla
    assert world.sent.subject not in at_desk("ana").get(f"{file}historia/").content.decode()


def test_the_mailbox_leaves_out_letters_that_tell_of_portfolios_out_of_scope(at_desk, world, now, elsewhere):
    kept = MailboxMessage.objects.create(
        received_at=now,
        contact_public_id=str(world.sent.public_id),
        sender="a@sur.example",
        recipients="maria@correo.example",
        subject="USD 999.00",
        raw=b"Subject: x\r\n\r\nUSD 999.00",
    )
    found = {name: at_desk(name).get(f"/mensajes/buzon/{kept.pk}/").status_code for name in ("ana", "carla")}
    assert found == {"ana": 404, "carla": 200}
    assert "999.00" not in at_desk("ana").get("/mensajes/buzon/").content.decode()


def test_a_preview_is_not_made_with_a_debtor_who_owes_out_of_scope_too(at_desk, world, elsewhere):
    follow(world, clock.now())
    template = Template.objects.get(code="recordatorio-firme", channel="email", country="")
    address = f"/mensajes/plantillas/{template.pk}/prueba/"
    of_ana, of_carla = (
        [
            at_desk(name).post(place, {"debtor": "45678912"}).content.decode()
            for place in (address, f"{address}html/")  # the preview, and the frame of its HTML
        ]
        for name in ("ana", "carla")
    )
    for shown in of_ana:
        assert "carteras que no son suyas" in shown
        assert "PR-1001" not in shown
    assert "PR-1001" in of_carla[1]


def test_what_the_provider_answered_names_nobody_to_who_needs_no_contact_data(at_desk, world):
    world.sent.answer = f"550 <{world.sent.address}>: no such user at +51 987 654 321"
    world.sent.save()
    for address in (f"/mensajes/{world.sent.pk}/", f"/ficha/{world.debtors['María'].pk}/mensajes/{world.sent.pk}/"):
        seen = {name: at_desk(name).get(address).content.decode() for name in ("ana", "dario", "hilda")}
        assert world.sent.address in seen["ana"]
        assert "+51 987 654 321" in seen["ana"]
        for name in ("dario", "hilda"):
            assert "no such user" in seen[name]
            assert world.sent.address not in seen[name]
            assert "987 654" not in seen[name]


def test_words_of_ones_own_are_tried_only_by_who_may_keep_them(at_desk, world):
    follow(world, clock.now())
    template = Template.objects.get(code="recordatorio-firme", channel="email", country="")
    address, own = f"/mensajes/plantillas/{template.pk}/prueba/", {"subject": "{{ acreedor }}: hola"}
    tried = {name: at_desk(name).post(address, own).status_code for name in ("ana", "bruno", "hilda", "carla", "dario")}
    assert tried == {"ana": 403, "bruno": 403, "hilda": 403, "carla": 200, "dario": 200}
    assert "Banco Sur: hola" in at_desk("carla").post(address, own).content.decode()
    assert at_desk("ana").post(address).status_code == 200


def test_a_template_is_retired_after_asking_once_and_saying_which_strategies_send_it(at_desk, world):
    follow(world, clock.now())
    template = Template.objects.get(code="recordatorio-firme", channel="email", country="")
    address, client = f"/mensajes/plantillas/{template.pk}/retirar/", at_desk("carla")
    assert address in client.get(f"/mensajes/plantillas/{template.pk}/").content.decode()
    asked = client.get(address).content.decode()
    assert "Crédito de consumo" in asked
    assert "No queda otra versión" in asked
    assert Template.objects.get(pk=template.pk).retired_at is None
    client.post(address)
    client.post(address)
    assert Template.objects.get(pk=template.pk).retired_at is not None
    fact = Entry.objects.get(kind="template.retired")
    assert (fact.actor, fact.payload["code"]) == ("carla", "recordatorio-firme")
    assert {name: at_desk(name).post(address).status_code for name in ("ana", "hilda")} == {"ana": 403, "hilda": 403}


def test_a_day_without_messages_leads_to_the_last_one_that_has_some(at_desk, world):
    Contact.objects.filter(status="DUE").delete()
    day = world.sent.planned_for
    page = at_desk("carla").get(f"/mensajes/?dia={day + timedelta(days=1)}").content.decode()
    assert f'href="/mensajes/?dia={day}"' in page
    assert "Ver el último día con mensajes:" in page
    assert "<dt>Enviados</dt>" in page


@pytest.mark.parametrize(
    ("words", "days", "column"),
    [("total_por_vencer", 5, "Por vencer"), ("total_por_vencer", -12, "Vencido"), ("total_vencido", -12, "Vencido")],
)
def test_what_is_not_due_yet_is_not_called_overdue(at_desk, world, words, days, column):
    day = world.sent.planned_for + timedelta(days)
    world.accounts["María"].instalments.filter(number="1").update(due_date=day)
    template = Template.objects.get(pk=world.sent.template_id)
    template.text = f"Son {{{{ {words} }}}}."
    template.save()
    for address in (f"/mensajes/{world.sent.pk}/", f"/ficha/{world.debtors['María'].pk}/mensajes/{world.sent.pk}/"):
        table = at_desk("carla").get(address).content.decode().partition('id="items-title"')[2].partition("</table>")[0]
        assert f'<th scope="col" class="num">{column}</th>' in table
