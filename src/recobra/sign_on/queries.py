"""Read access to single sign-on: what is offered at the door, and who is linked."""

from __future__ import annotations

from recobra.access.queries import User
from recobra.access.roles import Right, has_right
from recobra.kit.encryption import Undecryptable

from .models import ONLY, Identity
from .models import IdentityProvider as IdentityProvider  # noqa: PLC0414 - the doors name the type from here
from .provider_settings import PasswordFor, ProviderSettings, settings_of


def find_provider() -> IdentityProvider | None:
    """Return the identity provider, None where none was configured."""
    return IdentityProvider.objects.filter(pk=ONLY).first()


def find_enabled() -> ProviderSettings | None:
    """Return the settings of the provider by which people may sign in now, None for none."""
    provider = IdentityProvider.objects.filter(pk=ONLY, is_enabled=True).first()
    return settings_of(provider) if provider else None


def has_secret(provider: IdentityProvider) -> bool:
    """Return whether a client secret is stored that can be read."""
    try:
        return bool(provider.client_secret)
    except Undecryptable:
        return False


def is_linked(user: User) -> bool:
    """Return whether a user is known by the provider that is configured now."""
    provider = find_provider()
    return provider is not None and Identity.objects.filter(user=user, issuer=settings_of(provider).issuer).exists()


def may_use_password(user: User) -> bool:
    """Return whether a user may sign in with a password: `access.sign_in` asks by the settings.

    Whoever manages users always may: the provider may fail. Whoever is not linked yet proves by it who he or she is.
    """
    settings = find_enabled()
    if settings is None or settings.password_for == PasswordFor.EVERYBODY or has_right(user, Right.MANAGE_USERS):
        return True
    return not Identity.objects.filter(user=user, issuer=settings.issuer).exists()
