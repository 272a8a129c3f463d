"""Labels of strategies, campaigns, runs, loads and the journal."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, pgettext_lazy

from .family import Families, field_labels

FAMILIES: Final[Families] = {
    "version": field_labels("strategy.StrategyVersion", "status", DRAFT="warn", PUBLISHED="good"),
    "campaign": field_labels("strategy.Campaign", "status", RUNNING="good", PAUSED="warn"),
    "run": field_labels("strategy.CycleRun", "status", RUNNING="calm", DONE="good", FAILED="bad", UNDONE="quiet"),
    # strategy.operations.cycle.STEPS
    "cycle_step": {
        "freshness": (_("Freshness of the data"), "quiet"),
        "snapshot": (_("Snapshot of the portfolio"), "quiet"),
        "classify": (_("Days past due, buckets and stages"), "quiet"),
        "score": (_("Indicators"), "quiet"),
        "decide": (_("Decisions and the law's gate"), "quiet"),
        "commit": (_("Writing what changed"), "quiet"),
        "campaigns": (_("Messages of the campaigns"), "quiet"),
        "measure": (_("Figures of the day"), "quiet"),
    },
    # intake.operations.loads.STEPS
    "load_step": {
        "reading": (_("Reading the file"), "quiet"),
        "comparing": (_("Comparing with the portfolio"), "quiet"),
        "checking": (_("Checking totals"), "quiet"),
        "people": (_("Debtors and contact points"), "quiet"),
        "writing": (_("Writing"), "quiet"),
    },
    # The statuses of contacts for more than one: Spanish inflects them
    "contact_many": {
        "DUE": (pgettext_lazy("many", "Planned"), "calm"),
        "LEASED": (_("Being sent"), "calm"),
        "SENT": (pgettext_lazy("many", "Sent"), "good"),
        "FAILED": (pgettext_lazy("many", "Failed"), "bad"),
        "BLOCKED": (pgettext_lazy("many", "Blocked"), "warn"),
        "CANCELLED": (pgettext_lazy("many", "Cancelled"), "quiet"),
        "UNCERTAIN": (pgettext_lazy("many", "Uncertain"), "bad"),
    },
    # Buckets of a load's diagnosis that are no range of days
    "age": {"not_due": (_("Not due yet"), "quiet"), "no_due_date": (_("Without a due date"), "quiet")},
    # Names in the payloads of the journal
    "detail": {
        "as_of": (_("Day"), "quiet"),
        "run_id": (_("Run"), "quiet"),
        "step": (_("Step"), "quiet"),
        "reason": (_("Reason"), "quiet"),
        "channel": (_("Channel"), "quiet"),
        "code": (_("Code"), "quiet"),
        "number": (_("Number"), "quiet"),
        "version": (_("Version"), "quiet"),
        "creditor_id": (_("Creditor (id)"), "quiet"),
        "version_id": (_("Version (id)"), "quiet"),
        "template_id": (_("Template (id)"), "quiet"),
        "load_id": (_("Load (id)"), "quiet"),
        "mapping_id": (_("Mapping (id)"), "quiet"),
        "payment_id": (_("Payment (id)"), "quiet"),
        "user_id": (_("User (id)"), "quiet"),
        "hold_id": (_("Hold (id)"), "quiet"),
        "task_id": (_("Task (id)"), "quiet"),
        "amount_minor": (_("Amount in minor units"), "quiet"),
        "source": (_("Source"), "quiet"),
        "from": (_("From"), "quiet"),
        "to": (pgettext_lazy("end", "To"), "quiet"),
        "dpd": (_("Days past due"), "quiet"),
        "address": (_("Network address"), "quiet"),
        "role": (_("Role"), "quiet"),
        "portfolios": (_("Portfolios"), "quiet"),
        "what": (_("List"), "quiet"),
        "rows": (_("Rows"), "quiet"),
        "conditions": (_("Conditions"), "quiet"),
        "kind": (_("Kind"), "quiet"),
        "outcome": (_("Outcome"), "quiet"),
        "approval_id": (_("Approval (id)"), "quiet"),
        "approval_kind": (_("Kind"), "quiet"),
        "subject": (_("What changes (id)"), "quiet"),
        "alone": (_("Decided alone"), "quiet"),
        "policy_id": (_("Policy (id)"), "quiet"),
        "promise_id": (_("Promise (id)"), "quiet"),
        "effective_from": (_("From which day it holds"), "quiet"),
        "changed": (_("What changes"), "quiet"),
        "replaced": (_("In the place of a version to come"), "quiet"),
        "grace_days": (_("Days of grace"), "quiet"),
        "currency": (_("Currency"), "quiet"),
        "date": (_("Day"), "quiet"),
    },
    # recobra_core.decide.steps.EVENTS
    "event": {
        "payment": (_("a payment"), "quiet"),
        "promise": (_("a promise to pay"), "quiet"),
        "dispute": (_("a dispute of the debtor"), "quiet"),
        "reply": (_("a reply"), "quiet"),
        "contact": (_("a contact"), "quiet"),
    },
}
# A document's name is the same in every language of the screen; its country stands in its code.
_DOCUMENTS: Final = (
    "PE_DNI",
    "PE_RUC",
    "PE_CE",
    "CL_RUT",
    "CO_CC",
    "CO_CE",
    "CO_NIT",
    "MX_RFC",
    "MX_CURP",
    "AR_DNI",
    "AR_CUIT",
    "AR_CUIL",
    "BO_CI",
    "BO_NIT",
    "EC_CI",
    "EC_RUC",
    "BR_CPF",
    "BR_CNPJ",
    "UY_CI",
    "UY_RUT",
    "PY_CI",
    "PY_RUC",
    "US_SSN",
    "US_EIN",
)
FAMILIES["document"] = {code: (code[3:], "quiet") for code in _DOCUMENTS}

# Findings of `journal.verification`, repeated here because gettext reads them only from the source.
ALTERED: Final = (
    gettext_noop("the row differs from its digest"),
    gettext_noop("the row is missing"),
    gettext_noop("the seal does not follow the one before it"),
    gettext_noop("the seal was rewritten"),
    gettext_noop("the row was added after its day was sealed"),
    gettext_noop("the row and its digest were rewritten after its day was sealed"),
    gettext_noop("the seal is not signed"),
    gettext_noop("the seal is signed by somebody else"),
    gettext_noop("the expected seal is missing: what it covers was cut, rewritten or sealed anew"),
    gettext_noop("a seal that is kept outside the database is missing: the journal was cut or sealed anew"),
    gettext_noop("the file of the seals that are kept outside the database cannot be read"),
)
# Reasons for the end of a run that are sentences, not codes.
RUN_REASONS: Final = (gettext_noop("Interrupted."),)
