"""Phrases that tell people a country's law, per language: data, so that no screen writes its own."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from recobra_core import yaml_text
from recobra_core.law.cautions import MARK
from recobra_core.law.model import Cap, Window

LANGUAGES = ("en", "es")
MIDNIGHT = 24 * 60


@cache
def load_phrases(language: str) -> dict[str, Any]:
    """Return the phrases of a language. Raises KeyError for one that has none."""
    if language not in LANGUAGES:
        raise KeyError(language)
    file = resources.files("recobra_core.law") / "phrases" / f"{language}.yaml"
    return dict(yaml_text.load(file.read_text(encoding="utf-8")))


def describe_key(key: str, language: str) -> str:
    """Return a key of a list, such as how_to_pay, in words."""
    return str(load_phrases(language).get("lists", {}).get(key) or key.replace("_", " "))


@cache
def load_texts(language: str) -> Mapping[str, str]:
    """Return translations of the data's own texts, by the text they translate; none for English. Raises KeyError."""
    load_phrases(language)
    file = resources.files("recobra_core.law") / "phrases" / f"{language}_data.yaml"
    if not file.is_file():
        return {}
    document = yaml_text.load(file.read_text(encoding="utf-8"))
    return dict(document["texts"])


def translate_text(written: str, language: str) -> str:
    """Return a text of the data in a language; where it has no translation, as it is."""
    if written.startswith(MARK):
        return str(load_phrases(language)["caution"]) + translate_text(written.removeprefix(MARK), language)
    return load_texts(language).get(written, written)


def describe_hours(windows: tuple[Window | None, ...], language: str) -> tuple[str, ...]:
    """Return opening hours by weekday: one line per run of days that open alike."""
    phrases = load_phrases(language)
    names = phrases["weekdays"]
    lines: list[str] = []
    # `start` is the first day of a run, `end` the day after its last; Sunday always ends one.
    start = 0
    for end in range(1, len(windows) + 1):
        if end < len(windows) and windows[end] == windows[start]:
            continue
        window = windows[start]
        if window:
            days = names[start]
            if end - start > 1:
                days = phrases["weekday_span"].format(first=names[start], last=names[end - 1])
            is_all_day = window.opens == 0 and window.closes == MIDNIGHT
            line = phrases["all_day" if is_all_day else "hours"]
            opens = _format_minutes(window.opens)
            closes = _format_minutes(window.closes)
            lines.append(line.format(days=days, opens=opens, closes=closes))
        start = end
    return tuple(lines)


def describe_cap(cap: Cap, language: str) -> str:
    """Return a cap or gap in words."""
    phrases = load_phrases(language)
    if cap.counts == "distinct_channels":
        return str(phrases["other_channel"])
    if cap.scope == "after_conversation":
        return str(phrases["after_conversation"])
    scope = phrases["scopes"][cap.scope].format(channels=join_channels(cap.channels, language))
    if cap.per == "clear_days":
        return str(phrases["gap"].format(n=cap.n, scope=scope))
    # A limit of contacts per day also counts attempts that reached nobody, and the phrase says so.
    is_per_day = cap.counts == "contacts" and cap.per == "day"
    counts = phrases["counts_one" if cap.n == 1 else "counts"]
    counted = counts["contacts_day" if is_per_day else cap.counts]
    line = str(phrases["cap"].format(n=cap.n, counts=counted, period=phrases["periods"][cap.per], scope=scope))
    if cap.subject == "debt":
        line += phrases["per_debt"]
    return line


def join_channels(names: Iterable[str], language: str) -> str:
    """Return the names of channels, joined by commas."""
    return ", ".join(str(load_phrases(language)["channels"][name]) for name in names)


def _format_minutes(minutes: int) -> str:
    """Return minutes of the day as `07:00`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
