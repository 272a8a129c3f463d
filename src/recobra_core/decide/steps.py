"""Steps and segments of a strategy: when a step is due, what it does, how often and for whom."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from recobra_core.rules import ACCOUNT_COLUMNS, Rule

EVENTS = ("payment", "promise", "dispute", "reply", "contact")
STOPS = ("payment", "promise", "dispute", "reply")
CHANNELS = ("email", "sms", "whatsapp", "ivr", "letter", "call")
TRACKS = ("message", "task", "stage", "hold")
STAGES = tuple(ACCOUNT_COLUMNS["stage"].values or ())
"""The stages in the order in which an account can move through them."""
NO_SEGMENT = "none"
"""Segment of an account that no segment's rule matches."""

Document = dict[str, Any]


@dataclass(frozen=True)
class AtDpd:
    """Due when the days past due reach a number; negative is before the due date."""

    days: int

    def to_document(self) -> Document:
        """Return the plain form."""
        return {"dpd": self.days}


@dataclass(frozen=True)
class AfterStep:
    """Due some days after an earlier step fired in the same delinquency cycle."""

    step: str
    days: int

    def to_document(self) -> Document:
        """Return the plain form."""
        return {"after_step": self.step, "days": self.days}


@dataclass(frozen=True)
class AfterEvent:
    """Due some days after an event of the present delinquency cycle."""

    event: str
    days: int

    def to_document(self) -> Document:
        """Return the plain form."""
        return {"after_event": self.event, "days": self.days}


@dataclass(frozen=True)
class Send:
    """Send a template by the first channel of the list on which the debtor can be reached."""

    template: str
    channels: tuple[str, ...]
    track = "message"

    def to_document(self) -> Document:
        """Return the plain form."""
        return {"send": self.template, "by": list(self.channels)}

    def columns(self) -> Document:
        """Return what a due step shows of it."""
        return {"action": self.template, "channels": ",".join(self.channels)}


@dataclass(frozen=True)
class Task:
    """Ask a person to do something."""

    kind: str
    title: str
    due_in_days: int
    queue: str | None = None
    track = "task"

    def to_document(self) -> Document:
        """Return the plain form."""
        document: Document = {"task": self.kind, "title": self.title, "due_in_days": self.due_in_days}
        if self.queue:
            document["queue"] = self.queue
        return document

    def columns(self) -> Document:
        """Return what a due step shows of it."""
        return {"action": self.kind, "title": self.title, "queue": self.queue, "days": self.due_in_days}


@dataclass(frozen=True)
class ChangeStage:
    """Move the account on to a later stage."""

    stage: str
    track = "stage"

    def to_document(self) -> Document:
        """Return the plain form."""
        return {"stage": self.stage}

    def columns(self) -> Document:
        """Return what a due step shows of it."""
        return {"action": self.stage}


@dataclass(frozen=True)
class Hold:
    """Take no action on the account for some days."""

    reason: str
    days: int
    track = "hold"

    def to_document(self) -> Document:
        """Return the plain form."""
        return {"hold": self.reason, "days": self.days}

    def columns(self) -> Document:
        """Return what a due step shows of it."""
        return {"action": self.reason, "days": self.days}


When = AtDpd | AfterStep | AfterEvent
Action = Send | Task | ChangeStage | Hold


@dataclass(frozen=True)
class Repeat:
    """Fire again every so many days while the step stays due, `times` in all."""

    every_days: int
    times: int

    def to_document(self) -> Document:
        """Return the plain form."""
        return {"every_days": self.every_days, "max": self.times}


@dataclass(frozen=True)
class Step:
    """One rung of a strategy. `key` is its identity for ever: a firing is remembered by it."""

    key: str
    name: str
    when: When
    do: Action
    until: int | None = None
    rule: Rule | None = None
    segments: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    repeat: Repeat | None = None
    min_amount: Decimal | None = None

    @property
    def last_dpd(self) -> int | None:
        """Return the last day past due on which it may fire: a notice that comes late says nothing true."""
        is_announcement = isinstance(self.do, Send) and isinstance(self.when, AtDpd) and self.when.days <= 0
        return 0 if is_announcement and self.until is None else self.until

    @property
    def message_class(self) -> str | None:
        """Return `notice` (before or on the due date), `claim` (after it) or None where nothing is sent."""
        if not isinstance(self.do, Send):
            return None
        # By the last day on which it may fire: one that may fire in arrears is judged as a claim.
        return "notice" if self.last_dpd is not None and self.last_dpd <= 0 else "claim"

    def to_document(self) -> Document:
        """Return the plain form; what is not used is left out."""
        optional = {
            "until": self.until,
            "segments": list(self.segments) or None,
            "stages": list(self.stages) or None,
            "repeat": self.repeat.to_document() if self.repeat else None,
            "min_amount": _amount_document(self.min_amount),
        }
        written = {name: value for name, value in optional.items() if value is not None}
        head = {"key": self.key, "name": self.name, "when": self.when.to_document()}
        rule = _rule_document(self.rule) if self.rule else {}
        return head | written | rule | {"do": self.do.to_document()}


@dataclass(frozen=True)
class Segment:
    """A named part of the portfolio; the first segment whose rule matches takes the account."""

    key: str
    name: str
    rule: Rule

    def to_document(self) -> Document:
        """Return the plain form."""
        return {"key": self.key, "name": self.name} | _rule_document(self.rule)


def _rule_document(rule: Rule) -> Document:
    """Return the fields `rule` and `unknown`; the latter is left out where it is `refuse`."""
    document = {"rule": rule.text}
    if rule.unknown != "refuse":
        document["unknown"] = rule.unknown
    return document


def _amount_document(amount: Decimal | None) -> int | str | None:
    """Return an amount as JSON can hold it exactly: a whole number, or a text with its decimals."""
    if amount is None:
        return None
    if amount == amount.to_integral_value():
        return int(amount)
    return str(amount)
