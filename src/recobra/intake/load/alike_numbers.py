"""Numbers of a file that are like known ones: taken for them, or asked about, and never silently a second debt.

They differ in leading zeros alone, or in what a spreadsheet does to a number.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from recobra.intake.load.current_state import fetch_debtor_keys, fetch_documents
from recobra.intake.load_context import LoadContext
from recobra.intake.relations import (
    AlikeNumbers,
    AssignedIds,
    ExaminedFile,
    FileRows,
    KnownAccounts,
    RowKeys,
)
from recobra.intake.stage import keys
from recobra.intake.stage.people import is_party_named, party_key
from recobra.tabular import identity
from recobra.tabular.numbers_alike import find_alike
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation, Workspace

_ROWS: Final = "line BIGINT, col VARCHAR, code VARCHAR, params VARCHAR, value VARCHAR, target VARCHAR"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Person:
    """SQL for who a row says that somebody is: the debtor, or one of the others that it names.

    `names` is true in the rows that name him at all; `column` and `target` are those of his document.
    """

    key: str
    national_id: str
    kind: str
    verdict: str
    names: str
    column: str
    target: str

    @property
    def is_of_account(self) -> str:
        """Return SQL for whether nothing proves who he is, so that the account stands for him."""
        return f"(starts_with({self.key}, 'account:') OR starts_with({self.key}, 'party:'))"


def settle_accounts(
    context: LoadContext, duck: Workspace, file: FileRows, row_keys: RowKeys, known: KnownAccounts
) -> tuple[FileRows, RowKeys, AlikeNumbers]:
    """Return the file and its keys with the accounts written as they are known, and what is left to a person."""
    rows = duck.create_empty("alike_rows", _ROWS)
    if not _is_sought(context):
        return file, row_keys, AlikeNumbers(rows, 0)
    alike = find_alike(
        duck,
        "alike_accounts",
        new=f"SELECT account AS number FROM {row_keys.accounts} ANTI JOIN {known.accounts} USING (account)",
        known=f"SELECT account AS number FROM {known.accounts}",
    )
    if not duck.count(alike):
        return file, row_keys, AlikeNumbers(rows, 0)
    target = "account.external_id"
    column = literal(file.columns.label(context.document.fields[target]))
    questions = f"SELECT line, account AS number, account AS value, {column} AS col, '{target}' AS target"
    _ask(context, duck, rows, alike, f"{questions} FROM {row_keys.rows}")
    respelled = _respell(context, duck, alike)
    joined = duck.count(respelled)
    if joined:
        file = dataclasses.replace(file, columns=dataclasses.replace(file.columns, respelled=respelled))
        row_keys = keys.fingerprint_rows(context, duck, file)
    return file, row_keys, AlikeNumbers(rows, joined)


def settle_debtors(
    context: LoadContext, duck: Workspace, file: FileRows, parsed: Relation, *, accounts: Relation, alike: AlikeNumbers
) -> AlikeNumbers:
    """Write the people of the parsed rows as they are known, and return what is left to a person, with that of `alike`.

    `accounts` are those of the portfolio.
    """
    if not _is_sought(context):
        return alike
    people = _list_people(context, file)
    known = fetch_debtor_keys(context, duck, accounts)
    joined = _settle_keys(context, duck, file, parsed, alike.rows, people=people, known=known)
    joined += _settle_documents(context, duck, parsed, alike.rows, people=people, known=known)
    return dataclasses.replace(alike, joined=alike.joined + joined)


def settle_instalments(
    context: LoadContext, duck: Workspace, examined: ExaminedFile, ids: AssignedIds, *, ledger: Relation
) -> None:
    """Write the numbers of instalments as their account has them, 1 as 01: within one account they are the same.

    Not where the file names both.
    """
    if not context.has_several_rows:
        return
    known = duck.create(
        "known_numbers",
        f"SELECT DISTINCT number AS known, concat(account_id, ':', number) AS number FROM {ledger}",
    )
    named = duck.create(
        "named_numbers",
        f"""
        SELECT DISTINCT account, good.number AS written, concat(account_ids.id, ':', good.number) AS number
        FROM {examined.checked.good} good JOIN {ids.accounts} account_ids USING (account) WHERE NOT new
        """,
    )
    alike = find_alike(
        duck,
        "alike_instalments",
        new=f"SELECT number FROM {named} ANTI JOIN {known} USING (number)",
        known=f"SELECT number FROM {known}",
    )
    respelled = duck.create(
        "respelled_instalments",
        f"""
        SELECT account AS of_account, written, known.known
        FROM {alike} JOIN {named} USING (number) JOIN {known} known ON known.number = spelled
        WHERE spelled NOT IN (SELECT number FROM {named}) AND other IS NULL
        """,
    )
    for relation in (examined.checked.good, examined.stated.amounts):
        duck.execute(
            f"UPDATE {relation} SET number = known FROM {respelled} WHERE account = of_account AND number = written"
        )


def _is_sought(context: LoadContext) -> bool:
    """Return whether anything becomes of a number that is like another."""
    return context.is_joining or context.alike == "ask"


def _list_people(context: LoadContext, file: FileRows) -> list[_Person]:
    """Return the people of a row: the debtor, then those of `parties`."""
    debtor = _Person(
        key="debtor",
        national_id="national_id",
        kind="national_id_kind",
        verdict="verdict",
        names="true",
        column=file.columns.label(context.document.fields.get("debtor.national_id")),
        target="debtor.national_id",
    )
    parties = [
        _Person(
            key=party_key(n),
            national_id=f"party_{n}_bare_id",
            kind=f"party_{n}_id_kind",
            verdict=f"party_{n}_verdict",
            names=is_party_named(n),
            column=file.columns.label(party.sources.get("national_id")),
            target=f"parties.{n}.national_id",
        )
        for n, party in enumerate(context.document.parties)
    ]
    return [debtor, *parties]


def _settle_keys(
    context: LoadContext,
    duck: Workspace,
    file: FileRows,
    parsed: Relation,
    rows: Relation,
    *,
    people: list[_Person],
    known: Relation,
) -> int:
    """Settle customer numbers and documents that prove somebody; return how many were joined."""
    stated = " UNION ".join(
        f"SELECT {person.key} AS number FROM {parsed} WHERE {person.names} AND NOT {person.is_of_account}"
        for person in people
    )
    alike = find_alike(
        duck,
        "alike_keys",
        new=f"SELECT number FROM ({stated}) ANTI JOIN {known} known ON known.key = number",
        known=f"SELECT key AS number FROM {known} WHERE is_own",
    )
    if not duck.count(alike):
        return 0
    respelled = _respell(context, duck, alike)
    number_column = literal(file.columns.label(context.document.fields.get("debtor.external_id")))
    for person in people:
        is_document = f"starts_with({person.key}, 'id:')"
        column = literal(person.column)
        _ask(
            context,
            duck,
            rows,
            alike,
            f"""
            SELECT
                line,
                {person.key} AS number,
                CASE WHEN {is_document} THEN {person.national_id} ELSE x_debtor END AS value,
                CASE WHEN {is_document} THEN {column} ELSE {number_column} END AS col,
                CASE WHEN {is_document} THEN '{person.target}' ELSE 'debtor.external_id' END AS target
            FROM {parsed} WHERE {person.names}
            """,
        )
        _set_key(duck, parsed, person, respelled)
    return duck.count(respelled)


def _settle_documents(
    context: LoadContext,
    duck: Workspace,
    parsed: Relation,
    rows: Relation,
    *,
    people: list[_Person],
    known: Relation,
) -> int:
    """Settle documents that prove nobody as they are written; return how many were joined."""
    unproved = {
        person: f"{person.names} AND {person.verdict} <> '{identity.STAND_IN}' AND {person.is_of_account} "
        f"AND {person.key} NOT IN (SELECT key FROM {known})"
        for person in people
    }
    stated = " UNION ".join(
        f"SELECT {person.national_id} AS number FROM {parsed} WHERE {condition}"
        for person, condition in unproved.items()
    )
    numbers = duck.create("unproved_documents", f"SELECT number FROM ({stated})")
    if not duck.count(numbers):
        return 0
    documents = fetch_documents(context, duck, known)
    alike = find_alike(
        duck,
        "alike_documents",
        new=f"SELECT number FROM {numbers} WHERE number NOT IN (SELECT national_id FROM {documents})",
        known=f"SELECT national_id AS number FROM {documents}",
    )
    # Two of one file that prove nobody are two people, as ever.
    duck.execute(f"DELETE FROM {alike} WHERE known IS NULL")
    several = f"SELECT national_id FROM {documents} GROUP BY national_id HAVING count(*) > 1"
    duck.execute(f"UPDATE {alike} SET spelled = NULL WHERE spelled IN ({several})")
    respelled = _respell(context, duck, alike)
    for person, condition in unproved.items():
        _ask(
            context,
            duck,
            rows,
            alike,
            f"SELECT line, {person.national_id} AS number, {person.national_id} AS value, "
            f"{literal(person.column)} AS col, '{person.target}' AS target FROM {parsed} WHERE {condition}",
        )
        _set_document(duck, parsed, person, respelled, documents=documents, where=condition)
    return duck.count(respelled)


def _set_key(duck: Workspace, parsed: Relation, person: _Person, respelled: Relation) -> None:
    """Write the keys of a person as they are known."""
    # What earlier versions called a debtor parts nobody here.
    earlier = ", old_debtor = respelled.spelled" if person.key == "debtor" else ""
    duck.execute(
        f"UPDATE {parsed} SET {person.key} = respelled.spelled{earlier} FROM {respelled} respelled "
        f"WHERE {person.key} = respelled.number"
    )


def _set_document(
    duck: Workspace, parsed: Relation, person: _Person, respelled: Relation, *, documents: Relation, where: str
) -> None:
    """Write the documents of a person as they are known, and with them who he is."""
    found = duck.create(
        f"{respelled}_owners",
        f"""
        SELECT respelled.number AS written, document.key AS owner, document.national_id AS whole, document.kind AS whose
        FROM {respelled} respelled JOIN {documents} document ON document.national_id = respelled.spelled
        """,
    )
    earlier = ", old_debtor = owner" if person.key == "debtor" else ""
    duck.execute(
        f"UPDATE {parsed} SET {person.key} = owner, {person.national_id} = whole, {person.kind} = whose, "
        f"{person.verdict} = '{identity.PROOF}'{earlier} FROM {found} WHERE {person.national_id} = written AND {where}"
    )


def _respell(context: LoadContext, duck: Workspace, alike: Relation) -> Relation:
    """Return how numbers are to be written instead (number, spelled); none where they are not joined."""
    return duck.create(
        f"{alike}_respelled",
        f"SELECT number, spelled FROM {alike} WHERE {context.is_joining} AND spelled <> number",
    )


def _ask(context: LoadContext, duck: Workspace, rows: Relation, alike: Relation, questions: str) -> None:
    """Add what a person must decide; `questions` is a query of line, number, value, col and target."""
    if context.alike == "apart":
        return
    # Whoever is known by a document alone has it in his key.
    known, last, other = (
        rf"regexp_replace({name}, '^id:([A-Z_]+:)?([^:]*).*$', '\2')" for name in ("known", "known_last", "other")
    )
    duck.execute(
        f"""
        INSERT INTO {rows}
        SELECT
            line,
            col,
            CASE WHEN known IS NULL THEN 'alike_in_file' WHEN known = known_last THEN 'alike' ELSE 'alike_several' END,
            CAST(json_object('known', {known}, 'last', {last}, 'other', {other}) AS VARCHAR),
            value,
            target
        FROM ({questions}) JOIN {alike} USING (number)
        WHERE {not context.is_joining} OR spelled IS NULL
        """
    )
