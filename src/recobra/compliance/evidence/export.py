"""Export of signed evidence of the contacts with a debtor; each export is recorded in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.compliance.evidence import (
    UNREDACTED,
    EvidenceRefused,
    Redaction,
    collect_dossier,
    evidence_report,
    redaction_for,
)
from recobra.compliance.facts import EvidenceExported
from recobra.compliance.report import report_pdf
from recobra.journal.operations import record_fact
from recobra.kit import tables
from recobra.kit.typeset import signature
from recobra.portfolio.models import Account, Creditor, Debtor
from recobra.portfolio.scope import check_debtor, check_every_portfolio

Form = Literal["pdf", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A signed file; `digest` is the SHA-256 of the canonical JSON that both forms are made from."""

    content: bytes
    name: str
    digest: str
    signer: str
    contacts: int
    masked: bool


@requires(Right.EXPORT_EVIDENCE)
@transaction.atomic
def export_evidence(*, debtor_id: int, form: Form, actor: Actor) -> Evidence:
    """Return the evidence as the actor's role may read it.

    Raises EvidenceRefused where the debtor owes in portfolios out of the actor's reach.
    """
    check_debtor(actor, debtor_id)
    debtor = Debtor.objects.select_related("creditor").get(pk=debtor_id)
    codes = actor.portfolio_codes
    # Messages speak of all that is owed, so a part of the portfolios is not enough to read them.
    if codes is not None and Account.objects.filter(debtor=debtor).exclude(portfolio__code__in=codes).exists():
        raise EvidenceRefused(
            _("This debtor owes in other portfolios too: someone who may see all of them must export the evidence.")
        )
    return _export_dossier(debtor=debtor, form=form, redaction=redaction_for(actor), actor=actor)


@requires(Right.EXPORT_EVIDENCE)
@transaction.atomic
def export_evidence_by_number(*, creditor: str, number: str, form: Form, actor: Actor) -> Evidence:
    """Return the whole evidence, unredacted, by the creditor's code and its number of the debtor.

    `creditor` may be '' where only one creditor uses the number. Raises EvidenceRefused.
    """
    check_every_portfolio(actor)
    creditors = Creditor.objects.filter(code=creditor) if creditor else Creditor.objects.all()
    # By the creditors' ids, of which there are few: the index of the numbers begins with them.
    of_creditors = tables.is_any_of("creditor_id", creditors.values_list("pk", flat=True))
    candidates = Debtor.objects.select_related("creditor", "joined_into__creditor").filter(
        of_creditors, external_id=number
    )
    # Two are enough to know that the number is ambiguous.
    debtors = list(candidates[:2])
    if not debtors:
        raise EvidenceRefused(_("There is no debtor «%s».") % number)
    if len(debtors) > 1:
        raise EvidenceRefused(_("Several creditors have a debtor «%s»: say which.") % number)
    # All of who was joined with another is with the latter.
    debtor = debtors[0].joined_into or debtors[0]
    return _export_dossier(debtor=debtor, form=form, redaction=UNREDACTED, actor=actor)


def own_identity(*, now: datetime) -> signature.Identity:
    """Return the key and certificate of this installation, made on first use. Raises KeyUnsuitable."""
    return signature.load_identity(now=now)


def own_certificate(*, now: datetime) -> bytes:
    """Return this installation's certificate (PEM), which others need to check what it signed."""
    return signature.certificate_pem(own_identity(now=now))


def _export_dossier(*, debtor: Debtor, form: Form, redaction: Redaction, actor: Actor) -> Evidence:
    """Collect, sign and record the evidence of a debtor in one of its two forms."""
    own = own_identity(now=actor.now)
    dossier = collect_dossier(debtor=debtor, redaction=redaction, signer=own.fingerprint, now=actor.now)
    digest = sha256(signature.canonical_json(dossier)).hexdigest()
    if form == "json":
        content = signature.serialise_signed(signature.sign_json(dossier, own=own, now=actor.now))
    else:
        pdf = report_pdf(evidence_report(dossier, digest=digest), at=actor.now)
        content = signature.sign_pdf(pdf, own=own, now=actor.now, reason=_("Evidence of contacts"))
    exported = EvidenceExported(form=form, digest=digest, masked=redaction.is_masked, contacts=len(dossier["contacts"]))
    record_fact(exported, actor=actor, debtor_id=debtor.pk)
    # The name of the file has the debtor's local time, like the document.
    local = actor.now.astimezone(ZoneInfo(dossier["debtor"]["time_zone"]))
    return Evidence(
        content=content,
        name=f"constancia-{debtor.pk}-{local:%Y%m%d-%H%M%S}.{form}",
        digest=digest,
        signer=own.fingerprint,
        contacts=len(dossier["contacts"]),
        masked=redaction.is_masked,
    )
