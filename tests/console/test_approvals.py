"""Aprobaciones: one tray for what one person made and another decides."""

from __future__ import annotations

import re

import pytest

from recobra.access.models import User
from recobra.approvals.models import Approval
from recobra.kit import clock
from recobra.messaging.models import Template

from .following import follow


@pytest.fixture
def asked(at_desk, world):
    """Carla's shorter name for a reminder, which waits for somebody else."""
    follow(world, clock.now())
    reminder = Template.objects.get(code="recordatorio-firme", channel="email", country="", tone="")
    carla = at_desk("carla")
    carla.post(f"/mensajes/plantillas/{reminder.pk}/editar/", {"name": "Más corto", "settings": "1"})
    draft = Template.objects.get(name="Más corto")
    carla.post(f"/mensajes/plantillas/{draft.pk}/presentar/")
    return Approval.objects.get(subject=draft.pk)


def counted(client):
    """The figure beside the tray in the menu, '' where nothing waits."""
    menu = client.get("/aprobaciones/").content.decode()
    return "".join(re.findall(r'class="side-count">(\d+)<', menu))


def test_the_tray_shows_what_waits_with_the_old_beside_the_new(at_desk, asked):
    dario = at_desk("dario")
    assert counted(dario) == "1"
    assert "Más corto" in dario.get("/aprobaciones/").content.decode()
    page = dario.get(f"/aprobaciones/{asked.pk}/").content.decode()
    assert page.index("Versión anterior") < page.index("Versión nueva") < page.index("Más corto</pre>")
    assert "Administrativa</pre>" in page
    dario.post(f"/aprobaciones/{asked.pk}/aprobar/", {"motivo": "Bien"})
    assert counted(dario) == ""
    shown = dario.get("/aprobaciones/").content.decode()
    assert "Últimas decisiones" in shown
    assert "Aprobada" in shown
    # Who comes later hears who was first.
    late = at_desk("bruno").post(f"/aprobaciones/{asked.pk}/devolver/", {"motivo": "No"}, follow=True)
    assert "Ya está decidido: «Aprobada», por dario." in late.content.decode()


def test_its_author_withdraws_it_and_nobody_else_does(at_desk, asked):
    address = f"/aprobaciones/{asked.pk}/retirar/"
    assert "Retirar la solicitud" not in at_desk("dario").get(f"/aprobaciones/{asked.pk}/").content.decode()
    assert at_desk("dario").post(address).status_code == 403
    assert "Retirar la solicitud" in at_desk("carla").get(f"/aprobaciones/{asked.pk}/").content.decode()
    at_desk("carla").post(address)
    asked.refresh_from_db()
    assert (asked.decision, Template.objects.get(pk=asked.subject).status) == ("WITHDRAWN", "DRAFT")


def test_who_is_alone_is_told_that_it_was_decided_alone(at_desk, asked):
    at_desk("carla").post(f"/aprobaciones/{asked.pk}/retirar/")
    User.objects.exclude(username="carla").update(is_active=False)
    carla = at_desk("carla")
    said = carla.post(f"/mensajes/plantillas/{asked.subject}/presentar/", follow=True).content.decode()
    assert "Nadie más podía aprobarla" in said
    assert "Decidido a solas" in said
