"""The creditor's own columns of a portfolio: the one place where they are declared, read and changed.

A load fills them from what its mapping takes as attributes; their values lie in `Account.attributes`, in JSON: texts,
whole numbers, numbers, yes or no, days as `2026-12-31`, amounts in minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, cast

from django.db import connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit.declarations import declared
from recobra.kit.typed_numbers import read_number
from recobra_core.folding import fold_words
from recobra_core.money import exponent_of
from recobra_core.rules import ColumnType
from recobra_core.rules.protected import is_protected

from .facts import OwnColumnsSaved
from .models import Portfolio
from .sql import OWN_COLUMN_CASTS

TYPE_LABELS: Final[Mapping[ColumnType, Promise]] = {
    "text": gettext_lazy("Text"),
    "integer": gettext_lazy("Whole number"),
    "money": gettext_lazy("Amount of money"),
    "number": gettext_lazy("Number with decimals"),
    "date": gettext_lazy("Day"),
    "boolean": gettext_lazy("Yes or no"),
}
TYPES: Final[tuple[ColumnType, ...]] = tuple(TYPE_LABELS)
_PYTHON_TYPES: Final[Mapping[ColumnType, tuple[type, ...]]] = {
    "text": (str,),
    "integer": (int,),
    "money": (int,),
    "number": (int, float),
    "date": (),
    "boolean": (bool,),
}
NAME_MAX: Final = 60
LABEL_MAX: Final = 60
STAND_IN_MAX: Final = 200
EXAMPLES: Final = 5


class OwnColumnRefused(Exception):
    """A column cannot be declared or changed so; the text is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnColumn:
    """A column that a portfolio declares.

    `is_private`: personal or protected, so it stays out of rules, lists and messages, and only who may see documents
    sees it. `stand_in` is what a message says where the value is not known; '' keeps such a message back.
    `declared_at` is an ISO instant: of several portfolios the first to declare a name says of which type rules read it.
    """

    name: str
    type: ColumnType
    label: str
    is_private: bool = False
    stand_in: str = ""
    declared_at: str = ""

    @property
    def is_bound_private(self) -> bool:
        """Return whether its name or label says a protected attribute, so that nobody may open it."""
        return is_protected(self.name, self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleColumn:
    """A column as rules read it. Of accounts of other portfolios than these a rule knows no value.

    `elsewhere` are the portfolios that declare the name with another type, or privately.
    """

    type: ColumnType
    label: str
    portfolio_ids: tuple[int, ...]
    elsewhere: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChange:
    """What becomes of the values of a column under another type: how many stay, and those that become unknown."""

    readable: int
    lost: int
    examples: tuple[str, ...]


def is_name(name: str) -> bool:
    """Return whether rules and templates can name a column so; `…_minor` is how amounts are stored."""
    is_word = f"attr_{name}".isidentifier() and name == name.lower()
    return is_word and len(name) <= NAME_MAX and not name.endswith("_minor")


def own_columns(portfolio: Portfolio) -> dict[str, OwnColumn]:
    """Return the columns of a portfolio by name, in the order of their labels."""
    columns = [_read_column(name, written) for name, written in portfolio.attributes.items()]
    return {column.name: column for column in sorted(columns, key=lambda column: column.label.lower())}


def _read_column(name: str, written: Mapping[str, Any]) -> OwnColumn:
    kind = written.get("type")
    label = written.get("label") or name
    return OwnColumn(
        name=name,
        type=cast("ColumnType", kind) if kind in TYPES else "text",
        label=label,
        is_private=bool(written.get("is_private")) or is_protected(name, label),
        stand_in=written.get("stand_in") or "",
        declared_at=written.get("declared_at") or "",
    )


def _write_column(column: OwnColumn) -> dict[str, Any]:
    written: dict[str, Any] = {"type": column.type, "label": column.label, "declared_at": column.declared_at}
    if column.is_private:
        written["is_private"] = True
    if column.stand_in:
        written["stand_in"] = column.stand_in
    return written


def rule_columns() -> dict[str, RuleColumn]:
    """Return the columns of which rules may speak, by name, over all portfolios of the installation.

    It never depends on which portfolios are decided for: a rule means the same for one debtor and at night.
    """
    declarations: dict[str, list[tuple[int, OwnColumn]]] = {}
    for portfolio in Portfolio.objects.exclude(attributes={}).only("attributes").order_by("pk"):
        for name, column in own_columns(portfolio).items():
            declarations.setdefault(name, []).append((portfolio.pk, column))
    columns = {}
    for name, declaring in sorted(declarations.items()):
        open_ones = [(pk, column) for pk, column in declaring if not column.is_private and is_name(name)]
        if not open_ones:
            continue
        _pk, first = min(open_ones, key=lambda each: (each[1].declared_at, each[0]))
        alike = tuple(pk for pk, column in open_ones if column.type == first.type)
        elsewhere = tuple(pk for pk, _column in declaring if pk not in alike)
        columns[name] = RuleColumn(type=first.type, label=first.label, portfolio_ids=alike, elsewhere=elsewhere)
    return columns


def message_columns() -> dict[str, str]:
    """Return the labels of the columns that messages may name, by name, over all portfolios."""
    labels: dict[str, str] = {}
    for portfolio in Portfolio.objects.exclude(attributes={}).only("attributes").order_by("pk"):
        for name, column in own_columns(portfolio).items():
            if not column.is_private and is_name(name):
                labels.setdefault(name, column.label)
    return labels


def read_value(column: OwnColumn, attributes: Mapping[str, Any]) -> Any:
    """Return the value of a column in an account's `attributes`, None where it is unknown or of another type.

    Text, int, float, bool or date; an amount is in minor units.
    """
    value = attributes.get(column.name)
    if column.type == "date" and isinstance(value, str):
        with suppress(ValueError):
            return date.fromisoformat(value)
        return None
    # To Python yes and no are numbers.
    is_of_type = isinstance(value, _PYTHON_TYPES[column.type]) and isinstance(value, bool) == (column.type == "boolean")
    return value if is_of_type and value != "" else None


@consequence
@transaction.atomic
def declare_columns(*, portfolio_id: int, columns: Iterable[OwnColumn], actor: Actor) -> None:
    """Declare the columns that a load fills and the portfolio does not know yet; known ones stay as they are."""
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    unknown = [column for column in columns if column.name not in portfolio.attributes]
    if not unknown:
        return
    for column in unknown:
        portfolio.attributes[column.name] = _write_column(replace(column, declared_at=actor.now.isoformat()))
    portfolio.save(update_fields=["attributes"])
    saved = OwnColumnsSaved(fields=sorted(column.name for column in unknown), changed=[])
    record_fact(saved, actor=actor, portfolio_id=portfolio.pk)


def uses_of(name: str) -> list[str]:
    """Return what reads a column, in words: rules, templates. Apps declare it in `own_column_uses.py`."""
    return [use for find_uses in declared("own_column_uses", "FINDERS") for use in find_uses(name)]


def preview_type(portfolio: Portfolio, name: str, kind: ColumnType) -> TypeChange:
    """Return what would become of the values of a column if it had another type."""
    column = own_columns(portfolio)[name]
    cast_value = _cast_sql(column.type, kind)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE new IS NOT NULL), count(*) FILTER (WHERE new IS NULL), "
            f"(array_agg(DISTINCT old) FILTER (WHERE new IS NULL))[:{EXAMPLES}] "
            f"FROM (SELECT old, {cast_value} AS new FROM (SELECT attributes ->> %(name)s::text AS old "
            "FROM portfolio_account WHERE portfolio_id = %(portfolio)s) given WHERE old IS NOT NULL) changed",
            _cast_parameters(portfolio, name),
        )
        readable, lost, examples = cursor.fetchone()
    return TypeChange(readable=readable, lost=lost, examples=tuple(examples or ()))


