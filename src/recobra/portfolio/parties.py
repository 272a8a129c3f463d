"""People around an account: co-debtors, guarantors, references, who pays. Added and taken away by people."""

from __future__ import annotations

import re
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import OutOfScope, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.tabular import identity

from .contact_points import PointRefused, add_contact_point
from .facts import PartyAdded, PartyRetired
from .models import Account, ContactPoint, Debtor, Party
from .notes import lock_debtor, write_note
from .scope import check_account, check_debtor

_LONGEST_NAME = 200


class PartyRefused(Exception):
    """The person is not added or taken away; the text is shown as it is."""


@requires(Right.EDIT_DEBTORS)
@transaction.atomic
def add_party(
    *,
    account_id: int,
    part: str,
    name: str,
    national_id: str = "",
    phone: str = "",
    email: str = "",
    note: str,
    actor: Actor,
) -> Party:
    """Add somebody to an account, known by a valid document where the creditor has one. Raises PartyRefused."""
    check_account(actor, account_id)
    account = Account.objects.get(pk=account_id)
    debtor = lock_debtor(account.debtor_id, actor, refused=PartyRefused)
    if part not in Party.Part.values:
        raise PartyRefused(_("Choose what the person is to the account."))
    name = " ".join(name.split())
    if not 1 < len(name) <= _LONGEST_NAME:
        raise PartyRefused(_("Write the name of the person."))
    person = _find_person(debtor, name=name, national_id=national_id, actor=actor)
    if person.pk == debtor.pk:
        raise PartyRefused(_("This is the debtor: choose somebody else."))
    party, is_new = Party.objects.get_or_create(
        account=account, debtor=person, part=part, defaults={"source": ContactPoint.Source.STAFF}
    )
    if not is_new and party.retired_at is None:
        raise PartyRefused(_("This person is there already."))
    if not is_new:
        party.retired_at = None
        party.source = ContactPoint.Source.STAFF
        party.save(update_fields=["retired_at", "source"])
    for kind, value in ((ContactPoint.Kind.PHONE, phone), (ContactPoint.Kind.EMAIL, email)):
        if value.strip():
            try:
                add_contact_point(debtor_id=person.pk, kind=kind, value=value, note=note, actor=actor)
            except PointRefused as refusal:
                raise PartyRefused(str(refusal)) from refusal
    note_id = write_note(debtor, note, actor=actor, refused=PartyRefused, is_reason=True)
    added = PartyAdded(party_id=party.pk, person_id=person.pk, part=part, note_id=note_id)
    record_fact(added, actor=actor, debtor_id=debtor.pk, account_id=account_id)
    return party


@requires(Right.EDIT_DEBTORS)
@transaction.atomic
def retire_party(*, party_id: int, note: str, actor: Actor) -> Party:
    """Take somebody away from an account; no file brings the person back. Raises PartyRefused."""
    party = Party.objects.select_related("account").get(pk=party_id)
    check_account(actor, party.account_id)
    debtor = lock_debtor(party.account.debtor_id, actor, refused=PartyRefused)
    party.refresh_from_db(fields=["retired_at"])
    if party.retired_at is not None:
        raise PartyRefused(_("The person was taken away already."))
    party.retired_at = actor.now
    party.save(update_fields=["retired_at"])
    note_id = write_note(debtor, note, actor=actor, refused=PartyRefused, is_reason=True)
    retired = PartyRetired(party_id=party.pk, person_id=party.debtor_id, part=party.part, note_id=note_id)
    record_fact(retired, actor=actor, debtor_id=debtor.pk, account_id=party.account_id)
    return party


def _find_person(debtor: Debtor, *, name: str, national_id: str, actor: Actor) -> Debtor:
    """Return the person that a valid document proves among those within reach, else a new one. Raises PartyRefused."""
    bare = re.sub(r"[\W_]", "", national_id).upper()
    code = _choose_kind(debtor.country, bare)
    if bare and (not code or identity.judge(debtor.country, code, bare) in {identity.INVALID, identity.STAND_IN}):
        raise PartyRefused(
            _("This is no valid document of %(country)s: correct it, or leave it empty.") % {"country": debtor.country}
        )
    if bare and identity.is_proof(debtor.country, code, bare):
        same = Debtor.objects.filter(creditor=debtor.creditor_id, country=debtor.country, national_id=bare)
        for known in same.filter(joined_into=None, erased_at=None).order_by("pk"):
            # Of somebody beyond reach nothing is told: the pair is proposed to who sees both.
            if _is_within_reach(actor, known.pk):
                return known
    return Debtor.objects.create(
        creditor_id=debtor.creditor_id,
        external_id=f"person:{uuid4()}",
        kind=Debtor.Kind.PERSON,
        name=name,
        national_id=bare,
        national_id_kind=code if bare else "",
        national_id_valid=identity.is_valid(code, bare) if bare else None,
        country=debtor.country,
        subdivision=debtor.subdivision,
        time_zone=debtor.time_zone,
    )


def _choose_kind(country: str, bare: str) -> str:
    """Return the kind of document of a country that fits, a person's first; '' for none."""
    kinds = identity.KINDS.get(country, ())
    return next((kind.code for kind in kinds if re.fullmatch(kind.pattern, bare)), "")


def _is_within_reach(actor: Actor, debtor_id: int) -> bool:
    try:
        check_debtor(actor, debtor_id)
    except OutOfScope:
        return False
    return True
