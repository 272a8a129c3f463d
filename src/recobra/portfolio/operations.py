"""Public writes of the portfolio: holds, and the details of a creditor that messages name. `setup` opens it."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import pyarrow as pa
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.approvals.operations import ask, withdraw_of_subject
from recobra.approvals.second_person import needs_second_person
from recobra.journal.operations import record_fact, record_facts
from recobra.kit import tables
from recobra_core.law.content import MessageFacts, has_blocking, lint_text

from .facts import CreditorSaved, HoldLifted, HoldPlaced, PaymentInstructionsChanged
from .models import Account, Creditor, Debtor, Hold
from .scope import check_account, check_creditor, check_debtor

_LIFTED: Final = pa.schema(
    [("hold_id", pa.int64()), ("reason", pa.string()), ("debtor_id", pa.int64()), ("account_id", pa.int64())]
)

CREDITOR_DETAILS: Final = {
    "name": gettext_lazy("Name of the creditor"),
    "tax_id": gettext_lazy("Tax id"),
    "address": gettext_lazy("Address of the creditor"),
    "payment_instructions": gettext_lazy("How and where to pay"),
    "complaint_contact": gettext_lazy("How to object or complain"),
    "complaint_office": gettext_lazy("Office that hears complaints"),
    "agency_name": gettext_lazy("Collection agency"),
    "agency_address": gettext_lazy("Address of who collects"),
    "agency_phone": gettext_lazy("Telephone of who collects"),
}
"""Texts in messages about a creditor and about the agency that collects for it, with what a person calls each."""
LONGEST_DETAIL: Final = 1_000
DETAILS: Final = "payment_instructions"
"""The kind of approval of other details. Its code is stored, and older than the other texts it covers."""
SALT: Final = "salt"


class HoldRefused(Exception):
    """The hold cannot be placed or lifted; the text is shown as it is."""


class CreditorRefused(Exception):
    """The details cannot be kept so; `errors` say why, by field, and are shown as they are."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(errors.values()))
        self.errors = dict(errors)


@requires(Right.PLACE_HOLD)
@transaction.atomic
def place_hold(
    *,
    debtor_id: int,
    account_id: int | None = None,
    reason: str,
    starts_on: date,
    ends_on: date | None = None,
    note: str = "",
    disputed_minor: int | None = None,
    actor: Actor,
) -> Hold:
    """Pause the pursuit of a debtor, an account or a disputed amount of it. Raises HoldRefused.

    The same hold of the same person twice is a form that was sent twice.
    """
    check_debtor(actor, debtor_id)
    if account_id is not None:
        check_account(actor, account_id)
    Debtor.objects.select_for_update(no_key=True).get(pk=debtor_id)
    same = Hold.objects.filter(
        Q(account_id=account_id, ends_on=ends_on, disputed_minor=disputed_minor),
        debtor_id=debtor_id,
        reason=reason,
        starts_on=starts_on,
        note=note,
        author=actor.name,
    )
    if same.filter(lifted_at__isnull=True).exists():
        raise HoldRefused(_("This very hold stands already."))
    return hold_debtor(
        debtor_id=debtor_id,
        account_id=account_id,
        reason=reason,
        starts_on=starts_on,
        ends_on=ends_on,
        note=note,
        disputed_minor=disputed_minor,
        actor=actor,
    )


@consequence
@transaction.atomic
def hold_debtor(
    *,
    debtor_id: int,
    account_id: int | None = None,
    reason: str,
    starts_on: date,
    ends_on: date | None = None,
    note: str = "",
    disputed_minor: int | None = None,
    actor: Actor,
) -> Hold:
    """Place a hold as `place_hold` does, where it follows from what was promised or said. Raises HoldRefused."""
    debtor = Debtor.objects.select_for_update(no_key=True).get(pk=debtor_id)
    if debtor.erased_at is not None:
        # What is noted about somebody who was erased is never erased again.
        raise HoldRefused(_("This person is anonymised already: nothing points to anybody any more."))
    if reason not in Hold.Reason.values:
        raise HoldRefused(_("«%(reason)s» is not a reason for a hold.") % {"reason": reason})
    if ends_on is not None and ends_on < starts_on:
        raise HoldRefused(_("A hold cannot end before it starts."))
    if disputed_minor is not None and (account_id is None or disputed_minor <= 0):
        raise HoldRefused(_("A disputed amount must be positive and belong to one account."))
    if account_id is not None and not Account.objects.filter(pk=account_id, debtor=debtor).exists():
        raise HoldRefused(_("The account does not belong to this debtor."))
    hold = Hold.objects.create(
        debtor=debtor,
        account_id=account_id,
        reason=reason,
        disputed_minor=disputed_minor,
        starts_on=starts_on,
        ends_on=ends_on,
        note=note,
        author=actor.name,
        created_at=actor.now,
    )
    placed = HoldPlaced(hold_id=hold.pk, reason=str(reason), starts_on=starts_on, ends_on=ends_on)
    record_fact(placed, actor=actor, debtor_id=debtor_id, account_id=account_id)
    return hold


