"""Actors: who does something, with which rights, where and when; every public operation takes one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Service(StrEnum):
    """A part of the product, or somebody outside it, that acts without a user's account."""

    ANONYMOUS = "anonymous"
    BENCH = "bench"
    BOT = "bot"
    COMMAND = "command"
    CYCLE = "cycle"
    DEBTOR = "debtor"
    DEMO = "demo"
    DISPATCH = "dispatch"
    INTAKE = "intake"
    LIBRARY = "library"
    NIGHT = "night"
    PROVIDER = "provider"
    SIGN_ON = "sign_on"
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A member of staff or a service, at the moment of the act.

    `rights` are values of `access.roles.Right`. `portfolio_codes` are the portfolios within reach, None for all.
    `access.actors` makes actors, because it knows the rights; the journal only writes down who it was.
    """

    name: str
    now: datetime
    rights: frozenset[str]
    user_id: int | None = None
    service: Service | None = None
    portfolio_codes: frozenset[str] | None = None

    def at(self, now: datetime) -> Actor:
        """Return the same actor at another moment."""
        return replace(self, now=now)
