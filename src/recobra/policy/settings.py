"""The settings of a portfolio's policy: one declaration for each, with its words, kind, default and check.

A setting is a field of `Policy`. The document of a version, the form, what changed between two versions and the
default all come from its declaration: to add one, add a field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.policy.kinds import (
    Amount,
    BucketTable,
    Fault,
    Holiday,
    HolidayList,
    Kind,
    TimeOfDay,
    Unreadable,
    WaterfallOrder,
    WholeNumber,
    show,
)
from recobra_core.money import Waterfall
from recobra_core.stages import Bucket, Limits

_LIMITS: Final = Limits()
_WORKING_WEEKDAYS: Final = range(5)


class Group(Enum):
    """The parts of the form, in their order; the value is the heading."""

    AGEING = gettext_lazy("Buckets and stages")
    DATA = gettext_lazy("Fresh data")
    PAYMENTS = gettext_lazy("Payments")
    PROMISES = gettext_lazy("Promises to pay")
    WAITING = gettext_lazy("Waiting times")
    SERVICE = gettext_lazy("Service hours and holidays")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A declared setting: its name in code and documents, its words, its place on the form, how it is read.

    `check` looks at a whole policy and returns what this setting is expected to be, '' where it is right.
    """

    name: str
    label: str | Promise
    help: str | Promise
    group: Group
    kind: Kind
    check: Callable[[Policy], str] | None = None


def _declare(
    group: Group,
    kind: Kind,
    *,
    label: str | Promise,
    explained: str | Promise,
    check: Callable[[Policy], str] | None = None,
) -> Mapping[str, Any]:
    """Return the declaration of a field as the metadata of its dataclass."""
    return {"group": group, "kind": kind, "label": label, "help": explained, "check": check}


def _check_stages(policy: Policy) -> str:
    if policy.extrajudicial_from > policy.administrative_from:
        return ""
    least = policy.administrative_from + 1
    return _("a day after the administrative stage begins: %(least)d or later") % {"least": least}


def _check_hours(policy: Policy) -> str:
    return "" if policy.people_from < policy.people_to else _("a time after the one from which people answer")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The policy of a portfolio on a day. A setting that a version does not state has its default."""

    buckets: tuple[Bucket, ...] = field(
        default=_LIMITS.buckets,
        metadata=_declare(
            Group.AGEING,
            BucketTable(),
            label=gettext_lazy("Buckets of days past due"),
            explained=gettext_lazy(
                "The ranges of days by which balances are grouped. The first holds what is not due yet, the last has"
                " no end. A name is optional."
            ),
        ),
    )
    administrative_from: int = field(
        default=_LIMITS.administrative_from,
        metadata=_declare(
            Group.AGEING,
            WholeNumber(1),
            label=gettext_lazy("Administrative stage from day"),
            explained=gettext_lazy("Days past due from which the first reminders go out."),
        ),
    )
    extrajudicial_from: int = field(
        default=_LIMITS.extrajudicial_from,
        metadata=_declare(
            Group.AGEING,
            WholeNumber(2),
            label=gettext_lazy("Extrajudicial stage from day"),
            explained=gettext_lazy("Days past due from which payment is demanded formally, still without a court."),
            check=_check_stages,
        ),
    )
    late_from: int = field(
        default=_LIMITS.late_from,
        metadata=_declare(
            Group.AGEING,
            WholeNumber(1),
            label=gettext_lazy("Late arrears from day"),
            explained=gettext_lazy("Days past due from which a debt counts as late rather than early."),
        ),
    )
    freshness_days: int = field(
        default=2,
        metadata=_declare(
            Group.DATA,
            WholeNumber(0, 365),
            label=gettext_lazy("The last load may be this many days old"),
            explained=gettext_lazy("With older data nobody is contacted, and an alarm says so."),
        ),
    )
    freshness_extra_days: int = field(
        default=0,
        metadata=_declare(
            Group.DATA,
            WholeNumber(0, 30),
            label=gettext_lazy("More days where days off lie between"),
            explained=gettext_lazy("So that Friday's load still serves on Monday, or after a holiday."),
        ),
    )
    waterfall: Waterfall = field(
        default=Waterfall(),
        metadata=_declare(
            Group.PAYMENTS,
            WaterfallOrder(),
            label=gettext_lazy("Order of application"),
            explained=gettext_lazy("What a payment is applied to first. The order of the day of payment counts."),
        ),
    )
    promise_days: int = field(
        default=7,
        metadata=_declare(
            Group.PROMISES,
            WholeNumber(0, 365),
            label=gettext_lazy("A promise may lie this many days ahead"),
            explained=gettext_lazy("The bot and the automatic call accept no later day."),
        ),
    )
    promise_min_minor: int = field(
        default=1,
        metadata=_declare(
            Group.PROMISES,
            Amount(),
            label=gettext_lazy("Least amount of a promise"),
            explained=gettext_lazy("Who owes less may promise all that is owed."),
        ),
    )
    promise_grace_days: int = field(
        default=2,
        metadata=_declare(
            Group.PROMISES,
            WholeNumber(0, 90),
            label=gettext_lazy("Days of grace after a promise"),
            explained=gettext_lazy("So many days after the promised one the payment is waited for in silence."),
        ),
    )
    payment_search_days: int = field(
        default=5,
        metadata=_declare(
            Group.WAITING,
            WholeNumber(1, 90),
            label=gettext_lazy("Days to look for a reported payment"),
            explained=gettext_lazy("Meanwhile the debtor who says that it was paid is not contacted."),
        ),
    )
    complaint_days: int = field(
        default=15,
        metadata=_declare(
            Group.WAITING,
            WholeNumber(1, 180),
            label=gettext_lazy("Days to answer a complaint"),
            explained=gettext_lazy("Meanwhile nothing automatic is sent to the debtor who complained."),
        ),
    )
    people_from: time = field(
        default=time(9),
        metadata=_declare(
            Group.SERVICE,
            TimeOfDay(),
            label=gettext_lazy("People answer from"),
            explained=gettext_lazy("Monday to Friday, in the portfolio's own time."),
        ),
    )
    people_to: time = field(
        default=time(18),
        metadata=_declare(
            Group.SERVICE,
            TimeOfDay(),
            label=gettext_lazy("People answer until"),
            explained=gettext_lazy("At other hours the bot says when a person will answer."),
            check=_check_hours,
        ),
    )
    holidays: tuple[Holiday, ...] = field(
        default=(),
        metadata=_declare(
            Group.SERVICE,
            HolidayList(),
            label=gettext_lazy("Own holidays"),
            explained=gettext_lazy(
                "Days on which the company does not work, beside the public holidays: nobody is contacted and no"
                " person answers."
            ),
        ),
    )

    @property
    def limits(self) -> Limits:
        """Return the limits of buckets and stages as the core takes them."""
        return Limits(
            buckets=self.buckets,
            administrative_from=self.administrative_from,
            extrajudicial_from=self.extrajudicial_from,
            late_from=self.late_from,
        )

    def is_office_open(self, local: datetime) -> bool:
        """Tell if people answer at a time of the portfolio's own clock, by weekday, hours and holidays."""
        return self.is_working_day(local.date()) and self.people_from <= local.time() < self.people_to

    def is_working_day(self, day: date) -> bool:
        """Tell if the company works on a day, by weekday and its own calendar."""
        return day.weekday() in _WORKING_WEEKDAYS and not self.is_holiday(day)

    def is_holiday(self, day: date) -> bool:
        """Tell if the company does not work on a day, by its own calendar."""
        return any(holiday.day == day for holiday in self.holidays)

    def is_fresh(self, last_load: date, day: date) -> bool:
        """Tell if a load of a day is new enough to contact anybody on a later one."""
        age_days = (day - last_load).days
        between = [last_load + timedelta(days=days) for days in range(1, age_days)]
        has_days_off = not all(self.is_working_day(each) for each in between)
        return age_days <= self.freshness_days + (self.freshness_extra_days if has_days_off else 0)


