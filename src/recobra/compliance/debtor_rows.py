"""What of the register of incidents and of the requests of persons follows a debtor who is joined with another."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_noop

from recobra.kit.debtor_rows import DebtorRows, Joining, MovedRow, Objection

from .models import Closing, ErasedClass, PersonRequest


def _is_being_erased(joining: Joining) -> bool:
    """Tell if something of one of them is erased already, or somebody asked for it."""
    both = [joining.kept_id, joining.joined_id]
    asked = PersonRequest.objects.filter(debtor__in=both, kind=PersonRequest.Kind.ERASURE, answered_at__isnull=True)
    return asked.exists() or ErasedClass.objects.filter(debtor__in=both).exists()


def _has_open_request(joining: Joining) -> bool:
    return PersonRequest.objects.filter(debtor_id=joining.joined_id, answered_at__isnull=True).exists()


def _move_closing(joining: Joining) -> list[MovedRow]:
    """Let the periods begin with the later of both closings; where one still owes the nightly look takes it back."""
    going = Closing.objects.filter(pk=joining.joined_id).first()
    if going is None:
        return []
    staying = Closing.objects.filter(pk=joining.kept_id).first()
    closings = {going.pk: going.closed_on}
    if staying is not None:
        closings[staying.pk] = staying.closed_on
        Closing.objects.filter(pk=staying.pk).update(closed_on=max(closings.values()))
    going.delete()
    return [
        MovedRow(row_id=debtor_id, before={"closed_on": closed_on.isoformat()})
        for debtor_id, closed_on in closings.items()
    ]


def _put_closings_back(joining: Joining, moved: Sequence[MovedRow]) -> None:
    """Let the periods begin as before; the nightly look takes back what has come to owe since."""
    del joining
    for each in moved:
        Closing.objects.update_or_create(debtor_id=each.row_id, defaults={"closed_on": each.before["closed_on"]})


FOLLOWING = (
    DebtorRows(model="compliance.Incident"),
    DebtorRows(
        model="compliance.PersonRequest",
        objections=(
            Objection(
                text=gettext_noop("Data of one of them are erased, or somebody asked for it: nobody is joined then."),
                holds=_is_being_erased,
            ),
            Objection(
                text=gettext_noop("Answer first what the person who goes asked about the own data."),
                holds=_has_open_request,
            ),
        ),
    ),
    DebtorRows(model="compliance.Closing", move=_move_closing, put_back=_put_closings_back),
    DebtorRows(model="compliance.ErasedClass", stays="Nobody of whom something is erased is joined."),
)
