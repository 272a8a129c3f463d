"""Exports: what leaves as a file is recorded, and a large one waits for a second person."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.operations import record_export
from recobra.access.permissions import consequence
from recobra.access.roles import Right
from recobra.approvals.kinds import OPEN_FOR, Kind, Part, change_nothing
from recobra.approvals.models import Approval
from recobra.approvals.operations import ApprovalRefused, ask
from recobra.approvals.second_person import needs_second_person

CODE: Final = "export"
CONDITION: Final = "export_condition"
"""The family of labels of a part that is a condition: its label is a code too."""
_CONDITION: Final = "condition:"
LEAST_ROWS: Final = 10_000


class ExportWaits(Exception):
    """The export is not let out yet; a second person decides about `approval`."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(_("So large an export needs a second person: it was asked for."))
        self.approval = approval


@consequence
def let_out(*, what: str, rows: int, conditions: Mapping[str, str], selection: str, actor: Actor) -> None:
    """Record an export that leaves now. Raises ExportWaits for one that a second person has to agree to first.

    `conditions` are what the journal keeps and the second person reads; `selection` is all that chose the rows, such as
    the query of the page: another selection is another export.
    """
    if needs_second_person(CODE, actor=actor, size=rows):
        _refuse_unless_agreed(what, rows, conditions, selection, actor)
    record_export(what=what, rows=rows, conditions=dict(conditions), actor=actor)


def _refuse_unless_agreed(what: str, rows: int, conditions: Mapping[str, str], selection: str, actor: Actor) -> None:
    """Raise ExportWaits unless a second person agreed lately to this export of this person."""
    key = json.dumps([what, actor.user_id, selection])
    subject = hashlib.sha256(key.encode()).hexdigest()
    asked = Approval.objects.filter(kind=CODE, subject=subject)
    waiting = asked.filter(decision=Approval.Decision.WAITING).first()
    if waiting is not None:
        raise ExportWaits(waiting)
    agreed = asked.filter(decision=Approval.Decision.APPROVED, decided_at__gt=actor.now - OPEN_FOR)
    most_rows = max((int(each.new["rows"]) for each in agreed), default=None)
    # What has come since was agreed to by nobody: it may only be so much as needs nobody.
    if most_rows is not None and not needs_second_person(CODE, actor=actor, size=rows - most_rows):
        return
    new = {"what": what, "rows": str(rows), **{f"{_CONDITION}{name}": value for name, value in conditions.items()}}
    try:
        with transaction.atomic():
            approval = ask(kind=CODE, subject=subject, old={}, new=new, actor=actor)
    except ApprovalRefused:  # asked for twice at the same moment
        approval = asked.latest("pk")
    # Decided at once where nobody else could.
    if approval.decision != Approval.Decision.APPROVED:
        raise ExportWaits(approval)


def _compare(approval: Approval) -> Sequence[Part]:
    """Return what would leave: the list, its rows, the conditions by their names."""
    new = approval.new
    parts = [
        Part(label=_("List"), old="", new=new["what"], codes="export"),
        Part(label=_("Rows"), old="", new=new["rows"]),
    ]
    conditions = {name.removeprefix(_CONDITION): text for name, text in new.items() if name.startswith(_CONDITION)}
    return [*parts, *(Part(label=name, old="", new=text, codes=CONDITION) for name, text in conditions.items())]


EXPORT: Final = Kind(
    code=CODE,
    label=gettext_lazy("Large export"),
    right=Right.APPROVE_CRITICAL_CHANGES,
    approve=change_nothing,
    title=lambda approval: _("%(rows)s rows") % {"rows": approval.new["rows"]},
    parts=_compare,
    is_optional=True,
    least_size=LEAST_ROWS,
)
