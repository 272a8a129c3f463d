"""Contact points in people's hands: add, correct, retire, say whose they are. Files do not undo it (`intake`)."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit import email_address
from recobra.tabular import phones
from recobra_core.law.clauses import OF_OTHERS as OF_OTHERS  # noqa: PLC0414 - the doors name it from here

from . import address_forms
from .facts import ContactPointAdded, ContactPointCorrected, ContactPointPlaced, ContactPointRetired
from .models import ContactPoint, Debtor
from .notes import lock_debtor, write_note

Kind = ContactPoint.Kind
RetiredBecause = ContactPoint.RetiredBecause
RETIRED_BY_STAFF: Final = (RetiredBecause.OUT_OF_SERVICE, RetiredBecause.NO_LONGER, RetiredBecause.DOUBLE)
"""Why staff takes a point out of use. What is somebody else's is said to the ledger of consent, which silences it."""
LONGEST_ADDRESS: Final = 500
_SHORTEST_ADDRESS: Final = 6
_QUALITY: Final = 70  # before what files bring (50): somebody has just looked


class PointRefused(Exception):
    """The contact point cannot be kept so; the text is shown as it is."""


@requires(Right.EDIT_DEBTORS)
@transaction.atomic
def add_contact_point(
    *, debtor_id: int, kind: str, value: str, place: str = "", note: str, actor: Actor
) -> ContactPoint:
    """Add a telephone, e-mail or address; one that staff had retired is in use again. Raises PointRefused.

    `note` says where it comes from. What was wished about the number holds for it at once (`config.reactions`).
    """
    debtor = lock_debtor(debtor_id, actor, refused=PointRefused)
    point = _put_in_use(debtor, kind=kind, value=value, place=place)
    note_id = write_note(debtor, note, about_point=point.pk, actor=actor, refused=PointRefused)
    added = ContactPointAdded(
        point_id=point.pk, point_kind=point.kind, place=point.place, source=str(point.source), note_id=note_id
    )
    record_fact(added, actor=actor, debtor_id=debtor_id)
    return point


@requires(Right.EDIT_DEBTORS)
@transaction.atomic
def correct_contact_point(*, point_id: int, value: str, place: str = "", note: str, actor: Actor) -> ContactPoint:
    """Retire a contact point and put another value in its place; return the new one. Raises PointRefused.

    What waits for the old one is taken back and decided anew.
    """
    point = _lock_point(point_id, actor)
    debtor = point.debtor
    if point.retired_at is not None:
        raise PointRefused(_("It is out of use already: add the right one."))
    if _read_value(debtor, point.kind, value)[0] == point.value:
        raise PointRefused(_("It says the same as before."))
    other = _put_in_use(debtor, kind=point.kind, value=value, place=place)
    _retire(point, RetiredBecause.CORRECTED, actor, corrected_by=other.pk)
    note_id = write_note(debtor, note, about_point=other.pk, actor=actor, refused=PointRefused)
    corrected = ContactPointCorrected(point_id=point.pk, corrected_by=other.pk, note_id=note_id)
    record_fact(corrected, actor=actor, debtor_id=debtor.pk)
    return other


@requires(Right.EDIT_DEBTORS)
@transaction.atomic
def retire_contact_point(*, point_id: int, reason: str, note: str = "", actor: Actor) -> ContactPoint:
    """Take a contact point out of use; what waits for it is taken back. Raises PointRefused."""
    point = _lock_point(point_id, actor)
    if reason not in RETIRED_BY_STAFF:
        raise PointRefused(_("Say why it is no longer used."))
    if point.retired_at is not None:
        raise PointRefused(_("It is out of use already."))
    _retire(point, reason, actor)
    note_id = write_note(point.debtor, note, about_point=point.pk, actor=actor, refused=PointRefused)
    retired = ContactPointRetired(point_id=point.pk, reason=reason, note_id=note_id)
    record_fact(retired, actor=actor, debtor_id=point.debtor_id)
    return point


