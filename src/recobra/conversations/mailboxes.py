"""The mailboxes of senders: what debtors answer to e-mails is stored, then it becomes conversations and wishes."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.conversations.webhooks.receive import process_call, store_call
from recobra.messaging.channels.adapter import Unsuitable, WebhookRequest
from recobra.messaging.channels.email import imap, received
from recobra.messaging.models import Provider, ReplyMailbox
from recobra.messaging.providers import routing
from recobra.portfolio.models import Channel

BATCH_SIZE: Final = 100
"""Messages of one mailbox that are read at a time; the next run goes on."""
FIRST_READ_BACK: Final = timedelta(days=30)
"""Of a mailbox that was never read, or that was numbered anew, what came since then is read."""
UNFETCHED_AFTER: Final = timedelta(hours=1)
"""How long a mailbox may fail before the message that it fails at is left there, and those behind it are read."""
_log = logging.getLogger(__name__)


@requires(Right.SERVE)
def read_mailboxes(*, actor: Actor) -> int:
    """Read what is new in the mailbox of each sender; return how many messages were read.

    A mailbox that cannot be read keeps no other from being read. Those of providers that are switched off are read
    too: debtors answer later than they are written to.
    """
    senders = Provider.objects.filter(channel=Channel.EMAIL).order_by("pk")
    return sum(_read_mailbox(provider, actor) for provider in senders if provider.settings.get("imap_url"))


def _read_mailbox(provider: Provider, actor: Actor) -> int:
    """Read what is new in one mailbox, and note whether it could be read; return how many messages were read."""
    state, _is_new = ReplyMailbox.objects.get_or_create(provider=provider)
    call_ids: list[int] = []
    try:
        config = routing.build_config(provider)
        server = imap.parse_mailbox(config.settings, config.secrets.get("imap_password", ""))
        if server is None:
            return 0
        with imap.open_mailbox(server) as mailbox:
            _fetch_new(mailbox, provider, state, call_ids, actor)
    except Unsuitable as failed:
        state.failed_since = state.failed_since or actor.now
        state.answer = str(failed)
        _log.warning("The mailbox of %s was not read.", provider.code)
    else:
        state.read_at = actor.now
        state.failed_since = None
        state.answer = ""
    state.save(update_fields=["read_at", "failed_since", "answer"])
    for call_id in call_ids:
        process_call(call_id=call_id, actor=actor)
    return len(call_ids)


def _fetch_new(
    mailbox: imap.Mailbox, provider: Provider, state: ReplyMailbox, call_ids: list[int], actor: Actor
) -> None:
    """Store the messages that are new; `call_ids` gets each when it is stored, also where a later one fails."""
    since = None
    if state.uid_validity != mailbox.uid_validity:
        # Numbered anew: what was read already is known by what it says.
        state.uid_validity, state.last_uid = mailbox.uid_validity, 0
        since = ((state.read_at or actor.now) - FIRST_READ_BACK).date()
    for uid in mailbox.list_uids(after=state.last_uid, since=since)[:BATCH_SIZE]:
        try:
            mail = mailbox.fetch(uid, now=actor.now)
        except imap.MailboxFailed:
            if state.failed_since is not None and actor.now - state.failed_since >= UNFETCHED_AFTER:
                _store_mail(uid, _describe_unfetched(uid, provider, actor.now), provider, state, call_ids)
                state.failed_since = None
            raise
        _store_mail(uid, mail, provider, state, call_ids)


def _store_mail(
    uid: int, mail: imap.FetchedMail | None, provider: Provider, state: ReplyMailbox, call_ids: list[int]
) -> None:
    """Store a message as a call of the provider, if it is not gone meanwhile, and how far its mailbox was read."""
    # Together or not at all: who is killed in between reads the message again, and it is the same call.
    with transaction.atomic():
        if mail is not None:
            call = WebhookRequest(
                method=received.METHOD,
                url="",
                headers={"content-type": "message/rfc822"},
                body=mail.content,
                received_at=mail.received_at,
            )
            call_ids.append(store_call(provider, call))
        state.last_uid = uid
        state.save(update_fields=["uid_validity", "last_uid"])


def _describe_unfetched(uid: int, provider: Provider, now: datetime) -> imap.FetchedMail:
    """Return a message without a sender that tells people of one which only the mailbox itself shows."""
    text = _("The mail server does not hand over message no. %(uid)s in the mailbox of %(name)s: read it there.")
    content = "\n" + text % {"uid": uid, "name": provider.name}
    return imap.FetchedMail(uid=uid, received_at=now, content=content.encode())


def describe_mailbox(provider: Provider) -> str:
    """Return a sentence on whether the answers to a sender are read, '' for a provider of another channel."""
    if provider.channel != Channel.EMAIL:
        return ""
    if not provider.settings.get("imap_url"):
        return _("Nobody reads here what debtors answer to these e-mails: say where, in the settings.")
    state = ReplyMailbox.objects.filter(provider=provider).first()
    if state is None or (state.read_at is None and state.failed_since is None):
        return _("The mailbox is read in the next minute.")
    if state.failed_since is not None:
        return _("The mailbox is not read: %(why)s") % {"why": state.answer}
    return _("The mailbox is read.")
