"""What of the ledger of consent follows a debtor who is joined with another."""

from __future__ import annotations

from recobra.kit.debtor_rows import DebtorRows

FOLLOWING = (
    DebtorRows(
        model="consent.ConsentEntry",
        stays="The ledger only grows. What was said holds for the number, whoever has it; who said it is read of both.",
    ),
)
