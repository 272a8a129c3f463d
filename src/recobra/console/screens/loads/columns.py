"""Conversion of a mapping to one choice per column of the file, and back.

A mapping names for each target, such as `debtor.name`, the columns of the file that hold it; the form shows the file's
columns, each with its target. A mapping of payment files, of fewer targets, is read by the same functions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.http import QueryDict
from django.utils.translation import gettext as _

from recobra.console.table_place import TablePlace
from recobra.intake.mapping.document import PARTS
from recobra.intake.queries import Mapping as SavedMapping
from recobra.payments.queries import PaymentMapping
from recobra.portfolio.own_columns import LABEL_MAX, NAME_MAX, TYPE_LABELS, TYPES, OwnColumn, own_columns
from recobra.portfolio.queries import Party, Portfolio
from recobra.tabular.records import index_columns
from recobra_core.folding import fold_words

PARTY_VALUES = ("name", "national_id", "phone", "email")
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
    *(f"attribute.{kind}" for kind in TYPES),
    *(f"{part.lower()}.{name}" for part in PARTS for name in PARTY_VALUES),
)
OWN = "attribute:"
"""Before the name of a column of the portfolio's own that is known; `attribute.` and a type stand for a new one."""
# Parts of a mapping whose targets stand one level deeper, and parts that are no targets.
_GROUPS = frozenset({"account", "debtor", "instalment", "amounts", "address"})
_NO_TARGETS = frozenset({"name", "options", "control", "filters", "currencies"})
AnyMapping = TypeVar("AnyMapping", SavedMapping, PaymentMapping)
OPTIONS = ("decimal", "date_order", "gone", "lower_balance", "due_rows", "other_currencies", "id_zeros", "corrections")


def target_labels(known: Mapping[str, OwnColumn]) -> list[tuple[str, str]]:
    """Return the targets of a column with their labels, those of the portfolio's own that are known behind them."""
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
        **_party_labels(),
    }
    for kind, label in TYPE_LABELS.items():
        labels[f"attribute.{kind}"] = _("New own column: %(type)s") % {"type": str(label).lower()}
    own = [
        (f"{OWN}{column.name}", _("Own column: %(name)s") % {"name": column.label})
        for column in sorted(known.values(), key=lambda column: column.label.lower())
    ]
    return [*((target, labels[target]) for target in TARGETS), *own]


def known_columns(portfolio: Portfolio, saved: Iterable[SavedMapping]) -> dict[str, OwnColumn]:
    """Return the portfolio's own columns by name, with those that a saved mapping names and no load has declared."""
    known = own_columns(portfolio)
    for mapping in saved:
        for name, spec in (mapping.document.get("attributes") or {}).items():
            if isinstance(spec, dict) and name not in known:
                label = str(spec.get("label") or " ".join(_column_names(spec)) or name)
                known[name] = OwnColumn(name=name, type=spec.get("type", "text"), label=label)
    return known


def _party_labels() -> dict[str, str]:
    """Return what a column may say of somebody around the account."""
    names = {"name": _("name"), "national_id": _("document"), "phone": _("phone"), "email": _("e-mail")}
    parts = dict(Party.Part.choices)
    return {f"{part.lower()}.{value}": f"{parts[part]}: {name}" for part in PARTS for value, name in names.items()}


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
        _describe_corrections(),
    ]
    rows = []
    for name, label, choices in described:
        if name in names:
            default, _default_label = choices[0]
            rows.append((name, label, choices, str(options.get(name, default))))
    return rows


def _describe_corrections() -> tuple[str, str, list[tuple[str, str]]]:
    """Return the option of what becomes of contact data that staff changed, as `option_choices` describes them."""
    choices = [
        ("stand", _("stay so, whatever the file says")),
        ("file", _("are used again if a later file names them")),
    ]
    return "corrections", _("Contact data that somebody corrected or took out of use"), choices


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
        # `part` is the party's role, not a column; several may have the same.
        specs += [spec for name, spec in party.items() if name != "part"]
    return [column for spec in specs for column in _column_names(spec)]


def _flatten(document: dict[str, Any]) -> dict[str, Any]:
    """Return the specifications of a mapping document by target: {"debtor": {"name": …}} has `debtor.name`."""
    flat: dict[str, Any] = {}
    for name, spec in document.items():
        if name in _GROUPS and isinstance(spec, dict):
            for key, value in spec.items():
                flat[f"{name}.{key}"] = value
        elif name == "attributes":
            flat |= {f"{OWN}{key}": attribute for key, attribute in spec.items()}
        elif name == "parties":
            # Of several with one part the last is shown.
            for party in spec:
                part = str(party.get("part", "")).lower()
                flat |= {f"{part}.{value}": party[value] for value in PARTY_VALUES if party.get(value)}
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


def from_post(post: QueryDict, headers: list[str], place: TablePlace, known: Mapping[str, OwnColumn]) -> dict[str, Any]:
    """Return the mapping document of the choices; several columns with one target are joined."""
    document: dict[str, Any] = {"name": posted_name(post)}
    own = {f"{OWN}{name}": column for name, column in known.items()}
    parties: dict[str, dict[str, Any]] = {}
    for target, columns in posted_columns(post, headers, {*TARGETS, *own}).items():
        group, _dot, name = target.partition(".")
        if target in own:
            column = own[target]
            document.setdefault("attributes", {})[column.name] = {"columns": columns, "type": column.type}
        elif group == "attribute":
            continue
        elif group in {"phones", "emails"}:
            document[group] = columns
        elif group.upper() in PARTS:
            parties.setdefault(group.upper(), {})[name] = columns if len(columns) > 1 else columns[0]
        elif name:
            document.setdefault(group, {})[name] = columns if len(columns) > 1 else columns[0]
        else:
            document[group] = columns[0]
    new = _new_attributes(post, headers)
    if new:
        document["attributes"] = {**new, **document.get("attributes", {})}
    if parties:
        document["parties"] = [{"part": part, **values} for part, values in parties.items()]
    options = posted_options(post, place, OPTIONS)
    if options:
        document["options"] = options
    return document


def _new_attributes(post: QueryDict, headers: list[str]) -> dict[str, dict[str, Any]]:
    """Return the columns that become new columns of the portfolio's own, each under a name made from its label."""
    attributes: dict[str, dict[str, Any]] = {}
    for index, header in enumerate(headers):
        group, _dot, kind = post.get(f"column-{index}", "").partition(".")
        if group != "attribute" or kind not in TYPES:
            continue
        label = " ".join(post.get(f"label-{index}", "").split()) or header
        name = base = _attribute_name(label)
        number = 1
        while name in attributes:
            number += 1
            name = f"{base}_{number}"
        attributes[name] = {"column": header, "type": kind, "label": label[:LABEL_MAX]}
        if post.get(f"private-{index}"):
            attributes[name]["private"] = True
    return attributes


def _attribute_name(label: str) -> str:
    """Return the name of a column made from its label: «Fecha de baja» becomes `fecha_de_baja`."""
    name = fold_words(label).replace(" ", "_")[:NAME_MAX].strip("_").removesuffix("_minor")
    return name or "columna"
