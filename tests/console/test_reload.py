"""Who reloads what only a form may send comes to the form's page, wherever it is; machines are refused as before."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from .addresses import ADDRESSES, numbers


def posted(world):
    """Every address of the console that only a form may send."""
    for name, (method, _who, _form) in ADDRESSES.items():
        if method == "post":
            yield name, reverse(f"console:{name}", kwargs=numbers(name, world))


def test_an_address_of_a_form_leads_to_the_page_of_the_form(at_desk, cast, world):
    dario = at_desk("dario")
    led = {}
    for name, address in posted(world):
        answer = dario.get(address, follow=True)
        assert answer.status_code in {200, 403, 404}, address
        led[name] = answer.redirect_chain[-1][0]
    assert led["retention-period"] == "/conservacion/"
    assert led["approval-approve"].startswith("/aprobaciones/")
    assert led["user-let-in"] == f"/usuarios/{cast['zoe'].pk}/"
    assert len(led) > 40


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/mi-cuenta/sesiones/cerrar/", "/mi-cuenta/"),
        ("/mi-cuenta/segundo-factor/7/quitar/", "/mi-cuenta/"),
        ("/salir/", "/"),
        ("/idioma/", "/"),
    ],
)
def test_what_everybody_may_send_leads_on_too(at_desk, cast, address, page):
    assert at_desk("ana").get(address)["Location"] == page


def test_parts_of_pages_and_machines_are_refused_as_before(at_desk, cast):
    desk = at_desk("dario")
    assert desk.get("/conservacion/plazo/", headers={"HX-Request": "true"}).status_code == 405
    assert desk.post("/").status_code == 405, "a page that takes no form"
    called = Client().get(reverse("api:voice", kwargs={"provider_code": "x", "token": "x"}))
    assert called.status_code == 405
