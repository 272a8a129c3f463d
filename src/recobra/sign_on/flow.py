"""One sign-in through the provider: the authorization code flow with PKCE, bound to the browser that began it.

What was begun waits in the browser's session, is of use once, and for ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlencode

from django.conf import settings as installation
from django.http import HttpRequest
from django.urls import reverse

from recobra.access import throttle
from recobra.access.session_store import BEFORE_SIGN_IN
from recobra.access.sign_in import SignInWaits, client_address, record_failure
from recobra.kit.encryption import Undecryptable

from . import discovery
from .discovery import JsonObject, Metadata
from .models import IdentityProvider
from .provider_settings import ProviderSettings, settings_of
from .queries import find_provider
from .refusals import Reason, SignOnRefused
from .tokens import LEEWAY_SECONDS, Expected, check_id_token, read_instant

ANSWER_BYTES: Final = 200_000
_CODE_LENGTH_MAX: Final = 4_096
_WAITING: Final = "sign_on"
_DENIED: Final = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})


class Purpose(StrEnum):
    """What a sign-in at the provider is for."""

    COME_IN = "come_in"
    PROVE_AGAIN = "prove_again"
    LINK = "link"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A sign-in that was begun, as the browser's session keeps it. `user_id` is whoever was signed in already."""

    state: str
    nonce: str
    verifier: str
    issuer: str
    purpose: str
    next_url: str
    user_id: int | None
    begun_at: str


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What the provider has proved of a sign-in that was begun: who it is there, in which groups, and how sure."""

    begun: Begun
    settings: ProviderSettings
    subject: str
    groups: frozenset[str]
    has_second_factor: bool
    claims: JsonObject


def redirect_uri() -> str:
    """Return the one address to which the provider may send people back; it is registered there letter by letter."""
    return installation.PUBLIC_URL.rstrip("/") + reverse("console:sign-on-return")


def begin(request: HttpRequest, *, purpose: Purpose, next_url: str, now: datetime) -> str:
    """Remember a sign-in in the browser's session; return the provider's address for it.

    Raises SignOnRefused, and SignInWaits where one network begins more of them than people do.
    """
    paused = throttle.admit(throttle.network_limits(purpose="sign_on", address=client_address(request)), now=now)
    if paused is not None:
        raise SignInWaits(paused.minutes)
    _provider, settings = _find_enabled()
    metadata = discovery.read_metadata(settings.issuer)
    if metadata.authorization_origin != settings.authorization_origin:
        raise SignOnRefused(Reason.MOVED)
    begun = Begun(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        issuer=settings.issuer,
        purpose=purpose,
        next_url=next_url,
        user_id=request.user.pk,
        begun_at=now.isoformat(),
    )
    request.session[_WAITING] = asdict(begun)
    joint = "&" if "?" in metadata.authorization_endpoint else "?"
    return metadata.authorization_endpoint + joint + urlencode(_ask(begun, settings), quote_via=quote)


def _ask(begun: Begun, settings: ProviderSettings) -> dict[str, str]:
    """Return the parameters of the request to the provider."""
    digest = hashlib.sha256(begun.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": redirect_uri(),
        "scope": " ".join(settings.scopes),
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        # A session here must not outlive by much what the provider knows of the person.
        "max_age": str(installation.SESSION_HOURS * 3600),
    }
    if begun.purpose != Purpose.COME_IN:
        asked |= {"max_age": "0", "prompt": "login"}
    if settings.factor_acr:
        asked["acr_values"] = " ".join(settings.factor_acr)
    return asked


def complete(request: HttpRequest, *, now: datetime) -> Proof:
    """Return what the provider's answer in a request proves. Raises SignOnRefused.

    The sign-in that was begun is used up by it, whatever comes out.
    """
    begun = _take_begun(request, now)
    provider, settings = _find_enabled()
    named = request.GET.get("iss")
    # Against answers of another provider that are passed off as this one's (RFC 9207).
    if begun.issuer != settings.issuer or named not in {None, settings.issuer}:
        raise SignOnRefused(Reason.ISSUER)
    metadata = discovery.read_metadata(settings.issuer)
    if named is None and metadata.announces_issuer:
        raise SignOnRefused(Reason.ISSUER)
    if "error" in request.GET:
        raise SignOnRefused(Reason.DENIED if request.GET["error"] in _DENIED else Reason.PROVIDER_ERROR)
    code = request.GET.get("code", "")
    if not 0 < len(code) <= _CODE_LENGTH_MAX:
        raise SignOnRefused(Reason.CODE)
    token = _exchange(code, begun, metadata, provider, settings)
    expected = Expected(client_id=settings.client_id, nonce=begun.nonce, now=now)
    claims = check_id_token(token, metadata, expected)
    _check_sign_in_time(claims, begun, now)
    return Proof(
        begun=begun,
        settings=settings,
        subject=str(claims["sub"]),
        groups=frozenset(_read_texts(claims.get(settings.groups_claim))),
        has_second_factor=_has_second_factor(claims, settings),
        claims=claims,
    )


def record_refusal(request: HttpRequest, refusal: SignOnRefused, *, now: datetime) -> None:
    """Record that a sign-in was refused; what one address does over and over is recorded now and then."""
    limits = throttle.subject_limits(purpose="sign_on_refused", subject=client_address(request))
    if throttle.admit(limits, now=now) is None:
        record_failure(request, user_id=refusal.user_id, reason=f"sign_on_{refusal.reason}", now=now)


def sign_out_address() -> str:
    """Return the provider's address by which a person ends the session there too, '' where it offers none."""
    try:
        _provider, settings = _find_enabled()
        metadata = discovery.read_metadata(settings.issuer)
    except SignOnRefused:
        return ""
    if not metadata.end_session_endpoint:
        return ""
    door = installation.PUBLIC_URL.rstrip("/") + reverse("console:sign-in")
    joint = "&" if "?" in metadata.end_session_endpoint else "?"
    # The token that would say whose session it is was not kept; the provider asks the person instead.
    asked = {"client_id": settings.client_id, "post_logout_redirect_uri": door}
    return metadata.end_session_endpoint + joint + urlencode(asked, quote_via=quote)


