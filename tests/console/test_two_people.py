"""What could rob or ruin needs a second person: where debtors pay, ways out, strategies, large exports."""

from __future__ import annotations

import hashlib

import pytest
from django.test import Client

from recobra.access.actors import Service, actor_for, service_actor
from recobra.access.facts import UserCreated
from recobra.access.models import User
from recobra.approvals import second_person
from recobra.approvals.models import Approval, SecondPersonRule
from recobra.journal.models import Entry
from recobra.journal.operations import record_fact
from recobra.kit import clock
from recobra.messaging.models import Provider
from recobra.messaging.providers import routing
from recobra.portfolio.models import Creditor
from recobra.strategy.alarms import check_installation
from recobra.strategy.models import StrategyVersion

from .editor import EDIT, fields
from .following import follow
from .test_creditors import details
from .test_providers import FORM, SECRET
from .test_session import knock


@pytest.fixture
def strict(world):
    """The company as it is installed: it has set nothing."""
    SecondPersonRule.objects.all().delete()
    return world


def waiting():
    return Approval.objects.get(decision="WAITING")


def last(kind):
    return Entry.objects.filter(kind=kind).latest("id")


def fetch(client, query=""):
    """Ask for the whole portfolio as a file; return the status of the answer."""
    answer = client.get(f"/cartera/exportar.csv{query}")
    if answer.streaming:
        b"".join(answer.streaming_content)
    return answer.status_code


class TestWhereDebtorsPay:
    def change(self, at_desk, world, text="Pague en otro.example"):
        here = f"/acreedores/{world.portfolio.creditor_id}/"
        return at_desk("dario").post(here, details(payment_instructions=text), follow=True).content.decode()

    def said(self, world):
        return Creditor.objects.get(pk=world.portfolio.creditor_id).payment_instructions

    def test_messages_say_the_old_one_until_another_person_agrees(self, at_desk, strict):
        before = self.said(strict)
        page = self.change(at_desk, strict)
        assert "espera la aprobación de una segunda persona" in page
        assert "esperan a una segunda persona" in page
        assert self.said(strict) == before
        creditor = Creditor.objects.get(pk=strict.portfolio.creditor_id)
        assert "555 0000" not in creditor.agency_phone, "any text of a message could name an account"
        assert creditor.supervised, "what no message says is kept"
        asked = waiting()
        assert at_desk("dario").post(f"/aprobaciones/{asked.pk}/aprobar/").status_code == 302
        assert self.said(strict) == before, "its author does not decide"
        shown = at_desk("carla").get(f"/aprobaciones/{asked.pk}/").content.decode()
        assert before in shown
        assert "Pague en otro.example" in shown
        assert "/acreedores/" not in shown, "a page that she may not open"
        at_desk("carla").post(f"/aprobaciones/{asked.pk}/aprobar/")
        assert self.said(strict) == "Pague en otro.example"
        assert Creditor.objects.get(pk=creditor.pk).agency_phone == "+51 1 555 0000"
        fact = last("creditor.payment_instructions_changed").payload
        salt = asked.new["salt"]
        assert fact["author"] == "dario"
        assert fact["approval_id"] == asked.pk
        assert fact["old_digest"] == hashlib.sha256(f"{salt}{before}".encode()).hexdigest()
        assert fact["new_digest"] == hashlib.sha256(f"{salt}Pague en otro.example".encode()).hexdigest()

    def test_another_text_takes_the_place_of_the_one_that_waited(self, at_desk, strict):
        self.change(at_desk, strict)
        self.change(at_desk, strict, "Pague en un tercero.example")
        assert waiting().new["payment_instructions"] == "Pague en un tercero.example"
        assert list(Approval.objects.values_list("decision", flat=True).order_by("id")) == ["WITHDRAWN", "WAITING"]

    def test_what_was_asked_before_other_texts_needed_it_is_shown_and_decided(self, at_desk, strict):
        before = self.said(strict)
        self.change(at_desk, strict)
        asked = waiting()
        asked.old, asked.new = {"text": before}, {"text": "Pague en antes.example", "salt": asked.new["salt"]}
        asked.save()
        assert before in at_desk("carla").get(f"/aprobaciones/{asked.pk}/").content.decode()
        at_desk("carla").post(f"/aprobaciones/{asked.pk}/aprobar/")
        assert self.said(strict) == "Pague en antes.example"

    def test_what_the_law_has_come_to_bar_is_not_approved(self, at_desk, strict):
        self.change(at_desk, strict)
        asked = waiting()
        asked.new = {**asked.new, "payment_instructions": "Lo llevaremos a la cárcel"}
        asked.save()
        page = at_desk("carla").post(f"/aprobaciones/{asked.pk}/aprobar/", follow=True).content.decode()
        assert "«cárcel» no puede decirse" in page
        assert waiting() == asked

    def test_alone_it_is_done_at_once_and_old_and_new_are_kept(self, at_desk, strict):
        User.objects.filter(username="carla").update(is_active=False)
        before = self.said(strict)
        self.change(at_desk, strict)
        assert self.said(strict) == "Pague en otro.example"
        decided = Approval.objects.get()
        assert (decided.alone, decided.old["payment_instructions"], decided.new["payment_instructions"]) == (
            True,
            before,
            "Pague en otro.example",
        )

    def test_where_the_company_wants_none_old_and_new_are_kept_too(self, at_desk, world):
        self.change(at_desk, world)
        assert self.said(world) == "Pague en otro.example"
        assert Approval.objects.get().alone

    def test_the_others_see_an_alarm(self, at_desk, strict):
        self.change(at_desk, strict)
        at_desk("carla").post(f"/aprobaciones/{waiting().pk}/aprobar/")
        check_installation(actor=service_actor(Service.SYSTEM, now=clock.now()))
        assert "Se cambió dónde pagan los deudores" in at_desk("hilda").get("/").content.decode()


