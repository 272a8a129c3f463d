"""Values of the dialogue: its state, facts, actions and turns. All of them are frozen and plain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

Phase = Literal[
    "open",
    "identify",
    "confirm_silence",
    "ask_day",
    "ask_amount",
    "confirm_promise",
    "choose_plan",
    "confirm_plan",
    "with_person",
    "silent",
]
Value = str | int | date


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state of a conversation. `wanted` waits for identity or an answer; `offered` are the numbered choices."""

    phase: Phase = "open"
    introduced: bool = False
    verified: bool = False
    tries: int = 0
    misses: int = 0
    wanted: str | None = None
    day: date | None = None
    amount_minor: int | None = None
    plan_id: str | None = None
    offered: tuple[str, ...] = ()

    def replace(self, **changes: Any) -> State:
        """Return a copy with some fields changed."""
        return replace(self, **changes)


def dump_state(state: State) -> dict[str, Any]:
    """Return a state as plain JSON values."""
    document = asdict(state)
    document["day"] = state.day.isoformat() if state.day else None
    document["offered"] = list(state.offered)
    return document


def load_state(document: Mapping[str, Any]) -> State:
    """Return the state that `dump_state` wrote."""
    fields = dict(document)
    day = fields.get("day")
    fields["day"] = date.fromisoformat(day) if day else None
    fields["offered"] = tuple(fields.get("offered", ()))
    return State(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A payment plan within a gestor's limits: equal instalments from a first day on."""

    id: str
    instalments: int
    instalment_minor: int
    first_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a promise that a gestor may take without asking."""

    promise_days: int
    promise_min_minor: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts when a message comes. Amounts are in minor units of `currency`.

    `identity` is the digest of what the debtor must type, None where there is nothing to ask for; `identity_asked`
    tells what that is, and `identity_blocked` that there were too many wrong answers lately, in any conversation.
    `may_collect` is the gate's verdict at this instant; `how_to_pay` is the creditor's text where there is no pay link.
    """

    creditor: str
    sender: str
    country: str
    currency: str
    overdue_minor: int
    may_collect: bool
    is_office_open: bool
    office_hours: str
    limits: Limits
    allowed_plans: tuple[Plan, ...] = ()
    identity: str | None = None
    identity_asked: Literal["id_last4", "birth_year"] = "id_last4"
    salt: bytes = b""
    identity_blocked: bool = False
    can_pay_by_link: bool = True
    how_to_pay: str = ""
    promise_open_until: date | None = None


Kind = Literal[
    "Verified",
    "IdentityRefused",
    "DiscloseBalance",
    "SendPayLink",
    "ProposePromise",
    "MakePromise",
    "OfferPlans",
    "AcceptPlan",
    "OpenDispute",
    "ReportPayment",
    "WrongPerson",
    "OptOut",
    "HandOver",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that the turn asks the caller to do; `payload` holds its plain values."""

    kind: Kind
    payload: Mapping[str, Value | bool] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A choice that is offered, to be taken by its number or its button."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The answer to one message. Where `answer` is None nothing is sent, on purpose (silence, or a person has it)."""

    state: State
    answer: str | None
    variables: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    actions: tuple[Action, ...] = ()
    choices: tuple[str, ...] = ()
    introduce: bool = False