@requires(Right.EDIT_DEBTORS)
@transaction.atomic
def place_contact_point(*, point_id: int, place: str, note: str = "", actor: Actor) -> ContactPoint:
    """Say whether a contact point is the debtor's own, at work or another person's. Raises PointRefused.

    Only those that lead to the debtor are planned for.
    """
    point = _lock_point(point_id, actor)
    _check_place(place)
    if point.retired_at is not None:
        raise PointRefused(_("It is out of use already."))
    if point.place == place:
        raise PointRefused(_("That is what it says already."))
    point.place = place
    point.save(update_fields=["place"])
    note_id = write_note(point.debtor, note, about_point=point.pk, actor=actor, refused=PointRefused)
    placed = ContactPointPlaced(point_id=point.pk, place=place, note_id=note_id)
    record_fact(placed, actor=actor, debtor_id=point.debtor_id)
    return point


def _lock_point(point_id: int, actor: Actor) -> ContactPoint:
    """Return a contact point of a debtor within reach, as it is now. Raises PointRefused."""
    debtor_id = ContactPoint.objects.values_list("debtor_id", flat=True).get(pk=point_id)
    debtor = lock_debtor(debtor_id, actor, refused=PointRefused)
    point = ContactPoint.objects.select_for_update(no_key=True).get(pk=point_id, debtor=debtor)
    point.debtor = debtor
    return point


def _put_in_use(debtor: Debtor, *, kind: str, value: str, place: str) -> ContactPoint:
    """Return the contact point of a value, new or in use again. Raises PointRefused."""
    if kind not in Kind.values:
        raise PointRefused(_("Choose a telephone, an e-mail or an address."))
    _check_place(place)
    read, line = _read_value(debtor, kind, value)
    forms = address_forms.list_forms(read, kind=kind)
    known = list(debtor.points.select_for_update(no_key=True).filter(kind=kind, value__in=forms).order_by("pk"))
    if any(point.retired_at is None for point in known):
        raise PointRefused(_("This debtor has it already."))
    if any(point.retired_because == RetiredBecause.WRONG_PERSON for point in known):
        raise PointRefused(_("It was found to be somebody else's: it is never used for this debtor again."))
    if any(point.retired_because not in _MAY_COME_BACK for point in known):
        # Of what was retired before reasons were kept, and by receipts, nobody can tell whether it is somebody else's.
        raise PointRefused(_("It is out of use for good: nothing arrives there, or it is somebody else's."))
    point = next((each for each in known if each.value == read), None) or ContactPoint(
        debtor=debtor, kind=kind, value=read
    )
    point.line = line
    point.place = place
    point.source = ContactPoint.Source.STAFF
    point.valid = True
    point.quality = _QUALITY
    point.retired_at = None
    point.retired_because = ""
    point.corrected_by = None
    point.save()
    return point


_MAY_COME_BACK: Final = (*RETIRED_BY_STAFF, RetiredBecause.CORRECTED)


def _retire(point: ContactPoint, reason: str, actor: Actor, *, corrected_by: int | None = None) -> None:
    point.retired_at = actor.now
    point.retired_because = reason
    point.corrected_by = corrected_by
    point.quality = 0
    point.save(update_fields=["retired_at", "retired_because", "corrected_by", "quality"])


def _check_place(place: str) -> None:
    if place not in ContactPoint.Place.values:
        raise PointRefused(_("Say whose it is."))


def _read_value(debtor: Debtor, kind: str, text: str) -> tuple[str, str]:
    """Return a value as files are read, with the kind of its line. Raises PointRefused."""
    text = " ".join(text.split())
    if kind == Kind.PHONE:
        number = phones.parse_one(text, debtor.country)
        if not number.valid:
            raise PointRefused(
                _("This is no telephone number of %(country)s. Write one of another country with + and its code.")
                % {"country": debtor.country}
            )
        return number.value, number.line
    if kind == Kind.EMAIL:
        found = email_address.find_addresses(text)
        if len(found) != 1:
            raise PointRefused(_("This is no e-mail address: write one such as ana@example.com."))
        return found[0], ""
    if not _SHORTEST_ADDRESS <= len(text) <= LONGEST_ADDRESS:
        raise PointRefused(_("Write the whole address: street, number and city."))
    return text, ""