@pytest.mark.usefixtures("strict")
class TestWaysOut:
    def test_a_new_one_is_saved_and_tested_but_not_in_use(self, at_desk):
        page = at_desk("dario").post("/canales/nuevo/?tipo=smtp", FORM, follow=True).content.decode()
        assert "espera la aprobación de una segunda persona" in page
        provider = Provider.objects.get()
        assert not provider.enabled
        shown = at_desk("carla").get(f"/aprobaciones/{waiting().pk}/").content.decode()
        assert "smtp://cobros@127.0.0.1:2525" in shown
        assert SECRET not in shown
        at_desk("carla").post(f"/aprobaciones/{waiting().pk}/aprobar/")
        provider.refresh_from_db()
        assert provider.enabled

    @pytest.fixture
    def in_use(self, at_desk):
        at_desk("dario").post("/canales/nuevo/?tipo=smtp", FORM)
        at_desk("carla").post(f"/aprobaciones/{waiting().pk}/aprobar/")
        return Provider.objects.get()

    def test_one_in_use_keeps_its_settings_until_another_person_agrees(self, at_desk, in_use):
        here = f"/canales/proveedor/{in_use.code}/"
        moved = {
            **FORM,
            "setting-url": "smtp://cobros@127.0.0.1:2526",
            "setting-password": "otra-clave",
            "name": "Nuevo",
        }
        at_desk("dario").post(here, moved)
        (way, *_) = routing.load_routes().open_routes("email", "PE")
        assert (way.config.settings["url"], way.config.secrets) == (FORM["setting-url"], {"password": SECRET})
        assert Provider.objects.get().name == "Nuevo", "what decides nothing is saved"
        asked = waiting()
        shown = at_desk("carla").get(f"/aprobaciones/{asked.pk}/").content.decode()
        assert "smtp://cobros@127.0.0.1:2526" in shown
        assert "otra-clave" not in asked.new.values()
        at_desk("carla").post(f"/aprobaciones/{asked.pk}/aprobar/")
        (way, *_) = routing.load_routes().open_routes("email", "PE")
        assert (way.config.settings["url"], way.config.secrets) == (moved["setting-url"], {"password": "otra-clave"})
        assert not Provider.objects.get().proposed

    def test_what_is_sent_back_is_forgotten(self, at_desk, in_use):
        here = f"/canales/proveedor/{in_use.code}/"
        at_desk("dario").post(here, {**FORM, "setting-password": "otra-clave"})
        at_desk("carla").post(f"/aprobaciones/{waiting().pk}/devolver/", {"motivo": "No"})
        in_use.refresh_from_db()
        assert not in_use.proposed
        (way, *_) = routing.load_routes().open_routes("email", "PE")
        assert way.config.secrets == {"password": SECRET}

    def test_switching_off_needs_nobody_and_on_again_does(self, at_desk, in_use):
        here = f"/canales/proveedor/{in_use.code}/encender/"
        at_desk("dario").post(here, {"on": "0"})
        assert not Provider.objects.get().enabled
        page = at_desk("dario").post(here, {"on": "1"}, follow=True).content.decode()
        assert "Espera la aprobación" in page
        assert not Provider.objects.get().enabled

    def test_an_address_that_leads_elsewhere_asks_for_the_secrets_anew(self, at_desk):
        at_desk("dario").post("/canales/nuevo/?tipo=smtp", FORM)
        moved = {**FORM, "setting-url": "smtp://cobros@otro.example:2525", "setting-password": ""}
        answer = at_desk("dario").post("/canales/proveedor/correo-sur/", moved)
        assert answer.status_code == 422
        assert "lleva a otro lugar" in answer.content.decode()
        assert Provider.objects.get().settings["url"] == FORM["setting-url"]


