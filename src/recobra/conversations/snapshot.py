"""What debtors said in conversations, as an Arrow table for the decisions of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pyarrow as pa
from django.db.models import DateField, Max
from django.db.models.functions import Cast

from recobra.conversations.inbound import UNTOLD_FORMS
from recobra.conversations.models import ConversationMessage, Dispute
from recobra.kit import tables
from recobra.portfolio.snapshot import Scope

_DISPUTES = pa.schema([("debtor_id", pa.int64()), ("last_dispute_on", pa.date32())])
_REPLIES = pa.schema([("debtor_id", pa.int64()), ("last_reply_on", pa.date32())])


def read_events(scope: Scope, *, since: date, until: date) -> pa.Table:
    """Return the days of each debtor's latest dispute and latest reply, null where there is none.

    Columns: debtor_id, last_dispute_on, last_reply_on. The day `since` counts, `until` does not.
    """
    begin, end = (datetime.combine(day, time(), UTC) for day in (since, until))
    disputes = Dispute.objects.filter(scope.condition(debtor="debtor_id"), opened_at__gte=begin, opened_at__lt=end)
    opened = disputes.values("debtor_id").annotate(day=Cast(Max("opened_at"), DateField()))
    messages = ConversationMessage.objects.filter(
        scope.condition(debtor="conversation__debtor_id"),
        direction=ConversationMessage.Direction.IN,
        conversation__debtor__isnull=False,
        received_at__gte=begin,
        received_at__lt=end,
    )
    # What a program answered, or a person took back, is no reply.
    messages = messages.exclude(intent__in=UNTOLD_FORMS)
    replied = messages.order_by().values("conversation__debtor_id").annotate(day=Cast(Max("received_at"), DateField()))
    return tables.fetch_queryset(opened.values_list("debtor_id", "day"), _DISPUTES).join(
        tables.fetch_queryset(replied.values_list("conversation__debtor_id", "day"), _REPLIES),
        keys="debtor_id",
        join_type="full outer",
    )
