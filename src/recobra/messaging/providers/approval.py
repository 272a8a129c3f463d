"""Approval of ways out: new settings of a provider that is in use, and switching one on (`recobra.approvals`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.roles import Right
from recobra.approvals.kinds import Kind, Part
from recobra.approvals.models import Approval
from recobra.messaging.channels import ADAPTERS
from recobra.messaging.models import Provider
from recobra.messaging.providers.operations import CODE, apply_proposal, forget_proposal


def _lock(subject: str) -> Provider:
    return Provider.objects.select_for_update().get(pk=subject)


def _approve(approval: Approval, actor: Actor) -> None:
    apply_proposal(provider=_lock(approval.subject), actor=actor)


def _forget(approval: Approval, _actor: Actor) -> None:
    forget_proposal(provider=_lock(approval.subject))


def _names(provider_ids: Collection[str]) -> Mapping[str, str]:
    return {str(pk): name for pk, name in Provider.objects.filter(pk__in=provider_ids).values_list("pk", "name")}


def _compare(approval: Approval) -> Sequence[Part]:
    """Return each setting, the old beside the new; of a secret only whether it is another."""
    provider = Provider.objects.get(pk=approval.subject)
    adapter = ADAPTERS.get(provider.kind)
    labels = {setting.name: str(setting.label) for setting in adapter.settings} if adapter else {}
    labels["enabled"] = _("In use")
    return [
        Part(label=labels.get(name, name), old=approval.old.get(name, ""), new=value)
        for name, value in approval.new.items()
    ]


PROVIDER: Final = Kind(
    code=CODE,
    label=gettext_lazy("Way out for messages"),
    right=Right.APPROVE_CRITICAL_CHANGES,
    approve=_approve,
    reject=_forget,
    withdraw=_forget,
    lock=_lock,
    names=_names,
    parts=_compare,
    is_optional=True,
)
