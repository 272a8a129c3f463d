"""Catalogue of the columns a rule may speak about: their names, types and words.

A rule writes amounts in major units of the account's own currency (`balance > 1000` is 1000.00 pesos or 1000
guaraníes). The table holds them as integers in minor units under the name with the suffix `_minor`, beside a
column `currency_exponent`: one compiled rule serves portfolios of several currencies and no amount is ever divided.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

from recobra_core.folding import strip_accents

ColumnType = Literal["integer", "money", "number", "text", "boolean", "date"]
EXPONENT_COLUMN = "currency_exponent"
COLUMNS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the snapshot. `values` lists what a text column can hold, where that is known."""

    name: str
    type: ColumnType
    nullable: bool
    label_en: str
    label_es: str
    values: tuple[str, ...] | None = None
    unit: str | None = None

    @property
    def stored_as(self) -> str:
        """Return the name of the column in the table."""
        return f"{self.name}_minor" if self.type == "money" else self.name


class Catalogue(Mapping[str, Column]):
    """Columns by name, in the order given. Raises ValueError for a repeated or malformed name."""

    def __init__(self, columns: Iterable[Column]) -> None:
        named: dict[str, Column] = {}
        for column in columns:
            if column.name in named:
                raise ValueError(f"Column {column.name!r} appears twice in the catalogue.")
            if not column.name.isidentifier() or column.name != column.name.lower():
                raise ValueError(f"Column name {column.name!r} must be a lower-case identifier.")
            named[column.name] = column
        if len(named) > COLUMNS_MAX:
            raise ValueError(f"A catalogue holds at most {COLUMNS_MAX} columns, not {len(named)}.")
        self._named = MappingProxyType(named)

    def __getitem__(self, name: str) -> Column:
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def extend(self, columns: Iterable[Column]) -> "Catalogue":
        """Return a new catalogue with more columns, such as the portfolio's own attributes, named `attr_…`."""
        return Catalogue((*self._named.values(), *columns))

    def nearest(self, word: str) -> str | None:
        """Return the column whose name or label, in either language, looks most like `word`."""
        names = {}
        for column in self._named.values():
            for label in (column.label_en, column.label_es, column.name):
                names[_fold_word(label)] = column.name
        close = get_close_matches(_fold_word(word), names, n=1, cutoff=0.55)
        return names[close[0]] if close else None


def _fold_word(word: str) -> str:
    """Return a word without capitals, accents and blanks, so that `días mora` is compared as `dias_mora`."""
    return strip_accents(word.lower().replace(" ", "_"))


VALUE_LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "LOAN": ("loan", "préstamo"),
        "CARD": ("card", "tarjeta"),
        "SERVICE": ("service", "servicio"),
        "INVOICE": ("invoice", "factura"),
        "PREVENTIVE": ("preventive", "preventiva"),
        "ADMINISTRATIVE": ("administrative", "administrativa"),
        "EXTRAJUDICIAL": ("extrajudicial", "extrajudicial"),
        "JUDICIAL": ("judicial", "judicial"),
        "PERSON": ("person", "persona"),
        "COMPANY": ("company", "empresa"),
    }
)


def _column(
    name: str,
    type_: ColumnType,
    label_en: str,
    label_es: str,
    *,
    nullable: bool = False,
    values: tuple[str, ...] | None = None,
    unit: str | None = None,
) -> Column:
    """Return a Column; its name, type and labels are positional, so that the list below stays short."""
    return Column(
        name=name,
        type=type_,
        nullable=nullable,
        label_en=label_en,
        label_es=label_es,
        values=values,
        unit=unit,
    )


ACCOUNT_COLUMNS = Catalogue(
    (
        _column("dpd", "integer", "days past due", "días de mora", nullable=True, unit="days"),
        _column("balance", "money", "balance", "saldo"),
        _column("overdue", "money", "overdue amount", "saldo vencido"),
        _column("oldest_due_date", "date", "oldest unpaid due date", "vencimiento más antiguo", nullable=True),
        _column("next_due_date", "date", "next due date", "próximo vencimiento", nullable=True),
        _column("product", "text", "product", "producto", values=("LOAN", "CARD", "SERVICE", "INVOICE")),
        _column(
            "stage",
            "text",
            "stage",
            "etapa",
            values=("PREVENTIVE", "ADMINISTRATIVE", "EXTRAJUDICIAL", "JUDICIAL"),
        ),
        _column("bucket", "text", "bucket", "tramo de mora"),
        _column("debtor_kind", "text", "kind of debtor", "tipo de deudor", values=("PERSON", "COMPANY")),
        _column("country", "text", "country", "país"),
        _column("subdivision", "text", "state or province", "provincia o estado", nullable=True),
        _column("currency", "text", "currency", "moneda"),
        _column("portfolio", "text", "portfolio", "cartera"),
        _column("opened_date", "date", "opening date", "fecha de alta", nullable=True),
        _column("has_email", "boolean", "has an e-mail address", "tiene correo electrónico"),
        _column("has_phone", "boolean", "has a phone", "tiene teléfono"),
        _column("has_address", "boolean", "has a postal address", "tiene domicilio"),
        _column("accounts_of_debtor", "integer", "accounts of the debtor", "cuentas del deudor"),
        _column("debtor_overdue", "money", "overdue amount of the debtor", "vencido total del deudor"),
        _column(
            "days_since_payment",
            "integer",
            "days since the last payment",
            "días desde el último pago",
            nullable=True,
            unit="days",
        ),
        _column(
            "days_since_contact",
            "integer",
            "days since the last contact",
            "días desde el último contacto",
            nullable=True,
            unit="days",
        ),
        _column("contacts_30d", "integer", "contacts in 30 days", "contactos en 30 días"),
        _column("payments_90d", "integer", "payments in 90 days", "pagos en 90 días"),
        _column("held", "boolean", "is on hold", "está en pausa"),
        _column("days_in_stage", "integer", "days in the stage", "días en la etapa", nullable=True, unit="days"),
        _column("disputed", "money", "disputed amount", "monto en reclamo"),
    )
)
