"""Kinds of facts about what waits for a second person. `approval_kind` is the code of a kind of change."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("approval.asked", _("Approval asked for"))
class ApprovalAsked(Fact):
    """A change waits for a second person."""

    approval_id: int
    approval_kind: str
    subject: str


@fact("approval.approved", _("Change approved"))
class ChangeApproved(Fact):
    """A change was approved and done; `alone` where its own author did it, because nobody else could."""

    approval_id: int
    approval_kind: str
    subject: str
    alone: bool


@fact("approval.rejected", _("Change sent back"))
class ChangeRejected(Fact):
    """A change was sent back to its author."""

    approval_id: int
    approval_kind: str
    subject: str


@fact("approval.withdrawn", _("Change withdrawn"))
class ChangeWithdrawn(Fact):
    """A change that waited was taken back."""

    approval_id: int
    approval_kind: str
    subject: str


@fact("approval.rule_set", _("Need of a second person set"))
class SecondPersonRuleSet(Fact):
    """A kind of change needs a second person or not; `least_size` is the size from which on, None without sizes."""

    approval_kind: str
    is_required: bool
    least_size: int | None
