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
from recobra.console.parameters import FIRST_YEAR, LAST_YEAR, parse_count, parse_id
from recobra.console.screens.countries.description import weekday_names
from recobra_core import law
from recobra_core.channels import CHANNELS
from recobra_core.law import Loosening
from recobra_core.law.company_rules import CompanyRule
from recobra_core.law.model import WEEKDAYS, Window

# The fields of a form by name, as the template shows them: «visits» and «rules», or those of one rule or cap.
Shape = dict[str, Any]
# Errors of one rule by the field that shows them.
FieldErrors = dict[str, list[str]]
CAP_ROWS: Final = 3
RULES_MAX: Final = 20
_CONTACTS_MAX: Final = 31
# A hundred years.
_DEBT_AGE_DAYS_MAX: Final = 36_500
# A text that cannot be read is quoted up to this length.
_QUOTED_LETTERS: Final = 20
_MIDNIGHT: Final = 24 * 60
# Group of the loosenings of the document as a whole, beside the numbers of its rules.
WHOLE_COMPANY: Final = -1
PERIODS: Final = ("day", "week", "month", "clear_days")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# Part of a rule -> the field of the form that shows what it would loosen.
_FIELD_OF: Final = {"windows": "windows", "caps": "caps", "never": "channels"}


class FormUnreadable(Exception):
    """The form cannot be read as a rule; `errors` by rule (from 0) and field."""

    def __init__(self, errors: dict[int, FieldErrors]) -> None:
        super().__init__("unreadable")
        self.errors = errors


def from_rules(rules: law.CompanyRules, *, decision: str = "") -> Shape:
    """Return the fields of a rule document; `decision` is why the company decides on cautions that are no law."""
    return {"visits": rules.visits_open, "decision": decision, "rules": [_rule_fields(rule) for rule in rules.rules]}


def _rule_fields(rule: CompanyRule) -> Shape:
    """Return the fields of one rule; `week` has the opening and closing of Monday to Sunday, '' for closed days."""
    week = [("", "")] * 7
    if rule.windows:
        week = [_window_fields(window) for window in rule.windows]
    caps = [{"n": str(cap.n), "per": cap.per, "scope": cap.scope} for cap in rule.caps]
    return {
        "countries": list(rule.countries),
        "channels": list(rule.channels),
        "never": rule.never is True,
        "limits_hours": rule.windows is not None,
        "week": week,
        "closed_days": "\n".join(day.isoformat() for day in sorted(rule.closed_days)),
        "stages": list(rule.stages),
        "only_debtor": rule.roles is not None,
        "holidays": rule.open_on_holidays is False,
        "also_holidays": rule.open_on_holidays is True,
        "consent": rule.consent_required is True,
        "no_work": rule.workplace == (),
        "also_work": bool(rule.workplace),
        "age": str(rule.max_debt_age_days or ""),
        "caps": _pad_caps(caps),
    }


def _window_fields(window: Window | None) -> tuple[str, str]:
    """Return an opening and a closing such as 07:00 and 22:00, both '' for a closed day."""
    if window is None:
        return "", ""
    return _format_time(window.opens), _format_time(window.closes)


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
        "stages": [],
        "only_debtor": False,
        "holidays": False,
        "also_holidays": False,
        "consent": False,
        "no_work": False,
        "also_work": False,
        "age": "",
        "caps": _pad_caps([]),
    }


def from_post(posted: QueryDict) -> Shape:
    """Return the fields as they were posted, without removed rules and with an empty one if it was added."""
    count = parse_count(posted.get("n", ""), most=RULES_MAX) or 0
    rules = []
    for index in range(count):
        is_removed = f"r{index}-gone" in posted
        if not is_removed:
            rules.append(_posted_rule(posted, f"r{index}-"))
    if "add" in posted:
        rules.append(empty_rule())
    else:
        filled_rules = [rule for rule in rules if rule != empty_rule()]
        # The form always has a rule to fill in.
        rules = filled_rules or [empty_rule()]
    return {"visits": "visits" in posted, "decision": posted.get("decision", "").strip(), "rules": rules}


