"""Kinds of facts about the installation itself: its keys and its backups."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("keys.rotated", _("Keys rotated"))
class KeysRotated(Fact):
    """Everything was encrypted with a new data key; `retired` and `destroyed` are the ids of earlier ones."""

    key: str
    rewritten: int
    unreadable: int
    retired: list[str]
    destroyed: list[str]


@fact("signing_key.renewed", _("Key of links renewed"))
class SigningKeyRenewed(Fact):
    """A new key signs sessions and links; `earlier` keys still count."""

    earlier: int
