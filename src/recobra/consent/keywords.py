"""Messages that are a wish about messages: dated data, read before anything else looks at what a debtor wrote."""

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
# Letters of other alphabets that look like ours: «ВАЈА» in Cyrillic is read as it was meant.
_ALIKE = str.maketrans(
    "авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαεικορτυΑΒΕΙΚΜΝΟΡΤΥΧΖ",
    "abekmhopctyxijsABEKMHOPCTYXIJSaeikoptuABEIKMNOPTYXZ",
)
# Only what the debtor wrote: an answer by e-mail carries our own message, whose footer says BAJA.
_QUOTED = re.compile(
    r"^(?:>.*|_{5,}|-{2,} ?(?:original|mensaje|forwarded|reenviad).*"
    r"|(?:el|on|em|de|from) .{3,120}(?:escribi[oó]|wrote|escreveu) ?:?)\s*$",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?:yo )?(?:no soy|no conozco a|nao sou)(?: (?:el|la|don|doña|señor|señora|sr|sra|o|a))* (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keywords:
    words: tuple[tuple[Act, date, frozenset[str]], ...]
    patterns: tuple[tuple[Act, date, re.Pattern[str]], ...]
    courtesy: re.Pattern[str]
    buttons: dict[str, Act]


def recognise_act(text: str, *, day: date, names: Sequence[str] = ()) -> Act | None:
    """Return the wish that a message is, None where it is none or only mentions one («no soy de pagar tarde»).

    `names` are those of the debtors who are looked for at the number: «no soy Rosa» says something only about them.
    «Cancelar» is none: it is to pay in much of Latin America, and the bot asks.
    """
    own, keywords = _own_words(text), _read()
    message = normalise_text(own)
    core = _core(message, keywords)
    found = {act for act, since, words in keywords.words if since <= day and {message, core} & words}
    found |= {act for act, since, whole in keywords.patterns if since <= day and whole.fullmatch(core)}
    if spoken_refusals.match_refusal(text=own, today=day) == "opt_out":
        found.add("OPTED_OUT")
    # A number is given up for ever: only where nothing else is said. What else sounds like it the bot asks about.
    if core in spoken_refusals.keywords_of(intent="wrong_person", today=day) or _denies_name(core, names):
        found.add("NOT_ME")
    acts: tuple[Act, ...] = ("NOT_ME", "OPTED_OUT", "RESUMED")  # who is not meant wants silence too
    return next((act for act in acts if act in found), None)


def recognise_button(code: str) -> Act | None:
    """Return the wish that the code of a button stands for."""
    return _read().buttons.get(code.strip().casefold().replace("-", "_"))


def _core(message: str, keywords: _Keywords) -> str:
    """Return a message without the courtesy around it."""
    while (bare := keywords.courtesy.sub("", message).strip()) != message:
        message = bare
    return message


def _denies_name(message: str, names: Sequence[str]) -> bool:
    match = _NAMED.fullmatch(message)
    if match is None:
        return False
    said = set(match.group(1).split())
    return any(said <= set(normalise_text(name).split()) for name in names)


def _own_words(text: str) -> str:
    kept = []
    for line in text.splitlines():
        if _QUOTED.match(line.strip()):
            break
        kept.append(line)
    joined = unicodedata.normalize("NFKC", "\n".join(kept)).translate(_ALIKE)
    return "".join(sign for sign in joined if unicodedata.category(sign) != "Cf")


@cache
def _read() -> _Keywords:
    document = yaml_text.load(_FILE.read_text(encoding="utf-8"))
    return _Keywords(
        words=tuple((b["act"], b["effective_from"], frozenset(b["words"])) for b in document["words"]),
        patterns=tuple(
            (b["act"], b["effective_from"], re.compile("|".join(f"(?:{each})" for each in b["whole"])))
            for b in document["patterns"]
        ),
        courtesy=re.compile(r"^(?:{0})\b|\b(?:{0})$".format("|".join(document["courtesy"]))),
        buttons=document["buttons"],
    )
