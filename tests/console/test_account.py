"""My account: the own password, and where one is signed in."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from recobra.access.jobs import clear_sessions
from recobra.access.models import Session
from recobra.journal.models import Entry

from .test_session import knock

CURRENT = "una-clave-larga"
NEW = "ventana azul con lluvia"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


def come_in(username="ana", agent=WINDOWS, **more):
    """Return a client in which a user has signed in."""
    client = Client(headers={"User-Agent": agent})
    assert knock(client, username=username, **more).status_code == 302
    return client


def change(client, current=CURRENT, new=NEW, repeated=None):
    return client.post("/mi-cuenta/contrasena/", {"current": current, "new": new, "repeated": repeated or new})


def age(**by):
    """Let all sessions be older than they are."""
    Session.objects.update(**{name: F(name) - delta for name, delta in by.items()})


def test_ana_changes_her_password_and_is_signed_out_elsewhere(cast):
    here, elsewhere = come_in(), come_in()
    assert change(here).status_code == 302
    assert "Tiene una contraseña nueva" in here.get("/mi-cuenta/").content.decode()
    assert elsewhere.get("/mi-cuenta/").status_code == 302
    assert knock(Client()).status_code == 422
    assert knock(Client(), password=NEW).status_code == 302
    assert Entry.objects.filter(kind="user.password_set", actor="ana").count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"current": "no-es-esta-clave"}, "Esta no es la contraseña que tiene ahora."),
        ({"repeated": "ventana azul sin lluvia"}, "Las dos no coinciden."),
        ({"new": "corta"}, "12 caracteres"),
        ({"new": CURRENT}, "Esta es la contraseña que tiene ahora."),
        ({"new": "ana-ana-2026-lima"}, "cualquiera probaría aquí"),
    ],
)
def test_a_password_that_will_not_do_says_why(cast, fields, said):
    client = come_in()
    answer = change(client, **fields)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert client.get("/mi-cuenta/").status_code == 200, "nothing has changed"


def test_guessing_the_current_password_from_an_open_session_is_limited(cast):
    client = come_in()
    for number in range(10):
        change(client, current=f"intento numero {number}")
    assert "Demasiados intentos fallidos" in change(client).content.decode()


def test_a_password_that_somebody_else_knows_has_to_be_changed_first(cast):
    cast["ana"].must_change_password = True
    cast["ana"].save()
    client = come_in()
    for page in ("/", "/cartera/", "/mi-cuenta/"):
        assert client.get(page)["Location"] == "/mi-cuenta/contrasena/"
    assert "Otra persona conoce su contraseña" in client.get("/mi-cuenta/contrasena/").content.decode()
    change(client)
    assert client.get("/cartera/").status_code == 200


def test_sessions_are_listed_and_ended(cast):
    here = come_in(REMOTE_ADDR="203.0.113.7")
    there = come_in(agent="Mozilla/5.0 (iPhone) Safari/604", REMOTE_ADDR="198.51.100.1")
    page = here.get("/mi-cuenta/").content.decode()
    assert [text in page for text in ("Edge · Windows", "Safari · iPhone", "203.0.113.7", "198.51.100.1")] == [True] * 4
    assert "mozilla" not in page.lower()
    other = Session.objects.get(agent__contains="iPhone")
    here.post("/mi-cuenta/sesiones/cerrar/", {"session": other.pk})
    assert there.get("/mi-cuenta/").status_code == 302
    assert here.get("/mi-cuenta/").status_code == 200
    facts = Entry.objects.filter(kind="user.sessions_ended").values_list("actor", "payload")
    assert list(facts) == [("ana", {"user_id": cast["ana"].pk, "sessions": 1})]


def test_nobody_ends_the_sessions_of_others_but_who_manages_users(cast):
    bruno, ana = come_in("bruno"), come_in()
    ana.post("/mi-cuenta/sesiones/cerrar/", {"session": Session.objects.get(user=cast["bruno"]).pk})
    ana.post("/mi-cuenta/sesiones/cerrar/")
    assert bruno.get("/").status_code == 200
    dario = come_in("dario")
    assert f"/usuarios/{cast['bruno'].pk}/sesiones/" in dario.get(f"/usuarios/{cast['bruno'].pk}/").content.decode()
    assert "Edge · Windows" in dario.get(f"/usuarios/{cast['bruno'].pk}/sesiones/").content.decode()
    dario.post(f"/usuarios/{cast['bruno'].pk}/sesiones/cerrar/")
    assert bruno.get("/").status_code == 302
    assert (ana.get("/mi-cuenta/").status_code, dario.get("/mi-cuenta/").status_code) == (200, 200)


def test_ending_sessions_asks_for_a_recent_sign_in(cast, settings):
    client = come_in()
    session = client.session
    session["signed_in_at"] = "2026-01-01T00:00:00+00:00"
    session.save()
    answer = client.post("/mi-cuenta/sesiones/cerrar/")
    assert answer["Location"] == "/entrar/?next=%2Fmi-cuenta%2F&again=1"
    assert "Inicie sesión otra vez" in client.get(answer["Location"]).content.decode()
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert knock(client, username="bruno", again="1", next="/mi-cuenta/")["Location"] == "/mi-cuenta/"
    assert client.get("/").wsgi_request.user.username == "ana", "only as the same person"
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != key
    assert client.post("/mi-cuenta/sesiones/cerrar/")["Location"] == "/mi-cuenta/"


def test_a_session_ends_an_hour_after_the_last_thing_done(cast):
    client = come_in()
    age(last_seen_at=timedelta(minutes=59))
    assert client.get("/").status_code == 200, "and begins anew"
    age(last_seen_at=timedelta(minutes=59))
    assert client.get("/conversaciones/", headers={"X-Automatic": "1"}).status_code == 200
    age(last_seen_at=timedelta(minutes=2))
    assert client.get("/").status_code == 302, "what a page does of itself does not count"


def test_a_session_ends_after_twelve_hours_whatever_is_done(cast):
    client = come_in()
    age(started_at=timedelta(hours=11, minutes=59))
    assert client.get("/").status_code == 200
    age(started_at=timedelta(minutes=2))
    assert client.get("/").status_code == 302


def test_a_part_of_a_page_leads_the_whole_page_to_the_sign_in(client, db):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/conversaciones/?estado=open"}
    answer = client.get("/conversaciones/", headers=headers)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/entrar/?next=/conversaciones/%3Festado%3Dopen")


def test_who_was_writing_when_the_session_ended_reads_so_at_the_sign_in(cast):
    client = come_in()
    age(last_seen_at=timedelta(minutes=61))
    answer = client.post("/mi-cuenta/contrasena/", {})
    assert answer["Location"] == "/entrar/?next=/mi-cuenta/contrasena/&ended=1"
    assert "Su sesión terminó" in client.get(answer["Location"]).content.decode()
    client = come_in()
    age(last_seen_at=timedelta(minutes=61))
    part = client.get("/conversaciones/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/"})
    assert part["HX-Redirect"] == "/entrar/?next=/&ended=1"
    client = come_in()
    client.post("/salir/")
    assert client.get("/cartera/")["Location"] == "/entrar/?next=/cartera/", "who has left knows it"


def test_the_key_of_a_session_is_new_at_each_sign_in_and_stands_nowhere(cast, settings):
    client = come_in()
    first = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post("/salir/")
    knock(client)
    second = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert first != second
    assert len(second) == 32
    (row,) = Session.objects.all().values()
    assert second not in str(row)
    stale = Client()
    stale.cookies[settings.SESSION_COOKIE_NAME] = first
    assert stale.get("/").status_code == 302


def test_ended_sessions_leave_the_table(cast):
    come_in()
    age(started_at=timedelta(hours=13))
    come_in("bruno")
    clear_sessions(timestamp=0)
    assert [row.user for row in Session.objects.all()] == [cast["bruno"]]


def test_who_looked_at_a_person_is_written_down_and_shown(at_desk, world):
    maria = world.debtors["María"]
    ana, carla = at_desk("ana"), at_desk("carla")
    assert ana.get(f"/ficha/{maria.pk}/").status_code == 200
    ana.get(f"/ficha/{maria.pk}/historia/", headers={"HX-Request": "true"})
    ana.get(f"/mensajes/{world.sent.pk}/")
    ana.get("/ficha/999999/")
    page = carla.get(f"/ficha/{maria.pk}/").content.decode()
    assert "person.opened" in page
    assert "Datos de una persona consultados" not in page, "readers are no part of the debtor's history"
    seen = Entry.objects.filter(kind="person.opened").order_by("id").values_list("actor", "debtor_id", "payload")
    assert list(seen) == [
        ("ana", maria.pk, {"place": "debtor"}),
        ("ana", world.sent.debtor_id, {"place": "message"}),
        ("carla", maria.pk, {"place": "debtor"}),
    ]
    audit = carla.get(f"/auditoria/?hecho=person.opened&deudor={maria.pk}").content.decode()
    assert "Datos de una persona consultados" in audit
    assert "ana" in audit
    assert "Página: Ficha del deudor" in audit
    assert "Quién ha consultado" not in at_desk("ana").get(f"/ficha/{maria.pk}/").content.decode()
