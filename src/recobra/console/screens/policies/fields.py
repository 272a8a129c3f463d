"""Fields of the form of a policy: one for each kind of setting, from the document to the page and back.

What was typed and cannot be read stays in the document as it is, and `read_policy` says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import zip_longest
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _

from recobra.console import labels
from recobra.console.forms import MoneyField
from recobra.console.templatetags.console import Place, day, money
from recobra.kit.language import screen_language
from recobra.policy.kinds import Fault, Holiday
from recobra.policy.queries import PolicyVersion
from recobra.policy.settings import SETTINGS, Group, Policy, Setting, SettingFault
from recobra_core.money import CONCEPTS, Waterfall
from recobra_core.stages import Bucket

_DIGITS_MAX: Final = 9
_EMPTY_ROWS: Final = 2
_ORDERS: Final = ("concepts", "in_advance")


@dataclass(frozen=True, slots=True)
class Field:
    """How a kind of setting is shown, read and told.

    `show` turns what the document has into what the template needs, `read` the posted texts into what the document
    has, `describe` the setting's value into lines.
    """

    show: Callable[[Any, Place], Any]
    read: Callable[[QueryDict, str, Place], Any]
    describe: Callable[[Any, Place], list[str]]


def form_groups(document: dict[str, Any], faults: Iterable[SettingFault], *, place: Place) -> list[dict[str, Any]]:
    """Return the parts of the form with their fields, as the template shows them; faults stand at their field."""
    texts: dict[str, list[str]] = {}
    for each in faults:
        texts.setdefault(each.setting, []).append(describe_fault(each.fault))
    groups = []
    for group in Group:
        settings = [setting for setting in SETTINGS if setting.group is group]
        fields = [_form_field(setting, document, texts.get(setting.name, []), place) for setting in settings]
        groups.append({"key": group.name, "label": group.value, "fields": fields})
    return groups


def _form_field(setting: Setting, document: dict[str, Any], faults: list[str], place: Place) -> dict[str, Any]:
    field = FIELDS[setting.kind.field]
    return {
        "name": setting.name,
        "label": setting.label,
        "help": setting.help,
        "faults": faults,
        "template": f"console/policies/fields/{setting.kind.field}.html",
        "value": field.show(document.get(setting.name), place),
    }


def posted_document(posted: QueryDict, *, place: Place) -> dict[str, Any]:
    """Return the document of a posted form, readable or not."""
    return {setting.name: FIELDS[setting.kind.field].read(posted, setting.name, place) for setting in SETTINGS}


def described_groups(policy: Policy, *, place: Place) -> list[dict[str, Any]]:
    """Return the parts of a policy with each setting in words."""
    groups = []
    for group in Group:
        settings = [setting for setting in SETTINGS if setting.group is group]
        rows = [(setting, _describe(setting, policy, place)) for setting in settings]
        groups.append({"key": group.name, "label": group.value, "rows": rows})
    return groups


def described_changes(version: PolicyVersion, *, place: Place) -> list[dict[str, Any]]:
    """Return what a version changed: each setting with its words before and since."""
    return [
        {
            "setting": setting,
            "before": _describe(setting, version.before, place),
            "after": _describe(setting, version.policy, place),
        }
        for setting in version.changed
    ]


def _describe(setting: Setting, policy: Policy, place: Place) -> list[str]:
    return FIELDS[setting.kind.field].describe(getattr(policy, setting.name), place)


def describe_fault(fault: Fault) -> str:
    """Return a fault as a sentence: where it is, what was found and what is expected."""
    found = _join_concepts(fault.found.split(", ")) if fault.place in _ORDERS else fault.found
    values = {"row": fault.place, "found": found, "expected": fault.expected}
    if fault.place.isdecimal():
        if not fault.found:
            return _("Row %(row)s is empty; expected: %(expected)s.") % values
        return _("Row %(row)s: «%(found)s» was found; expected: %(expected)s.") % values
    if not fault.found:
        return _("It is empty; expected: %(expected)s.") % values
    return _("«%(found)s» was found; expected: %(expected)s.") % values


def _read_text(posted: QueryDict, name: str) -> str:
    return posted.get(name, "").strip()


def _to_number(text: str) -> int | str:
    """Return a whole number, or the text where it is none."""
    is_number = text.isdecimal() and len(text) <= _DIGITS_MAX
    return int(text) if is_number else text


def _show_amount(raw: Any, place: Place) -> dict[str, str]:
    field = MoneyField(place=place)
    shown = field.write_minor(raw) if isinstance(raw, int) else str(raw or "")
    return {"text": shown, "example": str(field.widget.attrs["placeholder"]), "currency": place.currency}


def _read_amount(posted: QueryDict, name: str, place: Place) -> int | str:
    text = _read_text(posted, name)
    try:
        return MoneyField(place=place).clean(text) or text
    except ValidationError:
        return text


def _show_waterfall(raw: Any, _place: Place) -> dict[str, Any]:
    """Return the order with five places for each list of concepts; an empty list in advance is five empty places."""
    by = raw["by"]
    orders = [("concepts", _("Order of the concepts"), raw.get("concepts") or CONCEPTS, False)]
    orders.append(("in_advance", _("Order for what is not yet due"), raw.get("in_advance") or [""] * 5, True))
    return {
        "ways": [(code, label, code == by) for code, label in _waterfall_ways()],
        "orders": orders,
        "concepts": labels.choices("concept"),
    }


def _waterfall_ways() -> list[tuple[str, str]]:
    return [
        ("due_date", _("The oldest due date first, and in it the concepts in order")),
        ("concept", _("One concept after the other, of all that is due")),
    ]


def _read_waterfall(posted: QueryDict, name: str, _place: Place) -> dict[str, Any]:
    document: dict[str, Any] = {
        "by": posted.get(f"{name}-by", ""),
        "concepts": posted.getlist(f"{name}-concepts"),
    }
    in_advance = posted.getlist(f"{name}-in_advance")
    return document | ({"in_advance": in_advance} if any(in_advance) else {})


def _describe_waterfall(value: Waterfall, _place: Place) -> list[str]:
    lines = [dict(_waterfall_ways())[value.by], _join_concepts(value.concepts)]
    if value.in_advance:
        lines.append(f"{_('Order for what is not yet due')}: {_join_concepts(value.in_advance)}")
    return lines


def _join_concepts(concepts: Sequence[str]) -> str:
    return " → ".join(labels.label_of("concept", concept) if concept else "—" for concept in concepts)


def _show_buckets(raw: Any, _place: Place) -> dict[str, Any]:
    """Return the closed buckets with empty rows after them, and the name of the open one at the end."""
    *closed, last = raw
    empty = [{"to_days": "", "name": ""} for _row in range(_EMPTY_ROWS)]
    return {"rows": [*closed, *empty], "last": last}


def _read_buckets(posted: QueryDict, name: str, _place: Place) -> list[dict[str, Any]]:
    ends = posted.getlist(f"{name}-to_days")
    names = posted.getlist(f"{name}-name")
    rows: list[dict[str, Any]] = []
    for end, label in zip_longest(ends, names, fillvalue=""):
        if end.strip() or label.strip():
            rows.append({"to_days": _to_number(end.strip()), "name": label.strip()})
    return [*rows, {"to_days": None, "name": _read_text(posted, f"{name}-last")}]


def _describe_buckets(value: Sequence[Bucket], _place: Place) -> list[str]:
    lines = []
    for bucket in value:
        label = bucket.label(screen_language())
        if bucket.from_days is None:
            days = _("up to day %(to)d") % {"to": bucket.to_days}
        elif bucket.to_days is None:
            days = _("from day %(from)d") % {"from": bucket.from_days}
        else:
            days = _("days %(from)d to %(to)d") % {"from": bucket.from_days, "to": bucket.to_days}
        lines.append(f"{label}: {days}")
    return lines


def _show_holidays(raw: Any, _place: Place) -> dict[str, Any]:
    return {"rows": [*raw, *({"day": "", "name": ""} for _row in range(_EMPTY_ROWS))]}


def _read_holidays(posted: QueryDict, name: str, _place: Place) -> list[dict[str, str]]:
    days = posted.getlist(f"{name}-day")
    names = posted.getlist(f"{name}-name")
    rows = zip_longest(days, names, fillvalue="")
    return [{"day": each.strip(), "name": label.strip()} for each, label in rows if each.strip() or label.strip()]


def _describe_holidays(value: Sequence[Holiday], _place: Place) -> list[str]:
    return [f"{day(holiday.day)} {holiday.name}".strip() for holiday in value] or [_("none")]


def _describe_time(value: time, _place: Place) -> list[str]:
    return [f"{value:%H:%M}"]


# By `policy.kinds.Kind.field`.
FIELDS: Final[dict[str, Field]] = {
    "number": Field(
        show=lambda raw, _place: raw,
        read=lambda posted, name, _place: _to_number(_read_text(posted, name)),
        describe=lambda value, _place: [str(value)],
    ),
    "amount": Field(show=_show_amount, read=_read_amount, describe=lambda value, place: [money(value, place)]),
    "time": Field(
        show=lambda raw, _place: raw,
        read=lambda posted, name, _place: _read_text(posted, name),
        describe=_describe_time,
    ),
    "waterfall": Field(show=_show_waterfall, read=_read_waterfall, describe=_describe_waterfall),
    "buckets": Field(show=_show_buckets, read=_read_buckets, describe=_describe_buckets),
    "holidays": Field(show=_show_holidays, read=_read_holidays, describe=_describe_holidays),
}
