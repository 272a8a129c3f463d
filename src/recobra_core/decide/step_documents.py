"""Reading steps and segments from a plain document. Every fault is kept; nothing stops at the first."""

from collections.abc import Callable, Sequence

from recobra_core import rules
from recobra_core.decide.nodes import Expected, Node
from recobra_core.decide.steps import (
    CHANNELS,
    EVENTS,
    NO_SEGMENT,
    STAGES,
    STOPS,
    Action,
    AfterEvent,
    AfterStep,
    AtDpd,
    ChangeStage,
    Hold,
    Repeat,
    Segment,
    Send,
    Step,
    Task,
    When,
)

DPD_MIN, DPD_MAX = -366, 3660
DAYS_MAX = 3660
STEPS_MAX, SEGMENTS_MAX = 100, 100
REPEATS_MAX = 100

_LANGUAGES: tuple[rules.Language, ...] = ("en", "es")
# Stands for a rule that could not be read, in a strategy that is refused.
_NEVER = "balance < balance"

_STEP_FIELDS = (
    "key",
    "name",
    "when",
    "until",
    "rule",
    "unknown",
    "segments",
    "stages",
    "do",
    "repeat",
    "min_amount",
)


def read_stops(node: Node) -> dict[str, int | None]:
    """Read how many days each event silences an account; null leaves it to a hold."""
    if not node.given or not node.fields(*STOPS):
        return {}
    return {event: node.field(event).optional(_days) for event in STOPS if node.has(event)}


def read_segments(node: Node, catalogue: rules.Catalogue) -> tuple[Segment, ...]:
    """Read the ordered segments."""
    nodes = node.items()
    _at_most(node, nodes, SEGMENTS_MAX)
    segments = tuple(_segment(item, catalogue) for item in nodes)
    _unique(nodes, [segment.key for segment in segments])
    return segments


def read_steps(node: Node, segments: Sequence[Segment], catalogue: rules.Catalogue) -> tuple[Step, ...]:
    """Read the ordered steps; a step may refer to segments and to earlier steps only."""
    nodes = node.items()
    if not nodes:
        node.refuse(Expected("at least one step", "al menos un paso"))
    _at_most(node, nodes, STEPS_MAX)
    steps: list[Step] = []
    for item in nodes:
        names = [segment.key for segment in segments], [step.key for step in steps]
        steps.append(_step(item, *names, catalogue))
    _unique(nodes, [step.key for step in steps])
    return tuple(steps)


def _segment(node: Node, catalogue: rules.Catalogue) -> Segment:
    node.fields("key", "name", "rule", "unknown")
    key = node.field("key")
    if key.value == NO_SEGMENT:
        key.refuse(Expected(f"another key: «{NO_SEGMENT}» is kept", f"otra clave: «{NO_SEGMENT}» reservada"))
    return Segment(key=key.key(), name=node.field("name").text(), rule=_rule(node, catalogue))


def _step(node: Node, segments: list[str], earlier: list[str], catalogue: rules.Catalogue) -> Step:
    node.fields(*_STEP_FIELDS)
    step = Step(
        key=node.field("key").key(),
        name=node.field("name").text(),
        when=_when(node.field("when"), earlier),
        do=_do(node.field("do")),
        until=node.field("until").optional(lambda until: until.number(DPD_MIN, DPD_MAX)),
        rule=_rule(node, catalogue) if node.field("rule").given else None,
        segments=_words(node.field("segments"), segments),
        stages=_words(node.field("stages"), STAGES),
        repeat=node.field("repeat").optional(_repeat),
        min_amount=node.field("min_amount").optional(Node.amount),
    )
    _check_until(node.field("until"), step)
    return step


def _when(node: Node, earlier: list[str]) -> When:
    if node.has("after_step"):
        node.fields("after_step", "days")
        # On the same day the second step would follow from a mere repetition of the run.
        days = node.field("days").number(1, DAYS_MAX)
        return AfterStep(_earlier_step(node.field("after_step"), earlier), days)
    if node.has("after_event"):
        node.fields("after_event", "days")
        return AfterEvent(node.field("after_event").choice(EVENTS), _days(node.field("days")))
    if node.has("dpd"):
        node.fields("dpd")
        return AtDpd(node.field("dpd").number(DPD_MIN, DPD_MAX))
    node.refuse(Expected("one of: dpd, after_step, after_event", "uno de: dpd, after_step, after_event"))
    return AtDpd(0)


