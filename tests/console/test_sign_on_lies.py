"""Single sign-on: every way in which the answer of the company's service can be a lie, and nobody comes in by it."""

import base64
import hashlib
import hmac
import json
import time
import warnings
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from jwt import InsecureKeyLengthWarning

from recobra.access.models import User
from recobra.access.throttle import PER_NETWORK
from recobra.sign_on import discovery
from recobra.sign_on.models import IdentityProvider as Stored

from .identity_provider import CLIENT, DOOR, ELENA, begin, come_back, enter, reasons
from .test_second_factor import later
from .test_session import knock

BACK = "/entrar/empresa/vuelta/"


def signed(key, algorithm="ES256"):
    """Return how a token is signed by a key; `header` and claims may be changed before."""
    return lambda claims, header: jwt.encode(claims, key, algorithm, header)


def as_json(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def sign_with_public_key(provider):
    """Return a forger who signs by HS256 with the public key as the secret."""
    pem = (
        provider.keys["one"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )

    def forge(claims, header):
        whole = f"{as_json({**header, 'alg': 'HS256', 'typ': 'JWT'})}.{as_json(claims)}"
        digest = hmac.new(pem, whole.encode(), hashlib.sha256).digest()
        return f"{whole}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    return forge


def sign_with_short_key(key):
    """Return a forger who does not heed the warning of the library."""

    def forge(claims, _header):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            return jwt.encode(claims, key, "RS256", {"kid": "short"})

    return forge


def changed(provider, **changes):
    """Return a forger with the provider's own key; None takes a claim out."""

    def forge(claims, header):
        whole = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(whole, provider.keys["one"], "ES256", header)

    return forge


def headed(provider, **more):
    return lambda claims, header: jwt.encode(claims, provider.keys["one"], "ES256", {**header, **more})


AGO = int(time.time()) - 3600
FORGERS = {
    "no signature": (lambda _p: lambda claims, header: jwt.encode(claims, None, "none", header), "algorithm"),
    "HS256 with the public key": (sign_with_public_key, "algorithm"),
    "another key of the same id": (lambda _p: signed(ec.generate_private_key(ec.SECP256R1())), "signature"),
    "an unknown key": (lambda p: headed(p, kid="two"), "key"),
    "a signature cut off": (
        lambda p: lambda claims, header: changed(p)(claims, header).rpartition(".")[0] + ".",
        "signature",
    ),
    "no token": (lambda _p: lambda _claims, _header: "nada", "token"),
    "a head without a bottom": (
        lambda _p: lambda _claims, _header: base64.urlsafe_b64encode(b"[" * 30_000).decode() + ".e30.x",
        "token",
    ),
    "a token of another kind": (lambda p: headed(p, typ="logout+jwt"), "token"),
    "something critical that we do not know": (lambda p: headed(p, crit=["x"], x=1), "token"),
    "another issuer": (lambda p: changed(p, iss="https://otro.example"), "issuer"),
    "for somebody else": (lambda p: changed(p, aud="otro"), "audience"),
    "for nobody": (lambda p: changed(p, aud=None), "audience"),
    "for us and others, nobody in charge": (lambda p: changed(p, aud=[CLIENT, "otro"]), "audience"),
    "for us, given to somebody else": (lambda p: changed(p, azp="otro"), "audience"),
    "expired": (lambda p: changed(p, exp=AGO), "time"),
    "without an end": (lambda p: changed(p, exp=None), "time"),
    "an end that is no number": (lambda p: changed(p, exp=True), "time"),
    "issued long ago": (lambda p: changed(p, iat=AGO), "time"),
    "issued tomorrow": (lambda p: changed(p, iat=AGO + 90_000), "time"),
    "not valid yet": (lambda p: changed(p, nbf=AGO + 90_000), "time"),
    "another nonce": (lambda p: changed(p, nonce="otro"), "nonce"),
    "no nonce": (lambda p: changed(p, nonce=None), "nonce"),
    "half a character for a nonce": (lambda p: changed(p, nonce="\ud800"), "nonce"),
    "nobody": (lambda p: changed(p, sub=None), "token"),
    "a name that nobody can have": (lambda p: changed(p, sub="a\x00b"), "token"),
    "signed in yesterday": (lambda p: changed(p, auth_time=AGO - 86_400), "old_sign_in"),
}


@pytest.mark.parametrize("name", FORGERS)
def test_a_token_that_is_not_right_lets_nobody_in(provider, name):
    make, reason = FORGERS[name]
    provider.forge = make(provider)
    client, answered = enter(provider)
    assert answered.status_code == 422
    assert reasons() == [f"sign_on_{reason}"]
    assert not User.objects.filter(username="elena").exists()
    assert client.get("/cartera/").status_code == 302


def test_rsa_is_taken_but_no_short_key_nor_one_for_encryption(provider):
    keys = {"long": rsa.generate_private_key(65537, 2048), "short": rsa.generate_private_key(65537, 1024)}
    provider.shown |= keys
    provider.forge = lambda claims, _header: jwt.encode(claims, keys["long"], "RS256", {"kid": "long"})
    assert enter(provider)[1].status_code == 302
    provider.forge = sign_with_short_key(keys["short"])
    assert enter(provider)[1].status_code == 422
    provider.forge = lambda claims, _header: jwt.encode(claims, keys["long"], "RS256", {"kid": "one"})
    assert enter(provider)[1].status_code == 422, "a key of another kind"
    assert reasons() == ["sign_on_key", "sign_on_key"]


def test_a_token_without_a_key_id_fits_one_key_alone(provider):
    provider.forge = lambda claims, _header: jwt.encode(claims, provider.keys["one"], "ES256")
    assert enter(provider)[1].status_code == 302
    provider.shown |= {"two": ec.generate_private_key(ec.SECP256R1())}
    discovery.read_keys(discovery.read_metadata(provider.issuer))
    assert enter(provider)[1].status_code == 422


def test_new_keys_are_found_once_a_minute(provider):
    assert enter(provider)[1].status_code == 302
    provider.keys["two"] = provider.shown["two"] = ec.generate_private_key(ec.SECP256R1())
    provider.key_id = "two"
    assert enter(provider)[1].status_code == 302, "the provider has changed its keys"
    assert provider.asked["/keys"] == 2
    provider.forge = headed(provider, kid="three")
    for _attempt in range(5):
        assert enter(provider)[1].status_code == 422
    assert provider.asked["/keys"] == 2, "inventing keys has nobody asked"


def test_no_token_is_kept_or_shown(provider):
    client, answered = enter(provider)
    held = str(dict(client.session))
    assert "para-otra-cosa" not in held
    assert "eyJ" not in held, "a token begins so"
    assert "eyJ" not in answered.content.decode()


def test_an_answer_belongs_to_the_browser_that_began_it(provider):
    _client, location = begin()
    stranger = Client()
    address = provider.sign_in(location, **ELENA)
    assert come_back(stranger, address).status_code == 422
    begin(stranger)
    assert come_back(stranger, address).status_code == 422, "nor with a sign-in of its own"
    assert provider.asked["/token"] == 0
    assert reasons() == ["sign_on_state", "sign_on_state"]


def test_a_wrong_state_undoes_nothing(provider):
    client, location = begin()
    assert client.get(BACK, {"state": "otro", "code": "x"}).status_code == 422
    assert client.get(BACK).status_code == 422
    assert come_back(client, provider.sign_in(location, **ELENA)).status_code == 302


def test_an_answer_counts_once(provider):
    client, location = begin()
    address = provider.sign_in(location, **ELENA)
    codes = dict(provider.codes)
    assert come_back(client, address).status_code == 302
    client.post("/salir/")
    provider.codes = codes
    assert come_back(client, address).status_code == 422
    assert provider.asked["/token"] == 1


def test_a_code_that_was_used_elsewhere_is_refused_by_the_provider(provider):
    client, location = begin()
    address = provider.sign_in(location, **ELENA)
    provider.codes.clear()
    answered = come_back(client, address)
    assert "no ha confirmado el inicio de sesión" in answered.content.decode()
    assert reasons() == ["sign_on_code"]


def test_a_code_of_another_sign_in_fails_for_its_verifier(provider):
    _victim, theirs = begin()
    stolen = provider.sign_in(theirs, **ELENA).partition("code=")[2].partition("&")[0]
    client, location = begin()
    own = provider.sign_in(location, sub="x", groups=["gestores"])
    mixed = own.replace(own.partition("code=")[2].partition("&")[0], stolen)
    assert come_back(client, mixed).status_code == 422


def test_it_waits_ten_minutes(provider, clock_at):
    client, location = begin()
    address = provider.sign_in(location, **ELENA)
    later(clock_at, minutes=11)
    assert come_back(client, address).status_code == 422
    assert reasons() == ["sign_on_expired"]


def test_answers_of_another_provider_are_not_mixed_up(provider):
    client, location = begin()
    address = provider.sign_in(location, **ELENA).replace("iss=http", "iss=https")
    assert come_back(client, address).status_code == 422
    provider.document = {"authorization_response_iss_parameter_supported": True}
    discovery.forget(provider.issuer)
    client, location = begin(client)
    unsigned = provider.sign_in(location, **ELENA).partition("&iss=")[0]
    assert come_back(client, unsigned).status_code == 422
    client, location = begin(client)
    address = provider.sign_in(location, **ELENA)
    stored = Stored.objects.get()
    stored.settings["issuer"] = "http://127.0.0.1:1"
    stored.save()
    assert come_back(client, address).status_code == 422
    assert provider.asked["/token"] == 0


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("access_denied", "no le ha dejado entrar, o usted canceló"),
        ("server_error", "informó de un error"),
        ("<script>alert(1)</script>", "informó de un error"),
    ],
)
def test_what_the_provider_refuses_is_said_in_our_own_words(provider, code, text):
    client, location = begin()
    state = provider.sign_in(location, **ELENA).partition("state=")[2].partition("&")[0]
    page = client.get(BACK, {"state": state, "error": code, "error_description": "Llame al 555"}).content.decode()
    assert text in page
    assert "555" not in page
    assert "<script>alert" not in page


