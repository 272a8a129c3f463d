"""What of messages needs a second person; `recobra.approvals.kinds` gathers it."""

from .templates.approval import TEMPLATE

KINDS = (TEMPLATE,)
