"""A rule document as flat form fields and back; what is loosened is said beside the field that loosens."""

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
_FIELD_OF: Final = {"windows": "windows", "caps": "caps", "never": "channels"}


class FormUnreadable(Exception):
    """What was typed cannot be a rule; `errors` say why, by rule (from 0) and field."""

    def __init__(self, errors: dict[int, dict[str, list[str]]]) -> None:
        super().__init__("unreadable")
        self.errors = errors


def from_rules(house: law.CompanyRules) -> Shape:
    """Return the fields of a rule document."""
    return {"visits": house.visits_open, "rules": [_rule_fields(rule) for rule in house.rules]}


def _rule_fields(rule: Any) -> Shape:
    windows = rule.windows or (None,) * 7
    week = [(_format_time(each.opens), _format_time(each.closes)) if each else ("", "") for each in windows]
    return {
        "countries": list(rule.countries),
        "channels": list(rule.channels),
        "never": rule.never is True,
        "limits_hours": rule.windows is not None,
        "week": week,
        "closed_days": "\n".join(each.isoformat() for each in sorted(rule.closed_days)),
        "holidays": rule.open_on_holidays is False,
        "consent": rule.consent_required is True,
        "no_work": rule.workplace == (),
        "age": str(rule.max_debt_age_days or ""),
        "caps": _pad_caps([{"n": str(cap.n), "per": cap.per, "scope": cap.scope} for cap in rule.caps]),
    }


def _pad_caps(caps: list[Shape]) -> list[Shape]:
    return caps + [{"n": "", "per": "week", "scope": "all"} for _row in range(max(CAP_ROWS - len(caps), 1))]


def empty_rule() -> Shape:
    """Return the fields of a rule that says nothing yet."""
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
    """Return the fields as they were typed, without the rules that are to go, and one more where it was asked for."""
    count = posted.get("n", "0")
    number = min(int(count), RULES_MAX) if count.isdecimal() and len(count) < 4 else 0
    rules = [_posted_rule(posted, f"r{place}-") for place in range(number) if f"r{place}-gone" not in posted]
    if "add" in posted:
        rules.append(empty_rule())
    else:
        rules = [rule for rule in rules if rule != empty_rule()] or [empty_rule()]
    return {"visits": "visits" in posted, "rules": rules}


def _posted_rule(posted: QueryDict, prefix: str) -> Shape:
    week = [(posted.get(f"{prefix}{day}-opens", ""), posted.get(f"{prefix}{day}-closes", "")) for day in WEEKDAYS]
    rows = zip(*(posted.getlist(f"{prefix}cap-{name}") for name in ("n", "per", "scope")), strict=False)
    given = [{"n": n.strip(), "per": per, "scope": scope} for n, per, scope in rows]
    return {
        **{name: posted.getlist(f"{prefix}{name}") for name in ("countries", "channels")},
        **{name: f"{prefix}{name}" in posted for name in ("never", "limits_hours", "holidays", "consent", "no_work")},
        "week": week,
        "closed_days": posted.get(f"{prefix}closed_days", ""),
        "age": posted.get(f"{prefix}age", "").strip(),
        "caps": _pad_caps([cap for cap in given if cap["n"]]),
    }


def to_document(shape: Shape) -> dict[str, Any]:
    """Return the document of fields. Raises Unreadable; what the law says of it is not judged here."""
    errors: dict[int, dict[str, list[str]]] = {}
    rules = []
    for place, fields in enumerate(shape["rules"]):
        wrong: dict[str, list[str]] = defaultdict(list)
        if fields != empty_rule() or not shape["visits"]:
            rules.append(_rule_document(fields, wrong))
        if wrong:
            errors[place] = dict(wrong)
    if errors:
        raise FormUnreadable(errors)
    return {"visits": "open" if shape["visits"] else "closed", "rules": rules}


