"""Write a day's decisions: only what changed, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from recobra.journal.operations import Facts, record_all
from recobra.kit import tables
from recobra.messaging import operations as messaging
from recobra.portfolio.operations import place_holds
from recobra.portfolio.snapshot import Part
from recobra.strategy import snapshot
from recobra.strategy.policies import Policies
from recobra.workbench.operations import create_tasks

Decisions = Mapping[str, pa.Table]
"""What `decision.Recipe` gives; without a strategy there are only states and transitions."""


_LOCK = "hashtext('recobra.decisions')"
_DECIDING_FACTS = ["payment.recorded", "payment.reversed", "hold.placed", "hold.lifted"]


def share_decisions(*, debtor_ids: Sequence[int] = ()) -> None:
    """Keep the cycle from committing until this transaction ends: its fact would be missing from the plan.

    Nobody else decides for the debtors named meanwhile: two payments of one person would plan the same task twice.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")
        cursor.execute(
            "SELECT FROM portfolio_debtor WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(debtor_ids)]
        )


@transaction.atomic
def journal_mark() -> int:
    """Return the id of the newest fact: what comes later is not in a snapshot taken now."""
    with connection.cursor() as cursor:
        # Ids are given before the commit: a fact still open would have an older id than the mark and be in neither.
        cursor.execute("LOCK TABLE journal_entry IN SHARE MODE")
        cursor.execute("SELECT coalesce(max(id), 0) FROM journal_entry")
        (mark,) = cursor.fetchone()
    return int(mark)


@transaction.atomic
def commit(
    decisions: Decisions,
    *,
    policies: Policies,
    part: Part,
    as_of: date,
    actor: str,
    now: datetime,
    since: int | None = None,
    waiting: pa.Table | None = None,
) -> dict[str, int]:
    """Write states, contacts, tasks, holds, firings and transitions; return the counts.

    `since` is the `journal_mark` of the snapshot. Debtors about whom a deciding fact came after it are left out:
    that fact has decided for them on newer knowledge. `waiting` are the contacts that the snapshot took for not
    sent (schema `snapshot.CARRIED`): whom one of them has reached meanwhile is not written to again today.
    """
    if since is not None:
        decisions = _without_moved(decisions, since)
    if waiting is not None:
        decisions = _without_written_to(decisions, waiting, as_of)
    _write_states(decisions)
    transitions = _record_transitions(decisions["transitions"], actor=actor, now=now)
    planned = blocked = tasks = 0
    if "contacts" not in decisions:
        _withdraw_carried(part, as_of=as_of, now=now)
    else:
        planned, blocked = _write_contacts(decisions, policies=policies, part=part, as_of=as_of, now=now)
        tasks = _write_tasks(decisions, as_of=as_of, actor=actor, now=now)
        tasks += _write_unreachable(decisions, as_of=as_of, actor=actor, now=now)
        _write_holds(decisions, as_of=as_of, actor=actor, now=now)
    if "stage_changes" in decisions and decisions["stage_changes"].num_rows:
        _fire(decisions["stage_changes"], as_of=as_of)
    _drop_closed(part)
    return {
        "contacts_planned": planned,
        "contacts_blocked": blocked,
        "tasks_created": tasks,
        "transitions": transitions,
    }


def _without_moved(decisions: Decisions, since: int) -> Decisions:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
    moved = tables.fetch(
        "SELECT DISTINCT debtor_id FROM journal_entry WHERE id > %s AND kind = ANY(%s) AND debtor_id IS NOT NULL",
        [since, _DECIDING_FACTS],
        pa.schema([("debtor_id", pa.int64())]),
    )["debtor_id"]
    if len(moved) == 0:
        return decisions
    return {name: table.filter(pc.invert(pc.is_in(table["debtor_id"], moved))) for name, table in decisions.items()}


def _without_written_to(decisions: Decisions, waiting: pa.Table, as_of: date) -> Decisions:
    """Leave out whom a message has reached, and who has paid after a day that is caught up."""
    gone = tables.fetch(
        "SELECT debtor_id FROM messaging_contact WHERE id = ANY(%s) AND status NOT IN ('DUE', 'CANCELLED')"
        " UNION SELECT debtor_id FROM payments_payment WHERE paid_date > %s AND reversed_at IS NULL",
        [waiting["contact_id"].to_pylist(), as_of],
        pa.schema([("debtor_id", pa.int64())]),
    )["debtor_id"]
    if len(gone) == 0:
        return decisions
    messages = {
        name: table.filter(pc.invert(pc.is_in(table["debtor_id"], gone)))
        for name, table in decisions.items()
        if name in {"contacts", "items", "unreachable"}
    }
    return {**decisions, **messages}