@consequence
@transaction.atomic
def place_holds(*, rows: pa.Table, starts_on: date, actor: Actor) -> None:
    """Place the holds that the plan of a day asks for, set by set. `rows`: debtor_id, account_id, reason, ends_on."""
    count = rows.num_rows
    ids = tables.take_ids("portfolio_hold", count)
    days = pa.array([starts_on] * count, pa.date32())
    constants = {
        "id": ids,
        "public_id": pa.array([str(uuid.uuid4()) for _ in range(count)]),
        "starts_on": days,
        "note": pa.array([""] * count),
        "author": pa.array([actor.name] * count),
        "created_at": pa.array([actor.now] * count, pa.timestamp("us", tz="UTC")),
        "lifted_by": pa.array([""] * count),
    }
    tables.copy_in("portfolio_hold", pa.table({**{name: rows[name] for name in rows.column_names}, **constants}))
    placed = rows.select(["debtor_id", "account_id", "reason", "ends_on"])
    placed = placed.append_column("hold_id", ids).append_column("starts_on", days)
    record_facts(HoldPlaced, placed.append_column("is_planned", pa.array([True] * count, pa.bool_())), actor=actor)


@consequence
@transaction.atomic
def lift_planned_holds(*, created_at: Sequence[datetime], actor: Actor) -> int:
    """End the holds that a plan placed at these instants; return how many."""
    query = """
        UPDATE portfolio_hold SET lifted_at = %s, lifted_by = %s
        WHERE created_at = ANY(%s) AND lifted_at IS NULL
        RETURNING id, reason, debtor_id, account_id"""
    lifted = tables.fetch(query, [actor.now, actor.name, list(created_at)], _LIFTED)
    is_planned = pa.array([True] * lifted.num_rows, pa.bool_())
    record_facts(HoldLifted, lifted.append_column("is_planned", is_planned), actor=actor)
    return lifted.num_rows


@requires(Right.LIFT_HOLD)
@transaction.atomic
def lift_hold(*, hold_id: int, actor: Actor) -> Hold:
    """End a hold before its day. Raises HoldRefused."""
    hold = Hold.objects.select_for_update().get(pk=hold_id)
    check_debtor(actor, hold.debtor_id)
    if hold.account_id is not None:
        check_account(actor, hold.account_id)
    if hold.lifted_at is not None:
        raise HoldRefused(_("The hold was lifted already."))
    hold.lifted_at = actor.now
    hold.lifted_by = actor.name
    hold.save(update_fields=["lifted_at", "lifted_by"])
    lifted = HoldLifted(hold_id=hold.pk, reason=hold.reason)
    record_fact(lifted, actor=actor, debtor_id=hold.debtor_id, account_id=hold.account_id)
    return hold


@requires(Right.MANAGE_CHANNELS)
@transaction.atomic
def save_creditor_details(
    *, creditor_id: int, details: Mapping[str, str], supervised: bool | None, actor: Actor
) -> Creditor:
    """Save the details of a creditor that messages name. `details`: any of CREDITOR_DETAILS. Raises CreditorRefused.

    All of these texts leave in messages, and any of them could name an account: they are asked of a second person,
    unless the company wants none. Until then messages say the old ones.
    """
    check_creditor(actor, creditor_id)
    creditor = Creditor.objects.select_for_update(no_key=True).get(pk=creditor_id)
    texts = {name: _tidy_text(details[name]) for name in CREDITOR_DETAILS if name in details}
    if texts.get("name") == "":
        raise CreditorRefused({"name": _("A name is needed.")})
    _refuse_barred(creditor, texts, actor)
    if creditor.supervised != supervised:
        creditor.supervised = supervised
        creditor.save(update_fields=["supervised"])
        record_fact(CreditorSaved(creditor_id=creditor.pk, code=creditor.code, changed=["supervised"]), actor=actor)
    before = _readable_details(creditor)
    changed = {name: text for name, text in texts.items() if before[name] != text}
    if changed:
        _ask_about_details(creditor, changed, before, actor)
        creditor.refresh_from_db()
    return creditor


