"""Proof of a restored installation: its links are alive, its keys open what they opened, its journal is whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.journal.seal_signature import trusted_signers
from recobra.journal.verification import Verification, verify_journal
from recobra.messaging.sending_stop import stop_sending

from .archive import Manifest
from .backup import count_unreadable, has_valid_links, read_last_seal
from .facts import BackupRestored
from .models import BackupRun
from .restore import RestoreRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was proved of a restored installation; an altered journal was altered before the backup was made."""

    journal: Verification
    rows: int


@requires(Right.SERVE)
def prove_restored(manifest: Manifest, *, files: int, actor: Actor) -> Proof:
    """Prove a restored installation, let it send nothing yet, and record it.

    Raises RestoreRefused where it is not what the backup was of.
    """
    if not has_valid_links(manifest.links):
        raise RestoreRefused(
            "The links of messages already sent are dead here: RECOBRA_SECRET_KEY is another key. Take it away, or put "
            "the former one into RECOBRA_SECRET_KEY_FALLBACKS."
        )
    if count_unreadable() > manifest.unreadable:
        raise RestoreRefused("The keys of the backup do not open what they opened.")
    if read_last_seal() != manifest.last_seal:
        raise RestoreRefused("The journal does not end with the seal of the backup.")
    journal = verify_journal(signers=trusted_signers(now=actor.now))
    rows = sum(manifest.counts.values())
    with transaction.atomic():
        stop_sending(state_of=datetime.fromisoformat(manifest.created_at), actor=actor)
        # The backup itself stands in it as one that was under way.
        BackupRun.objects.filter(status=BackupRun.Status.RUNNING).update(
            status=BackupRun.Status.DONE, finished_at=actor.now, rows_count=rows, files_count=files
        )
        record_fact(BackupRestored(made_at=manifest.created_at, rows=rows, files=files), actor=actor)
    return Proof(journal=journal, rows=rows)
