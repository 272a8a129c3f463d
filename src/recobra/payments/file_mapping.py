"""The mapping of a payment file: which of its columns is the account, the amount, the day, the operation's number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator

from recobra_core.documents import DocumentModel, Expected, Items, Written, read_document, refuse, whole

REQUIRED: Final = ("account", "amount", "date", "reference")
TARGETS: Final = (*REQUIRED, "currency")


def _read_columns(value: Any) -> Any:
    """Return one column as a list of it. Refuses none at all."""
    columns = [value] if isinstance(value, str) else value
    if not columns or not isinstance(columns, list | tuple) or not all(columns):
        raise refuse(Expected("a column name, or a list of them", "el nombre de una columna, o una lista de ellas"))
    return columns


Columns = Annotated[Items[str], BeforeValidator(_read_columns, json_schema_input_type=str | list[str])]


class PaymentOptions(DocumentModel):
    """How a payment file is laid out and writes amounts and dates; `auto`, '' and 0 find it in the file.

    `id_zeros`: whether an account that only zeros tell from a known one is that one, as in a mapping of receivables.
    """

    decimal: Literal["auto", "comma", "point"] = "auto"
    date_order: Literal["auto", "dmy", "mdy", "ymd"] = "auto"
    id_zeros: Literal["keep", "strip"] = "keep"
    encoding: Written = ""
    sheet: Written = ""
    header_line: Annotated[int, whole(0, 10_000)] = 0


class PaymentFileMapping(DocumentModel):
    """A whole mapping; several columns of one target are joined by a space, as in a mapping of receivables."""

    name: Written = "default"
    account: Columns
    amount: Columns
    date: Columns
    reference: Columns
    currency: Columns | None = None
    options: PaymentOptions = PaymentOptions()

    def columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of each target that is given."""
        given = {target: getattr(self, target) for target in TARGETS}
        return {target: tuple(columns) for target, columns in given.items() if columns}


def parse_mapping(document: Mapping[str, Any]) -> PaymentFileMapping:
    """Return a checked mapping. Raises DocumentError with all the faults found."""
    return read_document(PaymentFileMapping, document)
