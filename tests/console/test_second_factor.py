"""The second factor: set up, asked for, required by a role, and taken away from who has lost it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from recobra.access.models import CompanyRole, Session
from recobra.journal.models import Entry
from recobra.kit import clock

from .passkey import SoftwareKey
from .test_account import come_in
from .test_session import knock

ASKED = "/entrar/segundo-factor/"


def show_code(secret, after=0):
    """Return the code that an authenticator shows, `after` so many intervals."""
    return format_hotp_value(hotp_value(secret, int(clock.now().timestamp()) // 30 + after))


def set_up_totp(client):
    """Add an authenticator; return its secret and the recovery codes."""
    page = client.get("/mi-cuenta/aplicacion/").content.decode()
    secret = "".join(re.findall(r"\b[A-Z2-7]{4}\b", re.search(r'<p class="code">(.*?)</p>', page)[1]))
    shown = client.post("/mi-cuenta/aplicacion/", {"code": show_code(secret)}, follow=True)
    return secret, re.findall(r"<li>([A-Z2-9-]{29})</li>", shown.content.decode())


def begin(username="ana"):
    """Return a client that has given the right password and is asked for the second factor."""
    client = Client()
    assert knock(client, username=username, next="/cartera/")["Location"] == ASKED
    return client


def answer(client, code):
    return client.post(ASKED, {"code": code})


def later(clock_at, **by):
    clock_at(datetime.now(tz=UTC) + timedelta(**by))


def test_ana_sets_up_an_authenticator_and_is_asked_for_its_code(cast, clock_at):
    secret, codes = set_up_totp(come_in())
    assert (len(secret), len(codes)) == (32, 10)
    later(clock_at, minutes=2)
    client = begin()
    assert client.get("/cartera/").status_code == 302, "the password alone opens nothing"
    refused = answer(client, "000000")
    assert (refused.status_code, "no es correcto" in refused.content.decode()) == (422, True)
    assert answer(client, show_code(secret))["Location"] == "/cartera/"
    assert client.get("/cartera/").status_code == 200
    means = [fact.payload["means"] for fact in Entry.objects.filter(kind="user.signed_in").order_by("id")]
    assert means == ["password", "password,totp"]
    assert Entry.objects.filter(kind="user.sign_in_failed", payload__reason="code").count() == 1


def test_a_code_counts_once_and_no_older_one_after_it(cast, clock_at):
    secret, codes = set_up_totp(come_in())
    assert answer(begin(), show_code(secret)).status_code == 422, "it was typed to set up"
    later(clock_at, minutes=2)
    code = show_code(secret)
    assert answer(begin(), code).status_code == 302
    assert answer(begin(), code).status_code == 422
    assert answer(begin(), show_code(secret, after=-1)).status_code == 422
    assert answer(begin(), codes[0].lower().replace("-", " ")).status_code == 302
    assert answer(begin(), codes[0]).status_code == 422


def test_guesses_at_the_code_are_limited(cast, clock_at):
    secret, _codes = set_up_totp(come_in())
    later(clock_at, minutes=2)
    client = begin()
    assert [answer(client, f"{number:06}").status_code for number in range(6)] == [422] * 5 + [429]
    assert answer(client, show_code(secret)).status_code == 429


def test_secrets_and_recovery_codes_cannot_be_read_in_the_database(cast):
    secret, codes = set_up_totp(come_in())
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert [text for text in (secret, *codes) if text in stored] == []


def test_recovery_codes_are_shown_once_and_a_page_loaded_again_says_so(cast):
    client = come_in()
    _secret, codes = set_up_totp(client)
    again = client.get("/mi-cuenta/codigos/", follow=True)
    assert again.redirect_chain == [("/mi-cuenta/", 302)]
    page = again.content.decode()
    assert "Los códigos de recuperación se muestran una sola vez" in page
    assert not any(code in page for code in codes)
    assert client.post("/mi-cuenta/codigos/")["Location"] == "/mi-cuenta/codigos/"
    assert not any(code in str(list(Session.objects.values_list("data"))) for code in codes)
    new = re.findall(r"<li>([A-Z2-9-]{29})</li>", client.get("/mi-cuenta/codigos/").content.decode())
    assert (len(new), set(new) & set(codes)) == (10, set())


def test_a_secret_that_is_being_set_up_stands_in_no_session(cast):
    client = come_in()
    client.get("/mi-cuenta/aplicacion/")
    assert client.session["totp_secret"].startswith("enc1.")


def test_the_code_needs_the_password_first_and_waits_ten_minutes(client, cast, clock_at):
    assert client.get(ASKED)["Location"] == "/entrar/"
    secret, _codes = set_up_totp(come_in())
    assert client.post(ASKED, {"code": show_code(secret)})["Location"] == "/entrar/"


def test_a_role_that_asks_for_it_reaches_nothing_else_without(cast):
    CompanyRole.objects.create(code="GESTOR", requires_second_factor=True)
    client = come_in()
    for page in ("/", "/cartera/", "/mensajes/"):
        assert client.get(page)["Location"] == "/mi-cuenta/"
    assert "Su rol pide un segundo factor" in client.get("/mi-cuenta/").content.decode()
    set_up_totp(client)
    assert client.get("/cartera/").status_code == 200


def test_factors_are_only_changed_after_a_recent_sign_in(cast):
    client = come_in()
    session = client.session
    session["signed_in_at"] = "2026-01-01T00:00:00+00:00"
    session.save()
    for page in ("/mi-cuenta/aplicacion/", "/mi-cuenta/llave/", "/mi-cuenta/aplicacion/codigo.svg"):
        assert client.get(page)["Location"].startswith("/entrar/")


def test_removing_it_ends_the_sessions_elsewhere(cast, clock_at):
    client = come_in()
    secret, _codes = set_up_totp(client)
    later(clock_at, minutes=2)
    elsewhere = begin()
    answer(elsewhere, show_code(secret))
    factor = Authenticator.objects.get(type="totp")
    come_in("bruno").post(f"/mi-cuenta/segundo-factor/{factor.pk}/quitar/")
    client.post(f"/mi-cuenta/segundo-factor/{factor.pk}/quitar/")
    assert not Authenticator.objects.exists()
    assert elsewhere.get("/").status_code == 302
    assert [each.actor for each in Entry.objects.filter(kind="user.factor_removed")] == ["ana"]


def test_who_has_lost_it_gets_it_taken_away_by_who_manages_users(cast):
    ana = come_in()
    set_up_totp(ana)
    come_in("dario").post(f"/usuarios/{cast['ana'].pk}/segundo-factor/quitar/")
    assert ana.get("/").status_code == 302
    assert knock(Client())["Location"] == "/"
    assert Entry.objects.filter(kind="user.factors_reset", actor="dario").exists()


def test_a_passkey_is_made_and_used(cast):
    key = SoftwareKey("http://testserver")
    client = come_in()
    made = key.create(client.get("/mi-cuenta/llave/").context["options"])
    shown = client.post("/mi-cuenta/llave/", {"credential": made, "name": "Portátil"}, follow=True)
    assert len(re.findall(r"<li>[A-Z2-9-]{29}</li>", shown.content.decode())) == 10
    assert "Portátil" in client.get("/mi-cuenta/").content.decode()
    client = begin()
    options = client.get(ASKED).context["passkey"]
    assert client.post(ASKED, {"credential": key.get(options)})["Location"] == "/cartera/"
    assert client.get("/cartera/").status_code == 200


@pytest.mark.parametrize("spoilt", ["challenge", "origin", "signature", "garbage", "nesting"])
def test_a_passkey_that_is_not_right_is_refused(cast, spoilt):
    key = SoftwareKey("http://testserver")
    client = come_in()
    client.post("/mi-cuenta/llave/", {"credential": key.create(client.get("/mi-cuenta/llave/").context["options"])})
    client = begin()
    options = client.get(ASKED).context["passkey"]
    sent = {"garbage": '{"id": 7}', "nesting": "[" * 100_000}.get(spoilt) or key.get(options, spoilt=spoilt)
    assert client.post(ASKED, {"credential": sent}).status_code == 422
    assert client.get("/cartera/").status_code == 302
