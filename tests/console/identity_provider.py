"""A real OpenID provider on loopback: discovery, keys, a token endpoint that checks client and PKCE, and every lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from recobra.access.actors import Service, service_actor
from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.sign_on import operations
from recobra.sign_on.provider_settings import GroupRule, ProviderSettings

CLIENT, SECRET = "recobra", "un-secreto:del/cliente"
DOOR = "/entrar/empresa/"
ELENA = {
    "sub": "e-1",
    "preferred_username": "elena",
    "given_name": "Elena",
    "email": "elena@sur.example",
    "email_verified": True,
    "groups": ["gestores", "futbol"],
}


class IdentityProvider:
    """One provider. `document` changes its document, `forge` takes claims and header and gives a token of its own."""

    def __init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.own_key = ec.generate_private_key(ec.SECP256R1())
        self.reset()
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def reset(self) -> None:
        """Be honest again."""
        self.document = {}
        self.forge = None
        self.keys = {"one": self.own_key}
        self.key_id = "one"
        self.shown = dict(self.keys)
        self.codes = {}
        self.asked = Counter()
        self.padding = ""
        self.person = {"sub": "anders"}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def settings(self, **changes) -> ProviderSettings:
        """The settings of an installation that uses it."""
        rules = (
            GroupRule(group="jefes", role="SUPERVISOR", portfolios=("PE-CONSUMO",)),
            GroupRule(group="gestores", role="GESTOR", portfolios=("PE-CONSUMO",)),
        )
        values = {"name": "Banco ID", "issuer": self.issuer, "client_id": CLIENT, "rules": rules, **changes}
        return ProviderSettings(**values)

    def sign_in(self, location: str, **claims) -> str:
        """Be the person's browser at the provider; return the address to which it is sent back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = (asked, claims or self.person)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def make_token(self, asked: dict[str, str], claims: dict[str, object]) -> str:
        now = int(time.time())
        whole = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": asked["nonce"],
            **claims,
        }
        header = {"kid": self.key_id}
        if self.forge is not None:
            return self.forge(whole, header)
        return jwt.encode(whole, self.keys[self.key_id], "ES256", header)

    def _handler(provider):  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = urlsplit(self.path).path
                provider.asked[path] += 1
                if path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.sign_in(self.path))
                    self.end_headers()
                elif path == "/.well-known/openid-configuration":
                    self.answer(200, provider.describe())
                elif path == "/keys":
                    self.answer(200, {"keys": [public(key, kid) for kid, key in provider.shown.items()]})
                else:
                    self.answer(302, {}, {"Location": "/.well-known/openid-configuration"})

            def do_POST(self):
                provider.asked["/token"] += 1
                sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                fields = {name: values[0] for name, values in sent.items()}
                asked, claims = provider.codes.pop(fields["code"], (None, None))
                pair = f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}"
                is_client = self.headers["Authorization"] == "Basic " + base64.b64encode(pair.encode()).decode()
                if not is_client or asked is None or not proves(fields, asked):
                    self.answer(400, {"error": "invalid_grant"})
                else:
                    self.answer(200, {"id_token": provider.make_token(asked, claims), "access_token": "para-otra-cosa"})

            def answer(self, status, value, headers=()):
                body = json.dumps(value).encode()
                self.send_response(status)
                for name, text in {**dict(headers), "Content-Length": str(len(body))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                """Say nothing."""

        return Handler

    def describe(self) -> dict[str, object]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "padding": self.padding,
            **self.document,
        }


def proves(fields: dict[str, str], asked: dict[str, str]) -> bool:
    """Tell if a request for a token is from whoever began the sign-in."""
    digest = hashlib.sha256(fields["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return challenge == asked["code_challenge"] and fields["redirect_uri"] == asked["redirect_uri"]


def public(key, kid: str) -> dict[str, object]:
    """Return the public part of a key as a provider shows it."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}


def configure(provider, *, is_enabled=True, **changes):
    actor = service_actor(Service.COMMAND, now=clock.now())
    settings = provider.settings(**changes)
    operations.save_settings(settings=settings, secret=SECRET, is_enabled=is_enabled, actor=actor)


def begin(client=None, **fields):
    """Return a client and where the provider's button leads it."""
    client = client or Client()
    return client, client.post(DOOR, fields)["Location"]


def come_back(client, address):
    """Follow the provider's answer, as a browser does."""
    return client.get(address.removeprefix("http://localhost:8000"))


def enter(provider, client=None, **claims):
    """Sign in through the provider; return the client and the last answer."""
    client, location = begin(client)
    return client, come_back(client, provider.sign_in(location, **(claims or ELENA)))


def reasons():
    kept = Entry.objects.filter(kind="user.sign_in_failed").order_by("id")
    return [entry.payload["reason"] for entry in kept]
