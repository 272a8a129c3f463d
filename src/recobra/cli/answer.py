"""Answers of commands, shown as one JSON object or as lines for a person."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

LOCALE: Final = Path(__file__).parents[1] / "locale"


class CommandRefused(Exception):
    """The command was understood and cannot be done; the text is the one-line reason (exit code 1).

    `text` is said in the language of the commands, with `values` for its %(name)s.
    """

    def __init__(self, text: str, **values: object) -> None:
        said = translate(text)
        super().__init__(said % values if values else said)


def translate(text: str) -> str:
    """Return a text of the catalogue in the language of the commands, also before Django is set up."""
    if os.environ.get("RECOBRA_LANGUAGE") != "es":
        return text
    import gettext  # noqa: PLC0415 - few commands are refused

    return gettext.translation("django", localedir=LOCALE, languages=["es"], fallback=True).gettext(text)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer of a command.

    `lines` are shown to a person in place of the document's own keys and values. `ok` false ends with exit code 1.
    `then` runs after the answer was printed, for commands that go on until they are stopped.
    """

    document: Mapping[str, Any]
    lines: tuple[str, ...] = ()
    ok: bool = True
    reason: str = ""
    then: Callable[[], None] | None = field(default=None, repr=False)


def format_json(document: Mapping[str, Any]) -> str:
    """Return the document as one line of JSON; days and instants in ISO 8601."""
    return json.dumps(document, ensure_ascii=False, default=_json_text)


def _json_text(value: object) -> str:
    """Return the text for a value that JSON does not know."""
    return value.isoformat() if isinstance(value, date) else str(value)


def format_text(answer: Answer) -> str:
    """Return the answer as lines for a person."""
    return "\n".join(answer.lines or _text_lines(answer.document))


def _text_lines(document: Mapping[str, Any], indent: str = "") -> tuple[str, ...]:
    """Return a line for each key and value; what is inside a document or a list of rows is indented below its key."""
    lines: list[str] = []
    for key, value in document.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{key}:")
            lines += _text_lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lines.append(f"{indent}{key}:")
            for row in value:
                cells = [f"{name} {text_value(cell)}" for name, cell in row.items()]
                lines.append(f"{indent}  {'  '.join(cells)}")
        else:
            lines.append(f"{indent}{key}: {text_value(value)}")
    return tuple(lines)


def text_value(value: Any) -> str:
    """Return a value as a person reads it: what a list holds one after the other, `-` for nothing."""
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value)) or None
    return "-" if value is None else str(value)