class TestStrategies:
    @pytest.fixture
    def asked(self, at_desk, world):
        follow(world, clock.now())
        SecondPersonRule.objects.all().delete()
        carla = at_desk("carla")
        carla.post(EDIT, fields(carla) | {"name": "Consumo firme", "do": "save"})
        page = carla.post("/estrategias/consumo/v2/publicar/", follow=True).content.decode()
        assert "Espera la aprobación de una segunda persona" in page
        return waiting()

    def in_force(self):
        return StrategyVersion.objects.get(code="consumo", status="PUBLISHED").number

    def test_the_one_before_stays_in_force_until_another_person_agrees(self, at_desk, asked):
        assert self.in_force() == 1
        shown = at_desk("dario").get(f"/aprobaciones/{asked.pk}/").content.decode()
        assert "Consumo firme" in shown
        assert "Nombre" in shown
        at_desk("dario").post(f"/aprobaciones/{asked.pk}/aprobar/")
        assert self.in_force() == 2

    def test_an_account_that_its_author_opened_lately_is_no_second_person(self, at_desk, asked, cast):
        record_fact(
            UserCreated(user_id=cast["dario"].pk, role="ADMINISTRATOR", portfolios=[]),
            actor=actor_for(cast["carla"], now=clock.now()),
        )
        assert asked.author_id == cast["carla"].pk
        shown = at_desk("dario").get(f"/aprobaciones/{asked.pk}/").content.decode()
        assert f"/aprobaciones/{asked.pk}/aprobar/" not in shown, "nothing is offered that is refused"
        at_desk("dario").post(f"/aprobaciones/{asked.pk}/aprobar/")
        assert self.in_force() == 1

    def test_a_draft_that_changes_meanwhile_is_asked_for_anew(self, at_desk, asked):
        carla = at_desk("carla")
        carla.post(EDIT, fields(carla) | {"name": "Consumo muy firme", "do": "save"})
        asked.refresh_from_db()
        assert asked.decision == "WITHDRAWN"
        assert self.in_force() == 1


