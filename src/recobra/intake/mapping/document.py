"""Parsing of mapping documents, with everything that is wrong with one at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as fields_of
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.translation import gettext as _

from .model import AMOUNTS, ATTRIBUTE_TYPES, PARTS, Attribute, Document, Options, Party, Source

TARGETS: Final = (
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
    *(f"amounts.{name}" for name in AMOUNTS),
    "balance",
    "currency",
)
ADDRESS: Final = ("street", "district", "city", "region", "postal")
PARTY: Final = ("name", "national_id", "phone", "email")
GROUPS: Final = ("account", "debtor", "instalment", "amounts")
CHOICES: Final = {
    "decimal": ("auto", "comma", "point"),
    "date_order": ("auto", "dmy", "mdy", "ymd"),
    "gone": ("paid", "recalled", "missing", "keep"),
    "lower_balance": ("payment", "adjustment"),
    "due_rows": ("one", "several"),
    "id_zeros": ("keep", "strip"),
}
_KNOWN: Final = {
    *GROUPS,
    "name",
    "balance",
    "currency",
    "phones",
    "emails",
    "address",
    "attributes",
    "parties",
    "options",
    "control",
    "due_date",
}


class MappingProblems(Exception):
    """A mapping document cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


def parse_mapping(document: Mapping[str, Any]) -> Document:
    """Return a checked mapping. Raises MappingProblems with all the problems found."""
    reader = _Reader()
    checked = reader.read_document(document)
    if reader.problems:
        raise MappingProblems(reader.problems)
    return checked


