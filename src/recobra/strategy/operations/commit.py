"""Writing of what was decided for a day, in one transaction: states, contacts, tasks, holds and firings.

Only what differs from the tables is written. The cycle commits for all debtors, `redecide` for a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import consequence
from recobra.journal.operations import record_facts
from recobra.journal.sql import debtors_with_facts_since
from recobra.kit import tables
from recobra.kit.statistics import refresh_after_commit
from recobra.messaging import operations as messaging
from recobra.messaging import reasons
from recobra.messaging.models import Contact
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Debtor
from recobra.portfolio.operations import place_holds
from recobra.portfolio.snapshot import Scope
from recobra.strategy import snapshot
from recobra.strategy.deciding_facts import DECIDED_ANEW, DECIDING_FACTS
from recobra.strategy.facts import StageChanged
from recobra.strategy.models import AccountState
from recobra.strategy.operations.outbox_rows import build_outbox_rows, in_utc
from recobra.strategy.policies import Policies
from recobra.workbench.models import Task
from recobra.workbench.operations import create_tasks

Decisions = dict[str, pa.Table]
"""Result of `decision.run_decisions`; without a strategy it holds only states and transitions."""


SEARCH_DAYS = 2
"""Days a person has to find a way to reach a debtor."""
_ALLOWED_COLUMNS = ["debtor_id", "creditor_id", "channel", "lead_step_key", "contact_point_id"]
"""Columns of an allowed contact by which a carried one is the same, and by which its items are found."""
_DECISIONS_LOCK = "hashtext('recobra.decisions')"
STATE_COLUMNS = (
    "balance_minor",
    "overdue_minor",
    "oldest_due_date",
    "next_due_date",
    "bucket",
    "stage",
    "segment",
    "cycle_date",
    "stage_since",
)
"""Columns of a state that a plan may change."""
# A day that is planned twice keeps what was before the first time.
_KEEP_STATES = f"""
    INSERT INTO strategy_statebefore (account_id, as_of, {", ".join(STATE_COLUMNS)})
    SELECT account_id, %s, {", ".join(f"state.{name}" for name in STATE_COLUMNS)}
    FROM strategy_accountstate state JOIN changed_state USING (account_id)
    ON CONFLICT (account_id) DO NOTHING"""


def block_cycle_commit(*, debtor_ids: Sequence[int] = ()) -> None:
    """Keep the cycle from committing, and others from deciding for these debtors, until this transaction ends."""
    with connection.cursor() as cursor:
        # Shared, against the cycle's exclusive one: its plan would miss the fact that this transaction records.
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_DECISIONS_LOCK})")
    # Two payments of one person at once would both plan the same task. In id order, so that nobody deadlocks.
    debtors = Debtor.objects.select_for_update(no_key=True).filter(tables.is_any_of("pk", debtor_ids)).order_by("pk")
    list(debtors.values_list("pk"))


def block_decisions() -> None:
    """Wait for all who hold `block_cycle_commit`, and keep others from it until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_DECISIONS_LOCK})")


