"""What of the portfolio follows a debtor who is joined with another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from recobra.kit.debtor_rows import DebtorRows, Joining, MovedRow, move_rows

from .models import Account, ContactPoint, DebtorJoin, Hold, Party

_CHANNELS: Final = ("unusable_for", "granted_for", "denied_for")
_INSTANTS: Final = ("opted_out_at", "retired_at")
_END: Final = ("retired_because", "corrected_by")
_MERGED: Final = ("valid", "consent", "quality", *_INSTANTS, *_END, *_CHANNELS)
"""What both may know of a number differently: after a join the strictest counts."""
_OWN: Final = (*_MERGED, "kind", "line", "place", "source", "load_id")
_DROP_POINTS: Final = "DELETE FROM portfolio_contactpoint WHERE id = ANY(%s)"


def _move_points(joining: Joining) -> list[MovedRow]:
    """Move the points that who stays does not have; of the others the strictest of both counts, and one is left."""
    moved = move_rows("portfolio.ContactPoint", joining, which=~Q(pk__in=joining.points))
    points = _lock_points([*joining.points.keys(), *joining.points.values()])
    for point_id, kept_id in joining.points.items():
        point, kept = points[point_id], points[kept_id]
        before = {"kept": kept_id, "own": _read_columns(point, _OWN), "kept_before": _read_columns(kept, _MERGED)}
        _take_strictest(kept, point)
        kept.save(update_fields=list(_MERGED))
        moved.append(MovedRow(row_id=point_id, before={**before, "kept_after": _read_columns(kept, _MERGED)}))
    with connection.cursor() as cursor:
        # Contacts point to the one that is left by the end of the transaction.
        cursor.execute(_DROP_POINTS, [list(joining.points)])
    return moved


def _put_points_back(joining: Joining, moved: Sequence[MovedRow]) -> None:
    doubled = [each for each in moved if "kept" in each.before]
    own_ids = [each.row_id for each in moved if "kept" not in each.before]
    ContactPoint.objects.filter(pk__in=own_ids, debtor_id=joining.kept_id).update(debtor_id=joining.joined_id)
    points = _lock_points([each.before["kept"] for each in doubled])
    for each in doubled:
        kept = points[each.before["kept"]]
        now, own = _read_columns(kept, _MERGED), dict(each.before["own"])
        # What was said about the number meanwhile was said about both; the rest is as it was.
        changed = {name for name in _MERGED if now[name] != each.before["kept_after"][name]}
        own |= {name: now[name] for name in changed}
        for name in set(_MERGED) - changed:
            setattr(kept, name, _write_value(name, each.before["kept_before"][name]))
        kept.save(update_fields=list(_MERGED))
        ContactPoint.objects.create(
            pk=each.row_id,
            debtor_id=joining.joined_id,
            value=kept.value,
            **{name: _write_value(name, value) for name, value in own.items()},
        )


def _lock_points(point_ids: Sequence[int]) -> dict[int, ContactPoint]:
    """Return points as they are now by id; an opt-out that comes meanwhile waits, and is written to what is left."""
    points = ContactPoint.objects.select_for_update(no_key=True).filter(pk__in=point_ids)
    return {point.pk: point for point in points.order_by("pk")}


def _take_strictest(kept: ContactPoint, point: ContactPoint) -> None:
    """Let a point that two debtors have know what either knew against using it."""
    kept.valid = kept.valid and point.valid
    refusals = {kept.consent, point.consent}
    kept.consent = False if False in refusals else kept.consent if kept.consent is not None else point.consent
    kept.opted_out_at = kept.opted_out_at or point.opted_out_at
    if kept.retired_at is None:
        kept.retired_at, kept.retired_because = point.retired_at, point.retired_because
        kept.corrected_by = point.corrected_by
    kept.quality = min(kept.quality, point.quality)
    kept.unusable_for = sorted({*kept.unusable_for, *point.unusable_for})
    kept.denied_for = sorted({*kept.denied_for, *point.denied_for})
    kept.granted_for = sorted({*kept.granted_for, *point.granted_for} - set(kept.denied_for))


def _read_columns(point: ContactPoint, names: Sequence[str]) -> dict[str, Any]:
    """Return columns as JSON keeps them."""
    values = {name: getattr(point, name) for name in names}
    return {name: value.isoformat() if name in _INSTANTS and value else value for name, value in values.items()}


def _write_value(name: str, value: Any) -> Any:
    return parse_datetime(value) if name in _INSTANTS and value else value


def _move_parts(joining: Joining) -> list[MovedRow]:
    """Move parts in accounts of others; one that both have is left once."""
    has = set(Party.objects.filter(debtor_id=joining.kept_id).values_list("account_id", "part"))
    doubled = [
        party for party in Party.objects.filter(debtor_id=joining.joined_id) if (party.account_id, party.part) in has
    ]
    Party.objects.filter(pk__in=[party.pk for party in doubled]).delete()
    moved = move_rows("portfolio.Party", joining)
    return moved + [
        MovedRow(
            row_id=party.pk,
            before={
                "account": party.account_id,
                "part": party.part,
                "source": party.source,
                "retired_at": party.retired_at.isoformat() if party.retired_at else None,
            },
        )
        for party in doubled
    ]


def _put_parts_back(joining: Joining, moved: Sequence[MovedRow]) -> None:
    own_ids = [each.row_id for each in moved if not each.before]
    Party.objects.filter(pk__in=own_ids, debtor_id=joining.kept_id).update(debtor_id=joining.joined_id)
    Party.objects.bulk_create(
        Party(
            pk=each.row_id,
            account_id=each.before["account"],
            part=each.before["part"],
            source=each.before.get("source", "LOAD"),
            retired_at=_write_value("retired_at", each.before.get("retired_at")),
            debtor_id=joining.joined_id,
        )
        for each in moved
        if each.before
    )


def _part_holds(joining: Joining) -> None:
    """Give who goes again the holds of the own accounts, and a copy of each of the whole debtor since the join."""
    since = Hold.objects.filter(debtor_id=joining.kept_id)
    since.filter(account__debtor_id=joining.joined_id).update(debtor_id=joining.joined_id)
    join = DebtorJoin.objects.get(joined_id=joining.joined_id, parted_at__isnull=True)
    # Nobody can tell whose pause it is, so both keep it.
    for hold in since.filter(account__isnull=True, lifted_at__isnull=True, created_at__gte=join.joined_at):
        Hold.objects.create(
            debtor_id=joining.joined_id,
            **{
                name: getattr(hold, name) for name in ("reason", "starts_on", "ends_on", "note", "author", "created_at")
            },
        )


def _lock_accounts(debtor_ids: Sequence[int]) -> None:
    """Wait for payments under way, which lock accounts before their debtor."""
    accounts = Account.objects.select_for_update(no_key=True).filter(debtor__in=debtor_ids)
    list(accounts.order_by("pk").values_list("pk"))


FOLLOWING = (
    DebtorRows(model="portfolio.Account", lock=_lock_accounts),
    DebtorRows(model="portfolio.ContactPoint", move=_move_points, put_back=_put_points_back),
    DebtorRows(model="portfolio.Party", move=_move_parts, put_back=_put_parts_back),
    DebtorRows(model="portfolio.Hold", part=_part_holds),
    # A note says nothing that could harm; what has come since stays with who stays.
    DebtorRows(model="portfolio.DebtorNote"),
)
