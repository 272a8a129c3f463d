"""Alarms: what a person must know, each declared once in `alarm_rules.py` of the app that owns what it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet


class Severity(StrEnum):
    """How soon a person must act."""

    URGENT = "urgent"  # debtors are not contacted, or nobody knows what became of something
    NOTICE = "notice"


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """An alarm. `code` is its key in the database and never changes.

    `text` is a sentence marked with gettext_noop, without figures. `page` is the name of the screen where a person goes
    on, `page_query` what is chosen there (`estado=DUE`). What has lasted less than `lasting` is no alarm yet.
    """

    code: str
    text: str
    severity: Severity
    page: str
    page_query: str = ""
    lasting: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class PortfolioAlarm(AlarmRule):
    """An alarm about portfolios, looked for at the end of each daily cycle.

    `find` returns the ids of the portfolios that had the cause at an instant, None where a step of the cycle finds
    them itself.
    """

    find: Callable[[datetime], QuerySet[Any, int]] | None


@dataclass(frozen=True, kw_only=True)
class InstallationAlarm(AlarmRule):
    """An alarm about the whole installation, looked for every two minutes; users who see all portfolios see it.

    `has_cause` tells if the cause was there at an instant.
    """

    has_cause: Callable[[datetime], bool]
