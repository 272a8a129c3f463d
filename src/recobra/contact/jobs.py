"""What providers' calls need beside the moment in which they come: calls worked again, and the old ones forgotten."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from recobra.kit import clock

from . import attachments, operations
from .operations.incidents import find_breaches
from .operations.registering import synchronise_templates

ASKED_EVERY = timedelta(minutes=10)
LOOKED_BACK = timedelta(days=7)


@app.periodic(cron="* * * * *")
@app.task(name="contact.calls", queueing_lock="contact.calls", lock="contact.calls")
def work_calls(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Work again what failed, and let receipts find the contacts that they were faster than."""
    now = clock.now()
    operations.retry_calls(now=now)
    operations.join_waiting(now=now)


@app.periodic(cron="*/10 * * * *")
@app.task(name="contact.ask", queueing_lock="contact.ask", lock="contact.ask")
def ask_providers(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Ask the providers about contacts whose end is not known, and about those of which nobody told anything."""
    now = clock.now()
    operations.resolve_uncertain(now=now, actor="provider")
    operations.ask_about_silent(now=now, every=ASKED_EVERY)


@app.periodic(cron="40 2 * * *")
@app.task(name="contact.forget", queueing_lock="contact.forget")
def forget(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Delete providers' calls that have been kept long enough, and look for breaches that nobody has noticed."""
    now = clock.now()
    operations.forget_calls(now=now)
    find_breaches(since=now - LOOKED_BACK, now=now, actor="night")


@app.periodic(cron="17 * * * *")
@app.task(name="contact.templates", queueing_lock="contact.templates", lock="contact.templates")
def ask_templates(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Ask WhatsApp what it decided about templates, for calls that never came."""
    synchronise_templates(now=clock.now())


@app.task(name="contact.answer")
def answer(conversation_id: int) -> None:
    """Let the bot read what a debtor has just written, and fetch the files that came with it."""
    operations.answer_conversation(conversation_id=conversation_id, now=clock.now())
    attachments.fetch_waiting(now=clock.now())


@app.periodic(cron="* * * * *")
@app.task(name="contact.conversations", queueing_lock="contact.conversations", lock="contact.conversations")
def attend(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Answer what a job has missed, and fetch files that could not be fetched before."""
    operations.answer_waiting(now=clock.now())
    attachments.fetch_waiting(now=clock.now())