def _read_declarations() -> tuple[Setting, ...]:
    return tuple(Setting(name=declared.name, **declared.metadata) for declared in fields(Policy))


SETTINGS: Final[tuple[Setting, ...]] = _read_declarations()
"""Every setting, in the order of the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFault:
    """A fault of a setting by its name, '' for the document as a whole."""

    setting: str
    fault: Fault


class PolicyUnreadable(Exception):
    """A document is no policy; `faults` names everything that is wrong with it, in the order of the settings."""

    def __init__(self, faults: list[SettingFault]) -> None:
        self.faults = tuple(faults)
        lines = []
        for each in faults:
            place = f"{each.setting}[{each.fault.place}]" if each.fault.place else each.setting
            lines.append(f"{place}: {each.fault.expected} expected, «{each.fault.found}» found")
        super().__init__("; ".join(lines))


def read_policy(document: Mapping[str, Any]) -> Policy:
    """Return the policy of a document. Raises PolicyUnreadable with all faults at once."""
    names = {setting.name for setting in SETTINGS}
    faults = [
        SettingFault(setting=str(name), fault=Fault(found=str(name), expected=_("a setting of a policy")))
        for name in document
        if name not in names
    ]
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        if setting.name not in document:
            continue
        try:
            values[setting.name] = setting.kind.read(document[setting.name])
        except Unreadable as error:
            faults += [SettingFault(setting=setting.name, fault=fault) for fault in error.faults]
    policy = Policy(**values)
    # What could not be read stands in the policy with its default: nothing of its group is compared with that.
    unreadable = {fault.setting for fault in faults}
    groups_to_check = set(Group) - {setting.group for setting in SETTINGS if setting.name in unreadable}
    for setting in SETTINGS:
        expected = setting.check(policy) if setting.check and setting.group in groups_to_check else ""
        if expected:
            found = show(setting.kind.write(getattr(policy, setting.name)))
            faults.append(SettingFault(setting=setting.name, fault=Fault(found=found, expected=expected)))
    if faults:
        raise PolicyUnreadable(faults)
    return policy


def write_policy(policy: Policy) -> dict[str, Any]:
    """Return the document of a policy. It states every setting, so that a later default changes no past day."""
    return {setting.name: setting.kind.write(getattr(policy, setting.name)) for setting in SETTINGS}


def changed_settings(before: Policy, after: Policy) -> list[Setting]:
    """Return the settings that two policies state differently."""
    return [setting for setting in SETTINGS if getattr(before, setting.name) != getattr(after, setting.name)]
