"""The phrases in which a country's law is told, per language: data, so that no screen writes its own."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from recobra_core import yaml_text
from recobra_core.law.model import Cap, Window

LANGUAGES = ("en", "es")
MIDNIGHT = 24 * 60


@cache
def load_phrases(language: str) -> dict[str, Any]:
    """The table of a language. Raises KeyError for one that has none."""
    if language not in LANGUAGES:
        raise KeyError(language)
    file = resources.files("recobra_core.law") / "phrases" / f"{language}.yaml"
    return dict(yaml_text.load(file.read_text(encoding="utf-8")))


def describe_key(key: str, language: str) -> str:
    """A key of a list, such as how_to_pay, in words."""
    return str(load_phrases(language).get("lists", {}).get(key) or key.replace("_", " "))


@cache
def load_texts(language: str) -> Mapping[str, str]:
    """The data's own texts in a language, by what the data has; empty for English. Raises KeyError."""
    load_phrases(language)
    file = resources.files("recobra_core.law") / "phrases" / f"{language}_data.yaml"
    return dict(yaml_text.load(file.read_text(encoding="utf-8"))["texts"]) if file.is_file() else {}


def translate_text(written: str, language: str) -> str:
    """A text of the data in a language, or as the data has it."""
    return load_texts(language).get(written, written)


def describe_hours(windows: tuple[Window | None, ...], language: str) -> tuple[str, ...]:
    """Opening hours by weekday: one line per run of days that open alike."""
    told = load_phrases(language)
    lines: list[str] = []
    start = 0
    for day in range(1, len(windows) + 1):
        if day < len(windows) and windows[day] == windows[start]:
            continue
        window = windows[start]
        if window:
            names = told["weekdays"]
            span = {"first": names[start], "last": names[day - 1]}
            days = names[start] if day - start == 1 else told["weekday_span"].format(**span)
            pattern = "all_day" if (window.opens, window.closes) == (0, MIDNIGHT) else "hours"
            lines.append(told[pattern].format(days=days, opens=_clock(window.opens), closes=_clock(window.closes)))
        start = day
    return tuple(lines)


def describe_cap(limit: Cap, language: str) -> str:
    """A cap or gap in words."""
    told = load_phrases(language)
    if limit.counts == "distinct_channels":
        return str(told["other_channel"])
    if limit.scope == "after_conversation":
        return str(told["after_conversation"])
    scope = told["scopes"][limit.scope].format(channels=join_channels(limit.channels, language))
    if limit.per == "clear_days":
        return str(told["gap"].format(n=limit.n, scope=scope))
    counts = "contacts_day" if (limit.counts, limit.per) == ("contacts", "day") else limit.counts
    counted = told["counts_one" if limit.n == 1 else "counts"][counts]
    line = told["cap"].format(n=limit.n, counts=counted, period=told["periods"][limit.per], scope=scope)
    return str(line) + (told["per_debt"] if limit.subject == "debt" else "")


def join_channels(names: Iterable[str], language: str) -> str:
    """Channels, joined by commas."""
    return ", ".join(str(load_phrases(language)["channels"][name]) for name in names)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
