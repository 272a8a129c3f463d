"""What an administrator decides about single sign-on: the provider, and what its groups mean here."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from .models import IdentityProvider

OPENID: Final = "openid"


class PasswordFor(StrEnum):
    """Who may still sign in with a password once he or she is linked with the provider."""

    EVERYBODY = "everybody"
    ADMINISTRATORS = "administrators"


class GroupRule(BaseModel):
    """What a group of the provider means here. `portfolios` are codes, without effect where all are seen."""

    model_config = ConfigDict(frozen=True)

    group: str
    role: str
    team_id: int | None = None
    portfolios: tuple[str, ...] = ()
    sees_all_portfolios: bool = False


class ProviderSettings(BaseModel):
    """The provider's settings but the secret.

    `issuer` is compared letter by letter. `authorization_origin` is where the browser is sent, as the provider's
    document said when the settings were saved: '' until it was read once. `factor_amr` and `factor_acr` are values of
    an ID token that prove a second factor; none are believed unless they are named. `rules` go from the strongest to
    the weakest: the first that names a group of the user gives role and team.
    """

    model_config = ConfigDict(frozen=True)

    name: str = ""
    issuer: str = ""
    client_id: str = ""
    scopes: tuple[str, ...] = (OPENID, "profile", "email")
    groups_claim: str = "groups"
    factor_amr: tuple[str, ...] = ()
    factor_acr: tuple[str, ...] = ()
    password_for: PasswordFor = PasswordFor.EVERYBODY
    rules: tuple[GroupRule, ...] = ()
    authorization_origin: str = ""


def settings_of(provider: IdentityProvider) -> ProviderSettings:
    """Return the settings of the provider as they hold now."""
    return ProviderSettings.model_validate(provider.settings)
