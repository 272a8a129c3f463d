"""What of the journal follows a debtor who is joined with another."""

from __future__ import annotations

from recobra.kit.debtor_rows import DebtorRows

FOLLOWING = (
    DebtorRows(model="journal.Entry", stays="It only grows and is sealed; the history reads the facts of both."),
)
