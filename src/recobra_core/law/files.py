"""Files of the law of contact (`data/<CC>.yaml`), read and checked: their hours, channels and caps.

A wrong file stops the program: the error names file and key.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from recobra_core import yaml_text
from recobra_core.channels import CHANNELS
from recobra_core.law.clause_files import SECTIONS, read_sections
from recobra_core.law.model import ALWAYS, WEEKDAYS, Cap, Country, HolidayCalendar, Rule, Window
from recobra_core.law.nodes import BASES, NOTHING, LawFileError, Node

__all__ = ["LawFileError", "Node", "load_countries", "read_country", "read_windows"]

MINUTES_A_DAY = 24 * 60


@cache
def load_countries() -> Mapping[str, Country]:
    """Return every country by its ISO code. Raises LawFileError."""
    folder = resources.files("recobra_core.law") / "data"
    files = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    countries = {}
    for file in sorted(files, key=lambda file: file.name):
        country = read_country(file.read_text(encoding="utf-8"), file=file.name)
        countries[country.code] = country
    return MappingProxyType(countries)


def read_country(text: str, *, file: str) -> Country:
    """Check one country's file and freeze it. Raises LawFileError."""
    node = Node(yaml_text.load(text), file)
    node.check_keys(
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
        raise node.error("country", f"the name of the file, {file}", code)
    calendar = node.get_child("holiday_calendar")
    calendar.check_keys("code", "categories", "subdivisions", "note")
    subdivisions = node.get_child("subdivisions", NOTHING)
    regions = {region: subdivisions.get_child(region) for region in subdivisions.raw}
    regional_articles = {region: entry.raw.get("articles", {}) for region, entry in regions.items()}
    zones = node.get_child("zones_by_subdivision", NOTHING)
    return Country(
        code=code,
        name=node.get("name", str),
        currency=node.get("currency", str),
        authority=node.get("authority", str),
        note=node.get("note", str, None),
        time_zones=node.get_names("time_zones"),
        zones_by_subdivision=MappingProxyType({region: zones.get_names(region) for region in zones.raw}),
        calendar=HolidayCalendar(
            code=calendar.get("code", str),
            categories=calendar.get_names("categories"),
            subdivisions=calendar.get("subdivisions", bool),
        ),
        rules=_read_rules(node, node, code),
        subdivisions=MappingProxyType({region: _read_rules(entry, node, region) for region, entry in regions.items()}),
        sections=read_sections(node, place=code, complete=True),
        local_sections=MappingProxyType(
            {region: read_sections(entry, place=region, complete=False) for region, entry in regions.items()}
        ),
        articles=_freeze_value({**node.get_child("articles").raw, "subdivisions": regional_articles}),
    )


def _read_rules(node: Node, top: Node, place: str) -> tuple[Rule, ...]:
    """Return all versions of a place, one value per channel; `top` holds the country's named caps."""
    if "rules" not in node.raw:
        return ()
    versions: dict[tuple[str, date], Rule] = {}
    for entry in node.get_children("rules"):
        # One entry may speak of several channels; each becomes a rule of its own.
        for channel in entry.get_names("channels", CHANNELS):
            rule = _read_rule(entry, top, place, channel)
            if (channel, rule.effective_from) in versions:
                raise entry.error("channels", "one version per channel and day", channel)
            versions[channel, rule.effective_from] = rule
    return tuple(versions.values())


def _read_rule(node: Node, top: Node, place: str, channel: str) -> Rule:
    """Read an entry's rule for one of its channels; `top` holds the caps that it names."""
    node.check_keys(
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
    consent = node.get_child("consent", NOTHING)
    required = bool(consent.raw) and consent.get("required", bool)
    return Rule(
        place=place,
        channel=channel,
        # The day it took force is not known: it judges every day.
        effective_from=node.get("effective_from", date, None) or ALWAYS,
        allowed=node.get("allowed", bool),
        basis=node.get_choice("basis", BASES),
        windows=read_windows(node.get_child("windows")),
        open_on_holidays=node.get_choice("holidays", ("open", "closed")) == "open",
        caps=tuple(_read_cap(top, name) for name in node.get_names("caps")),
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
        # One weekday alone is a span of one day.
        last = last or first
        if first not in WEEKDAYS or last not in WEEKDAYS:
            raise node.error(key, "a weekday or two, such as mon-fri", key)
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last) + 1):
            if week[weekday] is not None:
                raise node.error(key, "each weekday once", WEEKDAYS[weekday])
            week[weekday] = _parse_window(node, key)
    return tuple(week)


def _parse_window(node: Node, key: str) -> Window:
    """Read hours such as `07:00-20:00` as minutes of the day."""
    text = node.get(key, str)
    match = re.fullmatch(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", text)
    if not match:
        raise node.error(key, "hours such as '07:00-20:00'", text)
    opens_hour, opens_minute, closes_hour, closes_minute = map(int, match.groups())
    opens = opens_hour * 60 + opens_minute
    closes = closes_hour * 60 + closes_minute
    if not 0 <= opens < closes <= MINUTES_A_DAY:
        raise node.error(key, "an opening before its closing, until 24:00", text)
    return Window(opens=opens, closes=closes)


def _read_cap(top: Node, name: str) -> Cap:
    """Read the cap (`n` contacts per period) or gap (`clear_days`) that the country calls `name`."""
    node = top.get_child("caps").get_child(name)
    node.check_keys(
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
    is_gap = "clear_days" in node.raw
    scope = "group" if is_gap else node.get_choice("scope", ("channel", "all", "group", "after_conversation"))
    counts = node.get_choice("counts", ("contacts", "attempts", "distinct_channels"), "contacts")
    n = node.get("clear_days" if is_gap else "n", int)
    least = 1
    most = 366
    if scope == "after_conversation":
        # A conversation leaves no room for any contact.
        least = 0
        most = 0
    elif counts == "distinct_channels":
        # The only such rule known is one channel a week.
        most = 1
    if not least <= n <= most:
        raise node.error("n", f"a number from {least} to {most}", n)
    return Cap(
        rule=f"{top.get('country', str)}/{name}",
        scope=scope,
        n=n,
        per="clear_days" if is_gap else node.get_choice("per", ("day", "week", "7_consecutive_days")),
        week=node.get_choice("week", ("both", "calendar", "rolling"), "both"),
        counts=counts,
        channels=node.get_names("channels", CHANNELS) if scope in {"group", "after_conversation"} else (),
        subject=node.get_choice("subject", ("debtor", "debt"), "debtor"),
        basis=node.get_choice("basis", BASES),
        source=node.get("source", str),
        certainty=node.get("certainty", str, "default"),
    )


def _freeze_value(value: Any) -> Any:
    """Return YAML's lists and mappings as tuples and read-only mappings, all the way down."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: _freeze_value(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_freeze_value(item) for item in value)
    return value
