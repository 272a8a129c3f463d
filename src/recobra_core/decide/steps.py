"""Steps and segments of a strategy: when a step is due, what it does, how often and for whom.

They are the models by which a strategy document is read: a field's alias is its key in the document.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from recobra_core import rules
from recobra_core.documents import (
    A_TEXT,
    TEXT_MAX,
    Amount,
    DocumentModel,
    Expected,
    Items,
    Key,
    Text,
    YesOrNo,
    choice,
    one_of,
    refuse,
    shape,
    shapes,
    whole,
)
from recobra_core.rules import ACCOUNT_COLUMNS, Rule

EVENTS = ("payment", "promise", "dispute", "reply", "contact")
STOPS = ("payment", "promise", "dispute", "reply")
CHANNELS = ("email", "sms", "whatsapp", "ivr", "letter", "call")
TONES = ("EMPATHETIC", "NEUTRAL", "FIRM")
TRACKS = ("message", "task", "stage", "hold")
STAGES = tuple(ACCOUNT_COLUMNS["stage"].values or ())
"""The stages in the order in which an account can move through them."""
NO_SEGMENT = "none"
"""Segment of an account that no segment's rule matches."""
DPD_MIN = -366
DPD_MAX = 3660
DAYS_MAX = 3660
REPEATS_MAX = 100

Document = dict[str, Any]
Days = Annotated[int, whole(0, DAYS_MAX)]
DaysAhead = Annotated[int, whole(1, DAYS_MAX)]
Dpd = Annotated[int, whole(DPD_MIN, DPD_MAX)]
Event = Annotated[str, choice(*EVENTS)]
Stage = Annotated[str, choice(*STAGES)]
Channel = Annotated[str, choice(*CHANNELS)]


@dataclass(slots=True)
class Reading:
    """What has been read of a strategy so far: steps speak of its segments and of earlier steps."""

    catalogue: rules.Catalogue
    keys: dict[str, list[str]] = field(default_factory=lambda: {"segments": [], "steps": []})


def _reading(info: ValidationInfo) -> Reading:
    assert isinstance(info.context, Reading)
    return info.context


def _check_earlier_step(key: str, info: ValidationInfo) -> str:
    """Refuse a step that does not stand before the present one."""
    earlier = _reading(info).keys["steps"]
    if key not in earlier:
        listed = ", ".join(earlier) or "-"
        raise refuse(Expected(f"an earlier step ({listed})", f"un paso anterior ({listed})"), options=earlier)
    return key


def _check_segment(key: str, info: ValidationInfo) -> str:
    """Refuse a segment that is not declared."""
    known = _reading(info).keys["segments"]
    if not known:
        raise refuse(Expected("nothing: no segment is declared", "nada: no hay segmentos declarados"))
    if key not in known:
        raise refuse(one_of(known), options=known)
    return key


def _compile_rule(text: object, info: ValidationInfo) -> Rule:
    """Return the rule of a text; without the field `unknown` it must say itself what unknown data mean."""
    if not isinstance(text, str) or not 0 < len(text.strip()) <= TEXT_MAX:
        raise refuse(A_TEXT)
    try:
        return rules.compile_rule(text.strip(), _reading(info).catalogue, unknown=info.data.get("unknown") or "refuse")
    except rules.RuleError as error:
        en = error.text("en").rstrip(".")
        es = error.text("es").rstrip(".")
        at = error.position + 1
        expected = Expected(f"a valid rule (character {at}): {en}", f"una regla válida (carácter {at}): {es}")
        raise refuse(expected) from error


