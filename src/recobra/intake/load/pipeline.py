"""The steps of a load, from the bytes of a file to the tables of the portfolio.

`read_file`, then `examine`, then `write`. Each step names the relations that it reads and returns those that it makes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recobra.intake.load import (
    alike_numbers,
    compare,
    current_state,
    diagnosis,
    joined_debtors,
    last_load,
    mixed_debtors,
    own_columns,
    quality,
    store,
)
from recobra.intake.load.returned import leave_returned_out, reopen_returned
from recobra.intake.load.unseen_payments import leave_unseen_out
from recobra.intake.load_context import LoadContext
from recobra.intake.models import Load
from recobra.intake.refusals import refuse_load
from recobra.intake.relations import (
    AssignedIds,
    ExaminedFile,
    FileRows,
    KnownAccounts,
    LedgerDifferences,
    StatedDebts,
)
from recobra.intake.stage import checks, currencies, keys, left_out, money, people, rows, warnings
from recobra.intake.stage.columns import find_columns
from recobra.kit import tables
from recobra.payments.operations import record_payments
from recobra.tabular import caged, formats, written_days
from recobra.tabular.workspace import FEW_ROWS, Relation, Workspace

ReportStep = Callable[[str], None]


@dataclass(frozen=True)
class LoadOutcome:
    """Figures of what a load changed, and the diagnosis of a first load (empty for later ones)."""

    figures: dict[str, Any]
    diagnosis: dict[str, Any]


def read_file(context: LoadContext, duck: Workspace) -> FileRows:
    """Bring the file into DuckDB and find its columns. Raises LoadRefused."""
    document = context.document
    options = formats.ReadOptions(
        encoding=document.options.encoding,
        sheet=document.options.sheet,
        header_line=document.options.header_line,
        columns=document.columns(),
    )
    with refuse_load():
        sheet = caged.read_file(context.path, duck, options)
    columns = find_columns(document, sheet.headers)
    own_columns.refuse_clash(context)
    left_out.set_rows_aside(context, duck, sheet, columns)
    for position in columns.day_positions(document):
        written_days.rewrite_days(duck, sheet.raw, position, zone=context.portfolio.time_zone)
    return FileRows(
        sheet.headers,
        sheet.is_typed,
        columns,
        sheet.raw,
        sheet.broken,
        sheet.faults,
        sheet.aside,
        sheet.header_line,
        currencies.find_unread_currency(context, duck, sheet),
    )


def examine(
    context: LoadContext, duck: Workspace, file: FileRows, *, previous: Load | None, report_step: ReportStep
) -> ExaminedFile:
    """Check the file and compare it with the last load; nothing is written yet. Raises LoadRefused."""
    known = _fetch_known_accounts(context, duck, previous)
    duck.is_small = duck.count(file.raw) + duck.count(known.accounts) <= FEW_ROWS
    row_keys = keys.fingerprint_rows(context, duck, file)
    file, row_keys, alike = alike_numbers.settle_accounts(context, duck, file, row_keys, known)
    changes = compare.find_changed_rows(context, duck, file, row_keys, known)
    # The notation is judged by all rows: the changed ones alone may be too few to tell.
    notation = rows.detect_notation(context, duck, file)
    report_step("checking")
    parsed = rows.parse_rows(context, duck, file, changes, notation)
    alike = alike_numbers.settle_debtors(context, duck, file, parsed, accounts=known.accounts, alike=alike)
    checked = checks.check_rows(context, duck, file, row_keys, parsed, notation=notation, alike=alike)
    checks.refuse_if_not_as_mapped(duck, file, row_keys, checked)
    stated = compare.collect_stated_debts(context, duck, row_keys, changes, checked)
    report_step("people")
    persons = people.collect_people(context, duck, checked)
    accepted = duck.count(row_keys.rows) + duck.count(file.broken) - duck.count(checked.rejected)
    examined = ExaminedFile(
        file,
        known,
        row_keys,
        changes,
        checked,
        stated,
        persons,
        alike,
        aside=left_out.describe_aside(context, duck, file, notation),
        money=money.describe_money(context, duck, file, checked, stated, accepted=accepted, notation=notation),
        is_first_load=previous is None,
    )
    warnings.add_warnings(context, duck, examined)
    return examined


def _fetch_known_accounts(context: LoadContext, duck: Workspace, previous: Load | None) -> KnownAccounts:
    """Return the portfolio's accounts, what the last load remembered of them and which were touched since."""
    accounts = current_state.fetch_accounts(context, duck)
    remembered = last_load.recall(context, duck, previous)
    warned = last_load.recall_warnings(context, duck, previous)
    if previous is None or not last_load.is_remembered(context, previous):
        # Without fingerprints every row counts as changed, so it does not matter who was touched.
        touched = duck.create_empty("touched_accounts", "id BIGINT")
    else:
        touched = current_state.fetch_touched_accounts(duck, previous)
    return KnownAccounts(accounts, remembered, touched, warned)


