"""The relations that the steps of a load hand to each other, stage by stage, with their columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recobra.intake.stage.columns import Columns
from recobra.tabular.workspace import Relation


@dataclass(frozen=True)
class FileRows:
    """A file as it was read: its rows as text, and where the mapped columns are."""

    headers: tuple[str, ...]
    is_typed: bool
    columns: Columns
    raw: Relation  # line, c0, c1, …: one text column for each header; dropped once the rows are checked
    broken: Relation  # line, cells, code, params, col, value: rows that cannot be laid out in columns
    faults: Relation  # line, position, code, params, value: cells of `raw` without a value to rely on
    aside: Relation  # line, cells, code: totals, hidden rows: what stands in the sheet and is no row of the table
    header_line: int
    unread_currency: dict[str, Any]  # column, found, line, value: other currencies that the mapping does not read


@dataclass(frozen=True)
class KnownAccounts:
    """The portfolio before the load."""

    accounts: Relation  # id, account, debtor_id, status: every account of the portfolio
    previous: Relation  # account, print, amount_minor: what the last load accepted
    touched: Relation  # id: accounts whose ledger got postings beside those of the last load
    warned: Relation  # account, print, col, code: what the last load warned of, by row


@dataclass(frozen=True)
class RowKeys:
    """Keys and fingerprints of a file's rows."""

    rows: Relation  # line, account, number, print: every row laid out in columns
    accounts: Relation  # account, print: one for each account, however many rows it has
    duplicates: Relation  # line, lines: rows whose key others have that say something else, and the lines of all


@dataclass(frozen=True)
class AlikeNumbers:
    """Numbers of a file that are like known ones, or like each other."""

    rows: Relation  # line, col, code, params, value, target: what a person must decide, as an error of its row
    joined: int  # how many numbers were taken for the one that they are like


@dataclass(frozen=True)
class FileChanges:
    """The file compared with the last load."""

    rows: Relation  # line: rows that must be parsed
    unchanged: Relation  # account, amount_minor: as in the last load, and nobody touched the account since
    present: Relation  # account: every account that the file names, broken rows included


@dataclass(frozen=True)
class CheckedRows:
    """The parsed rows after every check."""

    good: Relation  # the parsed columns of rows without an error
    wrong: Relation  # line, c0, c1, …: rejected rows as they came
    rejected: Relation  # line: wrong rows and broken ones
    errors: Relation  # line, col, code, params, value, target: every error of every rejected row
    warnings: Relation  # line, col, code: of accepted rows; those of unchanged rows are those of the last load


@dataclass(frozen=True)
class StatedDebts:
    """The debts that the good rows state."""

    amounts: Relation  # account, number, line, concept, amount_minor, due, issued
    accounts: Relation  # account, debtor, product, stated_product, contract, opened, attributes
    accepted: Relation  # account, amount_minor: every account without an error, unchanged ones included


@dataclass(frozen=True)
class People:
    """Debtors, co-debtors and guarantors of the good rows, each once."""

    debtors: Relation  # key, name, kind, national_id_kind, national_id, verdict, national_id_valid and place
    points: Relation  # key, kind, value, line, valid: their contact points
    unreachable: Relation  # key: those without a valid contact point


@dataclass(frozen=True)
class ExaminedFile:
    """Everything known about a file before anything is written."""

    file: FileRows
    known: KnownAccounts
    keys: RowKeys
    changes: FileChanges
    checked: CheckedRows
    stated: StatedDebts
    people: People
    alike: AlikeNumbers
    aside: list[dict[str, Any]]  # by reason: code, rows, lines, amounts
    money: list[dict[str, Any]]  # by what became of it: part, rows, amounts, unread
    is_first_load: bool


@dataclass(frozen=True)
class KnownDebtors:
    """The creditor's debtors whom the file names."""

    debtors: Relation  # id, key, own, joined_id: `id` is who stays of those who were joined, joined_id who has the key
    joins: Relation  # join_id, joined_id, kept_id: of debtors of the creditor who were joined with another
    taken: Relation  # key, own: keys of another portfolio's debtors, and what this portfolio calls its own


@dataclass(frozen=True)
class AssignedIds:
    """Database ids of the people and accounts in the file; `new` ones are not in the database yet."""

    debtors: Relation  # key, id, new, external_id (of new ones), joined_id
    joins: Relation  # as in KnownDebtors
    accounts: Relation  # the columns of StatedDebts.accounts, debtor_id, amount_minor, id, new, status


@dataclass(frozen=True)
class LedgerDifferences:
    """The file compared with the ledger, by instalment and concept."""

    instalments: Relation  # account_id, number, due, line, id, new, moved: those in the file
    stated: Relation  # account_id, number, concept, amount_minor, issued: what the file says is owed
    owed: Relation  # account_id, number, instalment_id, concept, amount_minor: what the ledger says, less `unread`
    unread: Relation  # account_id, number, concept, amount_minor: owed, and the file may have meant it elsewhere
    deltas: Relation  # account_id, number, instalment_id, concept, issued, delta, shift: stated less owed
