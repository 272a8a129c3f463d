"""Keywords that change the ledger of consent: opt-out, wrong person, resumption; dated data, matched before all else.

`spoken_refusals` holds the plainer sentences that the bot obeys too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal

from recobra.consent import spoken_refusals
from recobra.kit.plain_text import normalise_text
from recobra_core import yaml_text
from recobra_core.folding import is_invisible, replace_lookalikes

Act = Literal["OPTED_OUT", "NOT_ME", "RESUMED"]
_FILE: Final = Path(__file__).parent / "keywords.yaml"
# Where the quoted text of an e-mail begins. It is our own message, whose footer says BAJA.
_QUOTE = re.compile(
    r"^(?:>.*|_{5,}|-{2,} ?(?:original|mensaje|forwarded|reenviad).*"
    r"|(?:el|on|em|de|from) .{3,120}(?:escribi[oó]|wrote|escreveu) ?:?)\s*$",
    re.IGNORECASE,
)
_DENIED_NAME = re.compile(
    r"(?:yo )?(?:no soy|no conozco a|nao sou)(?: (?:el|la|don|doña|señor|señora|sr|sra|o|a))* (.+)"
)


# A wrong person is silenced too, and an opt-out outweighs a resumption.
_STRICTEST_FIRST: Final[tuple[Act, ...]] = ("NOT_ME", "OPTED_OUT", "RESUMED")


@dataclass(frozen=True, slots=True, kw_only=True)
class _WordBlock:
    """Words that amount to an act when they are the whole message, from a day on."""

    act: Act
    effective_from: date
    words: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _PatternBlock:
    """A pattern that amounts to an act when it matches the whole message, from a day on."""

    act: Act
    effective_from: date
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keywords:
    """The keyword file. `courtesy` is a greeting or thanks at either end; `buttons` are acts by the button's code."""

    words: tuple[_WordBlock, ...]
    patterns: tuple[_PatternBlock, ...]
    courtesy: re.Pattern[str]
    buttons: dict[str, Act]


def recognise_act(text: str, *, day: date, names: Sequence[str] = ()) -> Act | None:
    """Return the act that a message amounts to, None for any that is more than that («no soy de pagar tarde»).

    `names` are those of the debtors at the number: «no soy Rosa» denies only a Rosa who is sought there. «Cancelar»
    is no act: it means to pay in much of Latin America, and the bot asks.
    """
    own_text = _strip_quotes(text)
    message = normalise_text(own_text)
    core = _strip_courtesy(message)
    keywords = _load_keywords()
    acts: set[Act] = set()
    for block in keywords.words:
        if block.effective_from <= day and (message in block.words or core in block.words):
            acts.add(block.act)
    for rule in keywords.patterns:
        if rule.effective_from <= day and rule.pattern.fullmatch(core):
            acts.add(rule.act)
    is_refusal = spoken_refusals.match_refusal(text=own_text, today=day) == "opt_out"
    # Each of the two files has its own courtesies, so a word that is left without one is looked up as well.
    if is_refusal or core in spoken_refusals.keywords_of(intent="opt_out", today=day):
        acts.add("OPTED_OUT")
    # A wrong person retires the number for ever, so only a message that says nothing else counts; the bot asks about
    # the rest.
    if core in spoken_refusals.keywords_of(intent="wrong_person", today=day) or _denies_name(core, names):
        acts.add("NOT_ME")
    for act in _STRICTEST_FIRST:
        if act in acts:
            return act
    return None


def recognise_button(code: str) -> Act | None:
    """Return the act that the code of a button stands for."""
    return _load_keywords().buttons.get(code.strip().casefold().replace("-", "_"))


def _strip_courtesy(message: str) -> str:
    """Return a message without greetings and thanks at its ends, as many as there are («hola, BAJA, gracias»)."""
    courtesy = _load_keywords().courtesy
    core = message
    while (stripped := courtesy.sub("", core).strip()) != core:
        core = stripped
    return core


def _denies_name(message: str, names: Sequence[str]) -> bool:
    """Return whether a message denies being one of the names, by any part of it («no soy Rosa» for Rosa Quispe)."""
    match = _DENIED_NAME.fullmatch(message)
    if match is None:
        return False
    denied = set(match.group(1).split())
    return any(denied <= set(normalise_text(name).split()) for name in names)


def _strip_quotes(text: str) -> str:
    """Return the lines above the first quote, with look-alike letters replaced and invisible ones removed.

    «ВАЈА» in Cyrillic is an opt-out too, and a zero-width space would hide a keyword.
    """
    lines = []
    for line in text.splitlines():
        if _QUOTE.match(line.strip()):
            break
        lines.append(line)
    latin = replace_lookalikes(unicodedata.normalize("NFKC", "\n".join(lines)))
    return "".join(character for character in latin if not is_invisible(character))


@cache
def _load_keywords() -> _Keywords:
    """Return the keyword file, read once per process."""
    document = yaml_text.load(_FILE.read_text(encoding="utf-8"))
    words = [
        _WordBlock(act=block["act"], effective_from=block["effective_from"], words=frozenset(block["words"]))
        for block in document["words"]
    ]
    patterns = []
    for block in document["patterns"]:
        alternatives = "|".join(f"(?:{pattern})" for pattern in block["whole"])
        patterns.append(
            _PatternBlock(act=block["act"], effective_from=block["effective_from"], pattern=re.compile(alternatives))
        )
    courtesy = "|".join(document["courtesy"])
    return _Keywords(
        words=tuple(words),
        patterns=tuple(patterns),
        courtesy=re.compile(rf"^(?:{courtesy})\b|\b(?:{courtesy})$"),
        buttons=document["buttons"],
    )
