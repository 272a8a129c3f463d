"""Labels of exports: which list left, and the conditions that chose its rows."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .family import Families

FAMILIES: Final[Families] = {
    # `what` of approvals.exports.let_out and access.operations.record_export
    "export": {
        "accounts": (_("Portfolio"), "quiet"),
        "audit": (_("Audit"), "quiet"),
        "campaign": (_("Debtors whom a campaign does not reach"), "quiet"),
        "compliance": (_("Compliance of a month"), "quiet"),
        "letters": (_("Letters for the printer"), "quiet"),
        "load_errors": (_("Rejected rows of a load"), "quiet"),
        "load_warnings": (_("Warnings of a load"), "quiet"),
        "reach": (_("Reach"), "quiet"),
    },
    # The names of their conditions, as the journal keeps them
    "export_condition": {
        "text": (_("Text that was searched for"), "quiet"),
        "portfolio": (pgettext_lazy("one", "Portfolio"), "quiet"),
        "bucket": (_("Bucket"), "quiet"),
        "stage": (_("Stage"), "quiet"),
        "segment": (_("Segment"), "quiet"),
        "status": (_("Status"), "quiet"),
        "missing": (_("What is missing"), "quiet"),
        "near_limitation": (_("Near prescription"), "quiet"),
        "group": (_("Group"), "quiet"),
        "own": (_("Own column"), "quiet"),
        "own_value": (_("Value of the own column"), "quiet"),
        "at_least": (_("Overdue from"), "quiet"),
        "at_most": (_("Overdue to"), "quiet"),
        "sort": (_("Order"), "quiet"),
        "hecho": (_("Fact"), "quiet"),
        "quien": (_("Who"), "quiet"),
        "deudor": (_("Debtor (id)"), "quiet"),
        "cartera": (pgettext_lazy("one", "Portfolio"), "quiet"),
        "desde": (_("From the day"), "quiet"),
        "hasta": (_("To the day"), "quiet"),
        "mes": (_("Month"), "quiet"),
        "pais": (_("Country"), "quiet"),
        "moneda": (_("Currency"), "quiet"),
        "canal": (_("Channel"), "quiet"),
        "plantilla": (_("Template"), "quiet"),
        "ventana": (_("Days within which an answer counts"), "quiet"),
        "por": (_("Grouped by"), "quiet"),
        "campaign": (_("Campaign"), "quiet"),
        "load": (_("Load (id)"), "quiet"),
        "lote": (_("Batch"), "quiet"),
        "archivo": (_("File"), "quiet"),
    },
    # insight.queries.receivables.SORTS
    "account_order": {
        "overdue": (_("Most overdue amount"), "quiet"),
        "balance": (_("Highest balance"), "quiet"),
        "oldest": (_("Most days past due"), "quiet"),
        "recent": (_("Fewest days past due"), "quiet"),
    },
    # insight.queries.readiness: LACKS, ANY and NOTHING
    "lack": {
        "document": (_("Without a valid identity document"), "warn"),
        "contract": (_("Without a contract"), "warn"),
        "contact": (_("Without a way to reach the debtor"), "warn"),
        "due_date": (_("Without a due date"), "warn"),
        "any": (_("Something is missing"), "warn"),
        "nothing": (_("Nothing is missing"), "good"),
    },
    # insight.queries.message_results.DIMENSIONS
    "results_by": {
        "canal": (_("Channel"), "quiet"),
        "plantilla": (_("Template"), "quiet"),
        "variante": (_("Variant"), "quiet"),
        "paso": (_("Step of a strategy"), "quiet"),
        "cartera": (_("Portfolio"), "quiet"),
        "pais": (_("Country"), "quiet"),
    },
}
VALUES: Final = {
    "stage": "stage",
    "status": "account",
    "canal": "channel",
    "sort": "account_order",
    "missing": "lack",
    "por": "results_by",
}
"""The families of the values of conditions that are codes."""
