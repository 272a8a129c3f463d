"""Instalación: the last whole backup with its size and place, every try with its reason, and the keys."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recobra.access.actors import Service, service_actor
from recobra.installation import schedule
from recobra.installation.backup import BackupRefused
from recobra.installation.models import BackupRun
from recobra.kit import clock
from recobra.kit.encrypted_field import EncryptedValue
from recobra.messaging.sending_stop import stop_sending
from recobra.portfolio.models import Creditor
from recobra.strategy.alarms import check_installation


def page(at_desk, name="dario"):
    return at_desk(name).get("/instalacion/")


def test_without_a_backup_it_says_what_is_at_stake(at_desk, world):
    shown = page(at_desk).content.decode()
    assert "Todavía ninguno" in shown
    assert "RECOBRA_BACKUP_DIR" in shown
    assert "En uso" in shown
    assert 'href="/instalacion/"' in at_desk("dario").get("/").content.decode()


def test_it_shows_the_last_whole_one_and_each_try(at_desk, world, settings):
    now = clock.now()
    settings.BACKUP_DIR = "/respaldos"
    BackupRun.objects.create(
        status="DONE",
        started_at=now - timedelta(hours=2),
        started_by="command",
        path="/respaldos/recobra-1.recobra",
        size=5 * 1024 * 1024,
        files_count=3,
        rows_count=1234,
        missing_count=1,
    )
    shown = page(at_desk).content.decode()
    assert "En orden" in shown
    assert "/respaldos/recobra-1.recobra" in shown
    assert "5,0\xa0MB" in shown
    assert "1 archivo que la base de datos nombra ya se había perdido" in shown
    BackupRun.objects.create(
        status="FAILED", started_at=now, started_by="system", is_scheduled=True, error="No space left on device"
    )
    shown = page(at_desk).content.decode()
    assert "El último intento falló" in shown
    assert "No space left on device" in shown
    assert "Programado" in shown


def test_why_the_schedule_made_none_is_said_in_the_readers_language(at_desk, world, settings, tmp_path):
    settings.BACKUP_DIR = str(tmp_path)
    with pytest.raises(BackupRefused):
        schedule.make_scheduled(actor=service_actor(Service.SYSTEM, now=clock.now()))
    assert "el respaldo contiene las llaves" in page(at_desk).content.decode()


def test_values_of_another_installation_are_counted_and_an_alarm(at_desk, world):
    system = service_actor(Service.SYSTEM, now=clock.now())
    check_installation(actor=system)
    alarm = "Hay secretos cuya llave no está aquí"
    assert alarm not in at_desk("dario").get("/").content.decode()
    Creditor.objects.update(payment_instructions=EncryptedValue("enc1.00000000.AAAA"))
    check_installation(actor=system)
    assert alarm in at_desk("dario").get("/").content.decode()
    shown = page(at_desk).content.decode()
    assert "00000000" in shown
    assert "De otra instalación" in shown
    creditor = Creditor.objects.get(pk=world.portfolio.creditor_id)
    assert "otra instalación" in at_desk("dario").get(f"/acreedores/{creditor.pk}/").content.decode()
    assert at_desk("dario").get("/acreedores/").status_code == 200


def test_who_does_not_look_after_it_does_not_see_it(at_desk, world):
    assert page(at_desk, "ana").status_code == 403
    assert page(at_desk, "hilda").status_code == 200


def test_after_a_restore_a_person_lets_messages_leave_again(at_desk, world):
    now = clock.now()
    stop_sending(state_of=now - timedelta(hours=9), actor=service_actor(Service.COMMAND, now=now))
    check_installation(actor=service_actor(Service.SYSTEM, now=now))
    assert "no se envía nada hasta que una persona lo confirme" in at_desk("dario").get("/").content.decode()
    shown = page(at_desk).content.decode()
    assert "No se envía nada" in shown
    assert "Volver a enviar mensajes" in shown
    assert "Volver a enviar mensajes" not in page(at_desk, "hilda").content.decode()
    refused = at_desk("dario").post("/instalacion/reanudar/", follow=True).content.decode()
    assert "marque la casilla" in refused
    assert "No se envía nada" in refused
    resumed = at_desk("dario").post("/instalacion/reanudar/", {"entered": "1"}, follow=True).content.decode()
    assert "Los mensajes vuelven a salir" in resumed
    assert "No se envía nada" not in resumed