def _drop_repeated(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


RuleText = Annotated[
    Rule,
    PlainValidator(_compile_rule),
    PlainSerializer(lambda rule: rule.text, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": TEXT_MAX}),
]


class AtDpd(DocumentModel):
    """Due when the days past due reach a number; negative is before the due date."""

    days: Dpd = Field(alias="dpd")


class AfterStep(DocumentModel):
    """Due some days after an earlier step fired in the same delinquency cycle."""

    step: Annotated[str, AfterValidator(_check_earlier_step)] = Field(alias="after_step")
    # On the same day the second step would follow from a mere repetition of the run.
    days: DaysAhead


class AfterEvent(DocumentModel):
    """Due some days after an event of the present delinquency cycle."""

    event: Event = Field(alias="after_event")
    days: Days


class Send(DocumentModel):
    """Send a template by the first channel of the list on which the debtor can be reached.

    With a `tone` its words in that tone are preferred, where it has some.
    """

    track: ClassVar = "message"
    template: Key = Field(alias="send")
    channels: Annotated[Items[Channel], AfterValidator(_drop_repeated)] = Field(alias="by")
    tone: Annotated[str, choice(*TONES)] | None = None

    @field_validator("channels")
    @classmethod
    def _check_channels(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        if not channels:
            raise refuse(Expected("a list of channels", "una lista de canales"))
        return channels

    def columns(self) -> Document:
        """Return what a due step shows of it."""
        return {"action": self.template, "channels": list(self.channels)}


class Task(DocumentModel):
    """Ask a person to do something."""

    track: ClassVar = "task"
    kind: Key = Field(alias="task")
    title: Text
    due_in_days: Days
    queue: Key | None = None

    def columns(self) -> Document:
        """Return what a due step shows of it."""
        return {"action": self.kind, "title": self.title, "queue": self.queue, "days": self.due_in_days}


class ChangeStage(DocumentModel):
    """Move the account on to a later stage."""

    track: ClassVar = "stage"
    # Steps only move forward, and nothing stands before the first stage.
    stage: Annotated[str, choice(*STAGES[1:])]

    def columns(self) -> Document:
        """Return what a due step shows of it."""
        return {"action": self.stage}


class Hold(DocumentModel):
    """Take no action on the account for some days."""

    track: ClassVar = "hold"
    reason: Key = Field(alias="hold")
    days: DaysAhead

    def columns(self) -> Document:
        """Return what a due step shows of it."""
        return {"action": self.reason, "days": self.days}


When = AtDpd | AfterStep | AfterEvent
Action = Send | Task | ChangeStage | Hold
_WrittenWhen = Annotated[
    Annotated[AtDpd, shape("dpd")]
    | Annotated[AfterStep, shape("after_step")]
    | Annotated[AfterEvent, shape("after_event")],
    shapes("dpd", "after_step", "after_event"),
]
_WrittenAction = Annotated[
    Annotated[Send, shape("send")]
    | Annotated[Task, shape("task")]
    | Annotated[ChangeStage, shape("stage")]
    | Annotated[Hold, shape("hold")],
    shapes("send", "task", "stage", "hold"),
]


class Repeat(DocumentModel):
    """Fire again every so many days while the step stays due, `times` in all."""

    every_days: DaysAhead
    times: Annotated[int, whole(2, REPEATS_MAX)] = Field(alias="max")


class _Member(DocumentModel):
    """A step or a segment, of which later ones speak by its key."""

    group: ClassVar[str]
    key: Key
    name: Text

    @model_validator(mode="wrap")
    @classmethod
    def _keep_key(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        """Remember the key for those that follow, also where something else is wrong."""
        try:
            return handler(value)
        finally:
            if isinstance(value, Mapping) and isinstance(value.get("key"), str):
                _reading(info).keys[cls.group].append(value["key"])

    @field_validator("key")
    @classmethod
    def _check_used_once(cls, key: str, info: ValidationInfo) -> str:
        if key in _reading(info).keys[cls.group]:
            raise refuse(Expected("a key used once", "una clave usada una sola vez"))
        return key


class Step(_Member):
    """One rung of a strategy. `key` is its identity for ever: a firing is remembered by it."""

    group: ClassVar = "steps"
    when: _WrittenWhen
    do: _WrittenAction
    until: Dpd | None = None
    unknown: YesOrNo | None = None
    rule: RuleText | None = None
    segments: Annotated[Items[Annotated[str, AfterValidator(_check_segment)]], AfterValidator(_drop_repeated)] = ()
    stages: Annotated[Items[Stage], AfterValidator(_drop_repeated)] = ()
    repeat: Repeat | None = None
    min_amount: Amount | None = None

    @field_validator("until")
    @classmethod
    def _check_until(cls, until: int | None, info: ValidationInfo) -> int | None:
        """Refuse a last day before the first one, and a due-date notice that could leave after the due date."""
        when = info.data.get("when")
        if until is None or not isinstance(when, AtDpd):
            return until
        first_day = when.days
        if until < first_day:
            raise refuse(Expected(f"a day from {first_day} on", f"un día desde el {first_day}"))
        # A message that announces a due date would say something untrue once it has passed.
        if isinstance(info.data.get("do"), Send) and first_day <= 0 < until:
            raise refuse(Expected("0 at most: a notice ends on the due date", "0 o menos: un aviso termina al vencer"))
        return until

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


class Segment(_Member):
    """A named part of the portfolio; the first segment whose rule matches takes the account.

    `from_group` says from which version of a saved group the rule was taken, as `code:version`; the rule itself counts.
    """

    group: ClassVar = "segments"
    unknown: YesOrNo | None = None
    rule: RuleText
    from_group: Text | None = None

    @field_validator("key")
    @classmethod
    def _check_kept(cls, key: str) -> str:
        if key == NO_SEGMENT:
            raise refuse(Expected(f"another key: «{NO_SEGMENT}» is kept", f"otra clave: «{NO_SEGMENT}» reservada"))
        return key
