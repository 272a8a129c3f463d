"""Which changes need a second person, as the company set it; needing one less often needs a second person itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.approvals.facts import SecondPersonRuleSet
from recobra.approvals.kinds import Kind, Part, kind_of, kinds_by_code
from recobra.approvals.models import Approval, SecondPersonRule
from recobra.approvals.operations import ApprovalRefused, ask, withdraw_of_subject
from recobra.journal.operations import record_fact

CODE: Final = "second_person_rule"
MOST: Final = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Whether a kind of change needs a second person, and from which size on; `least_size` is None without sizes."""

    kind: Kind
    is_required: bool
    least_size: int | None


def rule_of(code: str) -> Rule:
    """Return the rule of a kind: what the company set, else what the kind declares. Raises LookupError."""
    kind = kind_of(code)
    row = SecondPersonRule.objects.filter(kind=code).first() if kind.is_optional else None
    if row is None:
        return Rule(kind=kind, is_required=True, least_size=kind.least_size)
    least_size = None if kind.least_size is None else row.least_size or kind.least_size
    return Rule(kind=kind, is_required=row.is_required, least_size=least_size)


def list_rules() -> list[Rule]:
    """Return the rules that the company may set."""
    return [rule_of(code) for code, kind in kinds_by_code().items() if kind.is_optional]


@consequence
def needs_second_person(code: str, *, actor: Actor, size: int | None = None) -> bool:
    """Tell if a change by the actor has to be asked for. A service asks nobody: it does what a person decided before.

    `size` is that of the change, for a kind that has one.
    """
    if actor.service is not None:
        return False
    rule = rule_of(code)
    is_large = rule.least_size is None or size is None or size >= rule.least_size
    return rule.is_required and is_large


@requires(Right.EDIT_RULES)
@transaction.atomic
def set_rule(*, code: str, is_required: bool, least_size: int | None = None, actor: Actor) -> Approval | None:
    """Set whether a kind of change needs a second person. Raises ApprovalRefused.

    A stricter rule holds at once. A looser one is asked for, and the question is returned. What waits about the rule is
    taken back by either: who agreed to it has seen another rule beside it.
    """
    _lock(code)
    rule = rule_of(code)
    if not rule.kind.is_optional:
        raise ApprovalRefused(_("This kind of change always needs a second person."))
    if rule.least_size is not None:
        least_size = least_size if least_size is not None else rule.least_size
        if not 1 <= least_size <= MOST:
            raise ApprovalRefused(_("A whole number from 1 to %(most)d is expected.") % {"most": MOST})
    wanted = Rule(kind=rule.kind, is_required=is_required, least_size=least_size if rule.least_size else None)
    if wanted == rule:
        return None
    withdraw_of_subject(kind=CODE, subject=code, reason=_("The rule was changed."), actor=actor)
    is_looser = (rule.is_required and not wanted.is_required) or (wanted.least_size or 0) > (rule.least_size or 0)
    if is_looser:
        return ask(kind=CODE, subject=code, old=_to_values(rule), new=_to_values(wanted), actor=actor)
    _store(wanted, actor)
    return None


def _lock(code: str) -> None:
    """Let one at a time change the rule of a kind, which may have no row yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{CODE} {code}"])


def _store(rule: Rule, actor: Actor) -> None:
    """Let a rule hold from now on."""
    code = rule.kind.code
    SecondPersonRule.objects.update_or_create(
        kind=code, defaults={"is_required": rule.is_required, "least_size": rule.least_size}
    )
    fact = SecondPersonRuleSet(approval_kind=code, is_required=rule.is_required, least_size=rule.least_size)
    record_fact(fact, actor=actor)


def _to_values(rule: Rule) -> dict[str, str]:
    """Return a rule as an approval keeps it."""
    size = "" if rule.least_size is None else str(rule.least_size)
    return {"is_required": "1" if rule.is_required else "", "least_size": size}


def _apply(approval: Approval, actor: Actor) -> None:
    size = approval.new["least_size"]
    kind = kind_of(approval.subject)
    is_required = bool(approval.new["is_required"])
    _store(Rule(kind=kind, is_required=is_required, least_size=int(size) if size else None), actor)


def _compare(approval: Approval) -> Sequence[Part]:
    """Return the old rule beside the new, in words."""
    parts = [
        Part(
            label=_("Second person"),
            old=_("needed") if approval.old["is_required"] else _("not needed"),
            new=_("needed") if approval.new["is_required"] else _("not needed"),
        )
    ]
    if approval.new["least_size"]:
        sizes = (approval.old["least_size"], approval.new["least_size"])
        parts.append(Part(label=_("From how many on"), old=sizes[0], new=sizes[1]))
    return parts


RULE: Final = Kind(
    code=CODE,
    label=gettext_lazy("Fewer second persons"),
    right=Right.APPROVE_CRITICAL_CHANGES,
    approve=_apply,
    lock=_lock,
    title=lambda approval: str(kind_of(approval.subject).label),
    parts=_compare,
)
