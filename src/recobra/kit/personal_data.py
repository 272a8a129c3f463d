"""What the tables hold about people, declared by each app in `personal_data.py` as `HOLDINGS`, one for each model.

A holding says to which class of data a model belongs, how it is erased, what is handed out to the person, and what
stands against an erasure. `recobra.compliance.retention` decides when; the app that owns the table does it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection, models
from django.db.models import QuerySet

ERASED: Final = "anonymised:"
"""What stands before a random or technical value in the place of an erased number that must be there and be unique."""
DIGEST: Final = "hmac:"
"""What stands before the keyed digest of a number that must still be found (`recobra.consent.address_digest`)."""

Row = Mapping[str, object]
Erase = Callable[[Sequence[int], datetime], int]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A reason against erasing a debtor's data: `code` is kept, `text` is shown, marked with gettext_noop.

    `find` returns those of some debtors for whom it holds on a day. One that `is_passing` is over within minutes: no
    request of a person is answered by it.
    """

    code: str
    text: str
    find: Callable[[Sequence[int], date], Collection[int]]
    is_passing: bool = False


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What a model holds about people.

    `model` is its label («portfolio.Debtor»), `data_class` a key of `compliance/retention/classes.yaml`. Of some
    debtors, `erase` takes out what points to them and returns how many rows it changed; `last_days` returns the last
    day on which something moved there; `blocks` stand against it. `erase_before` does the same by age, whoever the rows
    are about: for what is from before an instant, at the moment of the run. `copy` returns the rows of one debtor as
    they are handed out to the person. `is_first` is for what must go while the numbers of the others can be read.
    """

    model: str
    data_class: str
    erase: Erase | None = None
    erase_before: Callable[[datetime, datetime], int] | None = None
    copy: Callable[[int], Iterable[Row]] | None = None
    last_days: Callable[[Sequence[int]], Mapping[int, date]] | None = None
    blocks: tuple[Block, ...] = ()
    is_first: bool = False


def list_rows(rows: QuerySet[models.Model], *names: str) -> list[Row]:
    """Return columns of some rows, by their names, with encrypted ones in plain; `values()` gives those as stored."""
    return [{name: getattr(row, name) for name in names} for row in rows.only(*names)]


def erase_by(statement: str) -> Erase:
    """Return an erasure that runs one statement, with the parameters `debtor_ids` (bigint[]) and `at`."""

    def erase(debtor_ids: Sequence[int], at: datetime) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"debtor_ids": list(debtor_ids), "at": at})
            return cursor.rowcount

    return erase