@requires(Right.EDIT_RULES)
@transaction.atomic
def change_column(
    *,
    portfolio_id: int,
    name: str,
    label: str,
    kind: ColumnType,
    is_private: bool,
    stand_in: str,
    actor: Actor,
) -> OwnColumn:
    """Change how a column is called, of which type it is, whether it is private, what messages say in its place.

    Values that the new type cannot read stay in the account and count as unknown. Raises OwnColumnRefused; one that
    a rule or a template reads keeps its type and stays open.
    """
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    check_scope(actor, portfolio.code)
    column = own_columns(portfolio).get(name)
    if column is None:
        raise OwnColumnRefused(_("This portfolio has no column «%(name)s».") % {"name": name})
    label, stand_in = " ".join(label.split()), " ".join(stand_in.split())
    if not label or len(label) > LABEL_MAX:
        raise OwnColumnRefused(_("Give it a name of up to %(count)s characters.") % {"count": LABEL_MAX})
    if len(stand_in) > STAND_IN_MAX:
        raise OwnColumnRefused(_("The stand-in is too long: up to %(count)s characters.") % {"count": STAND_IN_MAX})
    if kind not in TYPES:
        raise OwnColumnRefused(_("Choose one of the types."))
    changed = replace(column, label=label, type=kind, is_private=is_private, stand_in=stand_in)
    if changed.is_bound_private:
        changed = replace(changed, is_private=True)
    if (changed.type, changed.is_private) != (column.type, column.is_private):
        uses = uses_of(name)
        if uses:
            refusal = _("It is in use, so it keeps its type and stays as open as it is: %(uses)s.")
            raise OwnColumnRefused(refusal % {"uses": "; ".join(uses)})
    if changed == column:
        return column
    if changed.type != column.type:
        _convert_values(portfolio, name, column.type, kind)
    portfolio.attributes[name] = _write_column(changed)
    portfolio.save(update_fields=["attributes"])
    parts = [
        part for part in ("label", "type", "is_private", "stand_in") if getattr(changed, part) != getattr(column, part)
    ]
    record_fact(OwnColumnsSaved(fields=[name], changed=parts), actor=actor, portfolio_id=portfolio.pk)
    return changed