def test_where_to_go_next_is_never_another_site(provider):
    client, location = begin(next="https://malo.example/")
    assert come_back(client, provider.sign_in(location, **ELENA))["Location"] == "/"
    client, location = begin(next="/mensajes/")
    assert come_back(client, provider.sign_in(location, **ELENA))["Location"] == "/mensajes/"


def test_a_provider_that_is_down_is_said_and_not_asked_again_at_once(provider):
    discovery.forget(provider.issuer)
    stored = Stored.objects.get()
    stored.settings["issuer"] = "http://127.0.0.1:1"
    stored.save()
    page = Client().post(DOOR)
    assert page.status_code == 422
    assert "no responde" in page.content.decode()
    assert knock(Client()).status_code == 302, "passwords work"


def test_a_network_that_begins_without_end_waits(provider, monkeypatch):
    monkeypatch.setattr("recobra.access.throttle.PER_NETWORK", type(PER_NETWORK)(attempts=3, interval=timedelta(1)))
    client = Client()
    assert [client.post(DOOR).status_code for _attempt in range(4)] == [302, 302, 302, 429]
    assert knock(Client()).status_code == 302, "passwords have limits of their own"


def test_it_begins_by_a_form_alone(provider):
    client = Client()
    assert client.get(DOOR)["Location"] == "/entrar/"
    assert not dict(client.session), "nothing was begun"
    assert Client(enforce_csrf_checks=True).post(DOOR).status_code == 403
