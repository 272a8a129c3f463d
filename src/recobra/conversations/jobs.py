"""Scheduled jobs of conversations: what is done later than the webhook call that brings a message."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from recobra.access.actors import Service, service_actor
from recobra.conversations import attachments, mailboxes
from recobra.conversations import operations as conversations
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging.templates.whatsapp_approval import synchronise_templates

STATUS_QUERY_INTERVAL = timedelta(minutes=10)


@app.periodic(cron="* * * * *")
@app.task(name="contact.calls", queueing_lock="contact.calls", lock="contact.calls")
def retry_calls(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Retry the calls that failed, and join receipts that came before their contact was stored."""
    now = clock.now()
    conversations.retry_calls(actor=service_actor(Service.PROVIDER, now=now))
    messaging.match_waiting_receipts(actor=service_actor(Service.PROVIDER, now=now))


@app.periodic(cron="*/10 * * * *")
@app.task(name="contact.ask", queueing_lock="contact.ask", lock="contact.ask")
def ask_providers(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Query the providers for uncertain contacts, and for those without a receipt."""
    now = clock.now()
    messaging.resolve_uncertain(actor=service_actor(Service.PROVIDER, now=now))
    messaging.poll_unreported_contacts(actor=service_actor(Service.PROVIDER, now=now), every=STATUS_QUERY_INTERVAL)


@app.periodic(cron="* * * * *")
@app.task(name="contact.mail", queueing_lock="contact.mail", lock="contact.mail")
def read_mailboxes(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Read what debtors answered to e-mails, and what came back."""
    mailboxes.read_mailboxes(actor=service_actor(Service.PROVIDER, now=clock.now()))


@app.periodic(cron="40 2 * * *")
@app.task(name="contact.forget", queueing_lock="contact.forget")
def delete_unnamed_files(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Delete files of debtors that nobody names."""
    attachments.delete_unnamed_files(actor=service_actor(Service.SYSTEM, now=clock.now()))


@app.periodic(cron="17 * * * *")
@app.task(name="contact.templates", queueing_lock="contact.templates", lock="contact.templates")
def ask_templates(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Query WhatsApp for its decisions about templates, in case a call about one never came."""
    synchronise_templates(actor=service_actor(Service.PROVIDER, now=clock.now()))


# No lock: two jobs for one conversation are harmless, since each message is locked before it is answered.
@app.task(name="contact.answer")
def answer_conversation(conversation_id: int) -> None:
    """Let the bot answer what a debtor has just written, and fetch the attachments."""
    conversations.answer_conversation(
        conversation_id=conversation_id, actor=service_actor(Service.BOT, now=clock.now())
    )
    attachments.fetch_waiting(actor=service_actor(Service.BOT, now=clock.now()))


@app.periodic(cron="* * * * *")
@app.task(name="contact.conversations", queueing_lock="contact.conversations", lock="contact.conversations")
def answer_waiting(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Answer what `answer_conversation` has missed, and retry attachments."""
    conversations.answer_waiting(actor=service_actor(Service.BOT, now=clock.now()))
    attachments.fetch_waiting(actor=service_actor(Service.BOT, now=clock.now()))
