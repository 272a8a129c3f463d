"""Conversion of a rule document to flat form fields and back, and loosenings of the law by field."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from recobra.console import labels
from recobra.console.screens.countries.description import weekday_names
from recobra_core import law
from recobra_core.law import Loosening
from recobra_core.law.model import WEEKDAYS

Shape = dict[str, Any]
CAP_ROWS: Final = 3
RULES_MAX: Final = 20
PERIODS: Final = ("day", "week", "month", "clear_days")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# Part of a rule -> the field of the form that shows what it would loosen.
_FIELD_OF: Final = {"windows": "windows", "caps": "caps", "never": "channels"}


class FormUnreadable(Exception):
    """The form cannot be read as a rule; `errors` by rule (from 0) and field."""

    def __init__(self, errors: dict[int, dict[str, list[str]]]) -> None:
        super().__init__("unreadable")
        self.errors = errors


def from_rules(rules: law.CompanyRules) -> Shape:
    """Return the fields of a rule document."""
    return {"visits": rules.visits_open, "rules": [_rule_fields(rule) for rule in rules.rules]}


def _rule_fields(rule: Any) -> Shape:
    windows = rule.windows or (None,) * 7
    week = [(_format_time(window.opens), _format_time(window.closes)) if window else ("", "") for window in windows]
    return {
        "countries": list(rule.countries),
        "channels": list(rule.channels),
        "never": rule.never is True,
        "limits_hours": rule.windows is not None,
        "week": week,
        "closed_days": "\n".join(day.isoformat() for day in sorted(rule.closed_days)),
        "holidays": rule.open_on_holidays is False,
        "consent": rule.consent_required is True,
        "no_work": rule.workplace == (),
        "age": str(rule.max_debt_age_days or ""),
        "caps": _pad_caps([{"n": str(cap.n), "per": cap.per, "scope": cap.scope} for cap in rule.caps]),
    }


def _pad_caps(caps: list[Shape]) -> list[Shape]:
    """Return the caps with empty rows after them: CAP_ROWS in all, and one at least."""
    empty_rows = max(CAP_ROWS - len(caps), 1)
    return caps + [{"n": "", "per": "week", "scope": "all"} for _row in range(empty_rows)]


def empty_rule() -> Shape:
    """Return the fields of a rule without any limit."""
    return {
        "countries": [],
        "channels": [],
        "never": False,
        "limits_hours": False,
        "week": [("", "")] * 7,
        "closed_days": "",
        "holidays": False,
        "consent": False,
        "no_work": False,
        "age": "",
        "caps": _pad_caps([]),
    }


def from_post(posted: QueryDict) -> Shape:
    """Return the fields as they were posted, without removed rules and with an empty one if it was added."""
    text = posted.get("n", "0")
    count = min(int(text), RULES_MAX) if text.isdecimal() and len(text) < 4 else 0
    rules = [_posted_rule(posted, f"r{index}-") for index in range(count) if f"r{index}-gone" not in posted]
    if "add" in posted:
        rules.append(empty_rule())
    else:
        rules = [rule for rule in rules if rule != empty_rule()] or [empty_rule()]
    return {"visits": "visits" in posted, "rules": rules}


def _posted_rule(posted: QueryDict, prefix: str) -> Shape:
    week = [(posted.get(f"{prefix}{day}-opens", ""), posted.get(f"{prefix}{day}-closes", "")) for day in WEEKDAYS]
    rows = zip(*(posted.getlist(f"{prefix}cap-{name}") for name in ("n", "per", "scope")), strict=False)
    caps = [{"n": n.strip(), "per": per, "scope": scope} for n, per, scope in rows]
    return {
        **{name: posted.getlist(f"{prefix}{name}") for name in ("countries", "channels")},
        **{name: f"{prefix}{name}" in posted for name in ("never", "limits_hours", "holidays", "consent", "no_work")},
        "week": week,
        "closed_days": posted.get(f"{prefix}closed_days", ""),
        "age": posted.get(f"{prefix}age", "").strip(),
        "caps": _pad_caps([cap for cap in caps if cap["n"]]),
    }


def to_document(shape: Shape) -> dict[str, Any]:
    """Return the document of the fields; the law judges it elsewhere. Raises FormUnreadable."""
    errors: dict[int, dict[str, list[str]]] = {}
    rules = []
    for index, fields in enumerate(shape["rules"]):
        rule_errors: dict[str, list[str]] = defaultdict(list)
        # An empty rule is a mistake, unless the document opens visits and needs no rule.
        if fields != empty_rule() or not shape["visits"]:
            rules.append(_rule_document(fields, rule_errors))
        if rule_errors:
            errors[index] = dict(rule_errors)
    if errors:
        raise FormUnreadable(errors)
    return {"visits": "open" if shape["visits"] else "closed", "rules": rules}


def _rule_document(fields: Shape, errors: dict[str, list[str]]) -> dict[str, Any]:
    rule: dict[str, Any] = {name: fields[name] for name in ("countries", "channels") if fields[name]}
    limits: dict[str, Any] = {}
    if fields["never"]:
        limits["never"] = True
    if fields["limits_hours"]:
        limits["windows"] = _parse_windows(fields["week"], errors)
    if days := _parse_days(fields["closed_days"], errors):
        limits["closed_days"] = days
    if caps := _parse_caps(fields["caps"], errors):
        limits["caps"] = caps
    limits |= {"holidays": "closed"} if fields["holidays"] else {}
    limits |= {"consent": "required"} if fields["consent"] else {}
    limits |= {"workplace": []} if fields["no_work"] else {}
    if fields["age"]:
        limits["max_debt_age_days"] = _parse_number(fields["age"], 36_500, "age", errors)
    if not limits:
        errors["channels"].append(_("This rule asks nothing yet: set hours, limits, days or a bar."))
    return {**rule, **limits}


def _parse_windows(week: Iterable[tuple[str, str]], errors: dict[str, list[str]]) -> dict[str, str]:
    windows = {}
    for day, (_short, name), (opens, closes) in zip(WEEKDAYS, weekday_names(), week, strict=True):
        # Browsers have no 24:00; a window that closes at midnight is posted as 00:00.
        until = "24:00" if closes == "00:00" else closes
        if not opens and not closes:
            continue
        if not _TIME.fullmatch(opens) or not (until == "24:00" or _TIME.fullmatch(until)) or opens >= until:
            errors["windows"].append(_("%(day)s: an opening before its closing is expected.") % {"day": name})
        windows[day] = f"{opens}-{until}"
    return windows


def _parse_days(text: str, errors: dict[str, list[str]]) -> list[str]:
    days = []
    for word in filter(None, re.split(r"[\s,;]+", text.strip())):
        days.append(_parse_day(word))
        if not days[-1]:
            errors["closed_days"].append(_("«%(day)s» is not a day such as 24/12/2026.") % {"day": word[:20]})
    return days


def _parse_day(text: str) -> str:
    """Return a day in ISO format, '' for what is no day."""
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, pattern).date().isoformat()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    return ""


def _parse_caps(caps: list[Shape], errors: dict[str, list[str]]) -> list[dict[str, Any]]:
    documents = []
    for cap in caps:
        if cap["n"]:
            n = _parse_number(cap["n"], 31, "caps", errors)
            scope = cap["scope"] if cap["scope"] in {"channel", "all"} else "all"
            is_gap = cap["per"] == "clear_days"
            per = cap["per"] if cap["per"] in PERIODS else "week"
            documents.append({"clear_days": n, "scope": scope} if is_gap else {"n": n, "per": per, "scope": scope})
    return documents


def _parse_number(text: str, highest: int, field: str, errors: dict[str, list[str]]) -> int:
    if text.isdecimal() and len(text) < 7 and 1 <= int(text) <= highest:
        return int(text)
    errors[field].append(_("A number from 1 to %(most)d is expected.") % {"most": highest})
    # Any number will do: a form with errors is not saved.
    return 1


def group_loosenings(loosenings: Iterable[Loosening]) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """Return the loosenings by rule (from 0; -1 for the whole company) and field; those by one article as one."""
    grouped: dict[int, dict[str, dict[tuple[str, str], dict[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for loosening in loosenings:
        # A rule is named «code/number», its number counted from 1.
        number = loosening.company_rule.rpartition("/")[2]
        index = int(number) - 1 if loosening.key != "visits" and number.isdecimal() else -1
        part = loosening.key.partition(":")[0]
        entry = grouped[index][_FIELD_OF.get(part, part)].setdefault(
            (loosening.what, loosening.article),
            {
                "what": loosening.what,
                "article": loosening.article,
                "rule": loosening.rule,
                "basis": loosening.basis,
                "channels": [],
            },
        )
        channel = labels.label_of("channel", loosening.channel)
        entry["channels"] = [*dict.fromkeys([*entry["channels"], channel])]
    return {
        index: {field: list(entries.values()) for field, entries in by_field.items()}
        for index, by_field in grouped.items()
    }


def _format_time(minutes: int) -> str:
    return "00:00" if minutes == 24 * 60 else f"{minutes // 60:02d}:{minutes % 60:02d}"
