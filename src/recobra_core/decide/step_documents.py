"""Reader of steps and segments out of a plain document. Every fault is kept; nothing stops at the first."""

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

DPD_MIN = -366
DPD_MAX = 3660
DAYS_MAX = 3660
STEPS_MAX = 100
SEGMENTS_MAX = 100
REPEATS_MAX = 100

# Stands for a rule that could not be read, in a strategy that is refused.
_PLACEHOLDER_RULE = "balance < balance"

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
    if not node.has_value or not node.check_fields(*STOPS):
        return {}
    stops = {}
    for event in STOPS:
        # An event written as null stops the account too: until the hold ends.
        if node.has_field(event):
            stops[event] = node.get_field(event).read_optional(_read_days)
    return stops


def read_segments(node: Node, catalogue: rules.Catalogue) -> tuple[Segment, ...]:
    """Read the ordered segments."""
    nodes = node.read_items()
    _check_count(node, nodes, SEGMENTS_MAX)
    segments = []
    for item in nodes:
        item.check_fields("key", "name", "rule", "unknown")
        key = item.get_field("key")
        if key.value == NO_SEGMENT:
            key.refuse(Expected(f"another key: «{NO_SEGMENT}» is kept", f"otra clave: «{NO_SEGMENT}» reservada"))
        # Faults are listed in the order of the fields: the key comes first.
        segment_key = key.read_key()
        name = item.get_field("name").read_text()
        segments.append(Segment(key=segment_key, name=name, rule=_read_rule(item, catalogue)))
    _check_unique(nodes, [segment.key for segment in segments])
    return tuple(segments)


def read_steps(node: Node, segments: Sequence[Segment], catalogue: rules.Catalogue) -> tuple[Step, ...]:
    """Read the ordered steps; a step may refer to segments and to earlier steps only."""
    nodes = node.read_items()
    if not nodes:
        node.refuse(Expected("at least one step", "al menos un paso"))
    _check_count(node, nodes, STEPS_MAX)
    segment_keys = [segment.key for segment in segments]
    step_keys: list[str] = []
    steps: list[Step] = []
    for item in nodes:
        step = _read_step(item, segment_keys, step_keys, catalogue)
        steps.append(step)
        step_keys.append(step.key)
    _check_unique(nodes, step_keys)
    return tuple(steps)


def _read_step(node: Node, segments: list[str], earlier: list[str], catalogue: rules.Catalogue) -> Step:
    """Read a step. `segments` and `earlier` are the keys of segments and of earlier steps it may refer to."""
    node.check_fields(*_STEP_FIELDS)
    step = Step(
        key=node.get_field("key").read_key(),
        name=node.get_field("name").read_text(),
        when=_read_when(node.get_field("when"), earlier),
        do=_read_action(node.get_field("do")),
        until=node.get_field("until").read_optional(lambda until: until.read_number(DPD_MIN, DPD_MAX)),
        rule=_read_rule(node, catalogue) if node.get_field("rule").has_value else None,
        segments=_read_choices(node.get_field("segments"), segments),
        stages=_read_choices(node.get_field("stages"), STAGES),
        repeat=node.get_field("repeat").read_optional(_read_repeat),
        min_amount=node.get_field("min_amount").read_optional(Node.read_amount),
    )
    _check_until(node.get_field("until"), step)
    return step


def _read_when(node: Node, earlier: list[str]) -> When:
    """Read when a step is due: at some days past due, after an earlier step or after an event."""
    if node.has_field("after_step"):
        node.check_fields("after_step", "days")
        # On the same day the second step would follow from a mere repetition of the run.
        days = node.get_field("days").read_number(1, DAYS_MAX)
        awaited = node.get_field("after_step")
        if awaited.value not in earlier:
            listed = ", ".join(earlier) or "-"
            awaited.refuse(Expected(f"an earlier step ({listed})", f"un paso anterior ({listed})"))
        return AfterStep(str(awaited.value), days)
    if node.has_field("after_event"):
        node.check_fields("after_event", "days")
        return AfterEvent(node.get_field("after_event").read_choice(EVENTS), _read_days(node.get_field("days")))
    if node.has_field("dpd"):
        node.check_fields("dpd")
        return AtDpd(node.get_field("dpd").read_number(DPD_MIN, DPD_MAX))
    node.refuse(Expected("one of: dpd, after_step, after_event", "uno de: dpd, after_step, after_event"))
    # A stand-in: the strategy is refused.
    return AtDpd(0)


