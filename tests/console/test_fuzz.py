"""No odd request to a screen ends in an error of ours: every address, by each role, read and sent (see `tests/fuzz.py`).

The addresses are those of the URLconf (`test_access_matrix.py` finds one that is missing in the table), the names of
parameters and fields those that the views were seen to ask for.
"""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from recobra.messaging import tokens
from tests import extent, fuzz
from tests.console.addresses import ADDRESSES, numbers_of_all
from tests.console.test_scope import body, undone

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]
REQUESTS = extent.choose(daily=20, whole=1_800)
NAMES = ("q", "pagina", "antes", "desde", "hasta", "dia", "mes", "orden", "next", "csrfmiddlewaretoken", "lang", "otra")
FILE_NAMES = ("pagos.csv", "../../etc/passwd", "a\u202efdp.exe", "x" * 300 + ".xlsx", "ñ.xlsx")
FILE = b"usuario;rol;correo\nu1;Gestor;u1@sur.example\n"


def _odd_fields(chance, names, form):
    """Return the fields of a request: those of a usual one, some of them odd, some more, sometimes one many times."""
    fields = dict(form)
    for _ in range(chance.choice((1, 1, 2, 5))):
        name = chance.choice([*names, *NAMES])
        # Halves of characters no browser sends; providers do (`tests/api/test_fuzz.py`).
        text = fuzz.damage_text(form.get(name, "2026-11-23"), chance).encode("utf-8", "replace").decode()
        fields[name] = [text] * 300 if chance.random() < 0.03 else text
    return fields


def _send(client, chance, address, method, fields):
    if method == "post" and chance.random() < 0.2:
        content = fuzz.damage(FILE, chance)
        for name in ("archivo", "file"):
            fields[name] = SimpleUploadedFile(chance.choice(FILE_NAMES), content)
    return getattr(client, method)(address, fields)


def test_no_odd_request_to_a_screen_is_an_error_of_ours(at_desk, world, asked_for):
    chance = fuzz.chance("screens")
    asked = [(name, person) for name, (_method, may, _form) in ADDRESSES.items() for person in sorted(may)]
    chance.shuffle(asked)
    given = numbers_of_all(world)
    learned: dict[tuple[str, str], list[str]] = {}
    only_read = set()
    with fuzz.watch("screens") as watched:
        for position in range(REQUESTS):
            name, person = asked[position % len(asked)]
            method, _may, form = ADDRESSES[name]
            if method == "get" and name not in only_read and chance.random() < 0.5:
                method = "post"  # most pages with a form take it at the same address
            client, address = at_desk(person), reverse(f"console:{name}", kwargs=given[name])
            if (name, method) not in learned:
                asked_for.clear()
                with undone():
                    answer = getattr(client, method)(address, form)
                    body(answer)  # reading a download to its end is what closes it
                learned[name, method] = sorted(asked_for)
                if answer.status_code == 405:
                    only_read.add(name)
            fields = _odd_fields(chance, learned[name, method], form)
            with watched.input(f"{method} {name} by {person}", fields) as one, undone():
                answer = _send(client, chance, address, method, fields)
                body(answer)
                one.end = f"{method} {answer.status_code}"
                assert answer.status_code < 500


def test_no_odd_request_of_who_is_not_signed_in_is_an_error_of_ours(world):
    chance = fuzz.chance("doors")
    signed = tokens.statement_url(world.sent.pk).rpartition("/")[2]
    doors = [
        "/entrar/",
        "/salir/",
        "/idioma/",
        "/healthz",
        "/metrics",
        "/robots.txt",
        "/cartera/",
        "/api/webhooks/nadie/",
    ]
    with fuzz.watch("doors") as watched:
        for _ in range(REQUESTS // 9):
            token = chance.choice((signed, signed[:-1] + "x", "x", "é", "a:b:c", "A" * 3_000))
            address = chance.choice([*doors, f"/d/estado/{token}", f"/d/baja/{token}", f"/api/voice/x/{token}/"])
            fields = _odd_fields(chance, ["figures", "username", "password", "next", "language"], {})
            headers = {"Authorization": fuzz.damage_text("Bearer x", chance)} if chance.random() < 0.3 else {}
            headers = {name: value.encode("ascii", "replace").decode() for name, value in headers.items()}
            method = chance.choice(("get", "post", "head", "put"))
            with watched.input(f"{method} {address[:60]}", fields) as one, undone():
                answer = getattr(Client(), method)(address, fields if method != "put" else "x", headers=headers)
                one.end = f"{method} {answer.status_code}"
                assert answer.status_code < 500 or address == "/healthz"
