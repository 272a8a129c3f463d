"""Public writes of the portfolio: holds, and the details of a creditor that messages name. `setup` opens them."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

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

CREDITOR_DETAILS: Final = (
    "tax_id",
    "address",
    "payment_instructions",
    "complaint_contact",
    "complaint_office",
    "agency_name",
    "agency_address",
    "agency_phone",
)
"""Texts in messages about a creditor and about the agency that collects for it."""
LONGEST_DETAIL: Final = 1_000
INSTRUCTIONS: Final = "payment_instructions"
"""The detail that says where to pay, and the kind of approval of another one."""


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
    """Pause the pursuit of a debtor, an account or a disputed amount of it. Raises HoldRefused."""
    check_debtor(actor, debtor_id)
    if account_id is not None:
        check_account(actor, account_id)
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

    Where to pay is asked of a second person, unless the company wants none: until then messages say the old one.
    """
    check_creditor(actor, creditor_id)
    creditor = Creditor.objects.select_for_update(no_key=True).get(pk=creditor_id)
    values: dict[str, Any] = {name: _tidy_text(details[name]) for name in CREDITOR_DETAILS if name in details}
    # These words leave inside approved templates, so the law reads them as it reads those.
    errors = {}
    for name, text in values.items():
        objection = _find_objection(creditor, text, actor.now)
        if objection:
            errors[name] = objection
    if errors:
        raise CreditorRefused(errors)
    values["supervised"] = supervised
    instructions = values.pop(INSTRUCTIONS, None)
    if not creditor.has_readable_instructions():  # of another installation's key: whatever is given replaces them
        creditor.payment_instructions = ""
    changed = [name for name, value in values.items() if getattr(creditor, name) != value]
    for name in changed:
        setattr(creditor, name, values[name])
    if changed:
        creditor.save(update_fields=changed)
        # The names of the fields, not their texts: a complaint contact may be a person.
        saved = CreditorSaved(creditor_id=creditor.pk, code=creditor.code, changed=sorted(changed))
        record_fact(saved, actor=actor)
    if instructions is not None and instructions != creditor.payment_instructions:
        _ask_about_instructions(creditor, instructions, actor)
        creditor.refresh_from_db()
    return creditor


def _ask_about_instructions(creditor: Creditor, text: str, actor: Actor) -> None:
    """Ask a second person about where debtors are to pay, in place of an earlier question."""
    subject = str(creditor.pk)
    withdraw_of_subject(kind=INSTRUCTIONS, subject=subject, reason=_("Another one was written."), actor=actor)
    ask(
        kind=INSTRUCTIONS,
        subject=subject,
        old={"text": creditor.payment_instructions},
        # The salt lets the journal prove both texts later without giving away what they are.
        new={"text": text, "salt": secrets.token_hex(16)},
        portfolio_code=creditor.portfolios.order_by("code").values_list("code", flat=True).first() or "",
        at_once=not needs_second_person(INSTRUCTIONS, actor=actor),
        actor=actor,
    )


@consequence
@transaction.atomic
def change_payment_instructions(
    *, creditor_id: int, text: str, salt: str, approval_id: int, author: str, actor: Actor
) -> None:
    """Let messages say another way to pay from now on. Raises CreditorRefused where the law has come to bar it."""
    creditor = Creditor.objects.select_for_update(no_key=True).get(pk=creditor_id)
    objection = _find_objection(creditor, text, actor.now)
    if objection:
        raise CreditorRefused({INSTRUCTIONS: objection})
    if not creditor.has_readable_instructions():
        creditor.payment_instructions = ""
    changed = PaymentInstructionsChanged(
        creditor_id=creditor.pk,
        code=creditor.code,
        approval_id=approval_id,
        author=author,
        old_digest=_digest(creditor.payment_instructions, salt),
        new_digest=_digest(text, salt),
    )
    creditor.payment_instructions = text
    creditor.save(update_fields=[INSTRUCTIONS])
    record_fact(changed, actor=actor)


def _digest(text: str, salt: str) -> str:
    """Return what proves a text to whoever has the salt."""
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


def _tidy_text(text: str) -> str:
    """Return a text without blank ends and repeated blanks; its lines stay."""
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def _find_objection(creditor: Creditor, text: str, now: datetime) -> str:
    """Return why a text may not be part of a message, '' where it may."""
    if len(text) > LONGEST_DETAIL:
        return _("It is too long: up to %(count)s characters.") % {"count": LONGEST_DETAIL}
    for country in creditor.portfolios.order_by("country").values_list("country", flat=True).distinct():
        # `reply`: the text is a part, so what every message must say beside it is not missing here.
        findings = lint_text(
            text, country=country, channel="email", kind="template", facts=MessageFacts(on=now.date(), reply=True)
        )
        for finding in findings:
            if has_blocking((finding,)):
                words = {"excerpt": finding.excerpt, "why": _(finding.sentence), "country": country}
                return _("«%(excerpt)s» may not be said in %(country)s: %(why)s") % words
    return ""
