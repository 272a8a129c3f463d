"""Put a turn into words: the answers of the repository, money and days as the debtor's country writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from babel import Locale
from babel.dates import format_date

from recobra.conversations.bot.turns import Choice, Facts, Turn, Value
from recobra.messaging.templates.render import format_money, resolve_locale
from recobra_core import yaml_text

BUTTONS_MAX: Final = 3
_MONEY: Final = frozenset({"amount", "least"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is sent. `choices` are shown as numbers in `text` (SMS), as buttons or as a list."""

    text: str
    choices: tuple[Choice, ...]
    shown_as: Literal["numbers", "buttons", "list"]


@cache
def load_answers() -> Mapping[str, Mapping[str, Any]]:
    """Return every answer by its id: `text`, and whether it `discloses` a debt or `asks` for payment."""
    answers: Mapping[str, Mapping[str, Any]] = _document()["answers"]
    return answers


def render_reply(turn: Turn, *, facts: Facts, channel: str, link: str = "") -> Reply | None:
    """Return the message of a turn; None where nothing is to be sent. `link`: the pay link asked for."""
    if turn.answer is None:
        return None
    locale = resolve_locale("es", facts.country)
    values = {name: _value(name, value, facts, locale) for name, value in turn.variables.items()}
    parts = [load_answers()[turn.answer]["text"].format(**values, link=link) if link else _filled(turn.answer, values)]
    if turn.introduce:
        own = "introduction_own" if facts.sender == facts.creditor else "introduction"
        parts.insert(0, str(_document()[own]).format(sender=facts.sender, creditor=facts.creditor))
    choices = tuple(Choice(id=each, title=_title(each, facts, locale)) for each in turn.choices)
    if channel != "whatsapp" or not choices:
        parts += [f"{number}. {choice.title}" for number, choice in enumerate(choices, 1)]
        return Reply(text="\n".join(parts), choices=choices, shown_as="numbers")
    return Reply(text="\n".join(parts), choices=choices, shown_as="buttons" if len(choices) <= BUTTONS_MAX else "list")


def format_hours(*, begin: str, end: str) -> str:
    """Return when people answer, as the bot says it."""
    return str(_document()["hours"]).format(begin=begin, end=end)


def _filled(answer: str, values: Mapping[str, str]) -> str:
    return str(load_answers()[answer]["text"]).format(**values)


def _value(name: str, value: Value, facts: Facts, locale: Locale) -> str:
    if isinstance(value, date):
        return str(format_date(value, "full", locale=locale))
    return format_money(value, facts.currency, locale) if name in _MONEY and isinstance(value, int) else str(value)


def _title(choice: str, facts: Facts, locale: Locale) -> str:
    plan = next((plan for plan in facts.allowed_plans if f"plan:{plan.id}" == choice), None)
    if plan is not None:
        return f"{plan.instalments} × {format_money(plan.instalment_minor, facts.currency, locale)}"
    return str(_document()["choices"][choice])


@cache
def _document() -> Mapping[str, Any]:
    path = Path(__file__).parent / "answers" / "es.yaml"
    document: Mapping[str, Any] = yaml_text.load(path.read_text(encoding="utf-8"))
    return document