class _Reader:
    """Reader of a document that collects problems, so that none hides another."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def _add_problem(self, words: str, **facts: Any) -> None:
        self.problems.append(words % facts if facts else words)

    def read_document(self, table: Any) -> Document:
        """Return the document as far as it can be read; `problems` then holds everything that is wrong with it."""
        if not isinstance(table, Mapping):
            self._add_problem(_("The mapping is not a table of names and columns."))
            return Document("", {})
        flat = self._flatten(table)
        control = self._read_table(table.get("control"), "control", ("rows", "amount"))
        document = Document(
            name=str(table.get("name") or "default"),
            fields={target: self._read_source(spec, target) for target, spec in flat.items()},
            phones=self._read_sources(table.get("phones"), "phones"),
            emails=self._read_sources(table.get("emails"), "emails"),
            address=self._read_address(table.get("address")),
            attributes=self._read_attributes(table.get("attributes")),
            parties=self._read_parties(table.get("parties")),
            options=self._read_options(table.get("options")),
            control_rows=self._read_whole(control.get("rows"), "control.rows"),
            control_amount=self._read_decimal(control.get("amount"), "control.amount"),
        )
        self._check_required(document)
        return document

    def _check_required(self, document: Document) -> None:
        """Add a problem for everything that a mapping needs and this one lacks or contradicts."""
        if "account.external_id" not in document.fields:
            self._add_problem(_("account.external_id is missing: which column names the account?"))
        amounts = [name for name in document.fields if name.startswith("amounts.")]
        if not amounts and not document.one_amount:
            self._add_problem(_("Neither balance nor amounts is given: which column says what is owed?"))
        if amounts and document.one_amount:
            self._add_problem(_("balance and amounts are both given; balance already is the whole."))
        if document.options.due_rows == "several" and "instalment.number" not in document.fields:
            self._add_problem(_("options.due_rows is several: instalment.number must tell the rows apart."))

    def _flatten(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of single values by target (`account.external_id`, `balance`…), empty ones left out.

        A group may be a table (`account: {external_id: …}`) or written with dots (`account.external_id`);
        `due_date` alone means that of the instalment.
        """
        flat: dict[str, Any] = {}
        for name, spec in table.items():
            if name in GROUPS and isinstance(spec, Mapping):
                flat.update({f"{name}.{key}": value for key, value in spec.items()})
            elif name == "due_date":
                flat["instalment.due_date"] = spec
            elif name in {"balance", "currency"} or "." in str(name):
                flat[str(name)] = spec
            elif name not in _KNOWN:
                self._add_problem(_("«%(name)s» is not a part of a mapping."), name=name)
        known: dict[str, Any] = {}
        for target, spec in flat.items():
            if target not in TARGETS:
                self._add_problem(
                    _("«%(name)s» is not a target; known are %(known)s."), name=target, known=", ".join(TARGETS)
                )
            elif spec not in (None, "", []):
                known[target] = spec
        return known

    def _read_source(self, spec: Any, where: str) -> Source:
        """Return the source of a value: a column, several that are joined, or a table with default and translations.

        `where` is the place in the document, for problems.
        """
        if isinstance(spec, str):
            return Source((spec,))
        if isinstance(spec, list) and spec and all(isinstance(column, str) for column in spec):
            return Source(tuple(spec))
        if not isinstance(spec, Mapping):
            self._add_problem(
                _("%(where)s: a column name, a list of them or a table was expected, not «%(given)s»."),
                where=where,
                given=spec,
            )
            return Source()
        table = self._read_table(spec, where, ("column", "columns", "default", "value", "values", "type"))
        named = table.get("columns", table.get("column"))
        columns = self._read_source(named, where).columns if named else ()
        values = self._read_table(table.get("values"), f"{where}.values", None)
        if not columns and table.get("value") is None:
            self._add_problem(_("%(where)s: neither column nor value is given."), where=where)
        return Source(
            columns=columns,
            default=_as_text(table.get("default")),
            value=_as_text(table.get("value")),
            values=tuple((str(key), str(value)) for key, value in values.items()),
        )

    def _read_sources(self, spec: Any, where: str) -> tuple[Source, ...]:
        """Return the columns of a value that may occur several times, such as phones."""
        listed = [spec] if isinstance(spec, str) else spec or []
        if not isinstance(listed, list):
            self._add_problem(_("%(where)s: a list of columns was expected."), where=where)
            return ()
        return tuple(self._read_source(item, where) for item in listed)

    def _read_address(self, spec: Any) -> tuple[Source, ...]:
        """Return the columns that make up an address, written as a list or as a table of its parts."""
        if isinstance(spec, str | list):
            return self._read_sources(spec, "address")
        table = self._read_table(spec, "address", ADDRESS)
        return tuple(self._read_source(table[part], f"address.{part}") for part in ADDRESS if table.get(part))

    def _read_attributes(self, spec: Any) -> tuple[Attribute, ...]:
        """Return the portfolio's own attributes, each with its type."""
        attributes = []
        for name, item in self._read_table(spec, "attributes", None).items():
            kind = str(item.get("type", "text")) if isinstance(item, Mapping) else "text"
            if kind not in ATTRIBUTE_TYPES:
                self._add_problem(
                    _("attributes.%(name)s: «%(given)s» is not a type; known are %(known)s."),
                    name=name,
                    given=kind,
                    known=", ".join(ATTRIBUTE_TYPES),
                )
            attributes.append(Attribute(str(name), self._read_source(item, f"attributes.{name}"), kind))
        return tuple(attributes)

    def _read_parties(self, spec: Any) -> tuple[Party, ...]:
        """Return the columns of co-debtors, guarantors and references."""
        if spec is not None and not isinstance(spec, list):
            self._add_problem(_("parties: a list was expected."))
            return ()
        parties = []
        for position, item in enumerate(spec or [], start=1):
            where = f"parties.{position}"
            table = self._read_table(item, where, ("part", *PARTY))
            if table.get("part") not in PARTS:
                self._add_problem(
                    _("%(where)s.part: one of %(known)s was expected."), where=where, known=", ".join(PARTS)
                )
            if not table.get("name") and not table.get("national_id"):
                self._add_problem(_("%(where)s: a name or a national_id is needed."), where=where)
            fields = {key: self._read_source(table[key], f"{where}.{key}") for key in PARTY if table.get(key)}
            parties.append(Party(str(table.get("part")), fields))
        return tuple(parties)

    def _read_options(self, spec: Any) -> Options:
        """Return the options, with the defaults of `Options` for those left out."""
        table = self._read_table(spec, "options", tuple(item.name for item in fields_of(Options)))
        for name, allowed in CHOICES.items():
            if name in table and table[name] not in allowed:
                self._add_problem(
                    _("options.%(name)s: «%(given)s» is not one of %(known)s."),
                    name=name,
                    given=table[name],
                    known=", ".join(allowed),
                )
        limit = table.get("shrink_limit", Options.shrink_limit)
        # True and false are whole numbers in Python.
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit <= 1:
            self._add_problem(_("options.shrink_limit: a share between 0 and 1 was expected."))
        if not isinstance(table.get("partial", False), bool):
            self._add_problem(_("options.partial: true or false was expected."))
        return Options(**{name: value for name, value in table.items() if value is not None})

    def _read_table(self, spec: Any, where: str, allowed: tuple[str, ...] | None) -> dict[str, Any]:
        """Return a table with text keys, empty where it is missing or no table; `allowed` None lets every key in."""
        if spec is None:
            return {}
        if not isinstance(spec, Mapping):
            self._add_problem(_("%(where)s: a table was expected, not «%(given)s»."), where=where, given=spec)
            return {}
        for name in spec:
            if allowed is not None and name not in allowed:
                self._add_problem(
                    _("%(where)s: «%(name)s» is not known; known are %(known)s."),
                    where=where,
                    name=name,
                    known=", ".join(allowed),
                )
        return {str(name): value for name, value in spec.items() if allowed is None or name in allowed}

    def _read_whole(self, value: Any, where: str) -> int | None:
        """Return a whole number that is not negative, None where there is none."""
        if value is None or (isinstance(value, int) and value >= 0):
            return value
        self._add_problem(_("%(where)s: a whole number was expected, not «%(given)s»."), where=where, given=value)
        return None

    def _read_decimal(self, value: Any, where: str) -> Decimal | None:
        """Return a decimal number, None where there is none."""
        try:
            return None if value is None else Decimal(str(value))
        except InvalidOperation:
            self._add_problem(
                _("%(where)s: a number such as 1234.56 was expected, not «%(given)s»."), where=where, given=value
            )
            return None


def _as_text(value: Any) -> str:
    """Return a value as text, '' for None."""
    return "" if value is None else str(value)
