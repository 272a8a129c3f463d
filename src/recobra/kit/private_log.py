"""Keeps personal data and secrets out of the log, whatever a library or an exception writes there."""

from __future__ import annotations

import logging
import re
from typing import Final

_REDACTIONS: Final = (
    # What PostgreSQL adds to an error quotes the values of the row.
    (re.compile(r"^(\s*)(DETAIL|CONTEXT|QUERY|LINE \d+):.*$", re.MULTILINE), r"\1\2: •••"),
    (re.compile(r"(/d/[a-z]+/|/api/voice/[^/\s]+/|token=)[^/\s?'\"]+"), r"\1•••"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "•••@•••"),
    (re.compile(r"\+\d[\d ()-]{6,18}\d"), "+•••"),
)


def redact(text: str) -> str:
    """Return a text without e-mail addresses, telephone numbers, links of debtors and values of failed rows."""
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFilter(logging.Filter):
    """A filter of a handler: what passes is redacted, message and traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a record and let it pass."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(record.exc_text or logging.Formatter().formatException(record.exc_info))
            # The formatter of JSON would write the traceback anew.
            record.exc_info = None
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True
