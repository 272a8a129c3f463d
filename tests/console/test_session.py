"""Coming in and going out."""

import pytest
from django.urls import reverse

from recobra.console.throttle import FAILURES_PER_USER
from recobra.journal.models import Entry

DOOR = "/entrar/"


def knock(client, username="ana", password="una-clave-larga", **more):
    return client.post(DOOR, {"username": username, "password": password, **more})


def test_nobody_sees_anything_before_signing_in(client, db):
    answer = client.get("/cartera/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(DOOR)


def test_ana_comes_in_and_it_is_recorded(client, cast):
    answer = knock(client, next="/cartera/")
    assert answer["Location"] == "/cartera/"
    (fact,) = Entry.objects.filter(kind="user.signed_in")
    assert (fact.actor, fact.actor_id) == ("ana", cast["ana"].pk)


def test_a_wrong_password_says_so_without_saying_which(client, cast):
    answer = knock(client, password="otra-clave-larga")
    assert answer.status_code == 422
    assert "El usuario o la contraseña no son correctos." in answer.content.decode()


def test_guessing_is_slowed_down_even_with_the_right_password_at_last(client, cast):
    for attempt in range(FAILURES_PER_USER):
        assert knock(client, password=f"intento-{attempt}").status_code == 422
    answer = knock(client)
    assert answer.status_code == 429
    assert "Demasiados intentos fallidos" in answer.content.decode()
    assert knock(client, username="bruno").status_code == 302, "another user at the same address may come in"


@pytest.mark.parametrize("elsewhere", ["https://malo.example/", "//malo.example", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(client, cast, elsewhere):
    assert knock(client, next=elsewhere)["Location"] == reverse("console:home")


@pytest.mark.parametrize("cookie", ["xx-invented", "../../etc", "e" * 300])
def test_the_door_speaks_only_languages_that_there_are(client, cast, cookie):
    client.cookies["django_language"] = cookie
    answer = client.get(DOOR)
    assert answer.status_code == 200
    assert '<html lang="es"' in answer.content.decode()


def test_someone_who_left_cannot_come_in(client, cast):
    cast["ana"].is_active = False
    cast["ana"].save()
    assert knock(client).status_code == 422


def test_signing_out_ends_the_session(at_desk):
    client = at_desk("ana")
    client.post("/salir/")
    assert client.get("/").status_code == 302


def test_the_language_is_chosen_and_remembered(at_desk, cast):
    client = at_desk("carla")
    assert "Inicio" in client.get("/").content.decode()
    client.post("/idioma/", {"language": "en"})
    cast["carla"].refresh_from_db()
    assert cast["carla"].language == "en"
    assert "Home" in client.get("/").content.decode()


def test_the_null_character_is_refused_at_the_door(at_desk, company):
    bruno = at_desk("bruno")
    assert bruno.get("/cartera/", {"q": "Rosa\0"}).status_code == 400
    assert bruno.post("/aprobaciones/1/devolver/", {"motivo": "\0"}).status_code == 400
