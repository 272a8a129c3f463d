"""Description of a strategy in Spanish or English, and of what changed between two versions."""

from typing import NamedTuple

from recobra_core.decide.steps import (
    Action,
    AfterStep,
    AtDpd,
    ChangeStage,
    Segment,
    Send,
    Step,
    Task,
    When,
)
from recobra_core.decide.strategy import Strategy
from recobra_core.rules import Language, Rule
from recobra_core.rules.account_columns import VALUE_LABELS

LANGUAGES = ("es", "en")

_CHANNELS = {
    "es": {
        "email": "correo",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "ivr": "llamada automática",
        "call": "llamada",
        "letter": "carta",
    },
    "en": {
        "email": "e-mail",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "ivr": "automatic call",
        "call": "call",
        "letter": "letter",
    },
}
_TONES_ES = {"EMPATHETIC": "cercano", "NEUTRAL": "neutro", "FIRM": "firme"}
_EVENTS = {
    "es": {
        "payment": "un pago",
        "promise": "una promesa",
        "dispute": "un reclamo del deudor",
        "reply": "una respuesta",
        "contact": "un contacto",
    },
    "en": {
        "payment": "a payment",
        "promise": "a promise",
        "dispute": "a dispute",
        "reply": "a reply",
        "contact": "a contact",
    },
}


class Change(NamedTuple):
    """One difference between two versions: the place (a step's key or a field) and the sentence to show."""

    place: str
    sentence: str


class _Member(NamedTuple):
    """A step or segment with the sentence that describes it."""

    item: Step | Segment
    words: str


def describe_step(step: Step, *, lang: Language = "es") -> str:
    """Return a step in one sentence: when, what, for whom and how often."""
    sentence = f"{_describe_when(step.when, lang)}, {_describe_action(step.do, lang)}"
    return "; ".join([sentence, *_describe_limits(step, lang)])


def diff_strategies(old: Strategy, new: Strategy, *, lang: Language = "es") -> list[Change]:
    """List what changed, in the order of the new version: its heading, stops, segments and steps."""
    fields = [
        ("name", _localize(lang, "Nombre", "Name"), old.name, new.name),
        ("purpose", _localize(lang, "Propósito", "Purpose"), old.purpose, new.purpose),
        ("objective", _localize(lang, "Objetivo", "Objective"), old.objective, new.objective),
        (
            "stops",
            _localize(lang, "Qué la detiene", "What stops it"),
            "; ".join(describe_stops(old, lang=lang)),
            "; ".join(describe_stops(new, lang=lang)),
        ),
    ]
    changes = []
    for place, label, before, after in fields:
        if before != after:
            changes.append(Change(place, _describe_change(label, before or "-", after or "-", lang)))
    old_segments = [_describe_segment(segment, lang) for segment in old.segments]
    new_segments = [_describe_segment(segment, lang) for segment in new.segments]
    changes += _diff_members(old_segments, new_segments, _localize(lang, "Segmento", "Segment"), lang)
    old_steps = [_Member(step, describe_step(step, lang=lang)) for step in old.steps]
    new_steps = [_Member(step, describe_step(step, lang=lang)) for step in new.steps]
    return changes + _diff_members(old_steps, new_steps, _localize(lang, "Paso", "Step"), lang)


def describe_stops(strategy: Strategy, *, lang: Language = "es") -> list[str]:
    """Return what silences an account and for how long, a sentence for each event."""
    sentences = []
    for event, days in strategy.stops.items():
        name = _EVENTS[lang][event]
        if days is None:
            es = f"Tras {name}: hasta que se levante la suspensión"
            sentences.append(_localize(lang, es, f"After {name}: until the hold ends"))
        else:
            span = _describe_days(days, lang)
            sentences.append(
                _localize(lang, f"Tras {name}: {span} sin acciones", f"After {name}: {span} without actions")
            )
    return sentences


def _localize(lang: Language, es: str, en: str) -> str:
    """Return the text in the given language. Raises ValueError for any other than the two."""
    # Any other language would come out in English without a word.
    if lang not in LANGUAGES:
        raise ValueError(f"No words in «{lang}»; there are: {', '.join(LANGUAGES)}.")
    return es if lang == "es" else en


def _describe_days(days: int, lang: Language) -> str:
    """Return a number of days in words, such as «5 días» or «1 day»."""
    noun = _localize(lang, "día", "day")
    return f"{days} {noun}" if days == 1 else f"{days} {noun}s"


def _article_es(days: int) -> str:
    """Return the article of «a los 5 días», which «a 1 día» does without."""
    return "" if days == 1 else "los "


def _describe_when(when: When, lang: Language) -> str:
    """Return when a step is due: by days past due, or after another step or an event."""
    if isinstance(when, AtDpd):
        span = _describe_days(abs(when.days), lang)
        if when.days == 0:
            return _localize(lang, "El día del vencimiento", "On the due date")
        if when.days < 0:
            return _localize(lang, f"{span} antes del vencimiento", f"{span} before the due date")
        return _localize(lang, f"A {_article_es(when.days)}{span} de mora", f"At {span} past due")
    cause = f"«{when.step}»" if isinstance(when, AfterStep) else _EVENTS[lang][when.event]
    if when.days == 0:
        return _localize(lang, f"El mismo día de {cause}", f"On the day of {cause}")
    span = _describe_days(when.days, lang)
    return _localize(lang, f"A {_article_es(when.days)}{span} de {cause}", f"{span} after {cause}")


