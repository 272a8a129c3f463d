"""Labels of the journal's kinds of facts and of its automatic actors."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .facts import declared_kinds

FACTS: Final[dict[str, Promise]] = {
    "account.closed": _("Account closed"),
}
ACTORS: Final[dict[str, Promise]] = {
    "cycle": _("the daily cycle"),
    "dispatch": _("the dispatcher"),
    "intake": _("the load"),
    "debtor": _("the debtor"),
    "provider": _("the provider"),
    "sign_on": _("the company's sign-in"),
    "bot": _("the bot"),
    "system": _("the system"),
    "library": _("the product's library"),
    "demo": _("the demonstration"),
    "command": _("the command line"),
    "anonymous": _("somebody who has not signed in"),
}


def fact_label(kind: str) -> str:
    """Return the label of a kind of fact; an unknown kind as it is."""
    declared = declared_kinds().get(kind)
    return str(declared.label if declared else FACTS.get(kind, kind))


def actor_label(name: str) -> str:
    """Return the label of an automatic actor; the name of a person as it is."""
    return str(ACTORS.get(name, name))
