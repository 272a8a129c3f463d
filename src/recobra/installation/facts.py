"""Kinds of facts about the installation itself: its keys and its backups."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("keys.rotated", _("Keys rotated"))
class KeysRotated(Fact):
    """Everything was encrypted with a new data key; `retired` and `destroyed` are the ids of earlier ones."""

    key: str
    rewritten: int
    unreadable: int
    retired: list[str]
    destroyed: list[str]


@fact("signing_key.renewed", _("Key of links renewed"))
class SigningKeyRenewed(Fact):
    """A new key signs sessions and links; `earlier` keys still count."""

    earlier: int


@fact("backup.made", _("Backup made"))
class BackupMade(Fact):
    """Database, files and keys were written to one encrypted file. `size` in bytes."""

    size: int
    files: int
    rows: int
    missing: int


@fact("backup.failed", _("Backup failed"))
class BackupFailed(Fact):
    """A backup that was begun left no file; why is in its row."""

    is_scheduled: bool


@fact("backup.restored", _("Backup restored"))
class BackupRestored(Fact):
    """An installation was restored from a backup made at `made_at`, and proved itself."""

    made_at: str
    rows: int
    files: int
