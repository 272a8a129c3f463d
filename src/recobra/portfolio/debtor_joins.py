"""Two debtors who are one: a person joins them, and may part them again; what is proposed is `debtor_pairs`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit.debtor_rows import DebtorRows, Joining, MovedRow, move_rows, put_rows_back
from recobra.kit.declarations import declared
from recobra.kit.tables import is_any_of

from .facts import DebtorJoined, DebtorPartedAgain, DebtorsFoundDifferent
from .models import ContactPoint, Debtor, DebtorJoin, DebtorPair, JoinedRow
from .scope import check_whole_debtor

_HOME: Final = """
    SELECT named.portfolio_id FROM (
        SELECT account.id, account.portfolio_id FROM portfolio_account account WHERE account.debtor_id = %(debtor)s
        UNION ALL
        SELECT account.id, account.portfolio_id FROM portfolio_party party
        JOIN portfolio_account account ON account.id = party.account_id WHERE party.debtor_id = %(debtor)s
    ) named
    ORDER BY named.id LIMIT 1"""


class JoinRefused(Exception):
    """The debtors are not joined or parted; the text is shown as it is."""


@requires(Right.JOIN_DEBTORS)
@transaction.atomic
def join_debtors(*, kept_id: int, joined_id: int, reason: str, actor: Actor) -> DebtorJoin:
    """Give everything of one debtor to another, who is the same person; remember it, so that it can be undone.

    What was planned for both is withdrawn and decided anew. Raises JoinRefused, and OutOfScope where one of them owes
    something beyond the actor's reach.
    """
    kept, joined = _lock_both(kept_id, joined_id, actor)
    _refuse_unlike(kept, joined)
    if reason not in DebtorJoin.Reason.values:
        raise JoinRefused(_("Say why they are the same person."))
    joining = Joining(kept_id=kept_id, joined_id=joined_id, points=_pair_points(kept_id, joined_id))
    _refuse_objected(joining, is_join=True)
    first_join = DebtorJoin.objects.filter(kept=kept, parted_at__isnull=True).order_by("pk").first()
    join = DebtorJoin.objects.create(
        kept=kept,
        joined=joined,
        reason=reason,
        joined_at=actor.now,
        joined_by=actor.name,
        kept_home=first_join.kept_home if first_join else _find_home(kept_id),
        joined_home=_find_home(joined_id),
    )
    _move_all(join, joining)
    # Whoever was joined with the one who goes follows, and comes back with him.
    earlier = list(Debtor.objects.filter(joined_into=joined).values_list("pk", flat=True))
    _remember(join, "portfolio.Debtor", [MovedRow(row_id=debtor_id) for debtor_id in earlier])
    Debtor.objects.filter(pk__in=[joined_id, *earlier]).update(joined_into=kept)
    _decide_pair(kept, joined, DebtorPair.Decision.JOINED, actor)
    for debtor_id in (kept_id, joined_id):
        fact = DebtorJoined(join_id=join.pk, kept_id=kept_id, joined_id=joined_id, reason=reason)
        record_fact(fact, actor=actor, debtor_id=debtor_id)
    return join


@requires(Right.JOIN_DEBTORS)
@transaction.atomic
def part_debtors(*, join_id: int, reason: str, actor: Actor) -> DebtorJoin:
    """Undo a join: what it moved goes back, and what has come since goes with its account or its number.

    The last join of a debtor is undone first. Raises JoinRefused.
    """
    join = DebtorJoin.objects.get(pk=join_id)
    kept, _joined = _lock_both(join.kept_id, join.joined_id, actor, only=join.kept_id)
    join.refresh_from_db()
    if reason not in DebtorJoin.PartReason.values:
        raise JoinRefused(_("Say why they are two people."))
    if join.parted_at is not None:
        raise JoinRefused(_("They are two debtors again already."))
    if kept.erased_at is not None:
        raise JoinRefused(_("This person is anonymised already: nothing points to anybody any more."))
    if find_last_join(join.kept_id) != join:
        raise JoinRefused(_("Undo first what was joined with this debtor later."))
    joining = Joining(kept_id=join.kept_id, joined_id=join.joined_id)
    _refuse_objected(joining, is_join=False)
    earlier = join.rows.filter(model="portfolio.Debtor").values_list("row_id", flat=True)
    Debtor.objects.filter(pk=join.joined_id).update(joined_into=None)
    Debtor.objects.filter(pk__in=list(earlier)).update(joined_into=join.joined_id)
    _put_all_back(join, joining)
    join.parted_at = actor.now
    join.parted_by = actor.name
    join.part_reason = reason
    join.save(update_fields=["parted_at", "parted_by", "part_reason"])
    _decide_pair(kept, join.joined, DebtorPair.Decision.APART, actor)
    for debtor_id in (join.kept_id, join.joined_id):
        fact = DebtorPartedAgain(join_id=join.pk, kept_id=join.kept_id, joined_id=join.joined_id, reason=reason)
        record_fact(fact, actor=actor, debtor_id=debtor_id)
    return join


@requires(Right.JOIN_DEBTORS)
@transaction.atomic
def find_different(*, first_id: int, second_id: int, actor: Actor) -> None:
    """Keep that two debtors are two people: nobody proposes them again. Raises JoinRefused."""
    first, second = _lock_both(first_id, second_id, actor)
    _refuse_unlike(first, second)
    _decide_pair(first, second, DebtorPair.Decision.APART, actor)
    for debtor_id, other_id in ((first_id, second_id), (second_id, first_id)):
        record_fact(DebtorsFoundDifferent(other_id=other_id), actor=actor, debtor_id=debtor_id)


@consequence
@transaction.atomic
def gather_late_rows(*, creditor_id: int) -> int:
    """Give to who stays what came to who was joined while it was being joined; return how many rows."""
    gone = dict(
        Debtor.objects.filter(creditor=creditor_id, joined_into__isnull=False).values_list("pk", "joined_into_id")
    )
    late_ids: set[int] = set()
    for rows in _following() if gone else ():
        if not rows.stays:
            of_gone = apps.get_model(rows.model)._default_manager.filter(is_any_of("debtor_id", gone))  # noqa: SLF001
            late_ids |= set(of_gone.values_list("debtor_id", flat=True))
    count = 0
    for joined_id in sorted(late_ids):
        kept_id = gone[joined_id]
        # Who was joined with one who was joined himself went along with him.
        came = Q(joined=joined_id) | Q(rows__model="portfolio.Debtor", rows__row_id=joined_id)
        join = DebtorJoin.objects.filter(came, kept=kept_id, parted_at__isnull=True).distinct().get()
        joining = Joining(kept_id=kept_id, joined_id=joined_id, points=_pair_points(kept_id, joined_id))
        count += _move_all(join, joining)
    return count


def find_last_join(kept_id: int) -> DebtorJoin | None:
    """Return the join of a debtor that may be undone; None for who was joined with nobody, or is joined away."""
    if Debtor.objects.filter(pk=kept_id, joined_into__isnull=False).exists():
        return None
    return DebtorJoin.objects.filter(kept=kept_id, parted_at__isnull=True).order_by("-pk").first()


def _following() -> Iterable[DebtorRows]:
    return declared("debtor_rows", "FOLLOWING")


def _lock_both(first_id: int, second_id: int, actor: Actor, *, only: int | None = None) -> tuple[Debtor, Debtor]:
    """Lock two debtors and return them as they are now; the actor must see all of both, or of `only` one of them."""
    for debtor_id in [only] if only else [first_id, second_id]:
        check_whole_debtor(actor, debtor_id)
    # In the order of the apps: accounts and conversations, then the decisions and both debtors by their ids.
    for rows in _following():
        if rows.lock is not None:
            rows.lock([first_id, second_id])
    both = Debtor.objects.select_related("creditor").in_bulk([first_id, second_id])
    return both[first_id], both[second_id]


def _refuse_unlike(kept: Debtor, joined: Debtor) -> None:
    """Raise JoinRefused for debtors who can be neither joined nor told apart."""
    if kept.pk == joined.pk:
        raise JoinRefused(_("This is the same debtor."))
    if kept.creditor_id != joined.creditor_id:
        raise JoinRefused(_("They are debtors of different creditors: each creditor's are kept apart."))
    if kept.country != joined.country:
        # Hours, caps and periods go by the country of the debtor.
        raise JoinRefused(_("They are debtors of different countries: each is contacted by the law of the own one."))
    if kept.joined_into_id is not None or joined.joined_into_id is not None:
        raise JoinRefused(_("One of them was joined with another debtor meanwhile."))
    if kept.erased_at is not None or joined.erased_at is not None:
        raise JoinRefused(_("This person is anonymised already: nothing points to anybody any more."))


def _refuse_objected(joining: Joining, *, is_join: bool) -> None:
    """Raise JoinRefused for what an app has against a join, or against undoing one."""
    for rows in _following():
        for objection in rows.objections:
            if (is_join or objection.is_passing) and objection.holds(joining):
                raise JoinRefused(_(objection.text))


def _pair_points(kept_id: int, joined_id: int) -> dict[int, int]:
    """Return the points of who goes that who stays has too, each with the latter's."""
    kept = {(point.kind, point.value): point.pk for point in ContactPoint.objects.filter(debtor=kept_id)}
    going = ContactPoint.objects.filter(debtor=joined_id).order_by("pk")
    return {point.pk: kept[point.kind, point.value] for point in going if (point.kind, point.value) in kept}