def _find_enabled() -> tuple[IdentityProvider, ProviderSettings]:
    """Return the provider with its settings. Raises SignOnRefused where none is switched on."""
    provider = find_provider()
    if provider is None or not provider.is_enabled:
        raise SignOnRefused(Reason.OFF)
    return provider, settings_of(provider)


def _take_begun(request: HttpRequest, now: datetime) -> Begun:
    """Return the sign-in that an answer belongs to, and forget it. Raises SignOnRefused.

    An answer without the right state takes nothing away: otherwise any page could undo what somebody has begun.
    """
    waiting = request.session.get(_WAITING)
    begun = Begun(**waiting) if isinstance(waiting, dict) else None
    state = request.GET.get("state", "")
    if begun is None or not hmac.compare_digest(begun.state.encode(), state.encode(errors="replace")):
        raise SignOnRefused(Reason.STATE)
    del request.session[_WAITING]
    # At once, and not with the answer: a second call with the same state finds nothing.
    request.session.save()
    if now - datetime.fromisoformat(begun.begun_at) > BEFORE_SIGN_IN or begun.user_id != request.user.pk:
        raise SignOnRefused(Reason.EXPIRED)
    return begun


def _exchange(
    code: str, begun: Begun, metadata: Metadata, provider: IdentityProvider, settings: ProviderSettings
) -> str:
    """Return the ID token for a code; tokens that give access to anything are not kept. Raises SignOnRefused."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(),
        "code_verifier": begun.verifier,
    }
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        secret = provider.client_secret
    except Undecryptable as error:
        raise SignOnRefused(Reason.DOCUMENT) from error
    if secret and metadata.takes_secret_in_header:
        pair = f"{quote(settings.client_id, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        fields["client_id"] = settings.client_id
        fields |= {"client_secret": secret} if secret else {}
    body = urlencode(fields).encode()
    reply = discovery.call("POST", metadata.token_endpoint, headers=headers, data=body, max_bytes=ANSWER_BYTES)
    token = reply.json.get("id_token") if reply.status == 200 and isinstance(reply.json, dict) else None
    if not isinstance(token, str):
        raise SignOnRefused(Reason.CODE)
    return token


def _check_sign_in_time(claims: JsonObject, begun: Begun, now: datetime) -> None:
    """Raise SignOnRefused where the person proved to the provider who it is longer ago than was asked for.

    Whoever has to prove it again must have done so since; a provider that does not say when proves nothing new.
    """
    signed_in = read_instant(claims, "auth_time")
    if begun.purpose == Purpose.COME_IN:
        oldest = now - timedelta(hours=installation.SESSION_HOURS)
        is_recent = "auth_time" not in claims or (signed_in is not None and signed_in >= _with_leeway(oldest))
    else:
        is_recent = signed_in is not None and signed_in >= _with_leeway(datetime.fromisoformat(begun.begun_at))
    if not is_recent:
        raise SignOnRefused(Reason.OLD_SIGN_IN)


def _with_leeway(instant: datetime) -> float:
    return instant.timestamp() - LEEWAY_SECONDS


def _has_second_factor(claims: JsonObject, settings: ProviderSettings) -> bool:
    """Return whether the provider proves a second factor in a way that the settings accept; silence proves none."""
    methods = _read_texts(claims.get("amr"))
    return bool(set(methods) & set(settings.factor_amr)) or claims.get("acr") in settings.factor_acr


def _read_texts(value: object) -> list[str]:
    """Return the texts of a claim, which may be one or a list."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]
