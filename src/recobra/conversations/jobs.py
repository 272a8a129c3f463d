"""What providers' calls need beside the moment in which they come: calls worked again, and the old ones forgotten."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from recobra.conversations import attachments
from recobra.conversations import operations as conversations
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging.templates.whatsapp_approval import synchronise_templates

STATUS_QUERY_INTERVAL = timedelta(minutes=10)


@app.periodic(cron="* * * * *")
@app.task(name="contact.calls", queueing_lock="contact.calls", lock="contact.calls")
def retry_calls(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Work again what failed, and let receipts find the contacts that they were faster than."""
    now = clock.now()
    conversations.retry_calls(now=now)
    messaging.match_waiting_receipts(now=now)


@app.periodic(cron="*/10 * * * *")
@app.task(name="contact.ask", queueing_lock="contact.ask", lock="contact.ask")
def ask_providers(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Ask the providers about contacts whose end is not known, and about those of which nobody told anything."""
    now = clock.now()
    messaging.resolve_uncertain(now=now, actor="provider")
    messaging.poll_without_receipt(now=now, every=STATUS_QUERY_INTERVAL)


@app.periodic(cron="40 2 * * *")
@app.task(name="contact.forget", queueing_lock="contact.forget")
def delete_old_calls(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Delete providers' calls that have been kept long enough."""
    conversations.delete_old_calls(now=clock.now())


@app.periodic(cron="17 * * * *")
@app.task(name="contact.templates", queueing_lock="contact.templates", lock="contact.templates")
def ask_templates(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Ask WhatsApp what it decided about templates, for calls that never came."""
    synchronise_templates(now=clock.now())


@app.task(name="contact.answer")
def answer_conversation(conversation_id: int) -> None:
    """Let the bot read what a debtor has just written, and fetch the files that came with it."""
    conversations.answer_conversation(conversation_id=conversation_id, now=clock.now())
    attachments.fetch_waiting(now=clock.now())


@app.periodic(cron="* * * * *")
@app.task(name="contact.conversations", queueing_lock="contact.conversations", lock="contact.conversations")
def answer_waiting(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Answer what a job has missed, and fetch files that could not be fetched before."""
    conversations.answer_waiting(now=clock.now())
    attachments.fetch_waiting(now=clock.now())