def _convert_values(portfolio: Portfolio, name: str, old: ColumnType, new: ColumnType) -> None:
    """Write the values of a column in another type; what cannot be read so stays a text, which no other type reads."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE portfolio_account account SET attributes = jsonb_set(attributes, ARRAY[%(name)s::text], "
            f"coalesce({_cast_sql(old, new)}, to_jsonb(old))) "
            "FROM (SELECT id, attributes ->> %(name)s::text AS old FROM portfolio_account "
            "WHERE portfolio_id = %(portfolio)s) given WHERE given.id = account.id AND old IS NOT NULL",
            _cast_parameters(portfolio, name),
        )


def _cast_sql(old: ColumnType, new: ColumnType) -> str:
    """Return SQL for the text `old` of a value of one type as JSON of another, NULL where it cannot be read so."""
    # An amount counts minor units, and any other number the major ones.
    major = "CASE WHEN old ~ '^-?[0-9]+$' THEN trim_scale(old::numeric / %(minor)s)::text ELSE old END"
    return OWN_COLUMN_CASTS[new].format(text=f"({major})" if old == "money" else "old")


def _cast_parameters(portfolio: Portfolio, name: str) -> dict[str, Any]:
    return {"name": name, "portfolio": portfolio.pk, "minor": 10 ** exponent_of(portfolio.currency)}


def count_values(portfolio: Portfolio) -> dict[str, int]:
    """Return of how many accounts of a portfolio each of its columns has a value."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, count(*) FROM portfolio_account, jsonb_each(attributes) "
            "WHERE portfolio_id = %s AND value <> 'null' GROUP BY key",
            [portfolio.pk],
        )
        return dict(cursor.fetchall())


def parse_value(column: OwnColumn, text: str, portfolio: Portfolio) -> Any:
    """Return what a person typed, as the portfolio's country writes it, as the JSON of a column; None where it is none.

    Days are `2026-12-31` or 31/12/2026, yes or no in words.
    """
    currency = portfolio.currency if column.type == "money" else ""
    number = read_number(text, country=portfolio.country, currency=currency)
    match column.type:
        case "money":
            return None if number is None else int(number.scaleb(exponent_of(currency)))
        case "integer":
            return int(number) if number is not None and number == int(number) else None
        case "number":
            return None if number is None else float(number)
        case "boolean":
            return {"si": True, "yes": True, "no": False}.get(fold_words(text))
        case "date":
            return parse_day(text)
    return text


def parse_day(text: str) -> str | None:
    """Return a day that was typed as `2026-12-31` or 31/12/2026 in ISO form, None where it is none."""
    for written in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y"):
        with suppress(ValueError):
            return datetime.strptime(text.strip(), written).date().isoformat()  # noqa: DTZ007 - a day has no zone
    return None
