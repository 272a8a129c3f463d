"""Replies of the bot: the answers of the repository, with money and days as the debtor's country writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from babel import Locale

from recobra.conversations.bot.turns import Choice, Facts, Turn, Value
from recobra.kit.date_format import format_date
from recobra.kit.money_format import format_minor
from recobra.messaging.templates.render import resolve_locale
from recobra_core import yaml_text

BUTTONS_MAX: Final = 3
_MONEY: Final = frozenset({"amount", "least"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A message to send. `choices` are shown as numbers in `text` (SMS), as buttons or as a list."""

    text: str
    choices: tuple[Choice, ...]
    shown_as: Literal["numbers", "buttons", "list"]


@cache
def load_answers() -> Mapping[str, Mapping[str, Any]]:
    """Return every answer by its id: `text`, and whether it `discloses` a debt or `asks` for payment."""
    answers: Mapping[str, Mapping[str, Any]] = _load_document()["answers"]
    return answers


def render_reply(turn: Turn, *, facts: Facts, channel: str, link: str = "") -> Reply | None:
    """Return the message of a turn, None where nothing is to be sent; `link` is the pay link that was asked for."""
    if turn.answer is None:
        return None
    locale = resolve_locale("es", facts.country)
    values = {name: _format_value(name, value, facts, locale) for name, value in turn.variables.items()}
    if link:
        values["link"] = link
    lines = []
    if turn.introduce:
        introduction = "introduction_own" if facts.sender == facts.creditor else "introduction"
        lines.append(str(_load_document()[introduction]).format(sender=facts.sender, creditor=facts.creditor))
    lines.append(str(load_answers()[turn.answer]["text"]).format(**values))
    choices = tuple(Choice(id=choice, title=_choice_title(choice, facts, locale)) for choice in turn.choices)
    if channel != "whatsapp" or not choices:
        lines += [f"{number}. {choice.title}" for number, choice in enumerate(choices, 1)]
        return Reply(text="\n".join(lines), choices=choices, shown_as="numbers")
    shown_as: Literal["buttons", "list"] = "buttons" if len(choices) <= BUTTONS_MAX else "list"
    return Reply(text="\n".join(lines), choices=choices, shown_as=shown_as)


def format_hours(*, begin: str, end: str) -> str:
    """Return the office hours as the bot writes them."""
    return str(_load_document()["hours"]).format(begin=begin, end=end)


def _format_value(name: str, value: Value, facts: Facts, locale: Locale) -> str:
    """Return a variable of an answer as text: a day in full, money in the debtor's currency, anything else as it is."""
    if isinstance(value, date):
        return format_date(value, "full", locale)
    if name in _MONEY and isinstance(value, int):
        return format_minor(value, facts.currency, locale)
    return str(value)


def _choice_title(choice: str, facts: Facts, locale: Locale) -> str:
    """Return the title of a choice: for a plan its instalments («3 × S/ 100,00»), else the text in the file."""
    for plan in facts.allowed_plans:
        if choice == f"plan:{plan.id}":
            return f"{plan.instalments} × {format_minor(plan.instalment_minor, facts.currency, locale)}"
    return str(_load_document()["choices"][choice])


@cache
def _load_document() -> Mapping[str, Any]:
    path = Path(__file__).parent / "answers" / "es.yaml"
    document: Mapping[str, Any] = yaml_text.load(path.read_text(encoding="utf-8"))
    return document
