"""Read and check the countries' files. A wrong file stops the program: the error names file and key."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from recobra_core import yaml_text
from recobra_core.law.clause_files import SECTIONS, read_sections
from recobra_core.law.model import ALWAYS, CHANNELS, WEEKDAYS, Cap, Country, HolidayCalendar, Rule, Window
from recobra_core.law.nodes import BASES, NOTHING, LawFileError, Node

__all__ = ["LawFileError", "Node", "load_countries", "read_country", "read_windows"]

MINUTES_A_DAY = 24 * 60


@cache
def load_countries() -> Mapping[str, Country]:
    """Every country by its ISO code."""
    folder = resources.files("recobra_core.law") / "data"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    found = [read_country(f.read_text(encoding="utf-8"), file=f.name) for f in files]
    return MappingProxyType({country.code: country for country in found})


def read_country(text: str, *, file: str) -> Country:
    """Check one country's file and freeze it. Raises LawFileError."""
    node = Node(yaml_text.load(text), file)
    node.only(
        "country",
        "name",
        "currency",
        "authority",
        "note",
        "time_zones",
        "zones_by_subdivision",
        "holiday_calendar",
        "caps",
        "rules",
        "subdivisions",
        "articles",
        *SECTIONS,
    )
    code = node.get("country", str)
    if file != f"{code}.yaml":
        raise node.wrong("country", f"the name of the file, {file}", code)
    regions = node.child("subdivisions", NOTHING)
    zones = node.child("zones_by_subdivision", NOTHING)
    return Country(
        code=code,
        name=node.get("name", str),
        currency=node.get("currency", str),
        authority=node.get("authority", str),
        note=node.get("note", str, None),
        time_zones=node.names("time_zones"),
        zones_by_subdivision=MappingProxyType({key: zones.names(key) for key in zones.raw}),
        calendar=_calendar(node.child("holiday_calendar")),
        rules=_rules(node, node, code),
        subdivisions=MappingProxyType({s: _rules(regions.child(s), node, s) for s in regions.raw}),
        sections=read_sections(node, place=code, complete=True),
        local_sections=MappingProxyType(
            {s: read_sections(regions.child(s), place=s, complete=False) for s in regions.raw}
        ),
        articles=_frozen(
            {
                **node.get("articles", Mapping),
                "subdivisions": {s: regions.child(s).raw.get("articles", {}) for s in regions.raw},
            }
        ),
    )


def _calendar(node: Node) -> HolidayCalendar:
    node.only("code", "categories", "subdivisions", "note")
    return HolidayCalendar(
        code=node.get("code", str),
        categories=node.names("categories"),
        subdivisions=node.get("subdivisions", bool),
    )


def _rules(node: Node, top: Node, place: str) -> tuple[Rule, ...]:
    """All versions of a place, one value per channel; `top` holds the country's named caps."""
    if "rules" not in node.raw:
        return ()
    found: dict[tuple[str, date], Rule] = {}
    for entry in node.children("rules"):
        for channel in entry.names("channels", CHANNELS):
            rule = _rule(entry, top, place, channel)
            if (channel, rule.effective_from) in found:
                raise entry.wrong("channels", "one version per channel and day", channel)
            found[channel, rule.effective_from] = rule
    return tuple(found.values())


def _rule(node: Node, top: Node, place: str, channel: str) -> Rule:
    node.only(
        "channels",
        "effective_from",
        "allowed",
        "basis",
        "windows",
        "holidays",
        "caps",
        "consent",
        "source",
        "certainty",
        "note",
    )
    consent = node.child("consent", NOTHING)
    required = bool(consent.raw) and consent.get("required", bool)
    return Rule(
        place=place,
        channel=channel,
        effective_from=node.get("effective_from", date, None) or ALWAYS,
        allowed=node.get("allowed", bool),
        basis=node.one_of("basis", BASES),
        windows=read_windows(node.child("windows")),
        open_on_holidays=node.one_of("holidays", ("open", "closed")) == "open",
        caps=tuple(_cap(top, name) for name in node.names("caps")),
        consent_source=consent.get("source", str) if required else None,
        source=node.get("source", str),
        certainty=node.get("certainty", str),
        note=node.get("note", str, None),
    )


def read_windows(node: Node) -> tuple[Window | None, ...]:
    """Read `mon-fri: "07:00-20:00"` as seven windows; a weekday that is not listed is closed."""
    week: list[Window | None] = [None] * len(WEEKDAYS)
    for key in node.raw:
        first, _, last = key.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise node.wrong(key, "a weekday or two, such as mon-fri", key)
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1):
            if week[weekday] is not None:
                raise node.wrong(key, "each weekday once", WEEKDAYS[weekday])
            week[weekday] = _window(node, key)
    return tuple(week)


def _window(node: Node, key: str) -> Window:
    text = node.get(key, str)
    found = re.fullmatch(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", text)
    if not found:
        raise node.wrong(key, "hours such as '07:00-20:00'", text)
    hours = [int(part) for part in found.groups()]
    opens, closes = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if not 0 <= opens < closes <= MINUTES_A_DAY:
        raise node.wrong(key, "an opening before its closing, until 24:00", text)
    return Window(opens=opens, closes=closes)


def _cap(top: Node, name: str) -> Cap:
    node = top.child("caps").child(name)
    node.only(
        "n",
        "per",
        "week",
        "scope",
        "counts",
        "channels",
        "clear_days",
        "subject",
        "basis",
        "source",
        "certainty",
        "note",
    )
    gap = "clear_days" in node.raw
    scope = "group" if gap else node.one_of("scope", ("channel", "all", "group", "after_conversation"))
    counts = node.one_of("counts", ("contacts", "attempts", "distinct_channels"), "contacts")
    n = node.get("clear_days" if gap else "n", int)
    # A conversation leaves no contact at all (0); several channels a week is the only such rule known.
    least, most = {"after_conversation": (0, 0)}.get(scope, (1, 1 if counts == "distinct_channels" else 366))
    if not least <= n <= most:
        raise node.wrong("n", f"a number from {least} to {most}", n)
    return Cap(
        rule=f"{top.get('country', str)}/{name}",
        scope=scope,
        n=n,
        per="clear_days" if gap else node.one_of("per", ("day", "week", "7_consecutive_days")),
        week=node.one_of("week", ("both", "calendar", "rolling"), "both"),
        counts=counts,
        channels=node.names("channels", CHANNELS) if scope in {"group", "after_conversation"} else (),
        subject=node.one_of("subject", ("debtor", "debt"), "debtor"),
        basis=node.one_of("basis", BASES),
        source=node.get("source", str),
        certainty=node.get("certainty", str, "default"),
    )


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
