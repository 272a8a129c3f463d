"""A strategy read aloud, in Spanish or English, and what changed between two versions."""

from typing import NamedTuple

from recobra_core.decide.steps import (
    Action,
    AfterStep,
    AtDpd,
    ChangeStage,
    Hold,
    Segment,
    Send,
    Step,
    Task,
    When,
)
from recobra_core.decide.strategy import Strategy
from recobra_core.rules import Language, Rule
from recobra_core.rules.catalogue import VALUE_LABELS

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


def describe_step(step: Step, *, lang: Language = "es") -> str:
    """Say a step in one sentence: when, what, for whom and how often."""
    head = f"{_when(step.when, lang)}, {_action(step.do, lang)}"
    return "; ".join([head, *_limits(step, lang)])


def diff_strategies(old: Strategy, new: Strategy, *, lang: Language = "es") -> list[Change]:
    """List what changed, in the order of the new version: its heading, stops, segments and steps."""
    changes = _heading(old, new, lang)
    changes += _members(
        {item.key: (item, _segment(item, lang)) for item in old.segments},
        {item.key: (item, _segment(item, lang)) for item in new.segments},
        _say(lang, "Segmento", "Segment"),
        lang,
    )
    return changes + _members(
        {step.key: (step, describe_step(step, lang=lang)) for step in old.steps},
        {step.key: (step, describe_step(step, lang=lang)) for step in new.steps},
        _say(lang, "Paso", "Step"),
        lang,
    )


def describe_stops(strategy: Strategy, *, lang: Language = "es") -> list[str]:
    """Say what silences an account and for how long."""
    return [_stop(event, days, lang) for event, days in strategy.stops.items()]


def _say(lang: Language, es: str, en: str) -> str:
    if lang not in LANGUAGES:
        raise ValueError(f"No words in «{lang}»; there are: {', '.join(LANGUAGES)}.")
    return es if lang == "es" else en


def _days(days: int, lang: Language) -> str:
    return f"{days} {_say(lang, 'día', 'day')}{'' if days == 1 else 's'}"


def _when(when: When, lang: Language) -> str:
    if isinstance(when, AtDpd):
        return _at_dpd(when.days, lang)
    after = f"«{when.step}»" if isinstance(when, AfterStep) else _EVENTS[lang][when.event]
    if when.days == 0:
        return _say(lang, f"El mismo día de {after}", f"On the day of {after}")
    span = _days(when.days, lang)
    return _say(lang, f"A {_plural_es(when.days)}{span} de {after}", f"{span} after {after}")


def _plural_es(days: int) -> str:
    return "" if days == 1 else "los "


def _at_dpd(days: int, lang: Language) -> str:
    span = _days(abs(days), lang)
    if days == 0:
        return _say(lang, "El día del vencimiento", "On the due date")
    if days < 0:
        return _say(lang, f"{span} antes del vencimiento", f"{span} before the due date")
    return _say(lang, f"A {_plural_es(days)}{span} de mora", f"At {span} past due")


def _action(do: Action, lang: Language) -> str:
    if isinstance(do, Send):
        channels = ", ".join(_CHANNELS[lang][channel] for channel in do.channels)
        es = f"enviar «{do.template}» por el primer canal disponible: {channels}"
        return _say(lang, es, f"send «{do.template}» by the first available channel: {channels}")
    if isinstance(do, Task):
        term = _days(do.due_in_days, lang)
        queue = _say(lang, f", cola {do.queue}", f", queue {do.queue}") if do.queue else ""
        es = f"crear la tarea «{do.title}» con plazo de {term}{queue}"
        return _say(lang, es, f"create the task «{do.title}», due in {term}{queue}")
    if isinstance(do, ChangeStage):
        stage = _stage(do.stage, lang)
        return _say(lang, f"pasar a la etapa {stage}", f"move to the stage {stage}")
    return _hold(do, lang)


def _stage(stage: str, lang: Language) -> str:
    en, es = VALUE_LABELS[stage]
    return _say(lang, es, en)


def _hold(do: Hold, lang: Language) -> str:
    span = _days(do.days, lang)
    return _say(lang, f"suspender la gestión {span} ({do.reason})", f"hold for {span} ({do.reason})")