def _posted_rule(posted: QueryDict, prefix: str) -> Shape:
    """Return the posted fields of one rule; the names of its inputs begin with `prefix`, such as «r0-»."""
    week = [(posted.get(f"{prefix}{day}-opens", ""), posted.get(f"{prefix}{day}-closes", "")) for day in WEEKDAYS]
    numbers = posted.getlist(f"{prefix}cap-n")
    periods = posted.getlist(f"{prefix}cap-per")
    scopes = posted.getlist(f"{prefix}cap-scope")
    caps = []
    for number, period, scope in zip(numbers, periods, scopes, strict=False):
        if number.strip():
            caps.append({"n": number.strip(), "per": period, "scope": scope})
    return {
        "countries": posted.getlist(f"{prefix}countries"),
        "channels": posted.getlist(f"{prefix}channels"),
        "never": f"{prefix}never" in posted,
        "limits_hours": f"{prefix}limits_hours" in posted,
        "stages": posted.getlist(f"{prefix}stages"),
        "only_debtor": f"{prefix}only_debtor" in posted,
        "holidays": f"{prefix}holidays" in posted,
        "also_holidays": f"{prefix}also_holidays" in posted,
        "consent": f"{prefix}consent" in posted,
        "no_work": f"{prefix}no_work" in posted,
        "also_work": f"{prefix}also_work" in posted,
        "week": week,
        "closed_days": posted.get(f"{prefix}closed_days", ""),
        "age": posted.get(f"{prefix}age", "").strip(),
        "caps": _pad_caps(caps),
    }


def to_document(shape: Shape) -> dict[str, Any]:
    """Return the document of the fields; the law judges it elsewhere. Raises FormUnreadable."""
    errors: dict[int, FieldErrors] = {}
    rules = []
    for index, fields in enumerate(shape["rules"]):
        rule_errors: FieldErrors = defaultdict(list)
        # An empty rule is a mistake, unless the document opens visits and needs no rule.
        if fields != empty_rule() or not shape["visits"]:
            rules.append(_rule_document(fields, rule_errors))
        if rule_errors:
            errors[index] = dict(rule_errors)
    if errors:
        raise FormUnreadable(errors)
    document: dict[str, Any] = {"visits": "open" if shape["visits"] else "closed", "rules": rules}
    if shape["decision"]:
        document["decision"] = shape["decision"]
    return document


def _rule_document(fields: Shape, errors: FieldErrors) -> dict[str, Any]:
    """Return the document of one rule, with only the limits it sets; mistakes are added to `errors`."""
    scope = {name: fields[name] for name in ("countries", "channels", "stages") if fields[name]}
    limits: dict[str, Any] = {}
    if fields["never"]:
        limits["never"] = True
    if fields["only_debtor"]:
        limits["roles"] = ["debtor"]
    if fields["stages"] and not fields["never"] and not fields["only_debtor"]:
        errors["stages"].append(_("Say what is not done in these stages: the channels, or other people."))
    if fields["limits_hours"]:
        limits["windows"] = _parse_windows(fields["week"], errors)
    if days := _parse_days(fields["closed_days"], errors):
        limits["closed_days"] = days
    if caps := _parse_caps(fields["caps"], errors):
        limits["caps"] = caps
    if fields["holidays"] or fields["also_holidays"]:
        limits["holidays"] = "closed" if fields["holidays"] else "open"
    if fields["consent"]:
        limits["consent"] = "required"
    if fields["no_work"] or fields["also_work"]:
        # No channel is left for the debtor's place of work, or all that the rule speaks of.
        limits["workplace"] = [] if fields["no_work"] else fields["channels"] or list(CHANNELS)
    if fields["age"]:
        limits["max_debt_age_days"] = _parse_number(fields["age"], _DEBT_AGE_DAYS_MAX, "age", errors)
    if not limits:
        errors["channels"].append(_("This rule asks nothing yet: set hours, limits, days or a bar."))
    return {**scope, **limits}


