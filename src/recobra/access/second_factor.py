"""Second factors of users: an authenticator's codes (TOTP), passkeys, and recovery codes for when both are lost.

On django-allauth's table and its WebAuthn; what a code is checked by is here, so that none counts twice in any process
and recovery codes are kept as digests.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction

from recobra.journal.operations import record_fact

from .actors import Actor, actor_for
from .facts import FactorAdded, FactorRemoved, FactorsReset
from .models import Notice, User
from .notices import tell_about_account
from .permissions import requires
from .roles import Right, role_of
from .sessions import end_every_session

TOTP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without I, O, 0 and 1, which are taken for each other. 32 signs: a code of 25 has 125 bits."""
_NAME_LENGTH_MAX: Final = 60
Type = Authenticator.Type


class FactorRefused(Exception):
    """A code or a passkey is not right; the text says so to its user."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A second factor as it is listed."""

    id: int
    type: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


def factors_of(user: User) -> list[Factor]:
    """Return a user's second factors but the recovery codes, the oldest first."""
    rows = Authenticator.objects.filter(user=user).exclude(type=Type.RECOVERY_CODES).order_by("created_at", "pk")
    return [
        Factor(
            id=row.pk,
            type=row.type,
            name=row.data.get("name", ""),
            created_at=row.created_at,
            last_used_at=row.last_used_at,
        )
        for row in rows
    ]


def has_factor(user: User) -> bool:
    """Return whether a user has a second factor; recovery codes alone are none."""
    return Authenticator.objects.filter(user=user).exclude(type=Type.RECOVERY_CODES).exists()


def must_set_up(user: User) -> bool:
    """Return whether a user's role asks for a second factor that he or she does not have yet."""
    return role_of(user).requires_second_factor and not has_factor(user)


def count_recovery_codes(user: User) -> int:
    """Return how many recovery codes are left."""
    row = Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).first()
    return len(row.data["digests"]) if row else 0


def draw_totp_secret() -> str:
    """Return a new secret of 160 bits for an authenticator, as it is typed."""
    from allauth.mfa.totp.internal.auth import generate_totp_secret  # noqa: PLC0415 - few processes need it

    return generate_totp_secret()


def draw_totp_picture(user: User, secret: str) -> str:
    """Return the secret of an authenticator as an SVG picture for its camera."""
    from allauth.mfa.adapter import get_adapter  # noqa: PLC0415 - as above

    adapter = get_adapter()
    return adapter.build_totp_svg(adapter.build_totp_url(user, secret))


@transaction.atomic
def add_totp(user: User, *, secret: str, code: str, now: datetime) -> list[str]:
    """Add an authenticator that shows the right code; return new recovery codes, [] where there are some already.

    Raises FactorRefused.
    """
    _lock(user)
    counter = _find_counter(secret, code, now)
    if counter is None or Authenticator.objects.filter(user=user, type=Type.TOTP).exists():
        raise FactorRefused
    from allauth.mfa.utils import encrypt  # noqa: PLC0415 - as above

    data = {"secret": encrypt(secret), "last_counter": counter}
    Authenticator.objects.create(user=user, type=Type.TOTP, data=data, created_at=now)
    return _record_added(user, "totp", now)


def begin_passkey(user: User) -> dict[str, object]:
    """Return what a browser needs to make a passkey; the challenge waits in the session."""
    from allauth.mfa.webauthn.internal import auth  # noqa: PLC0415 - as above

    return auth.begin_registration(user, passwordless=False)


@transaction.atomic
def add_passkey(user: User, *, credential: str, name: str, now: datetime) -> list[str]:
    """Add a passkey that a browser has made; return new recovery codes as `add_totp` does. Raises FactorRefused."""
    from allauth.mfa.webauthn.internal import auth  # noqa: PLC0415 - as above

    _lock(user)
    made = _read_credential(credential)
    try:
        auth.parse_registration_response(made)
        auth.complete_registration(made)
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise FactorRefused from error
    data = {"name": name.strip()[:_NAME_LENGTH_MAX], "credential": made}
    Authenticator.objects.create(user=user, type=Type.WEBAUTHN, data=data, created_at=now)
    return _record_added(user, "passkey", now)


def begin_passkey_check(user: User) -> dict[str, object]:
    """Return what a browser needs to answer with one of a user's passkeys; the challenge waits in the session."""
    from allauth.mfa.webauthn.internal import auth  # noqa: PLC0415 - as above

    return auth.begin_authentication(user)


def check_passkey(user: User, *, credential: str, now: datetime) -> str:
    """Check a browser's answer; return "passkey". Raises FactorRefused."""
    from allauth.mfa.webauthn.internal import auth  # noqa: PLC0415 - as above

    answer = _read_credential(credential)
    try:
        auth.parse_authentication_response(answer)
        row = auth.complete_authentication(user, answer)
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise FactorRefused from error
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=now)
    return "passkey"