class TestLargeExports:
    @pytest.fixture(autouse=True)
    def small_limit(self, strict):
        SecondPersonRule.objects.create(kind="export", is_required=True, least_size=1)
        return strict

    def test_it_leaves_once_another_person_agrees_and_to_nobody_else(self, at_desk):
        carla = at_desk("carla")
        answer = carla.get("/cartera/exportar.csv")
        assert answer.status_code == 202
        assert "espera a una segunda persona" in answer.content.decode()
        assert not Entry.objects.filter(kind="export.made").exists()
        assert fetch(carla) == 202
        at_desk("dario").post(f"/aprobaciones/{waiting().pk}/aprobar/")
        assert fetch(carla) == 200
        assert Entry.objects.filter(kind="export.made").count() == 1
        assert fetch(carla, "?producto=LOAN") == 202, "another selection"
        assert fetch(at_desk("hilda")) == 202, "another person"

    def test_what_has_come_since_a_person_agreed_is_asked_for_anew(self, at_desk):
        SecondPersonRule.objects.update(least_size=3)
        carla = at_desk("carla")
        assert fetch(carla) == 202
        agreed = waiting()
        at_desk("dario").post(f"/aprobaciones/{agreed.pk}/aprobar/")
        agreed.refresh_from_db()
        rows = int(agreed.new["rows"])
        for fewer, status in ((2, 200), (3, 202)):  # two rows may leave without anybody
            agreed.new = {**agreed.new, "rows": str(rows - fewer)}
            agreed.save()
            assert fetch(carla) == status
        assert waiting().new["rows"] == str(rows)

    def test_who_decides_reads_the_list_and_its_conditions_in_words(self, at_desk):
        asked = "q=Perez&stage=ADMINISTRATIVE&status=OPEN&sort=balance&min=100"
        assert fetch(at_desk("carla"), f"?{asked}") == 202
        dario = at_desk("dario")
        assert "Cartera · " in dario.get("/aprobaciones/").content.decode()
        shown = dario.get(f"/aprobaciones/{waiting().pk}/").content.decode()
        for label, text in (
            ("Lista", "Cartera"),
            ("Texto buscado", "indicado; la bitácora no guarda cuál"),
            ("Etapa", "Administrativa"),
            ("Estado", "Abierta"),
            ("Orden", "Mayor saldo"),
            ("Vencido desde", "100"),
        ):
            assert f">{label}</h3>" in shown
            assert f">{text}</pre>" in shown
        assert "Perez" not in shown

    def test_the_audit_says_the_conditions_in_words(self, at_desk):
        SecondPersonRule.objects.all().delete()
        fetch(at_desk("carla"), "?stage=ADMINISTRATIVE")
        shown = at_desk("dario").get("/auditoria/?hecho=export.made").content.decode()
        assert "Etapa: Administrativa" in shown
        knock(Client(), username="ana")
        assert "Contraseña" in at_desk("dario").get("/auditoria/?hecho=user.signed_in").content.decode()

    def test_a_small_one_leaves_at_once(self, at_desk):
        SecondPersonRule.objects.all().delete()
        assert fetch(at_desk("carla")) == 200


@pytest.mark.usefixtures("strict")
class TestRules:
    def test_a_looser_rule_waits_and_a_stricter_one_holds(self, at_desk):
        carla = at_desk("carla")
        assert (
            "Lo que los mensajes dicen del acreedor y dónde pagar"
            in carla.get("/aprobaciones/reglas/").content.decode()
        )
        carla.post("/aprobaciones/reglas/provider/", {})
        assert second_person.rule_of("provider").is_required
        at_desk("dario").post(f"/aprobaciones/{waiting().pk}/aprobar/")
        assert not second_person.rule_of("provider").is_required
        carla.post("/aprobaciones/reglas/provider/", {"pide": "1"})
        assert second_person.rule_of("provider").is_required
        assert last("approval.rule_set").payload == {
            "approval_kind": "provider", "is_required": True, "least_size": None
        }  # fmt: skip

    def test_a_larger_size_is_looser(self, at_desk):
        at_desk("carla").post("/aprobaciones/reglas/export/", {"pide": "1", "desde": "20000"})
        assert waiting().new["least_size"] == "20000"
        at_desk("carla").post("/aprobaciones/reglas/export/", {"pide": "1", "desde": "500"})
        assert second_person.rule_of("export").least_size == 500
        assert not Approval.objects.filter(decision="WAITING").exists(), "who agreed would have seen another rule"

    @pytest.mark.parametrize("size", ["0", "-1", "muchas", "9" * 30])
    def test_a_size_that_is_none_is_refused(self, at_desk, size):
        page = at_desk("carla").post("/aprobaciones/reglas/export/", {"pide": "1", "desde": size}, follow=True)
        assert "Se esperaba un número entero" in page.content.decode()
        assert not SecondPersonRule.objects.exists()

    def test_templates_always_need_one(self, at_desk):
        assert at_desk("carla").post("/aprobaciones/reglas/template/").status_code == 404

    def test_who_may_not_edit_rules_does_not(self, at_desk):
        assert at_desk("bruno").get("/aprobaciones/reglas/").status_code == 403
        assert at_desk("bruno").post("/aprobaciones/reglas/provider/").status_code == 403
