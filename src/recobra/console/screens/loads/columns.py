"""Conversion of a mapping to one choice per column of the file, and back.

A mapping names for each target, such as `debtor.name`, the columns of the file that hold it; the form shows the file's
columns, each with its target. A mapping of payment files, of fewer targets, is read by the same functions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from django.http import QueryDict
from django.utils.translation import gettext as _

from recobra.console.table_place import TablePlace
from recobra.intake.queries import Mapping
from recobra.payments.queries import PaymentMapping
from recobra.tabular.records import index_columns

TARGETS = (
    "account.external_id",
    "account.product",
    "account.opened_date",
    "account.contract",
    "debtor.external_id",
    "debtor.name",
    "debtor.kind",
    "debtor.national_id",
    "debtor.national_id_kind",
    "debtor.subdivision",
    "debtor.time_zone",
    "instalment.number",
    "instalment.due_date",
    "instalment.issue_date",
    "instalment.amount",
    "balance",
    "amounts.principal",
    "amounts.interest",
    "amounts.late_interest",
    "amounts.fee",
    "amounts.tax",
    "paid",
    "currency",
    "phones",
    "emails",
    "address.street",
    "address.district",
    "address.city",
    "address.region",
    "address.postal",
    "attribute.text",
    "attribute.number",
    "attribute.date",
)
# Parts of a mapping whose targets stand one level deeper, and parts that are no targets.
_GROUPS = frozenset({"account", "debtor", "instalment", "amounts", "address"})
_NO_TARGETS = frozenset({"name", "options", "control", "parties", "filters", "currencies"})
AnyMapping = TypeVar("AnyMapping", Mapping, PaymentMapping)
OPTIONS = ("decimal", "date_order", "gone", "lower_balance", "due_rows", "other_currencies", "id_zeros")


def target_labels() -> list[tuple[str, str]]:
    """Return the targets of a column with their labels."""
    labels = {
        "account.external_id": _("Account number"),
        "account.product": _("Product"),
        "account.opened_date": _("Opening date"),
        "account.contract": _("Contract"),
        "debtor.external_id": _("Customer number"),
        "debtor.name": _("Name of the debtor"),
        "debtor.kind": _("Person or company"),
        "debtor.national_id": _("Identity document"),
        "debtor.national_id_kind": _("Kind of document"),
        "debtor.subdivision": _("State or region"),
        "debtor.time_zone": _("Time zone"),
        "instalment.number": _("Instalment or document number"),
        "instalment.due_date": _("Due date"),
        "instalment.issue_date": _("Date of issue"),
        "instalment.amount": _("Amount of the document (to compare the balance with)"),
        "balance": _("Balance (the whole debt)"),
        "amounts.principal": _("Principal"),
        "amounts.interest": _("Interest"),
        "amounts.late_interest": _("Late interest"),
        "amounts.fee": _("Fee"),
        "amounts.tax": _("Tax"),
        "paid": _("What was paid (taken from the balance)"),
        "currency": _("Currency"),
        "phones": _("Phone"),
        "emails": _("E-mail"),
        "address.street": _("Address: street"),
        "address.district": _("Address: district"),
        "address.city": _("Address: city"),
        "address.region": _("Address: region"),
        "address.postal": _("Address: postal code"),
        "attribute.text": _("Attribute: text"),
        "attribute.number": _("Attribute: number"),
        "attribute.date": _("Attribute: date"),
    }
    return [(target, labels[target]) for target in TARGETS]


def option_choices(
    options: dict[str, Any], names: Collection[str] = OPTIONS
) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """Return the options of a mapping by these names: name, label, choices (value and label), the choice in force."""
    auto = ("auto", _("find out from the file"))
    described = [
        ("decimal", _("Amounts are written"), [auto, ("comma", "1.234,56"), ("point", "1,234.56")]),
        (
            "date_order",
            _("Dates are written"),
            [
                auto,
                ("dmy", _("day, month, year")),
                ("mdy", _("month, day, year")),
                ("ymd", _("year, month, day")),
            ],
        ),
        (
            "gone",
            _("An account that is no longer in the file"),
            [
                ("missing", _("is missing: a person looks")),
                ("paid", _("was paid")),
                ("recalled", _("was recalled")),
                ("keep", _("stays as it is")),
            ],
        ),
        (
            "lower_balance",
            _("A balance lower than yesterday's"),
            [("payment", _("is a payment")), ("adjustment", _("is an adjustment"))],
        ),
        (
            "due_rows",
            _("Rows per account"),
            [
                ("one", _("one")),
                ("several", _("several: one per instalment")),
                ("items", _("several: one per item, added up")),
            ],
        ),
        (
            "other_currencies",
            _("A row in another currency"),
            [("reject", _("is rejected")), ("set_aside", _("is set aside, and its sum told"))],
        ),
        (
            "id_zeros",
            _("Numbers that only zeros tell apart"),
            [("keep", _("are not joined: a person decides")), ("strip", _("are the same"))],
        ),
    ]
    rows = []
    for name, label, choices in described:
        if name in names:
            default, _default_label = choices[0]
            rows.append((name, label, choices, str(options.get(name, default))))
    return rows


def starting_mapping(saved: Sequence[AnyMapping], choice: str, headers: list[str]) -> AnyMapping | None:
    """Return the mapping to start from: the one chosen (its id), else the newest that fits the file, else None."""
    if choice:
        return next((mapping for mapping in saved if str(mapping.pk) == choice), None)
    fitting = [mapping for mapping in saved if has_mapped_columns(mapping.document, headers)]
    return max(fitting, key=lambda mapping: (mapping.created_at, mapping.pk), default=None)


def match_columns(document: dict[str, Any], headers: list[str]) -> list[tuple[str, str]]:
    """Return each column of the file with its target in the mapping, '' for none."""
    targets: dict[int, str] = {}
    for target, spec in _flatten(document).items():
        for positions in index_columns(headers, _column_names(spec)).values():
            for position in positions[:1]:
                targets.setdefault(position, target)
    return [(header, targets.get(position, "")) for position, header in enumerate(headers)]


def has_mapped_columns(document: dict[str, Any], headers: list[str]) -> bool:
    """Return whether every column that a mapping names is in the file."""
    return all(index_columns(headers, mapped_columns(document)).values())


def mapped_columns(document: dict[str, Any]) -> list[str]:
    """Return the columns that a mapping document names."""
    specs = list(_flatten(document).values())
    for party in document.get("parties") or []:
        # `part` is the party's role, not a column.
        specs += [spec for name, spec in party.items() if name != "part"]
    return [column for spec in specs for column in _column_names(spec)]


def _flatten(document: dict[str, Any]) -> dict[str, Any]:
    """Return the specifications of a mapping document by target: {"debtor": {"name": …}} has `debtor.name`.

    Of several attributes of one type only the last is there.
    """
    flat: dict[str, Any] = {}
    for name, spec in document.items():
        if name in _GROUPS and isinstance(spec, dict):
            for key, value in spec.items():
                flat[f"{name}.{key}"] = value
        elif name == "attributes":
            for attribute in spec.values():
                if isinstance(attribute, dict):
                    attribute_type = attribute.get("type", "text")
                    flat[f"attribute.{attribute_type}"] = attribute
        elif name not in _NO_TARGETS:
            flat[name] = spec
    return flat


def _column_names(spec: Any) -> list[str]:
    """Return the columns that a specification names: a name, a list, or an object with `column` or `columns`."""
    if isinstance(spec, str):
        return [spec]
    if isinstance(spec, dict):
        return _column_names(spec.get("columns", spec.get("column", [])))
    if isinstance(spec, list):
        return [column for item in spec for column in _column_names(item)]
    return []


def posted_columns(post: QueryDict, headers: list[str], targets: Collection[str]) -> dict[str, list[str]]:
    """Return the columns that were chosen for each target."""
    columns: dict[str, list[str]] = {}
    for index, header in enumerate(headers):
        target = post.get(f"column-{index}", "")
        if target in targets:
            columns.setdefault(target, []).append(header)
    return columns


def posted_options(post: QueryDict, place: TablePlace, names: Collection[str]) -> dict[str, Any]:
    """Return the options of these names that were chosen, and the place of the table where a person chose one."""
    options: dict[str, Any] = {name: post[name] for name in names if post.get(name)}
    return options | {name: value for name, value in place.items() if value}


def posted_name(post: QueryDict) -> str:
    """Return the name under which the mapping is kept."""
    return post.get("name", "").strip() or "default"


def from_post(post: QueryDict, headers: list[str], place: TablePlace) -> dict[str, Any]:
    """Return the mapping document of the choices; several columns with one target are joined."""
    document: dict[str, Any] = {"name": posted_name(post)}
    columns_by_target = posted_columns(post, headers, TARGETS)
    for target, columns in columns_by_target.items():
        group, _dot, name = target.partition(".")
        if group == "attribute":
            attributes = document.setdefault("attributes", {})
            for column in columns:
                attributes[_attribute_name(column)] = {"column": column, "type": name}
        elif group in {"phones", "emails"}:
            document[group] = columns
        elif name:
            document.setdefault(group, {})[name] = columns if len(columns) > 1 else columns[0]
        else:
            document[group] = columns[0]
    options = posted_options(post, place, OPTIONS)
    if options:
        document["options"] = options
    return document


def _attribute_name(header: str) -> str:
    """Return the name of an attribute made from a column: «Fecha de baja» becomes `fecha_de_baja`."""
    letters = [letter if letter.isalnum() else "_" for letter in header.lower()]
    return "".join(letters).strip("_") or "columna"
