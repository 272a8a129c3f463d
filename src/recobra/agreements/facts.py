"""Kinds of facts about promises."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from recobra.journal.facts import Fact, fact


@fact("promise.registered", _("Payment promised"))
class PromiseRegistered(Fact):
    """A debtor promised to pay by a day.

    Entries from before promises were rows have no `promise_id`, and no amount where it was promised on a keypad;
    `conversation_id` and `message_id` say where one was typed.
    """

    promised_on: Annotated[date, Field(alias="date")]
    grace_days: int = 0
    promise_id: int | None = None
    amount_minor: int | None = None
    currency: str = ""
    channel: str = ""
    conversation_id: int | None = None
    message_id: int | None = None
