"""Saved groups: written in versions, and taken out of use where nothing uses them."""

from __future__ import annotations

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit.language import screen_language
from recobra.portfolio.scope import check_portfolio
from recobra.strategy.facts import GroupRetired, GroupSaved
from recobra.strategy.models import SavedGroup
from recobra.strategy.policies import rule_catalogue
from recobra.strategy.queries_groups import list_uses
from recobra_core.rules import RuleError, compile_rule

NAME_MAX = 80
_CODE_MAX = 44


class GroupRefused(Exception):
    """The group cannot be saved or taken out of use; the text is shown as it is."""


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def save_group(*, code: str = "", name: str, rule: str, portfolio_id: int | None, actor: Actor) -> SavedGroup:
    """Save a new group, or another version of the one with a code. Raises GroupRefused.

    What uses an earlier version keeps the rule of that one.
    """
    name = " ".join(name.split())
    if not name or len(name) > NAME_MAX:
        raise GroupRefused(_("Give it a name of up to %(count)s characters.") % {"count": NAME_MAX})
    try:
        # In the form in which a strategy keeps it too, so that both can be compared.
        rule = compile_rule(rule, rule_catalogue(), unknown="no").text
    except RuleError as error:
        raise GroupRefused(error.text(screen_language())) from error
    if portfolio_id is not None:
        check_portfolio(actor, portfolio_id)
    newest = _lock_newest(code) if code else None
    if code and newest is None:
        raise GroupRefused(_("There is no such group any more."))
    if newest is not None and newest.portfolio_id is not None:
        check_portfolio(actor, newest.portfolio_id)
    in_use = SavedGroup.objects.filter(name=name, retired_at__isnull=True).exclude(code=code)
    if in_use.exists():
        raise GroupRefused(_("There is a group of this name already."))
    if newest is not None and (newest.name, newest.rule, newest.portfolio_id) == (name, rule, portfolio_id):
        return newest
    group = SavedGroup.objects.create(
        code=code or _free_code(name),
        version=newest.version + 1 if newest else 1,
        name=name,
        rule=rule,
        portfolio_id=portfolio_id,
        created_at=actor.now,
        created_by=actor.name,
    )
    if newest is not None:
        newest.retired_at, newest.retired_by = actor.now, actor.name
        newest.save(update_fields=["retired_at", "retired_by"])
    record_fact(GroupSaved(code=group.code, version=group.version), actor=actor, portfolio_id=portfolio_id)
    return group


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def retire_group(*, code: str, actor: Actor) -> None:
    """Take a group out of use. Raises GroupRefused while something uses it."""
    group = _lock_newest(code)
    if group is None:
        raise GroupRefused(_("There is no such group any more."))
    if group.portfolio_id is not None:
        check_portfolio(actor, group.portfolio_id)
    uses = list_uses(code)
    if uses:
        raise GroupRefused(_("It is in use: %(uses)s.") % {"uses": "; ".join(uses)})
    group.retired_at, group.retired_by = actor.now, actor.name
    group.save(update_fields=["retired_at", "retired_by"])
    record_fact(GroupRetired(code=code, version=group.version), actor=actor, portfolio_id=group.portfolio_id)


def _lock_newest(code: str) -> SavedGroup | None:
    """Return the version in force of a group, locked; None where there is none."""
    return SavedGroup.objects.select_for_update(of=("self",)).filter(code=code, retired_at__isnull=True).first()


def _free_code(name: str) -> str:
    """Return a code made from a name that no group has had."""
    base = slugify(name)[:_CODE_MAX] or "grupo"
    code, number = base, 1
    while SavedGroup.objects.filter(code=code).exists():
        number += 1
        code = f"{base}-{number}"
    return code
