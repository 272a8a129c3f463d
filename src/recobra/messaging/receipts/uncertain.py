"""Contacts whose end is not known, until a person or the provider settles it. They are never sent again."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final, Literal

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, requires
from recobra.access.roles import Right
from recobra.messaging import reasons
from recobra.messaging.facts import ContactFailed, ContactSent
from recobra.messaging.models import Contact
from recobra.messaging.outbox.transitions import RETURNING, change_contacts, record_ends
from recobra.messaging.receipts.status_query import StatusPoller

QUIET = timedelta(minutes=1)  # a message handed over more recently may still be arriving
WITHIN_SECONDS: Final = 12.0  # a dispatcher sends nothing meanwhile
_poller: Final = StatusPoller()

_END_UNCERTAIN = f"""
    UPDATE messaging_contact c
    SET status = %s, reason = %s, sent_at = CASE WHEN %s THEN c.handed_over_at END, lease = NULL, leased_until = NULL
    WHERE c.id = %s AND c.status = 'UNCERTAIN'
    RETURNING {RETURNING}"""


class NotUncertain(Exception):
    """The contact's end is known already; the text is shown as it is."""


@requires(Right.CLOSE_TASK)
def settle_uncertain(*, contact_id: int, outcome: Literal["SENT", "FAILED"], actor: Actor) -> None:
    """Write how an uncertain contact ended: it arrived (SENT) or it did not (FAILED). Raises NotUncertain."""
    _check_reach(contact_id, actor)
    _settle(contact_id, outcome, actor)


@requires(Right.SERVE)
def resolve_uncertain(*, within_seconds: float = WITHIN_SECONDS, actor: Actor) -> dict[str, int]:
    """Ask the providers about uncertain contacts; return how many were `sent`, `failed`, still `uncertain`.

    Those for which time was too short stay uncertain and come first the next time; the others oldest first.
    """
    figures = {"sent": 0, "failed": 0, "uncertain": 0}
    uncertain = Contact.objects.filter(status=Contact.Status.UNCERTAIN).order_by("pk").values_list("pk", flat=True)
    for contact, received in _poller.ask(uncertain, within_seconds=within_seconds):
        is_recent = contact.handed_over_at is not None and contact.handed_over_at > actor.now - QUIET
        # A provider that does not have a recent message may still get it; only later is it lost.
        if received is None or (not received and is_recent):
            figures["uncertain"] += 1
        else:
            outcome: Literal["SENT", "FAILED"] = "SENT" if received else "FAILED"
            with suppress(NotUncertain):  # a person was quicker
                _settle(contact.pk, outcome, actor)
                figures[outcome.lower()] += 1
    figures["uncertain"] += len(_poller.left)
    return figures


@transaction.atomic
def _settle(contact_id: int, outcome: Literal["SENT", "FAILED"], actor: Actor) -> None:
    """Write how an uncertain contact ended. Raises NotUncertain."""
    is_sent = outcome == "SENT"
    reason = "" if is_sent else reasons.NOT_DELIVERED
    ended = change_contacts(_END_UNCERTAIN, [outcome, reason, is_sent, contact_id])
    if ended.num_rows == 0:
        raise NotUncertain(_("The end of this contact is known already."))
    record_ends(ContactSent if is_sent else ContactFailed, ended, actor=actor)


def _check_reach(contact_id: int, actor: Actor) -> None:
    """Raise OutOfScope for a contact of a portfolio that is not within reach."""
    if actor.portfolio_codes is not None:
        code = Contact.objects.filter(pk=contact_id).values_list("portfolio__code", flat=True).first()
        check_scope(actor, code or "")