def _ask_about_details(creditor: Creditor, texts: Mapping[str, str], before: Mapping[str, str], actor: Actor) -> None:
    """Ask a second person about what messages say of a creditor, in place of an earlier question."""
    subject = str(creditor.pk)
    withdraw_of_subject(kind=DETAILS, subject=subject, reason=_("Others were written."), actor=actor)
    ask(
        kind=DETAILS,
        subject=subject,
        old={name: before[name] for name in texts},
        # The salt lets the journal prove where to pay later without giving away what it is.
        new={**texts, SALT: secrets.token_hex(16)},
        portfolio_code=creditor.portfolios.order_by("code").values_list("code", flat=True).first() or "",
        at_once=not needs_second_person(DETAILS, actor=actor),
        actor=actor,
    )


@consequence
@transaction.atomic
def change_creditor_details(
    *, creditor_id: int, texts: Mapping[str, str], salt: str, approval_id: int, author: str, actor: Actor
) -> None:
    """Let messages say other details from now on. Raises CreditorRefused where the law has come to bar one."""
    creditor = Creditor.objects.select_for_update(no_key=True).get(pk=creditor_id)
    _refuse_barred(creditor, texts, actor)
    before = _readable_details(creditor)
    for name, text in texts.items():
        setattr(creditor, name, text)
    creditor.save(update_fields=list(texts))
    # The names of the fields, not their texts: a complaint contact may be a person.
    record_fact(CreditorSaved(creditor_id=creditor.pk, code=creditor.code, changed=sorted(texts)), actor=actor)
    if "payment_instructions" in texts:
        paid_elsewhere = PaymentInstructionsChanged(
            creditor_id=creditor.pk,
            code=creditor.code,
            approval_id=approval_id,
            author=author,
            old_digest=_digest(before["payment_instructions"], salt),
            new_digest=_digest(texts["payment_instructions"], salt),
        )
        record_fact(paid_elsewhere, actor=actor)


def _readable_details(creditor: Creditor) -> dict[str, str]:
    """Return the details by name; '' for where to pay, if another installation's key shut it."""
    details = {name: str(getattr(creditor, name)) for name in CREDITOR_DETAILS if name != "payment_instructions"}
    readable = creditor.has_readable_instructions()
    return {**details, "payment_instructions": creditor.payment_instructions if readable else ""}


def _refuse_barred(creditor: Creditor, texts: Mapping[str, str], actor: Actor) -> None:
    """Raise CreditorRefused for texts that no message may say: they leave inside approved templates."""
    countries = list(creditor.portfolios.order_by("country").values_list("country", flat=True).distinct())
    errors = _find_barred(texts, countries, actor.now)
    if errors:
        raise CreditorRefused(errors)


def find_barred_details(creditor: Creditor, *, countries: Sequence[str], now: datetime) -> dict[str, str]:
    """Return which of a creditor's details no message may say in some countries, with why, by their names."""
    return _find_barred(_readable_details(creditor), countries, now)


def _find_barred(texts: Mapping[str, str], countries: Sequence[str], now: datetime) -> dict[str, str]:
    """Return why texts may not be part of a message in some countries, by their names."""
    objections = {name: _find_objection(text, countries, now) for name, text in texts.items()}
    return {name: objection for name, objection in objections.items() if objection}


def _digest(text: str, salt: str) -> str:
    """Return what proves a text to whoever has the salt."""
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


def _tidy_text(text: str) -> str:
    """Return a text without blank ends and repeated blanks; its lines stay."""
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def _find_objection(text: str, countries: Sequence[str], now: datetime) -> str:
    """Return why a text may not be part of a message, '' where it may."""
    if len(text) > LONGEST_DETAIL:
        return _("It is too long: up to %(count)s characters.") % {"count": LONGEST_DETAIL}
    for country in countries:
        # `reply`: the text is a part, so what every message must say beside it is not missing here.
        findings = lint_text(
            text, country=country, channel="email", kind="template", facts=MessageFacts(on=now.date(), reply=True)
        )
        for finding in findings:
            if has_blocking((finding,)):
                words = {"excerpt": finding.excerpt, "why": _(finding.sentence), "country": country}
                return _("«%(excerpt)s» may not be said in %(country)s: %(why)s") % words
    return ""