def _find_home(debtor_id: int) -> int | None:
    """Return the portfolio in which a debtor was known first."""
    with connection.cursor() as cursor:
        cursor.execute(_HOME, {"debtor": debtor_id})
        row = cursor.fetchone()
    return row[0] if row else None


def _move_all(join: DebtorJoin, joining: Joining) -> int:
    """Move what follows and remember it; return how many rows."""
    count = 0
    for rows in _following():
        if not rows.stays:
            moved = rows.move(joining) if rows.move else move_rows(rows.model, joining)
            _remember(join, rows.model, moved)
            count += len(moved)
    return count


def _remember(join: DebtorJoin, model: str, moved: Iterable[MovedRow]) -> None:
    rows = [JoinedRow(join=join, model=model, row_id=each.row_id, before=dict(each.before)) for each in moved]
    JoinedRow.objects.bulk_create(rows, batch_size=1_000, ignore_conflicts=True)


def _put_all_back(join: DebtorJoin, joining: Joining) -> None:
    """Put every row back, then give away what came since."""
    moved: dict[str, list[MovedRow]] = {}
    for row in join.rows.order_by("pk"):
        moved.setdefault(row.model, []).append(MovedRow(row_id=row.row_id, before=row.before))
    following = [rows for rows in _following() if not rows.stays]
    for rows in following:
        each = moved.get(rows.model, [])
        if rows.put_back is not None:
            rows.put_back(joining, each)
        else:
            put_rows_back(rows.model, joining, each)
    for rows in following:
        if rows.part is not None:
            rows.part(joining)


def _decide_pair(one: Debtor, other: Debtor, decision: DebtorPair.Decision, actor: Actor) -> None:
    """Keep what a person decided about two debtors, whether they were proposed or not."""
    first_id, second_id = sorted([one.pk, other.pk])
    DebtorPair.objects.update_or_create(
        first_id=first_id,
        second_id=second_id,
        defaults={"decision": decision, "decided_at": actor.now, "decided_by": actor.name},
        create_defaults={
            "creditor_id": one.creditor_id,
            "signs": [],
            "weight": DebtorPair.Weight.WEAK,
            "found_at": actor.now,
            "decision": decision,
            "decided_at": actor.now,
            "decided_by": actor.name,
        },
    )