def _read_action(node: Node) -> Action:
    """Read what a step does; the field that is written says which of the four actions it is."""
    for word, read in _ACTIONS.items():
        if node.has_field(word):
            return read(node)
    node.refuse(Expected("one of: send, task, stage, hold", "uno de: send, task, stage, hold"))
    # A stand-in: the strategy is refused.
    return Hold(reason="", days=0)


def _read_send(node: Node) -> Send:
    """Read a message: its template, and the channels to try in order."""
    node.check_fields("send", "by")
    by = node.get_field("by")
    channels = [channel.read_choice(CHANNELS) for channel in by.read_items()]
    if not channels:
        by.refuse(Expected("a list of channels", "una lista de canales"))
    distinct_channels = tuple(dict.fromkeys(channels))
    return Send(template=node.get_field("send").read_key(), channels=distinct_channels)


def _read_task(node: Node) -> Task:
    """Read a task for a person; the queue may be left out."""
    node.check_fields("task", "title", "due_in_days", "queue")
    return Task(
        kind=node.get_field("task").read_key(),
        title=node.get_field("title").read_text(),
        due_in_days=_read_days(node.get_field("due_in_days")),
        queue=node.get_field("queue").read_optional(Node.read_key),
    )


def _read_stage(node: Node) -> ChangeStage:
    node.check_fields("stage")
    # Steps only move forward, and nothing stands before the first stage.
    return ChangeStage(node.get_field("stage").read_choice(STAGES[1:]))


def _read_hold(node: Node) -> Hold:
    node.check_fields("hold", "days")
    return Hold(reason=node.get_field("hold").read_key(), days=node.get_field("days").read_number(1, DAYS_MAX))


_ACTIONS: dict[str, Callable[[Node], Action]] = {
    "send": _read_send,
    "task": _read_task,
    "stage": _read_stage,
    "hold": _read_hold,
}


def _read_repeat(node: Node) -> Repeat:
    """Read how often a step fires again; `max` counts the first time too."""
    node.check_fields("every_days", "max")
    return Repeat(
        every_days=node.get_field("every_days").read_number(1, DAYS_MAX),
        times=node.get_field("max").read_number(2, REPEATS_MAX),
    )


def _read_rule(node: Node, catalogue: rules.Catalogue) -> rules.Rule:
    """Read the fields `rule` and `unknown`; without the second, the rule itself must say what unknown means."""
    unknown = node.get_field("unknown").read_optional(Node.read_yes_or_no)
    written = node.get_field("rule")
    text = written.read_text()
    if text:
        try:
            return rules.compile_rule(text, catalogue, unknown=unknown or "refuse")
        except rules.RuleError as error:
            en = error.text("en").rstrip(".")
            es = error.text("es").rstrip(".")
            at = error.position + 1
            written.refuse(Expected(f"a valid rule (character {at}): {en}", f"una regla válida (carácter {at}): {es}"))
    return rules.compile_rule(_PLACEHOLDER_RULE, rules.ACCOUNT_COLUMNS)


def _read_choices(node: Node, options: Sequence[str]) -> tuple[str, ...]:
    """Read a list of some of the options, without repetitions; empty where nothing is written."""
    if not options:
        if node.has_value:
            node.refuse(Expected("nothing: no segment is declared", "nada: no hay segmentos declarados"))
        return ()
    choices = [item.read_choice(options) for item in node.read_items()]
    return tuple(dict.fromkeys(choices))


def _check_until(node: Node, step: Step) -> None:
    """Refuse a last day before the first one, and a due-date notice that could leave after the due date."""
    if step.until is None or not isinstance(step.when, AtDpd):
        return
    first_day = step.when.days
    if step.until < first_day:
        node.refuse(Expected(f"a day from {first_day} on", f"un día desde el {first_day}"))
    # A message that announces a due date would say something untrue once it has passed.
    if isinstance(step.do, Send) and first_day <= 0 < step.until:
        node.refuse(Expected("0 at most: a notice ends on the due date", "0 o menos: un aviso termina al vencer"))


def _read_days(node: Node) -> int:
    return node.read_number(0, DAYS_MAX)


def _check_count(node: Node, nodes: list[Node], limit: int) -> None:
    """Refuse a list with more members than the limit."""
    if len(nodes) > limit:
        node.refuse(Expected(f"{limit} at most", f"{limit} como máximo"), found=str(len(nodes)))


def _check_unique(nodes: list[Node], keys: list[str]) -> None:
    """Refuse each key that an earlier node of the list already has."""
    for at, node in enumerate(nodes):
        if keys[at] and keys[at] in keys[:at]:
            node.get_field("key").refuse(Expected("a key used once", "una clave usada una sola vez"))