def _parse_windows(week: Iterable[tuple[str, str]], errors: FieldErrors) -> dict[str, str]:
    """Return the hours of each open day, such as {"mon": "07:00-22:00"}; mistakes are added to `errors`."""
    windows = {}
    for day, (_short, name), (opens, closes) in zip(WEEKDAYS, weekday_names(), week, strict=True):
        if not opens and not closes:
            continue
        # Browsers have no 24:00; a window that closes at midnight is posted as 00:00.
        until = "24:00" if closes == "00:00" else closes
        has_opening = _TIME.fullmatch(opens) is not None
        has_closing = until == "24:00" or _TIME.fullmatch(until) is not None
        # Times of this form sort as texts in the order of the clock.
        if not has_opening or not has_closing or opens >= until:
            errors["windows"].append(_("%(day)s: an opening before its closing is expected.") % {"day": name})
        windows[day] = f"{opens}-{until}"
    return windows


def _parse_days(text: str, errors: FieldErrors) -> list[str]:
    """Return days separated by blanks, commas or semicolons in ISO format; mistakes are added to `errors`."""
    days = []
    for word in re.split(r"[\s,;]+", text.strip()):
        if not word:
            continue
        day = _parse_day(word)
        if not day:
            errors["closed_days"].append(
                _("«%(day)s» is not a day such as 24/12/2026.") % {"day": word[:_QUOTED_LETTERS]}
            )
        days.append(day)
    return days


def _parse_day(text: str) -> str:
    """Return a day in ISO format, '' for what is no day."""
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            day = datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
        return day.isoformat() if FIRST_YEAR <= day.year <= LAST_YEAR else ""
    return ""


def _parse_caps(caps: list[Shape], errors: FieldErrors) -> list[dict[str, Any]]:
    """Return the documents of the caps that have a number; an unknown period or scope becomes week or all."""
    documents = []
    for cap in caps:
        if not cap["n"]:
            continue
        number = _parse_number(cap["n"], _CONTACTS_MAX, "caps", errors)
        scope = cap["scope"] if cap["scope"] in {"channel", "all"} else "all"
        if cap["per"] == "clear_days":
            # Not so many contacts in a period, but so many whole days between two of them.
            documents.append({"clear_days": number, "scope": scope})
        else:
            period = cap["per"] if cap["per"] in PERIODS else "week"
            documents.append({"n": number, "per": period, "scope": scope})
    return documents


def _parse_number(text: str, highest: int, field: str, errors: FieldErrors) -> int:
    """Return a whole number from 1 to `highest`; for anything else 1, with a mistake of `field` in `errors`."""
    number = parse_id(text)
    if number is not None and 1 <= number <= highest:
        return number
    errors[field].append(_("A number from 1 to %(most)d is expected.") % {"most": highest})
    # Any number will do: a form with errors is not saved.
    return 1


def group_loosenings(loosenings: Iterable[Loosening]) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """Return the loosenings by rule (from 0, or WHOLE_COMPANY) and field.

    Those of several channels that break the same article in the same way are one entry, with all of its channels.
    """
    entries: dict[tuple[int, str, str, str], dict[str, Any]] = {}
    for loosening in loosenings:
        index = _rule_index(loosening)
        # The key is a part of a rule, or a part and a detail of it, such as «windows» or «caps:week».
        part = loosening.key.partition(":")[0]
        field = _FIELD_OF.get(part, part)
        key = (index, field, loosening.what, loosening.article)
        if key not in entries:
            entries[key] = {
                "what": loosening.what,
                "article": loosening.article,
                "rule": loosening.rule,
                "basis": loosening.basis,
                "channels": [],
            }
        channel = labels.label_of("channel", loosening.channel)
        if channel not in entries[key]["channels"]:
            entries[key]["channels"].append(channel)

    grouped: dict[int, dict[str, list[dict[str, Any]]]] = {}
    for (index, field, _what, _article), entry in entries.items():
        grouped.setdefault(index, {}).setdefault(field, []).append(entry)
    return grouped


def _rule_index(loosening: Loosening) -> int:
    """Return the position of the rule that loosens the law, WHOLE_COMPANY where it is no rule of its own."""
    # A rule is named «code/number», its number counted from 1.
    number = loosening.company_rule.rpartition("/")[2]
    if loosening.key == "visits" or not number.isdecimal():
        return WHOLE_COMPANY
    return int(number) - 1


def _format_time(minutes: int) -> str:
    """Return minutes since midnight as a browser's time field has them: 24:00 is 00:00 there."""
    if minutes == _MIDNIGHT:
        return "00:00"
    hours, rest = divmod(minutes, 60)
    return f"{hours:02d}:{rest:02d}"