def _rule_document(fields: Shape, wrong: dict[str, list[str]]) -> dict[str, Any]:
    rule: dict[str, Any] = {name: fields[name] for name in ("countries", "channels") if fields[name]}
    says: dict[str, Any] = {}
    if fields["never"]:
        says["never"] = True
    if fields["limits_hours"]:
        says["windows"] = _parse_windows(fields["week"], wrong)
    if days := _parse_days(fields["closed_days"], wrong):
        says["closed_days"] = days
    if caps := _parse_caps(fields["caps"], wrong):
        says["caps"] = caps
    says |= {"holidays": "closed"} if fields["holidays"] else {}
    says |= {"consent": "required"} if fields["consent"] else {}
    says |= {"workplace": []} if fields["no_work"] else {}
    if fields["age"]:
        says["max_debt_age_days"] = _parse_number(fields["age"], 36_500, "age", wrong)
    if not says:
        wrong["channels"].append(_("This rule asks nothing yet: set hours, limits, days or a bar."))
    return {**rule, **says}


def _parse_windows(week: Iterable[tuple[str, str]], wrong: dict[str, list[str]]) -> dict[str, str]:
    windows = {}
    for day, (opens, closes) in zip(WEEKDAYS, week, strict=True):
        until = "24:00" if closes == "00:00" else closes
        if not opens and not closes:
            continue
        if not _TIME.fullmatch(opens) or not (until == "24:00" or _TIME.fullmatch(until)) or opens >= until:
            wrong["windows"].append(_("%(day)s: an opening before its closing is expected.") % {"day": _day_name(day)})
        windows[day] = f"{opens}-{until}"
    return windows


def _day_name(day: str) -> str:
    return weekday_names()[WEEKDAYS.index(day)][1]


def _parse_days(text: str, wrong: dict[str, list[str]]) -> list[str]:
    days = []
    for each in re.split(r"[\s,;]+", text.strip()):
        if each:
            days.append(_parse_day(each))
            if not days[-1]:
                wrong["closed_days"].append(_("«%(day)s» is not a day such as 24/12/2026.") % {"day": each[:20]})
    return days


def _parse_day(text: str) -> str:
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    return ""


def _parse_caps(caps: list[Shape], wrong: dict[str, list[str]]) -> list[dict[str, Any]]:
    found = []
    for cap in caps:
        if cap["n"]:
            n = _parse_number(cap["n"], 31, "caps", wrong)
            scope = cap["scope"] if cap["scope"] in {"channel", "all"} else "all"
            gap = cap["per"] == "clear_days"
            per = cap["per"] if cap["per"] in PERIODS else "week"
            found.append({"clear_days": n, "scope": scope} if gap else {"n": n, "per": per, "scope": scope})
    return found


def _parse_number(text: str, most: int, field: str, wrong: dict[str, list[str]]) -> int:
    if text.isdecimal() and len(text) < 7 and 1 <= int(text) <= most:
        return int(text)
    wrong[field].append(_("A number from 1 to %(most)d is expected.") % {"most": most})
    return 1


def group_loosenings(loosenings: Iterable[Loosening]) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """Return what would be loosened by rule (from 0; -1 the whole company) and field, alike ones as one."""
    found: dict[int, dict[str, dict[tuple[str, str], dict[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for each in loosenings:
        last = each.company_rule.rpartition("/")[2]
        place = int(last) - 1 if each.key != "visits" and last.isdecimal() else -1
        field = each.key.partition(":")[0]
        said = found[place][_FIELD_OF.get(field, field)].setdefault(
            (each.what, each.article),
            {"what": each.what, "article": each.article, "rule": each.rule, "basis": each.basis, "channels": []},
        )
        said["channels"] = [*dict.fromkeys([*said["channels"], labels.label_of("channel", each.channel)])]
    return {place: {field: list(said.values()) for field, said in by.items()} for place, by in found.items()}


def _format_time(minutes: int) -> str:
    return "00:00" if minutes == 24 * 60 else f"{minutes // 60:02d}:{minutes % 60:02d}"
