"""Icons and tones of the journal's facts; their words come from the journal itself."""

from __future__ import annotations

from typing import Final

from recobra.journal.labels import actor_label, fact_label

__all__ = ["LOOKS", "actor_label", "fact_label", "icon_of", "tone_of"]

# kind -> icon, tone
LOOKS: Final[dict[str, tuple[str, str]]] = {
    "payment.recorded": ("cash", "good"),
    "payment.reversed": ("arrow-back-up", "bad"),
    "hold.placed": ("player-pause", "warn"),
    "hold.lifted": ("player-play", "calm"),
    "stage.changed": ("topology-star-3", "calm"),
    "contact.sent": ("send", "good"),
    "contact.failed": ("circle-x", "bad"),
    "contact.blocked": ("ban", "warn"),
    "contact.cancelled": ("circle-x", "quiet"),
    "contact.uncertain": ("help-circle", "bad"),
    "optout.received": ("ban", "warn"),
    "contact.delivered": ("circle-check", "good"),
    "contact.read": ("circle-check", "good"),
    "contact.clicked": ("circle-check", "good"),
    "contact.undelivered": ("circle-x", "bad"),
    "complaint.received": ("alert-triangle", "bad"),
    "contact.complained": ("alert-triangle", "bad"),
    "contact.refused_by_debtor": ("alert-triangle", "bad"),
    "optout.resumed": ("send", "calm"),
    "wrong_person.received": ("ban", "warn"),
    "consent.granted": ("circle-check", "good"),
    "consent.withdrawn": ("ban", "warn"),
    "template.decided_by_provider": ("mail", "quiet"),
    "template.registered": ("mail", "quiet"),
    "provider.saved": ("send", "quiet"),
    "house_rule.saved": ("adjustments-horizontal", "calm"),
    "house_rule.retired": ("adjustments-horizontal", "quiet"),
    "portfolio_policy.saved": ("adjustments-horizontal", "calm"),
    "provider.tested": ("send", "quiet"),
    "webhook.failed": ("alert-triangle", "bad"),
    "webhook.forged": ("alert-triangle", "bad"),
    "task.created": ("checklist", "calm"),
    "task.closed": ("circle-check", "good"),
    "account.closed": ("circle-check", "good"),
    "load.done": ("upload", "quiet"),
    "load.held": ("upload", "warn"),
    "load.refused": ("upload", "bad"),
    "load.discarded": ("upload", "quiet"),
    "payments.file_loaded": ("cash", "quiet"),
    "creditor.opened": ("building", "calm"),
    "creditor.saved": ("building", "calm"),
    "statement.opened": ("eye", "good"),
    "identity.refused": ("lock", "warn"),
    "statement.refused": ("lock", "warn"),
    "portfolio.opened": ("users", "calm"),
    "mapping.saved": ("adjustments-horizontal", "quiet"),
    "cycle.run": ("refresh", "quiet"),
    "cycle.taken_back": ("arrow-back-up", "warn"),
    "strategy.draft_saved": ("topology-star-3", "quiet"),
    "strategy.published": ("topology-star-3", "calm"),
    "strategy.retired": ("topology-star-3", "quiet"),
    "strategy.assigned": ("topology-star-3", "calm"),
    "backup.made": ("download", "quiet"),
    "backup.failed": ("alert-triangle", "bad"),
    "backup.restored": ("history", "calm"),
    "keys.rotated": ("lock", "calm"),
    "signing_key.renewed": ("lock", "calm"),
    "user.signed_in": ("user", "quiet"),
    "user.created": ("user", "calm"),
    "user.password_set": ("user", "calm"),
    "user.scope_set": ("lock", "calm"),
    "user.link_made": ("user", "calm"),
    "user.came_in": ("user", "good"),
    "user.changed": ("user", "quiet"),
    "user.role_set": ("lock", "calm"),
    "user.team_set": ("users", "quiet"),
    "user.shut_out": ("ban", "warn"),
    "user.let_in": ("user", "calm"),
    "users.loaded": ("upload", "calm"),
    "role.saved": ("lock", "warn"),
    "role.retired": ("lock", "quiet"),
    "team.saved": ("users", "quiet"),
    "team.dissolved": ("users", "quiet"),
    "template.saved": ("mail", "quiet"),
    "template.submitted": ("mail", "calm"),
    "template.approved": ("circle-check", "calm"),
    "template.rejected": ("mail", "warn"),
    "template.weighed": ("mail", "quiet"),
    "template.retired": ("mail", "quiet"),
    "approval.asked": ("circle-check", "calm"),
    "approval.approved": ("circle-check", "good"),
    "approval.rejected": ("arrow-back-up", "warn"),
    "approval.withdrawn": ("circle-x", "quiet"),
    "approval.rule_set": ("settings", "warn"),
    "creditor.payment_instructions_changed": ("settings", "warn"),
    "export.made": ("download", "warn"),
    "campaign.launched": ("send", "calm"),
    "campaign.paused": ("player-pause", "warn"),
    "campaign.ended": ("circle-check", "quiet"),
    "letter.printed": ("mail", "calm"),
    "letter.tracked": ("mail", "quiet"),
    "visit.assigned": ("user", "quiet"),
    "visit.noted": ("user", "calm"),
    "incident.recorded": ("alert-triangle", "bad"),
    "incident.closed": ("circle-check", "good"),
    "evidence.exported": ("download", "warn"),
    "retention.period_set": ("adjustments-horizontal", "calm"),
    "retention.erased": ("trash", "quiet"),
    "debtor.erased": ("trash", "quiet"),
    "rights.asked": ("shield-check", "warn"),
    "rights.answered": ("shield-check", "good"),
    "rights.copied": ("download", "warn"),
    "user.erased": ("trash", "quiet"),
    "conversation.received": ("inbox", "calm"),
    "conversation.assigned": ("user", "quiet"),
    "conversation.closed": ("circle-check", "quiet"),
    "promise.registered": ("calendar-event", "good"),
    "dispute.opened": ("alert-triangle", "warn"),
    "payment.reported": ("cash", "calm"),
    "person.asked": ("user", "calm"),
}


UNKNOWN_LOOK: Final = ("notes", "quiet")


def icon_of(kind: str) -> str:
    """Return the icon of a kind of fact."""
    icon, _tone = LOOKS.get(kind, UNKNOWN_LOOK)
    return icon


def tone_of(kind: str) -> str:
    """Return the tone of a kind of fact."""
    _icon, tone = LOOKS.get(kind, UNKNOWN_LOOK)
    return tone
