"""Keywords by which a debtor opts out, denies being the person or resumes: dated data, matched before all else."""

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

Act = Literal["OPTED_OUT", "NOT_ME", "RESUMED"]
_FILE: Final = Path(__file__).parent / "keywords.yaml"
# Letters of other alphabets that look like ours: «ВАЈА» in Cyrillic is an opt-out too.
_LOOK_ALIKES = str.maketrans(
    "авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαεικορτυΑΒΕΙΚΜΝΟΡΤΥΧΖ",
    "abekmhopctyxijsABEKMHOPCTYXIJSaeikoptuABEIKMNOPTYXZ",
)
# Where the quoted text of an e-mail begins. It is our own message, whose footer says BAJA.
_QUOTE = re.compile(
    r"^(?:>.*|_{5,}|-{2,} ?(?:original|mensaje|forwarded|reenviad).*"
    r"|(?:el|on|em|de|from) .{3,120}(?:escribi[oó]|wrote|escreveu) ?:?)\s*$",
    re.IGNORECASE,
)
_DENIED_NAME = re.compile(
    r"(?:yo )?(?:no soy|no conozco a|nao sou)(?: (?:el|la|don|doña|señor|señora|sr|sra|o|a))* (.+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keywords:
    """The keyword file. `words` and `patterns` match the whole message; each has the day from which it holds."""

    words: tuple[tuple[Act, date, frozenset[str]], ...]
    patterns: tuple[tuple[Act, date, re.Pattern[str]], ...]
    courtesy: re.Pattern[str]
    buttons: dict[str, Act]


def recognise_act(text: str, *, day: date, names: Sequence[str] = ()) -> Act | None:
    """Return the act that a message amounts to, None for any that is more than that («no soy de pagar tarde»).

    `names` are those of the debtors at the number: «no soy Rosa» denies only a Rosa who is sought there. «Cancelar»
    is no act: it means to pay in much of Latin America, and the bot asks.
    """
    own_text, keywords = _strip_quotes(text), _load_keywords()
    message = normalise_text(own_text)
    core = message
    while (stripped := keywords.courtesy.sub("", core).strip()) != core:
        core = stripped
    acts = {act for act, since, words in keywords.words if since <= day and {message, core} & words}
    acts |= {act for act, since, pattern in keywords.patterns if since <= day and pattern.fullmatch(core)}
    if spoken_refusals.match_refusal(text=own_text, today=day) == "opt_out":
        acts.add("OPTED_OUT")
    # A wrong person retires the number for ever, so only a message that says nothing else counts; the bot asks about
    # the rest.
    if core in spoken_refusals.keywords_of(intent="wrong_person", today=day) or _denies_name(core, names):
        acts.add("NOT_ME")
    # The stricter act wins: a wrong person is silenced too.
    order: tuple[Act, ...] = ("NOT_ME", "OPTED_OUT", "RESUMED")
    return next((act for act in order if act in acts), None)


def recognise_button(code: str) -> Act | None:
    """Return the act that the code of a button stands for."""
    return _load_keywords().buttons.get(code.strip().casefold().replace("-", "_"))


def _denies_name(message: str, names: Sequence[str]) -> bool:
    match = _DENIED_NAME.fullmatch(message)
    if match is None:
        return False
    denied = set(match.group(1).split())
    return any(denied <= set(normalise_text(name).split()) for name in names)


def _strip_quotes(text: str) -> str:
    """Return the lines above the first quote, with look-alike letters replaced and invisible ones removed."""
    lines = []
    for line in text.splitlines():
        if _QUOTE.match(line.strip()):
            break
        lines.append(line)
    latin = unicodedata.normalize("NFKC", "\n".join(lines)).translate(_LOOK_ALIKES)
    # Cf are characters without a shape, such as zero-width spaces, which would hide a keyword.
    return "".join(character for character in latin if unicodedata.category(character) != "Cf")


@cache
def _load_keywords() -> _Keywords:
    document = yaml_text.load(_FILE.read_text(encoding="utf-8"))
    return _Keywords(
        words=tuple((block["act"], block["effective_from"], frozenset(block["words"])) for block in document["words"]),
        patterns=tuple(
            (
                block["act"],
                block["effective_from"],
                re.compile("|".join(f"(?:{pattern})" for pattern in block["whole"])),
            )
            for block in document["patterns"]
        ),
        courtesy=re.compile(r"^(?:{0})\b|\b(?:{0})$".format("|".join(document["courtesy"]))),
        buttons=document["buttons"],
    )