def write(context: LoadContext, duck: Workspace, examined: ExaminedFile, *, load_id: int) -> LoadOutcome:
    """Write a file into the tables of the portfolio; the caller owns the transaction."""
    known, stated, persons = examined.known, examined.stated, examined.people
    # Another portfolio of the creditor may be adding the same people at this moment.
    tables.lock_id_sequence("portfolio_debtor")
    has_mixed = mixed_debtors.rename_kept(context, duck, examined)
    known_debtors = current_state.fetch_debtors(context, duck, persons)
    # Numbering first: it takes the locks that keep payments from coming between the comparison and the postings.
    first_account = tables.reserve_ids("portfolio_account", duck.count(stated.accounts))
    first_debtor = tables.reserve_ids("portfolio_debtor", duck.count(persons.debtors))
    ids = compare.assign_ids(
        duck, known, known_debtors, stated, persons, first_account=first_account, first_debtor=first_debtor
    )
    gone_accounts = compare.find_gone_accounts(context, duck, known, examined.changes)
    ledger = current_state.fetch_ledger(
        duck, "ledger", accounts=f"SELECT id FROM {ids.accounts} WHERE NOT new UNION ALL SELECT id FROM {gone_accounts}"
    )
    alike_numbers.settle_instalments(context, duck, examined, ids, ledger=ledger)
    first_instalment = tables.reserve_ids("portfolio_instalment", duck.count(examined.checked.good))
    instalments = compare.match_instalments(duck, examined.checked, ids, ledger, first_instalment=first_instalment)
    differences = compare.compare_with_ledger(context, duck, examined, ids, ledger=ledger, instalments=instalments)
    unseen = leave_unseen_out(context, duck, examined, ids, differences, ledger=ledger)
    returned_ids = leave_returned_out(context, duck, examined, differences, gone_accounts=gone_accounts, ledger=ledger)
    gone_count = duck.count(gone_accounts)
    # A row without a readable account number may be any of the accounts that seem gone.
    is_doubtful = gone_count > 0 and compare.count_unidentified_rows(context, duck, examined) > 0

    changed = _write_portfolio(context, duck, examined, ids, differences, load_id=load_id)
    if has_mixed:
        mixed_debtors.part_mixed(context)
    joined_debtors.note_origins(context, duck, examined, ids, load_id=load_id)
    reopen_returned(returned_ids)
    store.post_charges(context, duck, differences, load_id=load_id)
    payments = compare.infer_payments(
        context,
        duck,
        ids,
        differences,
        gone_accounts=gone_accounts,
        ledger=ledger,
        load_id=load_id,
        settle_gone=not is_doubtful,
    )
    # Nobody reads this ledger after the payments, which change it.
    duck.drop(ledger)
    payment_count = record_payments(
        portfolio_id=context.portfolio.pk, rows=payments, source="INFERRED", load_id=load_id, actor=context.actor
    )
    store.realign_concepts(context, duck, differences, load_id=load_id)
    store.mark_gone_accounts(context, duck, gone_accounts, is_doubtful=is_doubtful)
    store.insert_rejected_rows(duck, examined.file, examined.checked, load_id=load_id)
    store.insert_warnings(duck, examined.file, examined.checked, load_id=load_id)
    figures = {
        **_count_changes(duck, stated, ids, changed),
        "gone": gone_count,
        "payments": payment_count,
        "last_posting": current_state.last_posting_id(),
        **({"warnings": warnings.count_warnings(duck, examined.checked)} if duck.count(unseen) else {}),
    }
    return LoadOutcome(figures, diagnosis.diagnose(context, duck, examined, ids) if examined.is_first_load else {})


