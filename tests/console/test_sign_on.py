"""Single sign-on: set up by screen, who comes in through the company's own service, and as what."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from recobra.access.models import CompanyRole, Notice, Team, User
from recobra.approvals.models import Approval, SecondPersonRule
from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.sign_on import discovery
from recobra.sign_on.models import Identity
from recobra.sign_on.models import IdentityProvider as Stored
from recobra.sign_on.personal_data import HOLDINGS
from recobra.sign_on.provider_settings import GroupRule, PasswordFor

from .identity_provider import CLIENT, DOOR, ELENA, SECRET, begin, come_back, configure, enter, reasons
from .test_account import come_in
from .test_second_factor import answer, later, set_up_totp, show_code
from .test_session import knock

PAGE = "/usuarios/inicio-unico/"
LONG_AGO = 1_700_000_000


def form(provider, **changes):
    return {
        "name": "Banco ID",
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "secret": SECRET,
        "scopes": "openid profile email",
        "groups_claim": "groups",
        "password_for": "everybody",
        "group-0": "gestores",
        "role-0": "GESTOR",
        "portfolios-0": "PE-CONSUMO",
        "is_enabled": "1",
        **changes,
    }


def test_an_administrator_sets_it_up_by_screen_and_a_person_comes_in(identity_server, cast):
    identity_server.reset()
    SecondPersonRule.objects.create(kind="sign_on", is_required=False)
    assert "Banco ID" not in Client().get("/entrar/").content.decode()
    dario = come_in("dario")
    assert PAGE in dario.get("/usuarios/").content.decode()
    assert "http://localhost:8000/entrar/empresa/vuelta/" in dario.get(PAGE).content.decode()
    saved = dario.post(PAGE, form(identity_server, is_enabled=""), follow=True).content.decode()
    assert "Guardado. Pruébelo" in saved
    assert SECRET not in saved
    tested = dario.post(f"{PAGE}probar/", follow=True).content.decode()
    assert "Responde, y muestra 1 clave." in tested
    dario.post(PAGE, form(identity_server, secret=""))
    door = Client().get("/entrar/")
    assert "Entrar con Banco ID" in door.content.decode()
    assert f"form-action 'self' {identity_server.issuer}" in door["Content-Security-Policy"].split("; ")
    elena, entered = enter(identity_server)
    assert entered["Location"] == "/"
    assert "Cartera" in elena.get("/cartera/").content.decode()
    user = User.objects.get(username="elena")
    assert (user.role, user.email, user.has_usable_password()) == ("GESTOR", "elena@sur.example", False)
    assert [scope.portfolio_code for scope in user.scopes.all()] == ["PE-CONSUMO"]
    entry = Entry.objects.filter(kind="user.signed_in").latest("id")
    assert (entry.actor, entry.payload["means"]) == ("elena", "sign_on")
    assert identity_server.issuer not in elena.get("/cartera/")["Content-Security-Policy"], (
        "on the pages that lead there"
    )
    assert "e-1" not in str(list(Entry.objects.values_list("payload")))


def test_switching_it_on_or_changing_it_needs_a_second_person(identity_server, cast):
    identity_server.reset()
    dario = come_in("dario")
    page = dario.post(PAGE, form(identity_server), follow=True).content.decode()
    assert "Espera la aprobación de una segunda persona" in page
    assert Client().post(DOOR).status_code == 422, "nobody is led there yet"
    asked = Approval.objects.get(decision="WAITING")
    shown = come_in("carla").get(f"/aprobaciones/{asked.pk}/").content.decode()
    new = shown.partition('<details class="card-body"')[0]
    assert identity_server.issuer in new, "one person alone had saved it: it is nothing that stays as it was"
    assert "GESTOR" in new
    assert SECRET not in shown
    dario.post(f"/aprobaciones/{asked.pk}/aprobar/")
    assert not Stored.objects.get().is_enabled, "its author does not decide"
    come_in("carla").post(f"/aprobaciones/{asked.pk}/aprobar/")
    assert Stored.objects.get().is_enabled
    dario.post(PAGE, form(identity_server, secret="", **{"role-0": "ADMINISTRATOR"}))
    assert Stored.objects.get().settings["rules"][0]["role"] == "GESTOR"
    dario.post(f"{PAGE}apagar/")
    assert not Stored.objects.get().is_enabled, "off is at once"
    assert not Approval.objects.filter(decision="WAITING").exists()


def test_the_secret_is_kept_encrypted_and_shown_to_no_other_address(provider, cast):
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret || proposed FROM sign_on_identityprovider")
        (stored,) = cursor.fetchone()
    assert stored.startswith("enc1.")
    assert SECRET not in stored
    dario = come_in("dario")
    provider.document = {"issuer": "http://127.0.0.1:1"}
    page = dario.post(PAGE, form(provider, issuer="http://127.0.0.1:1", secret="", is_enabled=""))
    assert page.status_code == 422
    assert "vuelva a escribir su secreto" in page.content.decode()


@pytest.mark.parametrize(
    "mistake",
    [
        ("issuer", "https://10.0.0.7", "No se puede llamar a "),
        ("issuer", "https://169.254.169.254/latest", "No se puede llamar a "),
        ("issuer", "http://id.example.com", "debe empezar con https://"),
        ("issuer", "https://id.example.com/?a=b", "sin «?», «#» ni «@»"),
        ("name", "", "Hace falta un nombre"),
        ("scopes", "profile", "«openid» debe ser una de ellas"),
        ("role-0", "REY", "«gestores»: elija un rol"),
        ("team-0", "999", "«gestores»: ese equipo no existe"),
        ("portfolios-0", "NADA", "una de sus carteras no existe"),
        ("group-0", "", "Diga al menos de un grupo"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(identity_server, cast, settings, mistake):
    field, value, text = mistake
    identity_server.reset()
    settings.DEMO, settings.INNER_HOSTS = False, [f"127.0.0.1:{identity_server.server.server_port}"]
    page = come_in("dario").post(PAGE, form(identity_server, **{field: value}))
    assert page.status_code == 422
    assert text in page.content.decode()
    assert not Stored.objects.exists()


def test_an_inner_service_must_be_named_by_who_runs_the_server(identity_server, cast, settings):
    identity_server.reset()
    settings.DEMO, settings.INNER_HOSTS = False, []
    page = come_in("dario").post(PAGE, form(identity_server))
    assert "No se puede llamar a " in page.content.decode()
    assert not identity_server.asked


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"issuer": None},
        {"authorization_endpoint": "https://a.example;script-src *"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://169.254.169.254/"},
        {"jwks_uri": 7},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
        {"code_challenge_methods_supported": ["plain"]},
        {"padding": "x" * discovery.DOCUMENT_BYTES},
    ],
)
def test_a_document_of_no_use_is_refused_in_plain_words(identity_server, cast, document):
    identity_server.reset()
    identity_server.document = document
    page = come_in("dario").post(PAGE, form(identity_server))
    assert page.status_code == 422
    assert any(text in page.content.decode() for text in ("nombra a otro emisor", "ningún documento de OpenID"))


def test_an_address_that_leads_elsewhere_is_not_followed(identity_server, cast):
    identity_server.reset()
    page = come_in("dario").post(PAGE, form(identity_server, issuer=f"{identity_server.issuer}/aparte"))
    assert page.status_code == 422
    assert identity_server.asked == {"/aparte/.well-known/openid-configuration": 1}


def test_the_test_says_what_is_wrong(provider, cast):
    dario = come_in("dario")
    provider.shown = {}
    assert "No muestra ninguna clave" in dario.post(f"{PAGE}probar/", follow=True).content.decode()
    provider.shown = dict(provider.keys)
    provider.document = {"authorization_endpoint": "http://127.0.0.1:1/authorize"}
    assert "se ha mudado" in dario.post(f"{PAGE}probar/", follow=True).content.decode()
    assert Client().post(DOOR).status_code == 422, "nobody is led to a page that no second person has seen"
    assert reasons() == ["sign_on_moved"]


def test_role_team_and_portfolios_follow_the_groups(provider):
    enter(provider)
    team = Team.objects.create(name="Norte")
    rules = (
        GroupRule(group="jefes", role="SUPERVISOR", team_id=team.pk),
        GroupRule(group="gestores", role="GESTOR", portfolios=("PE-CONSUMO",)),
    )
    configure(provider, rules=rules)
    elena, _answer = enter(provider, **ELENA | {"groups": ["gestores", "jefes"]})
    user = User.objects.get(username="elena")
    assert (user.role, user.team, user.scopes.get().portfolio_code) == ("SUPERVISOR", team, "PE-CONSUMO")
    changes = Entry.objects.filter(kind="user.role_set").latest("id")
    assert (changes.actor, changes.payload["after"]) == ("sign_on", "SUPERVISOR")
    assert "el inicio de sesión de la empresa" in come_in("dario").get("/auditoria/").content.decode()
    team.delete()
    enter(provider, **ELENA | {"groups": ["jefes"]})
    assert User.objects.get(username="elena").team is None, "a team that is no more"
    enter(provider, **ELENA | {"groups": "gestores"})
    assert User.objects.get(username="elena").role == "GESTOR"
    assert elena.get("/mi-equipo/").status_code == 403, "at once, in every session"


@pytest.mark.parametrize("groups", [None, [], ["futbol"], ["GESTORES"], {"gestores": 1}, [["gestores"]]])
def test_nobody_comes_in_without_a_group_that_may(provider, groups):
    _client, answered = enter(provider, **ELENA | {"groups": groups})
    assert "ninguno de sus grupos puede usar Recobra" in answered.content.decode()
    assert not User.objects.filter(username="elena").exists()


def test_who_loses_the_group_loses_the_open_sessions_too(provider):
    elena, _answer = enter(provider)
    _client, answered = enter(provider, **ELENA | {"groups": ["futbol"]})
    assert answered.status_code == 422
    assert elena.get("/cartera/").status_code == 302
    assert reasons() == ["sign_on_group"]


def test_a_role_that_is_no_longer_given_lets_nobody_in(provider):
    CompanyRole.objects.create(code="VIEJO", name="Viejo", rights=[], retired_at=clock.now())
    stored = Stored.objects.get()
    stored.settings["rules"] = [{"group": "gestores", "role": "VIEJO"}]
    stored.save()
    assert enter(provider)[1].status_code == 422


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "ANA"},
        {"email": "ana@sur.example"},
        {"email": "Ana@Sur.example", "email_verified": False},
    ],
)
def test_nobody_becomes_another_user_by_name_or_e_mail(provider, cast, claims):
    User.objects.filter(username="ana").update(email="ana@sur.example")
    client, answered = enter(provider, **ELENA | claims)
    assert answered.status_code == 422
    assert "Ya hay un usuario con su nombre o su correo" in answered.content.decode()
    assert client.get("/cartera/").status_code == 302
    assert not Identity.objects.exists()


def test_an_e_mail_that_nobody_has_checked_is_left_out(provider):
    enter(provider, **ELENA | {"email_verified": False})
    assert User.objects.get(username="elena").email == ""


def test_ana_links_her_user_having_signed_in_on_both_sides(provider, cast):
    ana = come_in()
    assert "Vincular" in ana.get("/mi-cuenta/").content.decode()
    location = ana.post("/mi-cuenta/vincular/")["Location"]
    assert "prompt=login" in location
    assert "max_age=0" in location
    assert come_back(ana, provider.sign_in(location, sub="a-1", groups=["gestores"]))["Location"] == "/mi-cuenta/"
    page = ana.get("/mi-cuenta/").content.decode()
    assert "Está vinculado" in page
    assert "Su cuenta se vinculó con el inicio de sesión de la empresa." in page
    assert "Se vinculó a una persona" in come_in("dario").get("/usuarios/").content.decode()
    again, _answer = enter(provider, sub="a-1", groups=["gestores"])
    assert again.get("/mi-cuenta/").context["user"] == cast["ana"]
    bruno = come_in("bruno")
    location = bruno.post("/mi-cuenta/vincular/")["Location"]
    come_back(bruno, provider.sign_in(location, sub="a-1", groups=["gestores"]))
    assert Identity.objects.get().user == cast["ana"], "whom the provider knows is one user's alone"
    assert reasons() == ["sign_on_linked"]


def test_a_link_needs_a_recent_sign_in_here_and_there(provider, cast):
    ana = come_in()
    location = ana.post("/mi-cuenta/vincular/")["Location"]
    old = provider.sign_in(location, sub="a-1", groups=["gestores"], auth_time=LONG_AGO)
    come_back(ana, old)
    location = ana.post("/mi-cuenta/vincular/")["Location"]
    come_back(ana, provider.sign_in(location, sub="a-1", groups=["gestores"], auth_time=None))
    session = ana.session
    session["signed_in_at"] = "2026-01-01T00:00:00+00:00"
    session.save()
    assert ana.post("/mi-cuenta/vincular/")["Location"].startswith("/entrar/?")
    assert not Identity.objects.exists()


def test_who_is_shut_out_stays_out(provider, cast):
    elena, _answer = enter(provider)
    user = User.objects.get(username="elena")
    come_in("dario").post(f"/usuarios/{user.pk}/baja/", {"confirmed": "1"})
    _client, answered = enter(provider)
    assert "Su acceso a Recobra ha terminado" in answered.content.decode()
    assert elena.get("/cartera/").status_code == 302
    assert reasons() == ["sign_on_inactive"]
    (holding,) = HOLDINGS
    assert holding.erase_before(datetime.now(tz=UTC) + timedelta(days=1), clock.now()) == 1


def test_the_same_subject_of_another_provider_is_somebody_else(provider, cast):
    enter(provider)
    Identity.objects.update(issuer="https://otro.example")
    _client, answered = enter(provider)
    assert "Ya hay un usuario" in answered.content.decode()


def test_an_administrator_removes_a_link(provider):
    elena, _answer = enter(provider)
    user = User.objects.get(username="elena")
    dario = come_in("dario")
    assert "Quitar el vínculo" in dario.get(f"/usuarios/{user.pk}/sesiones/").content.decode()
    dario.post(f"/usuarios/{user.pk}/vinculo/quitar/")
    assert not Identity.objects.exists()
    assert elena.get("/cartera/").status_code == 302
    assert Entry.objects.filter(kind="user.identity_unlinked", actor="dario").exists()
    told = Notice.objects.filter(kind="IDENTITY_UNLINKED").values_list("user__username", "made_by")
    assert list(told) == [("elena", "dario")], "who did it is told nothing"


def test_an_own_second_factor_is_asked_for(provider, clock_at):
    elena, _answer = enter(provider)
    secret, _codes = set_up_totp(elena)
    later(clock_at, minutes=2)
    moved = {"iat": int(clock.now().timestamp()), "exp": int(clock.now().timestamp()) + 60}
    client, answered = enter(provider, **ELENA, **moved, amr=["mfa"])
    assert answered["Location"] == "/entrar/segundo-factor/", "what the settings do not name proves nothing"
    assert "Su empresa le ha identificado" in client.get("/entrar/segundo-factor/").content.decode()
    assert client.get("/cartera/").status_code == 302
    assert answer(client, show_code(secret)).status_code == 302
    assert client.get("/cartera/").status_code == 200
    assert Entry.objects.filter(kind="user.signed_in").latest("id").payload["means"] == "sign_on,totp"


@pytest.mark.parametrize(("claims", "page"), [({"amr": ["pwd", "mfa"]}, 200), ({"acr": "alto"}, 200), ({}, 302)])
def test_a_role_with_a_second_factor_takes_the_provider_s_where_the_settings_say(provider, claims, page):
    CompanyRole.objects.create(code="GESTOR", requires_second_factor=True)
    configure(provider, factor_amr=("mfa",), factor_acr=("alto",))
    client, _answer = enter(provider, **ELENA | claims)
    assert client.get("/cartera/").status_code == page
    assert ("Su rol pide un segundo factor" in client.get("/mi-cuenta/").content.decode()) == (page == 302)


def test_proving_it_again_counts_for_the_same_person_asked_anew(provider):
    elena, _answer = enter(provider)
    session = elena.session
    session["signed_in_at"] = "2026-01-01T00:00:00+00:00"
    session.save()
    assert elena.get("/mi-cuenta/llave/")["Location"].startswith("/entrar/?")
    door = elena.get("/entrar/?again=1&next=/mi-cuenta/llave/").content.decode()
    assert "Entrar con Banco ID" in door
    assert 'name="password"' not in door, "she has none"
    elena, location = begin(elena, again="1", next="/mi-cuenta/llave/")
    come_back(elena, provider.sign_in(location, **ELENA, auth_time=LONG_AGO))
    elena, location = begin(elena, again="1", next="/mi-cuenta/llave/")
    come_back(elena, provider.sign_in(location, sub="otra", groups=["gestores"], preferred_username="otra"))
    assert elena.get("/mi-cuenta/llave/").status_code == 302
    assert reasons() == ["sign_on_old_sign_in", "sign_on_other_user"]
    assert not User.objects.filter(username="otra").exists()
    elena, location = begin(elena, again="1", next="/mi-cuenta/llave/")
    assert come_back(elena, provider.sign_in(location, **ELENA))["Location"] == "/mi-cuenta/llave/"
    assert elena.get("/mi-cuenta/llave/").status_code == 200


def test_passwords_may_be_left_to_who_manages_users(provider, cast):
    for name in ("ana", "dario"):
        Identity.objects.create(user=cast[name], issuer=provider.issuer, subject=name, linked_at=clock.now())
    configure(provider, password_for=PasswordFor.ADMINISTRATORS)
    refused = knock(Client())
    assert refused.status_code == 422
    assert "usted entra por su empresa" in refused.content.decode()
    assert "El usuario o la contraseña no son correctos" in knock(Client(), password="otra").content.decode()
    assert knock(Client(), username="bruno").status_code == 302, "who is not linked proves by it who he is"
    assert knock(Client(), username="dario").status_code == 302, "the provider may fail"
    assert reasons() == ["provider_only", "password"]


def test_who_may_not_use_a_password_need_not_change_it(provider, cast):
    Identity.objects.create(user=cast["ana"], issuer=provider.issuer, subject="a-1", linked_at=clock.now())
    User.objects.filter(username="ana").update(must_change_password=True)
    ana, _answer = enter(provider, sub="a-1", groups=["gestores"])
    assert ana.get("/cartera/")["Location"] == "/mi-cuenta/contrasena/"
    configure(provider, password_for=PasswordFor.ADMINISTRATORS)
    assert ana.get("/cartera/").status_code == 200, "the page of the password would not let her go"


def test_one_administrator_with_a_password_always_stays(provider, cast):
    configure(provider, rules=(GroupRule(group="gestores", role="ADMINISTRATOR"),))
    elena, _answer = enter(provider)
    page = elena.post(f"/usuarios/{cast['dario'].pk}/", {"role": "GESTOR", "language": "es"})
    assert "Debe quedar alguien que administre usuarios y tenga contraseña" in page.content.decode()
    User.objects.filter(username="dario").update(is_active=False)
    page = elena.post(PAGE, form(provider, password_for="administrators"))
    assert "debe tener contraseña" in page.content.decode()


def test_the_groups_of_the_last_administrator_take_nothing_away(provider, cast):
    Identity.objects.create(user=cast["dario"], issuer=provider.issuer, subject="d", linked_at=clock.now())
    _client, answered = enter(provider, sub="d", groups=["gestores"])
    assert answered.status_code == 422
    assert User.objects.get(username="dario").role == "ADMINISTRATOR"


def test_signing_out_shows_the_way_out_of_the_provider_too(provider):
    elena, _answer = enter(provider)
    answered = elena.post("/salir/", follow=True)
    page = answered.content.decode()
    assert "Salir también de Banco ID" in page
    assert f"{provider.issuer}/logout?client_id=recobra" in page
    assert elena.get("/cartera/").status_code == 302
    assert knock(elena).status_code == 302
    assert elena.post("/salir/")["Location"] == "/entrar/", "who came in with a password is signed in nowhere else"