def _limits(step: Step, lang: Language) -> list[str]:
    stages = ", ".join(_stage(stage, lang) for stage in step.stages)
    segments = ", ".join(step.segments)
    said = [
        (segments, f"segmentos: {segments}", f"segments: {segments}"),
        (stages, f"etapas: {stages}", f"stages: {stages}"),
        (step.min_amount is not None, f"desde un importe de {step.min_amount}", f"from an amount of {step.min_amount}"),
    ]
    words = [] if step.last_dpd is None else [_until(step.last_dpd, lang)]
    words += [_say(lang, es, en) for applies, es, en in said if applies]
    if step.rule:
        words.append(_say(lang, "si ", "if ") + _rule(step.rule, lang))
    if step.repeat:
        every, times = _days(step.repeat.every_days, lang), step.repeat.times
        words.append(_say(lang, f"cada {every}, {times} veces como máximo", f"every {every}, {times} times at most"))
    return words


def _until(dpd: int, lang: Language) -> str:
    span = _days(abs(dpd), lang)
    if dpd == 0:
        return _say(lang, "hasta el vencimiento", "until the due date")
    if dpd < 0:
        return _say(lang, f"hasta {span} antes del vencimiento", f"until {span} before the due date")
    return _say(lang, f"hasta {_plural_es(dpd)}{span} de mora", f"until {span} past due")


def _stop(event: str, days: int | None, lang: Language) -> str:
    what = _EVENTS[lang][event]
    if days is None:
        return _say(lang, f"Tras {what}: hasta que se levante la suspensión", f"After {what}: until the hold ends")
    span = _days(days, lang)
    return _say(lang, f"Tras {what}: {span} sin acciones", f"After {what}: {span} without actions")


def _segment(segment: Segment, lang: Language) -> str:
    return f"{segment.name}: {_rule(segment.rule, lang)}"


def _rule(rule: Rule, lang: Language) -> str:
    also = _say(lang, " (también si no se sabe)", " (also where that is unknown)") if rule.unknown == "yes" else ""
    return rule.in_words(lang) + also


def _heading(old: Strategy, new: Strategy, lang: Language) -> list[Change]:
    pairs = [
        ("name", old.name, new.name),
        ("purpose", old.purpose, new.purpose),
        ("objective", old.objective, new.objective),
        ("stops", "; ".join(describe_stops(old, lang=lang)), "; ".join(describe_stops(new, lang=lang))),
    ]
    labels = {
        "name": _say(lang, "Nombre", "Name"),
        "purpose": _say(lang, "Propósito", "Purpose"),
        "objective": _say(lang, "Objetivo", "Objective"),
        "stops": _say(lang, "Qué la detiene", "What stops it"),
    }
    return [
        Change(place, _altered(labels[place], before or "-", after or "-", lang))
        for place, before, after in pairs
        if before != after
    ]


def _altered(what: str, before: str, after: str, lang: Language) -> str:
    return _say(lang, f"{what}: antes «{before}»; ahora «{after}».", f"{what}: was «{before}»; now «{after}».")


_Members = dict[str, tuple[Step | Segment, str]]


def _members(old: _Members, new: _Members, noun: str, lang: Language) -> list[Change]:
    changes = [_member(key, old.get(key), new[key], noun, lang) for key in new]
    removed = [
        Change(key, f"{noun} «{old[key][0].name}» {_say(lang, 'eliminado', 'removed')}: {old[key][1]}.")
        for key in old
        if key not in new
    ]
    return [change for change in changes if change] + _moved(old, new, noun, lang) + removed


def _member(
    key: str, before: tuple[Step | Segment, str] | None, after: tuple[Step | Segment, str], noun: str, lang: Language
) -> Change | None:
    item, words = after
    if before is None:
        return Change(key, f"{noun} «{item.name}» {_say(lang, 'agregado', 'added')}: {words}.")
    if before[0] == item:
        return None
    renamed = f"{item.name}: " if before[0].name != item.name else ""
    was = f"{before[0].name}: {before[1]}" if renamed else before[1]
    return Change(key, _altered(f"{noun} «{before[0].name}»", was, renamed + words, lang))


def _moved(old: _Members, new: _Members, noun: str, lang: Language) -> list[Change]:
    """Order decides which step outranks which, so a change of order is a change."""
    before = [key for key in old if key in new]
    after = [key for key in new if key in old]
    if before == after:
        return []
    names = ", ".join(new[key][0].name for key in after)
    return [Change("order", f"{noun}s: {_say(lang, 'nuevo orden', 'new order')}: {names}.")]
