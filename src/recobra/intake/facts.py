"""Kinds of facts about files of receivables."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("load.done", _("File loaded"))
class LoadDone(Fact):
    """A file is in its portfolio, with figures of its rows and of the accounts that it changed.

    The journal is kept for ever, so it gets figures and no names of columns. `alike_joined`: numbers taken
    for the known ones that they are like.
    """

    load_id: int
    as_of: date
    rows: int
    accepted: int
    rejected: int
    created: int
    updated: int
    unchanged: int
    gone: int
    payments: int
    amount_minor: int
    currency: str
    accounts: int
    set_aside: int = 0
    alike_joined: int = 0


@fact("load.held", _("File waiting for confirmation"))
class LoadHeld(Fact):
    """A file waits for a person; `reasons` are the codes of why."""

    load_id: int
    reasons: list[str]


@fact("load.refused", _("File refused"))
class LoadTurnedAway(Fact):
    """A file was refused; `code` is that of `LoadRefused`."""

    load_id: int
    code: str


@fact("load.discarded", _("File discarded"))
class LoadDiscarded(Fact):
    """A person put a file aside that waited."""

    load_id: int


@fact("debtor.parted", _("Debtor parted: the document proved nobody"))
class DebtorParted(Fact):
    """Accounts left a debtor whom an id had joined that proves nobody; `accounts` went to debtors of their own."""

    accounts: int


@fact("mapping.saved", _("Column mapping saved"))
class MappingSaved(Fact):
    """A version of a mapping is the newest of its name."""

    mapping_id: int
    version: int
