"""Coming in and going out."""

from collections import Counter

import pytest
from django.test import Client
from django.urls import reverse

from recobra.access.throttle import PER_ADDRESS, PER_USER_AND_ADDRESS
from recobra.journal.models import Entry

DOOR = "/entrar/"


def knock(client, username="ana", password="una-clave-larga", REMOTE_ADDR="127.0.0.1", **more):  # noqa: N803
    return client.post(DOOR, {"username": username, "password": password, **more}, REMOTE_ADDR=REMOTE_ADDR)


def test_nobody_sees_anything_before_signing_in(client, db):
    answer = client.get("/cartera/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(DOOR)


@pytest.mark.parametrize("text", ["' OR 1=1 --", "console:home", "home", "x", "", "//otra.example/", "https://["])
def test_whatever_stands_for_the_next_page_leads_to_one(client, db, text):
    answer = client.post("/idioma/", {"language": "es", "next": text})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.post("/idioma/", {"language": "nada", "next": text})["Location"] == "/"


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
    for attempt in range(PER_USER_AND_ADDRESS.attempts):
        assert knock(client, password=f"intento-{attempt}").status_code == 422
    answer = knock(client)
    assert answer.status_code == 429
    assert "Demasiados intentos fallidos" in answer.content.decode()
    assert knock(client, username="bruno").status_code == 302, "another user at the same address may come in"


def test_thirty_wrong_passwords_lock_nobody_out(client, cast):
    ana = Client()
    knock(ana)
    ana.post("/salir/")
    for number in range(PER_ADDRESS.attempts + 5):
        knock(client, username=f"nadie{number}", password="adivinanza")
    assert knock(client, username="nadie").status_code == 429
    assert knock(ana).status_code == 302, "Ana has signed in in this browser before"
    assert knock(client, username="bruno", REMOTE_ADDR="198.51.100.9").status_code == 302
    kinds = Counter(Entry.objects.filter(kind__startswith="user.sign_in").values_list("kind", "actor"))
    assert kinds == {
        ("user.sign_in_failed", "anonymous"): PER_ADDRESS.attempts,
        ("user.sign_in_paused", "anonymous"): 1,
    }
    assert "adivinanza" not in str(list(Entry.objects.values_list("payload")))
    assert "nadie" not in str(list(Entry.objects.values_list("payload")))


def test_a_failure_says_whose_account_it_was_and_from_where(client, cast):
    knock(client, password="otra", REMOTE_ADDR="203.0.113.7")
    knock(client, username="una-clave-larga", password="otra", REMOTE_ADDR="203.0.113.7")
    facts = Entry.objects.filter(kind="user.sign_in_failed").values_list("payload", flat=True)
    assert list(facts) == [
        {"user_id": cast["ana"].pk, "address": "203.0.113.7", "reason": "password"},
        {"user_id": None, "address": "203.0.113.7", "reason": "password"},
    ]


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
    assert Entry.objects.filter(kind="user.signed_out", actor="ana").exists()


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


def test_a_refused_screen_is_recorded_but_not_without_end(at_desk, cast):
    ana = at_desk("ana")
    assert {ana.get("/auditoria/").status_code for _ in range(8)} == {403}
    facts = Entry.objects.filter(kind="access.refused")
    assert [(fact.actor, fact.payload) for fact in facts] == [("ana", {"place": "console:audit"})] * 5
    shown = at_desk("dario").get("/auditoria/", {"hecho": "access.refused"}).content.decode()
    assert "Página: /auditoria/" in shown