def _do(node: Node) -> Action:
    for word, read in _ACTIONS.items():
        if node.has(word):
            return read(node)
    node.refuse(Expected("one of: send, task, stage, hold", "uno de: send, task, stage, hold"))
    return Hold("", 0)


def _send(node: Node) -> Send:
    node.fields("send", "by")
    channels = tuple(channel.choice(CHANNELS) for channel in node.field("by").items())
    if not channels:
        node.field("by").refuse(Expected("a list of channels", "una lista de canales"))
    return Send(node.field("send").key(), tuple(dict.fromkeys(channels)))


def _task(node: Node) -> Task:
    node.fields("task", "title", "due_in_days", "queue")
    return Task(
        kind=node.field("task").key(),
        title=node.field("title").text(),
        due_in_days=_days(node.field("due_in_days")),
        queue=node.field("queue").optional(Node.key),
    )


def _stage(node: Node) -> ChangeStage:
    node.fields("stage")
    # Steps only move forward, and nothing stands before the first stage.
    return ChangeStage(node.field("stage").choice(STAGES[1:]))


def _hold(node: Node) -> Hold:
    node.fields("hold", "days")
    return Hold(node.field("hold").key(), node.field("days").number(1, DAYS_MAX))


_ACTIONS: dict[str, Callable[[Node], Action]] = {"send": _send, "task": _task, "stage": _stage, "hold": _hold}


def _repeat(node: Node) -> Repeat:
    node.fields("every_days", "max")
    return Repeat(node.field("every_days").number(1, DAYS_MAX), node.field("max").number(2, REPEATS_MAX))


def _rule(node: Node, catalogue: rules.Catalogue) -> rules.Rule:
    """Read the fields `rule` and `unknown`; without the second, the rule itself must say what unknown means."""
    unknown = node.field("unknown").optional(Node.yes_or_no)
    written = node.field("rule")
    text = written.text()
    if text:
        try:
            return rules.compile_rule(text, catalogue, unknown=unknown or "refuse")
        except rules.RuleError as error:
            said = (error.text(lang).rstrip(".") for lang in _LANGUAGES)
            at = error.position + 1
            en, es = said
            written.refuse(Expected(f"a valid rule (character {at}): {en}", f"una regla válida (carácter {at}): {es}"))
    return rules.compile_rule(_NEVER, rules.ACCOUNT_COLUMNS)


def _words(node: Node, options: Sequence[str]) -> tuple[str, ...]:
    if not options:
        if node.given:
            node.refuse(Expected("nothing: no segment is declared", "nada: no hay segmentos declarados"))
        return ()
    return tuple(dict.fromkeys(item.choice(options) for item in node.items()))


def _earlier_step(node: Node, earlier: list[str]) -> str:
    if node.value not in earlier:
        listed = ", ".join(earlier) or "-"
        node.refuse(Expected(f"an earlier step ({listed})", f"un paso anterior ({listed})"))
    return str(node.value)


def _check_until(node: Node, step: Step) -> None:
    if step.until is None or not isinstance(step.when, AtDpd):
        return
    first = step.when.days
    if step.until < first:
        node.refuse(Expected(f"a day from {first} on", f"un día desde el {first}"))
    if isinstance(step.do, Send) and first <= 0 < step.until:
        node.refuse(Expected("0 at most: a notice ends on the due date", "0 o menos: un aviso termina al vencer"))


def _days(node: Node) -> int:
    return node.number(0, DAYS_MAX)


def _at_most(node: Node, nodes: list[Node], limit: int) -> None:
    if len(nodes) > limit:
        node.refuse(Expected(f"{limit} at most", f"{limit} como máximo"), found=str(len(nodes)))


def _unique(nodes: list[Node], keys: list[str]) -> None:
    for at, node in enumerate(nodes):
        if keys[at] and keys[at] in keys[:at]:
            node.field("key").refuse(Expected("a key used once", "una clave usada una sola vez"))