def _write_portfolio(
    context: LoadContext,
    duck: Workspace,
    examined: ExaminedFile,
    ids: AssignedIds,
    differences: LedgerDifferences,
    *,
    load_id: int,
) -> Relation:
    """Write people, contact points, accounts and instalments, and return the known accounts that changed (id).

    Each step needs the rows of those before it: points and accounts refer to debtors, instalments to accounts.
    """
    own_columns.declare(context)
    store.insert_debtors(context, duck, examined.people, ids, load_id=load_id)
    changed_debtors = store.update_debtors(context, duck, examined.people, ids)
    changed_points = store.insert_contact_points(context, duck, examined.people, ids, load_id=load_id)
    changed_accounts = store.upsert_accounts(context, duck, ids, load_id=load_id)
    store.link_parties(context, duck, examined.checked, ids)
    moved_instalments = store.upsert_instalments(duck, differences, load_id=load_id)
    changed = duck.create(
        "accounts_with_changes",
        f"""
        SELECT id FROM {ids.accounts}
        WHERE NOT new AND (
            id IN (SELECT id FROM {changed_accounts})
            OR id IN (SELECT id FROM {moved_instalments})
            OR id IN (SELECT account_id FROM {differences.deltas})
            OR debtor_id IN (SELECT id FROM {changed_debtors})
            OR debtor_id IN (SELECT id FROM {changed_points})
        )
        """,
    )
    store.move_sources(duck, differences, changed, load_id=load_id)
    return changed


def _count_changes(duck: Workspace, stated: StatedDebts, ids: AssignedIds, changed: Relation) -> dict[str, int]:
    """Return how many accepted accounts were created, updated and left as they were."""
    (created,) = duck.fetch_row(f"SELECT count(*) FROM {ids.accounts} WHERE new")
    updated = duck.count(changed)
    return {"created": created, "updated": updated, "unchanged": duck.count(stated.accepted) - created - updated}


def count_rows(context: LoadContext, duck: Workspace, examined: ExaminedFile) -> dict[str, Any]:
    """Return the figures of a file that nothing has been written of."""
    total = _count_all_rows(duck, examined)
    rejected = duck.count(examined.checked.rejected)
    aside = duck.count(examined.file.aside)
    accepted = total - rejected - aside
    return {
        "rows": total,
        "accepted": accepted,
        "rejected": rejected,
        "set_aside": aside,
        "aside": examined.aside,
        "header_line": examined.file.header_line,
        "created": 0,
        "updated": 0,
        "unchanged": 0,
        "gone": 0,
        "payments": 0,
        "amount_minor": _sum_accepted(duck, examined),
        "currency": context.portfolio.currency,
        "accounts": duck.count(examined.changes.present),
        "columns": list(examined.file.headers),
        "gaps": diagnosis.count_gaps(duck, examined),
        "identities": diagnosis.count_identities(context, duck, examined),
        "money": examined.money,
        "warnings": warnings.count_warnings(duck, examined.checked),
        "quality": quality.measure_quality(duck, examined.checked, accepted=accepted, rejected=rejected),
        "alike_joined": examined.alike.joined,
    }


def _count_all_rows(duck: Workspace, examined: ExaminedFile) -> int:
    """Return how many rows the file has, broken ones included."""
    return sum(map(duck.count, (examined.keys.rows, examined.file.broken, examined.file.aside)))


def _sum_accepted(duck: Workspace, examined: ExaminedFile) -> int:
    """Return what the accepted accounts owe together, in minor units."""
    (amount_minor,) = duck.fetch_row(f"SELECT coalesce(sum(amount_minor), 0)::BIGINT FROM {examined.stated.accepted}")
    return int(amount_minor)