def _describe_action(action: Action, lang: Language) -> str:
    """Return what a step does: send a template, create a task, change the stage or set a hold."""
    if isinstance(action, Send):
        channels = ", ".join(_CHANNELS[lang][channel] for channel in action.channels)
        tone = (
            _localize(lang, f" en tono {_TONES_ES[action.tone]}", f" in a {action.tone.lower()} tone")
            if action.tone
            else ""
        )
        es = f"enviar «{action.template}»{tone} por el primer canal disponible: {channels}"
        return _localize(lang, es, f"send «{action.template}»{tone} by the first available channel: {channels}")
    if isinstance(action, Task):
        term = _describe_days(action.due_in_days, lang)
        queue = _localize(lang, f", cola {action.queue}", f", queue {action.queue}") if action.queue else ""
        es = f"crear la tarea «{action.title}» con plazo de {term}{queue}"
        return _localize(lang, es, f"create the task «{action.title}», due in {term}{queue}")
    if isinstance(action, ChangeStage):
        stage = _describe_stage(action.stage, lang)
        return _localize(lang, f"pasar a la etapa {stage}", f"move to the stage {stage}")
    span = _describe_days(action.days, lang)
    return _localize(lang, f"suspender la gestión {span} ({action.reason})", f"hold for {span} ({action.reason})")


def _describe_stage(stage: str, lang: Language) -> str:
    """Return the name of a stage as people know it."""
    en, es = VALUE_LABELS[stage]
    return _localize(lang, es, en)


def _describe_limits(step: Step, lang: Language) -> list[str]:
    """Return the restrictions of a step, one phrase for each; an unrestricted step has none."""
    limits = []
    if step.last_dpd is not None:
        limits.append(_describe_last_day(step.last_dpd, lang))
    if step.segments:
        segments = ", ".join(step.segments)
        limits.append(_localize(lang, f"segmentos: {segments}", f"segments: {segments}"))
    if step.stages:
        stages = ", ".join(_describe_stage(stage, lang) for stage in step.stages)
        limits.append(_localize(lang, f"etapas: {stages}", f"stages: {stages}"))
    if step.min_amount is not None:
        limits.append(_localize(lang, f"desde un importe de {step.min_amount}", f"from an amount of {step.min_amount}"))
    if step.rule:
        limits.append(_localize(lang, "si ", "if ") + _describe_rule(step.rule, lang))
    if step.repeat:
        every = _describe_days(step.repeat.every_days, lang)
        times = step.repeat.times
        limits.append(
            _localize(lang, f"cada {every}, {times} veces como máximo", f"every {every}, {times} times at most")
        )
    return limits


def _describe_last_day(dpd: int, lang: Language) -> str:
    """Return the last day past due on which a step may fire, in words."""
    span = _describe_days(abs(dpd), lang)
    if dpd == 0:
        return _localize(lang, "hasta el vencimiento", "until the due date")
    if dpd < 0:
        return _localize(lang, f"hasta {span} antes del vencimiento", f"until {span} before the due date")
    return _localize(lang, f"hasta {_article_es(dpd)}{span} de mora", f"until {span} past due")


def _describe_segment(segment: Segment, lang: Language) -> _Member:
    return _Member(segment, f"{segment.name}: {_describe_rule(segment.rule, lang)}")


def _describe_rule(rule: Rule, lang: Language) -> str:
    """Return a rule in words, noting where it also holds for unknown facts."""
    words = rule.in_words(lang)
    if rule.unknown == "yes":
        words += _localize(lang, " (también si no se sabe)", " (also where that is unknown)")
    return words


def _describe_change(label: str, before: str, after: str, lang: Language) -> str:
    """Return the sentence that a field held one value and now holds another."""
    return _localize(lang, f"{label}: antes «{before}»; ahora «{after}».", f"{label}: was «{before}»; now «{after}».")


def _diff_members(old: list[_Member], new: list[_Member], noun: str, lang: Language) -> list[Change]:
    """Return what was added, changed, moved and removed of the steps or the segments; `noun` says which of the two."""
    old_by_key = {member.item.key: member for member in old}
    new_by_key = {member.item.key: member for member in new}
    added = _localize(lang, "agregado", "added")
    removed = _localize(lang, "eliminado", "removed")
    changes = []
    for key, member in new_by_key.items():
        previous = old_by_key.get(key)
        if previous is None:
            changes.append(Change(key, f"{noun} «{member.item.name}» {added}: {member.words}."))
        elif previous.item != member.item:
            changes.append(Change(key, _describe_member_change(previous, member, noun, lang)))
    # Order decides which step outranks which, so a change of order is a change.
    order_before = [key for key in old_by_key if key in new_by_key]
    order_after = [key for key in new_by_key if key in old_by_key]
    if order_before != order_after:
        names = ", ".join(new_by_key[key].item.name for key in order_after)
        changes.append(Change("order", f"{noun}s: {_localize(lang, 'nuevo orden', 'new order')}: {names}."))
    for key, member in old_by_key.items():
        if key not in new_by_key:
            changes.append(Change(key, f"{noun} «{member.item.name}» {removed}: {member.words}."))
    return changes


def _describe_member_change(previous: _Member, member: _Member, noun: str, lang: Language) -> str:
    """Return the sentence for a step or segment that changed; the names are repeated only where they differ."""
    old_name = previous.item.name
    before = previous.words
    after = member.words
    if old_name != member.item.name:
        before = f"{old_name}: {before}"
        after = f"{member.item.name}: {after}"
    return _describe_change(f"{noun} «{old_name}»", before, after, lang)