@consequence
@transaction.atomic
def commit_decisions(
    decisions: Decisions,
    *,
    policies: Policies,
    scope: Scope,
    as_of: date,
    actor: Actor,
    snapshot_entry_id: int | None = None,
    carried: pa.Table | None = None,
) -> dict[str, int]:
    """Write states, contacts, tasks, holds, firings and transitions; return the counts.

    `decisions` is empty afterwards: each table leaves memory when it is written.

    `snapshot_entry_id` is `latest_entry_id` at the time of the snapshot. Debtors with a newer deciding fact are left
    out: that fact has decided for them on newer knowledge. `carried` are the contacts that the snapshot took for not
    sent (schema `snapshot.CARRIED`): a debtor whom one of them has reached meanwhile is not written to again today.
    """
    if snapshot_entry_id is not None:
        _drop_decided_since(decisions, snapshot_entry_id)
    if carried is not None:
        _drop_reached_since(decisions, carried, as_of)
    _write_states(decisions, kept_for=as_of if snapshot_entry_id is not None else None)
    transitions = _record_transitions(decisions.pop("transitions"), actor=actor)
    planned = 0
    blocked = 0
    tasks = 0
    if "contacts" in decisions:
        planned, blocked = _write_contacts(decisions, policies=policies, scope=scope, as_of=as_of, now=actor.now)
        tasks = _write_tasks(decisions.pop("tasks"), as_of=as_of, actor=actor)
        tasks += _write_search_tasks(
            decisions.pop("unreachable"), decisions.pop("unreached_items"), as_of=as_of, actor=actor
        )
        _write_holds(decisions.pop("step_holds"), as_of=as_of, actor=actor)
    else:
        # Nothing is due today: what earlier days planned is not wanted any more.
        stale = snapshot.read_carried_contacts(scope, as_of=as_of)["contact_id"].to_pylist()
        messaging.withdraw_contacts(
            contact_ids=stale, reason=reasons.REPLANNED, actor=service_actor(Service.CYCLE, now=actor.now)
        )
    stage_changes = decisions.pop("stage_changes", None)
    if stage_changes is not None and stage_changes.num_rows:
        _write_firings(stage_changes, as_of=as_of)
    # Accounts that are no longer open have no state.
    in_scope = scope.condition(debtor="account__debtor_id", portfolio="account__portfolio_id")
    AccountState.objects.filter(in_scope).exclude(account__status=Account.Status.OPEN).delete()
    return {
        "contacts_planned": planned,
        "contacts_blocked": blocked,
        "tasks_created": tasks,
        "transitions": transitions,
    }


def _drop_decided_since(decisions: Decisions, entry_id: int) -> None:
    """Leave out the debtors about whom a deciding fact was recorded after a journal entry.

    Who was decided for anew is left out of all tables. Of the others only the messages are: nobody else would write
    their states, tasks and holds today.
    """
    # The facts of those who decide at this moment are then in the journal, and seen below.
    block_decisions()
    anew = debtors_with_facts_since(entry_id, kinds=[kind.kind for kind in DECIDED_ANEW])["debtor_id"]
    decided = debtors_with_facts_since(entry_id, kinds=DECIDING_FACTS)["debtor_id"]
    for name, table in decisions.items():
        decisions[name] = _without_debtors(table, anew)
    _drop_messages(decisions, decided)


def _drop_reached_since(decisions: Decisions, carried: pa.Table, as_of: date) -> None:
    """Leave out the messages to debtors whom a carried contact has reached, or who paid after a day caught up."""
    carried_contacts = Contact.objects.filter(tables.is_any_of("pk", carried["contact_id"].to_pylist()))
    reached = carried_contacts.exclude(status__in=[Contact.Status.DUE, Contact.Status.CANCELLED])
    paid = Payment.objects.filter(paid_date__gt=as_of, reversed_at__isnull=True)
    debtor_ids = set(reached.values_list("debtor_id", flat=True)) | set(paid.values_list("debtor_id", flat=True))
    _drop_messages(decisions, pa.array(sorted(debtor_ids), pa.int64()))


def _drop_messages(decisions: Decisions, debtor_ids: pa.Array | pa.ChunkedArray) -> None:
    """Leave out the messages to debtors; their tasks and states are right all the same."""
    for name in ("contacts", "items", "unreachable"):
        if name in decisions:
            decisions[name] = _without_debtors(decisions[name], debtor_ids)


