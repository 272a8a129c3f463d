"""Entries of the side bar, in their order and with their keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recobra.access.notices import unseen_notices
from recobra.access.queries import User
from recobra.access.roles import Right, has_right
from recobra.approvals.queries import waiting_for


@dataclass(frozen=True, kw_only=True)
class Item:
    """One screen of the side bar; `key` follows «g» on the keyboard; `view` is a URL name of the console.

    `group` is the heading above it, '' for none. `count` says how much waits there, None for no figure.
    """

    view: str
    label: str | Promise
    icon: str
    right: Right
    key: str
    group: str | Promise = ""
    count: Callable[[User], int] | None = None


def _count_waiting(user: User) -> int:
    return waiting_for(user).count()


def _count_unseen(user: User) -> int:
    return unseen_notices(user).count()


_COMPLIANCE = _("Compliance")
ITEMS = (
    Item(view="home", label=_("Home"), icon="home", right=Right.SEE_BOARD, key="i"),
    Item(view="accounts", label=_("Portfolio"), icon="users", right=Right.SEE_CASES, key="c"),
    Item(view="loads", label=_("Loads"), icon="upload", right=Right.SEE_LOADS, key="l"),
    Item(view="data-quality", label=_("Data quality"), icon="checklist", right=Right.SEE_LOADS, key="j"),
    Item(view="alike-debtors", label=_("Alike debtors"), icon="users", right=Right.JOIN_DEBTORS, key="k"),
    Item(view="strategies", label=_("Strategies"), icon="topology-star-3", right=Right.SEE_STRATEGIES, key="e"),
    Item(view="groups", label=_("Groups"), icon="users", right=Right.SEE_STRATEGIES, key="1"),
    Item(view="campaigns", label=_("Campaigns"), icon="send", right=Right.SEE_STRATEGIES, key="p"),
    Item(view="cycle", label=_("Cycle"), icon="refresh", right=Right.SEE_CYCLE, key="d"),
    Item(view="inbox", label=_("Conversations"), icon="inbox", right=Right.ANSWER_MESSAGES, key="o"),
    Item(view="messages", label=_("Messages"), icon="mail", right=Right.SEE_MESSAGES, key="m"),
    Item(view="reach", label=_("Reach"), icon="chart-bar", right=Right.SEE_MESSAGES, key="b"),
    Item(
        view="approvals",
        label=_("Approvals"),
        icon="circle-check",
        right=Right.DECIDE,
        key="f",
        count=_count_waiting,
    ),
    Item(view="letters", label=_("Letters"), icon="file-text", right=Right.RUN_CAMPAIGNS, key="t"),
    Item(view="visits", label=_("Visits"), icon="user", right=Right.VISIT, key="v"),
    Item(view="own-team", label=_("My team"), icon="users", right=Right.SEE_TEAM, key="y"),
    Item(
        view="countries",
        label=_("Countries"),
        icon="calendar-event",
        right=Right.SEE_COMPLIANCE,
        key="a",
        group=_COMPLIANCE,
    ),
    Item(
        view="consents",
        label=_("Consents"),
        icon="shield-check",
        right=Right.SEE_COMPLIANCE,
        key="2",
        group=_COMPLIANCE,
    ),
    Item(
        view="house-rules",
        label=_("Company rules"),
        icon="adjustments-horizontal",
        right=Right.SEE_COMPLIANCE,
        key="r",
        group=_COMPLIANCE,
    ),
    Item(
        view="policies",
        label=_("Policies"),
        icon="list-details",
        right=Right.SEE_COMPLIANCE,
        key="q",
        group=_COMPLIANCE,
    ),
    Item(
        view="providers", label=_("Channels"), icon="settings", right=Right.MANAGE_CHANNELS, key="s", group=_COMPLIANCE
    ),
    Item(
        view="compliance",
        label=_("Incidents"),
        icon="checklist",
        right=Right.SEE_COMPLIANCE,
        key="n",
        group=_COMPLIANCE,
    ),
    Item(
        view="retention", label=_("Retention"), icon="history", right=Right.SEE_COMPLIANCE, key="x", group=_COMPLIANCE
    ),
    Item(
        view="creditors", label=_("Creditors"), icon="building", right=Right.MANAGE_CHANNELS, key="w", group=_COMPLIANCE
    ),
    Item(
        view="portfolios",
        label=_("Manage portfolios"),
        icon="list-details",
        right=Right.OPEN_PORTFOLIOS,
        key="3",
        group=_COMPLIANCE,
    ),
    Item(
        view="users",
        label=_("Users"),
        icon="user",
        right=Right.MANAGE_USERS,
        key="h",
        group=_COMPLIANCE,
        count=_count_unseen,
    ),
    Item(view="audit", label=_("Audit"), icon="shield-check", right=Right.SEE_AUDIT, key="u", group=_COMPLIANCE),
    Item(
        view="installation",
        label=_("Installation"),
        icon="device-desktop",
        right=Right.SEE_AUDIT,
        key="z",
        group=_COMPLIANCE,
    ),
)


def visible_entries(user: User, path: str) -> list[dict[str, object]]:
    """Return the entries that a user may open, each with its address and whether `path` is inside it."""
    home = reverse("console:home")
    entries: list[dict[str, object]] = []
    for item in ITEMS:
        if has_right(user, item.right):
            url = reverse(f"console:{item.view}")
            # Every address begins with that of the home page, so there only the exact one counts.
            is_current = path == url if url == home else path.startswith(url)
            count = item.count(user) if item.count else 0
            entries.append({"item": item, "url": url, "is_current": is_current, "count": count})
    return entries
