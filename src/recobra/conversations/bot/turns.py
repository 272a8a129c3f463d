"""What the dialogue takes and gives: the state, the facts, the actions, one turn. All frozen, all plain values."""

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
    """Where a conversation stands. `wanted` waits for identity or an answer; `offered` are the numbered choices."""

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

    def to(self, **changes: Any) -> State:
        return replace(self, **changes)


def dump_state(state: State) -> dict[str, Any]:
    """Return the state as plain JSON values."""
    document = asdict(state)
    return {**document, "day": state.day.isoformat() if state.day else None, "offered": list(state.offered)}


def load_state(document: Mapping[str, Any]) -> State:
    """Read a state back."""
    day = document.get("day")
    return State(
        **{**document, "day": date.fromisoformat(day) if day else None, "offered": tuple(document.get("offered", ()))}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan that a gestor could offer too: equal instalments from a first day on."""

    id: str
    instalments: int
    instalment_minor: int
    first_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a gestor may take without asking: how many days ahead, and no less than so much."""

    promise_days: int
    promise_min_minor: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is so when a message comes. Amounts in minor units of `currency`.

    `identity` is the digest of what the debtor must type, None where there is nothing to ask for; `identity_asked`
    tells what that is. `may_collect` is the gate's word for this instant. `people_now` and `people_when` tell when
    somebody answers. `identity_blocked`: too many wrong answers lately, in whatever conversation. `how_to_pay` is the
    creditor's own word, said where there is no pay link.
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
    """Something for the house to do; `with_` holds its plain values."""

    kind: Kind
    with_: Mapping[str, Value | bool] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something that can be chosen by its number or its button."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The answer to one message. `answer` None: nothing is sent, on purpose (silence, or a person has it)."""

    state: State
    answer: str | None
    variables: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    actions: tuple[Action, ...] = ()
    choices: tuple[str, ...] = ()
    introduce: bool = False