def _write_states(decisions: Decisions) -> None:
    tables.copy_in("strategy_accountstate", decisions["new_states"])
    changed = decisions["changed_states"]
    if changed.num_rows == 0:
        return
    columns = [name for name in changed.column_names if name not in {"account_id", "portfolio_id", "debtor_id"}]
    assignments = ", ".join(f"{name} = s.{name}" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE moved (LIKE strategy_accountstate) ON COMMIT DROP")
        tables.copy_in("moved", changed)
        cursor.execute("ANALYZE moved")
        cursor.execute(
            f"UPDATE strategy_accountstate t SET {assignments} FROM moved s WHERE t.account_id = s.account_id"
        )
        cursor.execute("DROP TABLE moved")


def _record_transitions(transitions: pa.Table, *, actor: str, now: datetime) -> int:
    if transitions.num_rows == 0:
        return 0
    payload = [
        json.dumps({"from": row["was_stage"], "to": row["stage"], "dpd": row["dpd"]})
        for row in transitions.select(["was_stage", "stage", "dpd"]).to_pylist()
    ]
    subjects = transitions.select(["portfolio_id", "debtor_id", "account_id"])
    rows = subjects.append_column("payload", pa.array(payload))
    record_all(Facts(kind="stage.changed", at=now, actor=actor, rows=rows))
    return transitions.num_rows


def _write_contacts(
    decisions: Decisions, *, policies: Policies, part: Part, as_of: date, now: datetime
) -> tuple[int, int]:
    """Put the day's contacts into the outbox and remember their steps; what an earlier day planned alike stays."""
    judged = decisions["contacts"]
    allowed = judged.filter(judged["allowed"])
    carried = snapshot.carried(part, as_of=as_of)
    alike = ["debtor_id", "channel", "step_key", "contact_point_id"]
    keyed = allowed.append_column("step_key", allowed["lead_step_key"])
    kept = carried.join(keyed.select([*alike, "creditor_id"]), keys=alike, join_type="inner")
    refused = judged.filter(pc.invert(judged["allowed"]))["debtor_id"]
    # Where today is closed the contact of yesterday waits for the next open day.
    waits = pc.is_in(carried["debtor_id"], refused)
    stays = pc.or_(waits, pc.is_in(carried["contact_id"], kept["contact_id"]))
    withdrawn = carried.filter(pc.invert(stays))["contact_id"].to_pylist()
    messaging.withdraw(contact_ids=withdrawn, reason="replanned", at=now, actor="cycle")
    fresh = judged.filter(pc.invert(pc.is_in(judged["debtor_id"], carried.filter(stays)["debtor_id"])))
    made = messaging.plan(contacts=_outbox_rows(fresh, policies, as_of, now), now=now) if fresh.num_rows else None
    _fire(_fired(decisions["items"], kept, made, allowed), as_of=as_of, but_known=kept["contact_id"].to_pylist())
    planned = fresh.filter(fresh["allowed"]).num_rows
    return planned, fresh.num_rows - planned


def _withdraw_carried(part: Part, *, as_of: date, now: datetime) -> None:
    """Nothing is due today: what earlier days planned is wanted no more."""
    stale = snapshot.carried(part, as_of=as_of)["contact_id"].to_pylist()
    messaging.withdraw(contact_ids=stale, reason="replanned", at=now, actor="cycle")


def _fired(items: pa.Table, kept: pa.Table, made: pa.Table | None, allowed: pa.Table) -> pa.Table:
    """Return the steps that the contacts carry, each with its contact."""
    carriers = kept.select(["debtor_id", "contact_id"])
    if made is not None:
        carriers = pa.concat_tables([carriers, made.select(["debtor_id", "contact_id"])])
    reached = items.filter(items["reachable"]).join(
        allowed.select(["debtor_id", "creditor_id"]), keys=["debtor_id", "creditor_id"], join_type="inner"
    )
    return reached.join(carriers, keys="debtor_id", join_type="inner")


def _outbox_rows(judged: pa.Table, policies: Policies, as_of: date, now: datetime) -> pa.Table:
    count = judged.num_rows
    versions = [policies.versions.get(code) for code in judged["strategy_code"].to_pylist()]
    instant = pa.timestamp("us", tz="UTC")
    due_at = judged["due_at"].cast(pa.timestamp("us")).cast(instant)
    return pa.table(
        {
            "debtor_id": judged["debtor_id"],
            "portfolio_id": judged["portfolio_id"],
            "point_id": judged["contact_point_id"],
            "channel": judged["channel"],
            "template_code": judged["template_code"],
            "strategy_version_id": pa.array(versions, pa.int64()),
            "step_key": judged["lead_step_key"],
            "status": pc.if_else(judged["allowed"], "DUE", "BLOCKED"),
            "planned_for": pa.array([as_of] * count, pa.date32()),
            "due_at": pc.coalesce(due_at, pa.scalar(now, instant)),
            "closes_at": judged["closes_at"].cast(pa.timestamp("us")).cast(instant),
            "zones": judged["zones"],
            "reason": pc.coalesce(judged["reason"], ""),
            "rule": pc.coalesce(judged["rule"], ""),
            "article": pc.coalesce(judged["source"], ""),
            "purpose": judged["purpose"],
        }
    )


FIRED = pa.schema(
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


def _fire(fired: pa.Table, *, as_of: date, but_known: Sequence[int] = ()) -> None:
    """Remember the steps that fired (columns of FIRED); those of the contacts `but_known` may stand already."""
    rows = fired.select([name for name in FIRED.names if name in fired.column_names])
    if but_known:
        known = tables.fetch(
            "SELECT account_id, strategy_code, step_key, cycle_date, occurrence FROM strategy_firing"
            " WHERE voided_at IS NULL AND contact_id = ANY(%s)",
            [list(but_known)],
            pa.schema([FIRED.field(name) for name in FIRED.names[:5]]),
        )
        rows = rows.join(known, keys=FIRED.names[:5], join_type="left anti")
    rows = rows.append_column("fired_on", pa.array([as_of] * rows.num_rows, pa.date32()))
    tables.copy_in("strategy_firing", rows)


def _write_tasks(decisions: Decisions, *, as_of: date, actor: str, now: datetime) -> int:
    due = decisions["tasks"]
    if due.num_rows == 0:
        return 0
    days = [as_of + timedelta(days or 0) for days in due["due_in_days"].to_pylist()]
    rows = due.select(["portfolio_id", "debtor_id", "account_id", "kind", "title", "step_key"])
    made = create_tasks(rows=rows.append_column("due_date", pa.array(days, pa.date32())), actor=actor, now=now)
    _fire(due.append_column("task_id", made["task_id"]), as_of=as_of)
    return due.num_rows


def _write_unreachable(decisions: Decisions, *, as_of: date, actor: str, now: datetime) -> int:
    """Ask a person to find a way to reach the debtor, once, and let the steps count as fired."""
    lost = decisions["unreachable"]
    if lost.num_rows == 0:
        return 0
    _fire(decisions["items"].filter(pc.invert(decisions["items"]["reachable"])), as_of=as_of)
    open_already = tables.fetch(
        "SELECT debtor_id FROM workbench_task WHERE status = 'OPEN' AND kind = 'unreachable' AND debtor_id = ANY(%s)",
        [lost["debtor_id"].to_pylist()],
        pa.schema([("debtor_id", pa.int64())]),
    )
    fresh = lost.filter(pc.invert(pc.is_in(lost["debtor_id"], open_already["debtor_id"])))
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
            "due_date": pa.array([as_of + timedelta(2)] * count, pa.date32()),
        }
    )
    create_tasks(rows=rows, actor=actor, now=now)
    return count


def _write_holds(decisions: Decisions, *, as_of: date, actor: str, now: datetime) -> None:
    due = decisions["step_holds"]
    if due.num_rows == 0:
        return
    ends = [as_of + timedelta(days) for days in due["days"].to_pylist()]
    rows = due.select(["debtor_id", "account_id", "reason"]).append_column("ends_on", pa.array(ends, pa.date32()))
    place_holds(rows=rows, starts_on=as_of, actor=actor, now=now)
    _fire(due, as_of=as_of)


def _drop_closed(part: Part) -> None:
    """Forget the derived state of accounts that are no longer open."""
    where, parameters = part.where(debtor="a.debtor_id", portfolio="a.portfolio_id")
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM strategy_accountstate s USING portfolio_account a"
            f" WHERE a.id = s.account_id AND a.status <> 'OPEN' AND {where}",
            parameters,
        )
