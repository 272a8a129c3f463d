"""Alarms about the installation's keys and backups."""

from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import InstallationAlarm, Severity
from recobra.kit.key_rotation import has_unreadable_values

from .queries import has_backup_failed, is_backup_late

ALARMS = (
    InstallationAlarm(
        code="keys_missing",
        text=gettext_noop("There are secrets whose key is not here: put it back from a backup, or give them again."),
        severity=Severity.URGENT,
        page="console:installation",
        has_cause=lambda _at: has_unreadable_values(),
    ),
    InstallationAlarm(
        code="backup_failed",
        text=gettext_noop("The last backup failed: what happens now could be lost."),
        severity=Severity.URGENT,
        page="console:installation",
        has_cause=has_backup_failed,
    ),
    InstallationAlarm(
        code="backup_late",
        text=gettext_noop("There has been no whole backup for more than a day."),
        severity=Severity.URGENT,
        page="console:installation",
        has_cause=is_backup_late,
    ),
)