@transaction.atomic
def check_code(user: User, *, code: str, now: datetime) -> str:
    """Check a code of the authenticator or a recovery code, each of which counts once.

    Returns which it was, "totp" or "recovery". Raises FactorRefused.
    """
    for row in Authenticator.objects.select_for_update().filter(user=user).exclude(type=Type.WEBAUTHN):
        if _use_code(row, code, now):
            row.last_used_at = now
            row.save(update_fields=["data", "last_used_at"])
            return "totp" if row.type == Type.TOTP else "recovery"
    raise FactorRefused


def _use_code(row: Authenticator, code: str, now: datetime) -> bool:
    """Return whether a code is right, and mark it as used."""
    if row.type == Type.RECOVERY_CODES:
        digest = _digest(code)
        if digest not in row.data["digests"]:
            return False
        row.data["digests"].remove(digest)
        return True
    from allauth.mfa.utils import decrypt  # noqa: PLC0415 - as above

    counter = _find_counter(decrypt(row.data["secret"]), code, now)
    # An earlier code than the last one that counted has been seen by somebody.
    if counter is None or counter <= row.data["last_counter"]:
        return False
    row.data["last_counter"] = counter
    return True


@transaction.atomic
def draw_recovery_codes(user: User, *, now: datetime) -> list[str]:
    """Make new recovery codes in place of the old ones; they are shown this once. Raises FactorRefused."""
    _lock(user)
    if not has_factor(user):
        raise FactorRefused
    codes = _write_recovery_codes(user, now)
    record_fact(FactorAdded(user_id=user.pk, factor="recovery"), actor=actor_for(user, now=now))
    return codes


@transaction.atomic
def remove_factor(user: User, *, factor_id: int, now: datetime) -> None:
    """Remove one of a user's own factors; with the last one the recovery codes go. Raises FactorRefused."""
    _lock(user)
    row = Authenticator.objects.exclude(type=Type.RECOVERY_CODES).filter(user=user, pk=factor_id).first()
    if row is None:
        raise FactorRefused
    factor = "totp" if row.type == Type.TOTP else "passkey"
    row.delete()
    if not has_factor(user):
        Authenticator.objects.filter(user=user).delete()
    record_fact(FactorRemoved(user_id=user.pk, factor=factor), actor=actor_for(user, now=now))


@requires(Right.MANAGE_USERS)
@transaction.atomic
def reset_factors(*, user: User, actor: Actor) -> None:
    """Take all second factors away from a user who has lost them; his or her sessions end.

    Doors ask `approvals.account_access`, which knows whose account needs a second person for that.
    """
    Authenticator.objects.filter(user=user).delete()
    end_every_session(user, actor=actor)
    record_fact(FactorsReset(user_id=user.pk), actor=actor)
    tell_about_account(Notice.Kind.FACTORS_RESET, user.pk, actor=actor)


def _lock(user: User) -> None:
    """Let a user's factors be changed by one request at a time."""
    User.objects.select_for_update().get(pk=user.pk)


def _record_added(user: User, factor: str, now: datetime) -> list[str]:
    """Record a new factor; return recovery codes where it is the first."""
    record_fact(FactorAdded(user_id=user.pk, factor=factor), actor=actor_for(user, now=now))
    has_codes = Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).exists()
    return [] if has_codes else _write_recovery_codes(user, now)


def _write_recovery_codes(user: User, now: datetime) -> list[str]:
    codes = [_draw_code() for _number in range(RECOVERY_CODES)]
    data = {"digests": [_digest(code) for code in codes]}
    Authenticator.objects.update_or_create(
        user=user, type=Type.RECOVERY_CODES, defaults={"data": data, "created_at": now}
    )
    return codes


def _draw_code() -> str:
    """Return a recovery code in five groups of five."""
    signs = [secrets.choice(_ALPHABET) for _sign in range(25)]
    return "-".join("".join(signs[start : start + 5]) for start in range(0, 25, 5))


def _digest(code: str) -> str:
    """Return what is kept of a recovery code: with 125 bits of chance a plain digest cannot be tried backwards."""
    return hashlib.sha256("".join(filter(str.isalnum, code.upper())).encode()).hexdigest()


def _find_counter(secret: str, code: str, now: datetime) -> int | None:
    """Return the interval of 30 seconds whose code it is, the present one or its neighbours; None for a wrong code."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value  # noqa: PLC0415 - as above

    typed = "".join(code.split())
    present = int(now.timestamp()) // TOTP_SECONDS
    for counter in (present, present - 1, present + 1):
        if hmac.compare_digest(format_hotp_value(hotp_value(secret, counter)).encode(), typed.encode()):
            return counter
    return None


def _read_credential(credential: str) -> dict[str, object]:
    """Return what a browser sent as JSON. Raises FactorRefused."""
    try:
        read = json.loads(credential)
    except (ValueError, RecursionError) as error:
        raise FactorRefused from error
    if not isinstance(read, dict):
        raise FactorRefused
    return read
