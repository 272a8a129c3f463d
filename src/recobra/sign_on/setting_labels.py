"""The settings of single sign-on in plain words, as the form and the second person read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: Final[Mapping[str, str | Promise]] = {
    "name": _("Name on the button"),
    "issuer": _("Address of the service (issuer)"),
    "client_id": _("Client (client id)"),
    "secret": _("Secret of the client"),
    "authorization_origin": _("Where people are sent to sign in"),
    "scopes": _("What is asked for (scopes)"),
    "groups_claim": _("Field with the groups"),
    "factor_amr": _("Ways that count as a second factor (amr)"),
    "factor_acr": _("Levels that count as a second factor (acr)"),
    "password_for": _("Who may still use a password"),
    "rules": _("What each group may do"),
    "is_enabled": _("In use"),
}
