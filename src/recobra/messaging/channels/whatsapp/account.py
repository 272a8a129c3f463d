"""What Meta says of our account: that it is restricted, banned or in danger, and how templates are rated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.adapter import AccountEvent, Event, TemplateQualityEvent, WebhookRequest

# Fields of Meta's calls that say how the account is.
FIELDS: Final = frozenset({"account_update", "account_review_update", "account_alerts", "phone_number_quality_update"})
_STOPPING: Final = frozenset({"ACCOUNT_DELETED", "PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED", "ACCOUNT_OFFBOARDED"})
_RESTORING: Final = frozenset({"ACCOUNT_RECONNECTED", "VERIFIED_ACCOUNT"})
_WARNING: Final = frozenset({"ACCOUNT_VIOLATION"})
_BANS: Final = {"DISABLE": "STOPPED", "SCHEDULE_FOR_DISABLE": "WARNED", "REINSTATE": "RESTORED"}
_REVIEWS: Final = {"REJECTED": "STOPPED", "PENDING": "WARNED", "DEFERRED": "WARNED", "APPROVED": "RESTORED"}
# Of what was restricted only this keeps our messages from leaving; the others concern numbers and templates to add.
_RESTRICTS_SENDING: Final = ("BIZ_INITIATED", "CUSTOMER_INITIATED", "ALL_MESSAGING")
_LOWERED: Final = frozenset({"FLAGGED", "DOWNGRADE"})


def read_account(field: str, value: Mapping[str, Any], account_id: str, call: WebhookRequest) -> Event:
    """Return what a change of one of FIELDS says of an account."""
    event = str(value.get("event") or "")
    reason = event
    state = None
    if field == "account_review_update":
        reason = str(value.get("decision") or "")
        state = _REVIEWS.get(reason)
    elif field == "account_alerts":
        alert = value.get("alert_info")
        holder: Mapping[str, Any] = alert if isinstance(alert, Mapping) else value
        reason = str(holder.get("alert_type") or "alert")
        state = "WARNED"
    elif field == "phone_number_quality_update":
        state = "WARNED" if event in _LOWERED else None
    else:
        state, reason = _read_update(event, value)
    if state is None:
        return webhooks.name_unused(field, reason)
    # Only plain words are kept: what stands there is Meta's code, never a text of a person's.
    word = webhooks.name_unused("", reason).name.removeprefix(":") or field
    return AccountEvent(account_id=account_id, state=state, reason=word, at=call.received_at)  # type: ignore[arg-type]


def _read_update(event: str, value: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return what an update of the account says of it, None for nothing, and Meta's word for why."""
    ban = value.get("ban_info")
    if event == "DISABLED_UPDATE":
        word = str(ban.get("waba_ban_state") or "") if isinstance(ban, Mapping) else ""
        # A ban without its state is one.
        return _BANS.get(word, "STOPPED"), word or event
    if event == "ACCOUNT_RESTRICTION":
        kinds = [
            str(restriction.get("restriction_type"))
            for restriction in webhooks.get_list(value, "restriction_info")
            if isinstance(restriction, Mapping)
        ]
        stopping = [kind for kind in kinds if any(word in kind for word in _RESTRICTS_SENDING)]
        if stopping or not kinds:
            return "STOPPED", (stopping or [event])[0]
        return "WARNED", kinds[0]
    if event in _STOPPING:
        return "STOPPED", event
    if event in _RESTORING:
        return "RESTORED", event
    return ("WARNED" if event in _WARNING else None), event


def read_quality(value: Mapping[str, Any], account_id: str, call: WebhookRequest) -> Iterator[Event]:
    """Yield how Meta rates a template now."""
    quality = str(value.get("new_quality_score") or "")
    if quality not in {"GREEN", "YELLOW", "RED", "UNKNOWN"}:
        yield webhooks.name_unused("template_quality", quality)
        return
    yield TemplateQualityEvent(
        name=str(value.get("message_template_name") or ""),
        language=str(value.get("message_template_language") or ""),
        quality=quality,
        at=call.received_at,
        account_id=account_id,
    )