def _without_debtors(table: pa.Table, debtor_ids: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return the rows of a table that are about other debtors."""
    if len(debtor_ids) == 0:
        return table  # a filter would copy it
    return table.filter(pc.invert(pc.is_in(table["debtor_id"], debtor_ids)))


def _write_states(decisions: Decisions, *, kept_for: date | None) -> None:
    """Insert the new states and update those that changed.

    `kept_for` is the day whose plan keeps the states that it changes, so that it can be taken back; None keeps none.
    """
    tables.copy_in("strategy_accountstate", decisions.pop("new_states"))
    changed = decisions.pop("changed_states")
    if changed.num_rows == 0:
        return
    columns = [name for name in changed.column_names if name not in {"account_id", "portfolio_id"}]
    assignments = ", ".join(f"{name} = changed_state.{name}" for name in columns)
    with connection.cursor() as cursor:
        # One UPDATE from a copied table; ANALYZE, or the planner takes it for empty and loops over it.
        cursor.execute("CREATE TEMPORARY TABLE changed_state (LIKE strategy_accountstate) ON COMMIT DROP")
        tables.copy_in("changed_state", changed)
        cursor.execute("ANALYZE changed_state")
        if kept_for is not None:
            cursor.execute("DELETE FROM strategy_statebefore WHERE as_of <> %s", [kept_for])
            cursor.execute(_KEEP_STATES, [kept_for])
        cursor.execute(
            f"UPDATE strategy_accountstate state SET {assignments} FROM changed_state"
            " WHERE state.account_id = changed_state.account_id"
        )
        cursor.execute("DROP TABLE changed_state")
    refresh_after_commit("strategy_accountstate", rows=changed.num_rows)


def _record_transitions(transitions: pa.Table, *, actor: Actor) -> int:
    """Record the accounts that passed to another stage; return how many."""
    if transitions.num_rows == 0:
        return 0
    rows = transitions.select(["portfolio_id", "debtor_id", "account_id", "was_stage", "stage", "dpd"])
    names = ["portfolio_id", "debtor_id", "account_id", "from_stage", "to_stage", "dpd"]
    record_facts(StageChanged, rows.rename_columns(names), actor=actor)
    return transitions.num_rows


def _write_contacts(
    decisions: Decisions, *, policies: Policies, scope: Scope, as_of: date, now: datetime
) -> tuple[int, int]:
    """Put the day's contacts into the outbox with their firings; return how many were planned and blocked.

    Contacts of earlier days that nobody has sent stay where today plans the same one, or where today refuses its
    debtor; the others are withdrawn.
    """
    judged = decisions.pop("contacts")
    allowed = judged.select(_ALLOWED_COLUMNS).filter(judged["allowed"])
    carried = snapshot.read_carried_contacts(scope, as_of=as_of)

    # Carried contacts that today plans alike: same debtor, channel, step and contact point.
    keys = ["debtor_id", "channel", "step_key", "contact_point_id"]
    keyed = allowed.rename_columns({"lead_step_key": "step_key"})
    kept = carried.join(keyed, keys=keys, join_type="inner")
    is_kept = pc.is_in(carried["contact_id"], kept["contact_id"])
    # Where today is closed the contact of yesterday waits for the next open day.
    waits = pc.is_in(carried["debtor_id"], judged["debtor_id"].filter(pc.invert(judged["allowed"])))
    stays = pc.or_(waits, is_kept)
    withdrawn_ids = carried.filter(pc.invert(stays))["contact_id"].to_pylist()
    messaging.withdraw_contacts(
        contact_ids=withdrawn_ids, reason=reasons.REPLANNED, actor=service_actor(Service.CYCLE, now=now)
    )

    # Everybody without a contact that stays gets a new one, or a refusal to show.
    fresh = _without_debtors(judged, carried.filter(stays)["debtor_id"])
    planned = pc.sum(fresh["allowed"]).as_py() or 0
    blocked = fresh.num_rows - planned
    outbox_rows = _outbox_rows(fresh, policies, as_of, now)
    del judged, fresh
    created = messaging.plan_contacts(contacts=outbox_rows, actor=service_actor(Service.CYCLE, now=now))
    del outbox_rows

    # The steps that fired are those that a contact carries.
    carriers = pa.concat_tables([table.select(["debtor_id", "contact_id"]) for table in (kept, created)])
    debtors = allowed.select(["debtor_id", "creditor_id"])
    items = decisions.pop("items")
    decisions["unreached_items"] = items.filter(pc.invert(items["reachable"]))
    reached = items.filter(items["reachable"]).join(debtors, keys=["debtor_id", "creditor_id"], join_type="inner")
    del items
    fired = reached.join(carriers, keys="debtor_id", join_type="inner")
    _write_firings(fired, as_of=as_of, known_contact_ids=kept["contact_id"].to_pylist())
    return planned, blocked


def _outbox_rows(judged: pa.Table, policies: Policies, as_of: date, now: datetime) -> pa.Table:
    """Return the contacts as `messaging.plan_contacts` takes them."""
    rows = build_outbox_rows(judged, as_of=as_of, now=now, due_at=in_utc(judged["due_at"]), constants={})
    codes = judged["strategy_code"].combine_chunks().dictionary_encode()
    versions = pa.array([policies.versions.get(code) for code in codes.dictionary.to_pylist()], pa.int64())
    rows = rows.append_column("strategy_version_id", versions.take(codes.indices))
    tones = policies.tones
    if not tones:
        return rows
    steps = zip(judged["strategy_code"].to_pylist(), judged["lead_step_key"].to_pylist(), strict=True)
    return rows.append_column("tone", pa.array([tones.get(step, "") for step in steps], pa.string()))


FIRING_KEY = ["account_id", "strategy_code", "step_key", "cycle_date", "occurrence"]
"""Columns under which a step fires once."""
FIRING_COLUMNS = pa.schema(
    [
        ("account_id", pa.int64()),
        ("strategy_code", pa.string()),
        ("step_key", pa.string()),
        ("cycle_date", pa.date32()),
        ("occurrence", pa.int64()),
        ("contact_id", pa.int64()),
        ("task_id", pa.int64()),
    ]
)


def _write_firings(fired: pa.Table, *, as_of: date, known_contact_ids: Sequence[int] = ()) -> None:
    """Write the steps that fired, with those columns of FIRING_COLUMNS that the table has.

    Firings of the contacts `known_contact_ids`, which earlier days planned, may be written already and are left alone.
    """
    rows = fired.select([name for name in FIRING_COLUMNS.names if name in fired.column_names])
    if known_contact_ids:
        known = tables.fetch(
            f"SELECT {', '.join(FIRING_KEY)} FROM strategy_firing WHERE voided_at IS NULL AND contact_id = ANY(%s)",
            [list(known_contact_ids)],
            pa.schema([FIRING_COLUMNS.field(name) for name in FIRING_KEY]),
        )
        rows = rows.join(known, keys=FIRING_KEY, join_type="left anti")
    rows = rows.append_column("fired_on", pa.array([as_of] * rows.num_rows, pa.date32()))
    tables.copy_in("strategy_firing", rows)


def _write_tasks(due: pa.Table, *, as_of: date, actor: Actor) -> int:
    """Create the tasks of the steps that are due; return how many."""
    if due.num_rows == 0:
        return 0
    due_dates = [as_of + timedelta(days or 0) for days in due["due_in_days"].to_pylist()]
    rows = due.select(["portfolio_id", "debtor_id", "account_id", "kind", "title", "step_key"])
    rows = rows.append_column("due_date", pa.array(due_dates, pa.date32()))
    rows = rows.append_column("queue", pc.coalesce(due["queue"], ""))
    created = create_tasks(rows=rows, actor=actor)
    _write_firings(due.append_column("task_id", created["task_id"]), as_of=as_of)
    return due.num_rows


def _write_search_tasks(unreachable: pa.Table, unreached_items: pa.Table, *, as_of: date, actor: Actor) -> int:
    """Ask a person to find a way to reach each unreachable debtor; return how many tasks that was."""
    if unreachable.num_rows == 0:
        return 0
    # The steps count as fired: the same search would be asked for every day.
    _write_firings(unreached_items, as_of=as_of)
    of_debtors = tables.is_any_of("debtor_id", unreachable["debtor_id"].to_pylist())
    open_tasks = Task.objects.filter(of_debtors, status=Task.Status.OPEN, kind="unreachable")
    searched_ids = pa.array(list(open_tasks.values_list("debtor_id", flat=True)), pa.int64())
    fresh = _without_debtors(unreachable, searched_ids)
    count = fresh.num_rows
    if count == 0:
        return 0
    rows = pa.table(
        {
            "portfolio_id": fresh["portfolio_id"],
            "debtor_id": fresh["debtor_id"],
            "account_id": fresh["lead_account_id"],
            "kind": pa.array(["unreachable"] * count),
            "title": fresh["reason"],
            "step_key": fresh["lead_step_key"],
            "due_date": pa.array([as_of + timedelta(SEARCH_DAYS)] * count, pa.date32()),
        }
    )
    create_tasks(rows=rows, actor=actor)
    return count


def _write_holds(due: pa.Table, *, as_of: date, actor: Actor) -> None:
    """Place the holds of the steps that are due."""
    if due.num_rows == 0:
        return
    ends = [as_of + timedelta(days) for days in due["days"].to_pylist()]
    rows = due.select(["debtor_id", "account_id", "reason"]).append_column("ends_on", pa.array(ends, pa.date32()))
    place_holds(rows=rows, starts_on=as_of, actor=actor)
    _write_firings(due, as_of=as_of)
