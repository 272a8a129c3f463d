"""A mapping document: the models by which it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from recobra.portfolio.description import PortfolioDescription
from recobra.portfolio.own_columns import LABEL_MAX, is_name
from recobra_core.documents import (
    DocumentModel,
    Expected,
    Items,
    Written,
    choice,
    expects,
    mapping_or_list,
    read_document,
    refuse,
    shape,
    to_decimal,
    whole,
)
from recobra_core.money import EXPONENTS
from recobra_core.rules import ColumnType

AMOUNTS: Final = ("principal", "interest", "late_interest", "fee", "tax")
ATTRIBUTE_TYPES: Final = ("text", "number", "date", "boolean", "integer", "money")
PARTS: Final = ("CO_DEBTOR", "GUARANTOR", "REFERENCE", "PAYER")
GROUPS: Final = ("account", "debtor", "instalment", "amounts")
A_SOURCE: Final = Expected(
    "a column name, a list of them or a table with column, default and values",
    "el nombre de una columna, una lista de ellas o una tabla con column, default y values",
)


def parse_mapping(document: Mapping[str, Any]) -> Document:
    """Return a checked mapping. Raises DocumentError with all the faults found."""
    return read_document(Document, document)


def _as_list(value: Any) -> Any:
    """Return one column as a list of it."""
    return [value] if isinstance(value, str) else value


def _none_for_empty(value: Any) -> Any:
    """Return None for a text or list without content: the form leaves them where nothing was chosen."""
    return None if value in ("", []) else value


Columns = Annotated[Items[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]


class Source(DocumentModel):
    """Origin of a value: columns (joined by a space), else `default`; or always `value`.

    Written as a column, a list of columns or a table. `values` translates what the file says, e.g. {"PRE": "LOAN"}.
    """

    column: Columns = ()
    columns: Annotated[Columns, Field(validate_default=True)] = ()
    default: Written = ""
    value: Written = ""
    values: dict[Written, Written] = {}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of all three ways to write it."""
        reference = handler(schema)
        definition = handler.resolve_ref_schema(reference)
        table = dict(definition)
        definition.clear()
        definition["anyOf"] = [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}, table]
        return reference

    @model_validator(mode="before")
    @classmethod
    def _read_columns(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return value
        columns = _as_list(value)
        if not isinstance(columns, list) or not columns or not all(columns):
            raise refuse(A_SOURCE)
        return {"columns": columns}

    @field_validator("columns")
    @classmethod
    def _join_columns(cls, columns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return columns or info.data.get("column", ())

    @model_validator(mode="after")
    def _check_origin(self) -> Self:
        if not self.columns and "value" not in self.model_fields_set:
            raise refuse(Expected("column or value", "column o value"), found="")
        return self


OptionalSource = Annotated[Source | None, BeforeValidator(_none_for_empty)]
Sources = Annotated[Items[Source], BeforeValidator(_as_list, json_schema_input_type=str | list[Source])]


class Attribute(Source):
    """A column of the creditor's own. What it says here is declared by the first load and then stays as declared.

    `label` is what people call it, else the name in the file; a `private` one stays out of rules, lists and messages.
    """

    type: Annotated[ColumnType, choice(*ATTRIBUTE_TYPES)] = "text"
    label: Annotated[Written, Field(max_length=LABEL_MAX)] = ""
    private: bool = False


class AccountColumns(DocumentModel):
    """What is known of an account."""

    external_id: Source
    product: OptionalSource = None
    opened_date: OptionalSource = None
    contract: OptionalSource = None


class DebtorColumns(DocumentModel):
    """What is known of a debtor."""

    external_id: OptionalSource = None
    name: OptionalSource = None
    kind: OptionalSource = None
    national_id: OptionalSource = None
    national_id_kind: OptionalSource = None
    subdivision: OptionalSource = None
    time_zone: OptionalSource = None


class InstalmentColumns(DocumentModel):
    """What falls due on one day; `amount` is what the document was made out for, which no balance exceeds."""

    number: OptionalSource = None
    due_date: OptionalSource = None
    issue_date: OptionalSource = None
    amount: OptionalSource = None


class AmountColumns(DocumentModel):
    """What is owed, by concept."""

    principal: OptionalSource = None
    interest: OptionalSource = None
    late_interest: OptionalSource = None
    fee: OptionalSource = None
    tax: OptionalSource = None


class AddressColumns(DocumentModel):
    """The parts of an address."""

    street: OptionalSource = None
    district: OptionalSource = None
    city: OptionalSource = None
    region: OptionalSource = None
    postal: OptionalSource = None


class Party(DocumentModel):
    """A co-debtor, guarantor or reference named in columns of the account's row."""

    part: Annotated[str, choice(*PARTS)]
    name: OptionalSource = None
    national_id: Annotated[OptionalSource, Field(validate_default=True)] = None
    phone: OptionalSource = None
    email: OptionalSource = None

    @field_validator("national_id")
    @classmethod
    def _check_identity(cls, national_id: Source | None, info: ValidationInfo) -> Source | None:
        if national_id is None and info.data.get("name", ()) is None:
            raise refuse(Expected("a column here or under name", "una columna aquí o en name"), found="")
        return national_id

    @property
    def sources(self) -> dict[str, Source]:
        """Return the origins of what is known of the person, by name."""
        return _given(self, "name", "national_id", "phone", "email")


class Options(DocumentModel):
    """Notation of a source, and what it means by leaving something out.

    `gone` says what becomes of an account that a file no longer names, `lower_balance` whether a lower balance is a
    payment, `due_rows` whether an account may have several rows, each something due or each an item of what is due
    at once, `other_currencies` what becomes of rows in a currency that is not the portfolio's, `id_zeros` whether
    leading zeros of ids count, `corrections` whether contact data that staff took out of use or corrected stay so,
    or a file of a later day that names them puts them in use again, `shrink_limit` which share of the open
    accounts, or of what they owe, may be absent before a person must look, `aside_limit` which share of the rows
    may be in other currencies, or be doubles, before that; `partial` that the file is a part. `header_line` is the
    line of the column names, 0 to find it.
    """

    decimal: Literal["auto", "comma", "point"] = "auto"
    date_order: Literal["auto", "dmy", "mdy", "ymd"] = "auto"
    gone: Literal["paid", "recalled", "missing", "keep"] = "missing"
    lower_balance: Literal["payment", "adjustment"] = "payment"
    due_rows: Literal["one", "several", "items"] = "one"
    other_currencies: Literal["reject", "set_aside"] = "reject"
    id_zeros: Literal["keep", "strip"] = "keep"
    corrections: Literal["stand", "file"] = "stand"
    shrink_limit: Annotated[
        float, Field(ge=0, le=1), expects("a share between 0 and 1", "una proporción entre 0 y 1")
    ] = 0.5
    aside_limit: Annotated[
        float, Field(ge=0, le=1), expects("a share between 0 and 1", "una proporción entre 0 y 1")
    ] = 0.05
    partial: bool = False
    encoding: Written = ""
    sheet: Written = ""
    header_line: Annotated[int, whole(0, 10_000)] = 0


class Filter(DocumentModel):
    """Which rows a column's value lets in: `only` these, or all but `leave_out`; accents and capitals do not count."""

    only: Items[Written] = ()
    leave_out: Items[Written] = ()

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        if bool(self.only) == bool(self.leave_out):
            raise refuse(Expected("either only or leave_out", "only o leave_out, uno de los dos"), found="")
        return self


class Control(DocumentModel):
    """Totals of a file, checked before anything is written."""

    rows: Annotated[int, whole(0, 10**12)] | None = None
    amount: (
        Annotated[
            Decimal,
            PlainValidator(to_decimal, json_schema_input_type=float | str),
            expects("a number such as 1234.56", "un número como 1234.56"),
        ]
        | None
    ) = None


def _add_dotted_names(schema: dict[str, Any]) -> None:
    """Let a schema take the names with dots, and `due_date`, which stand for a place in a group."""
    source = schema["properties"]["currency"]
    schema["properties"]["due_date"] = source
    schema["patternProperties"] = {rf"^({'|'.join(GROUPS)})\.[a-z_]+$": source}
    schema.pop("required")


class Document(DocumentModel):
    """A whole mapping. A group may be a table or written with dots (`account.external_id`)."""

    model_config = ConfigDict(json_schema_extra=_add_dotted_names)

    name: Written = "default"
    account: AccountColumns
    debtor: DebtorColumns = DebtorColumns()
    instalment: InstalmentColumns = InstalmentColumns()
    amounts: AmountColumns = AmountColumns()
    balance: Annotated[OptionalSource, Field(validate_default=True)] = None
    paid: Annotated[OptionalSource, Field(validate_default=True)] = None
    currency: OptionalSource = None
    filters: dict[str, Filter] = {}
    currencies: dict[str, Written] = {}
    phones: Sources = ()
    emails: Sources = ()
    address: Annotated[
        Annotated[AddressColumns, shape("mapping")] | Annotated[Sources, shape("list")], mapping_or_list()
    ] = ()
    attributes: dict[str, Attribute] = {}
    parties: Items[Party] = ()
    options: Options = Options()
    control: Control = Control()

    @model_validator(mode="before")
    @classmethod
    def _gather_groups(cls, table: Any) -> Any:
        """Return the document with dotted names in their groups; `due_date` alone is that of the instalment."""
        if not isinstance(table, Mapping):
            return table
        gathered: dict[str, Any] = {"account": {}}
        for key, value in table.items():
            group, _dot, name = str(key).partition(".")
            if key == "due_date":
                group, name = "instalment", "due_date"
            if group in GROUPS and (name or isinstance(value, Mapping)):
                part = {name: value} if name else value
                earlier = gathered.get(group, {})
                gathered[group] = {**earlier, **part} if isinstance(earlier, Mapping) else earlier
            elif value not in (None, "", []):
                gathered[str(key)] = value
        return gathered

    @field_validator("attributes")
    @classmethod
    def _check_names(cls, attributes: dict[str, Attribute]) -> dict[str, Attribute]:
        for name in attributes:
            if not is_name(name):
                expected = Expected(
                    "small letters, figures and _, as in plan_type", "minúsculas, cifras y _, como en tipo_de_plan"
                )
                raise refuse(expected, found=f"«{name}»", at=(name,))
        return attributes

    @field_validator("balance")
    @classmethod
    def _check_amounts(cls, balance: Source | None, info: ValidationInfo) -> Source | None:
        """Refuse a mapping without an amount, and one that has the whole beside its parts."""
        amounts = info.data.get("amounts")
        # Amounts with faults are not there, but they were written.
        has_parts = amounts is None or bool(_given(amounts, *AMOUNTS))
        if balance is None and not has_parts:
            raise refuse(
                Expected(
                    "a column that says what is owed, here or under amounts",
                    "una columna con lo que se debe, aquí o en amounts",
                ),
                found="",
            )
        if balance is not None and has_parts:
            raise refuse(
                Expected("nothing beside amounts: balance is the whole", "nada junto a amounts: balance es el total")
            )
        return balance

    @field_validator("paid")
    @classmethod
    def _check_paid(cls, paid: Source | None, info: ValidationInfo) -> Source | None:
        """Refuse what was paid where there is no whole to take it from."""
        if paid is not None and info.data.get("balance", ...) is None:
            raise refuse(Expected("balance beside it, from which it is taken", "junto a balance, del que se descuenta"))
        return paid

    @field_validator("currencies")
    @classmethod
    def _check_currencies(cls, currencies: dict[str, str]) -> dict[str, str]:
        for code in currencies:
            if code not in EXPONENTS:
                raise refuse(Expected("a currency such as USD", "una moneda como USD"), found=f"«{code}»", at=(code,))
        return currencies

    @field_validator("options")
    @classmethod
    def _check_rows(cls, options: Options, info: ValidationInfo) -> Options:
        instalment = info.data.get("instalment")
        if options.due_rows == "several" and instalment is not None and instalment.number is None:
            expected = Expected(
                "«one», or instalment.number to tell the rows apart",
                "«one», o instalment.number para distinguir las filas",
            )
            raise refuse(expected, found="«several»", at=("due_rows",))
        return options

    @cached_property
    def fields(self) -> dict[str, Source]:
        """Return the sources of single values by target, such as `account.external_id`."""
        sources: dict[str, Source] = {}
        for group in GROUPS:
            part = getattr(self, group)
            given = _given(part, *type(part).model_fields)
            sources |= {f"{group}.{name}": source for name, source in given.items()}
        return sources | _given(self, "balance", "paid", "currency")

    @property
    def one_amount(self) -> bool:
        """Return whether the source gives the balance in one figure, without concepts."""
        return self.balance is not None

    @property
    def address_sources(self) -> tuple[Source, ...]:
        """Return the columns that make up an address."""
        if isinstance(self.address, AddressColumns):
            return tuple(_given(self.address, *AddressColumns.model_fields).values())
        return self.address

    def amount_sources(self) -> dict[str, Source]:
        """Return the amount columns by ledger concept."""
        if self.balance is not None:
            return {"PRINCIPAL": self.balance}
        return {name.upper(): source for name, source in _given(self.amounts, *AMOUNTS).items()}

    def sources(self) -> Iterator[Source]:
        """Yield every place a value comes from."""
        yield from self.fields.values()
        yield from self.phones
        yield from self.emails
        yield from self.address_sources
        yield from self.attributes.values()
        for party in self.parties:
            yield from party.sources.values()

    def columns(self) -> tuple[str, ...]:
        """Return every column that the mapping reads, each once."""
        columns: list[str] = []
        for source in self.sources():
            columns += source.columns
        columns += self.filters
        return tuple(dict.fromkeys(columns))


class MappingFile(Document):
    """A mapping in a file, which may describe the portfolio that it opens."""

    portfolio: PortfolioDescription | None = None


def _given(table: DocumentModel, *names: str) -> dict[str, Source]:
    """Return those of some sources that are given, by name."""
    sources = {name: getattr(table, name) for name in names}
    return {name: source for name, source in sources.items() if source is not None}
