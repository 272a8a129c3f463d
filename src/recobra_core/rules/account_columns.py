"""The columns of an account that rules may speak about, each declared once.

Columns that an app reads from its own tables are declared there, in its `fact_columns.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir

from recobra_core.days import AsOf, day_value, days_before
from recobra_core.rules.catalogue import Catalogue, FactColumn, Label

CONTACTS_WINDOW_DAYS = 30


# Any, as ibis types a column of a table without arithmetic and comparison.
def days_since(day: Any, as_of: AsOf) -> ir.IntegerValue:
    """Return how many days ago a day was, null where there is none."""
    days: ir.IntegerValue = day_value(as_of).delta(day, unit="day").cast("int64")
    return days


def cast_sum(total: ir.IntegerValue) -> ir.IntegerValue:
    """Cast a sum to 64 bits in the engine too.

    DuckDB sums in 128 bits, which Parquet keeps as floating point; ibis takes sums for 64 bits and would leave out
    a cast by `.cast`.
    """
    cast: ir.IntegerValue = ops.Cast(total, "int64").to_expr()
    return cast


def _count_recent_contacts(contacts: ir.Table, as_of: AsOf) -> ir.Value:
    """Return how many contacts there were in the last days."""
    is_recent = contacts.local_date > days_before(as_of, CONTACTS_WINDOW_DAYS)
    return cast_sum(is_recent.ifelse(1, 0).sum())


FACT_COLUMNS = (
    # What is owed, from the open instalments (`stages.compute_arrears`).
    FactColumn(
        name="dpd",
        type="integer",
        nullable=True,
        label_en="days past due",
        label_es="días de mora",
        unit="days",
    ),
    FactColumn(name="balance", type="money", nullable=False, label_en="balance", label_es="saldo"),
    FactColumn(name="overdue", type="money", nullable=False, label_en="overdue amount", label_es="saldo vencido"),
    FactColumn(
        name="oldest_due_date",
        type="date",
        nullable=True,
        label_en="oldest unpaid due date",
        label_es="vencimiento más antiguo",
    ),
    FactColumn(
        name="next_due_date",
        type="date",
        nullable=True,
        label_en="next due date",
        label_es="próximo vencimiento",
    ),
    # The account, its debtor and its portfolio.
    FactColumn(
        name="product",
        type="text",
        nullable=False,
        label_en="product",
        label_es="producto",
        values={
            "LOAN": ("loan", "préstamo"),
            "CARD": ("card", "tarjeta"),
            "SERVICE": ("service", "servicio"),
            "INVOICE": ("invoice", "factura"),
        },
    ),
    # Classified by the limits of the portfolio (`decide.daily.classify`).
    FactColumn(
        name="stage",
        type="text",
        nullable=False,
        label_en="stage",
        label_es="etapa",
        values={
            "PREVENTIVE": ("preventive", "preventiva"),
            "ADMINISTRATIVE": ("administrative", "administrativa"),
            "EXTRAJUDICIAL": ("extrajudicial", "extrajudicial"),
            "JUDICIAL": ("judicial", "judicial"),
        },
    ),
    FactColumn(name="bucket", type="text", nullable=False, label_en="bucket", label_es="tramo de mora"),
    FactColumn(
        name="debtor_kind",
        type="text",
        nullable=False,
        label_en="kind of debtor",
        label_es="tipo de deudor",
        values={"PERSON": ("person", "persona"), "COMPANY": ("company", "empresa")},
    ),
    FactColumn(name="country", type="text", nullable=False, label_en="country", label_es="país"),
    FactColumn(
        name="subdivision",
        type="text",
        nullable=True,
        label_en="state or province",
        label_es="provincia o estado",
    ),
    FactColumn(name="currency", type="text", nullable=False, label_en="currency", label_es="moneda"),
    FactColumn(name="portfolio", type="text", nullable=False, label_en="portfolio", label_es="cartera"),
    FactColumn(name="opened_date", type="date", nullable=True, label_en="opening date", label_es="fecha de alta"),
    # How the debtor can be reached.
    FactColumn(
        name="has_email",
        type="boolean",
        nullable=False,
        label_en="has an e-mail address",
        label_es="tiene correo electrónico",
        table="usable_points",
        compute=lambda points, _as_of: (points.kind == "EMAIL").any(),
        otherwise=False,
    ),
    FactColumn(
        name="has_phone",
        type="boolean",
        nullable=False,
        label_en="has a phone",
        label_es="tiene teléfono",
        table="usable_points",
        compute=lambda points, _as_of: (points.kind == "PHONE").any(),
        otherwise=False,
    ),
    FactColumn(
        name="has_address",
        type="boolean",
        nullable=False,
        label_en="has a postal address",
        label_es="tiene domicilio",
        table="usable_points",
        compute=lambda points, _as_of: (points.kind == "ADDRESS").any(),
        otherwise=False,
    ),
    # The debtor's other accounts (`decide.daily.facts`).
    FactColumn(
        name="accounts_of_debtor",
        type="integer",
        nullable=False,
        label_en="accounts of the debtor",
        label_es="cuentas del deudor",
    ),
    FactColumn(
        name="debtor_overdue",
        type="money",
        nullable=False,
        label_en="overdue amount of the debtor",
        label_es="vencido total del deudor",
    ),
    # What has happened.
    FactColumn(
        name="days_since_payment",
        type="integer",
        nullable=True,
        label_en="days since the last payment",
        label_es="días desde el último pago",
        unit="days",
        compute=lambda accounts, as_of: days_since(accounts.last_payment_on, as_of),
    ),
    FactColumn(
        name="days_since_contact",
        type="integer",
        nullable=True,
        label_en="days since the last contact",
        label_es="días desde el último contacto",
        unit="days",
        compute=lambda accounts, as_of: days_since(accounts.last_contact_on, as_of),
    ),
    FactColumn(
        name="contacts_30d",
        type="integer",
        nullable=False,
        label_en="contacts in 30 days",
        label_es="contactos en 30 días",
        table="past_contacts",
        compute=_count_recent_contacts,
        otherwise=0,
    ),
    FactColumn(
        name="payments_90d",
        type="integer",
        nullable=False,
        label_en="payments in 90 days",
        label_es="pagos en 90 días",
        compute=lambda accounts, _as_of: accounts.payments_90d.fill_null(0),
    ),
    # Holds and disputes (`decide.daily.facts`), and the stage's age (`decide.daily.classify`).
    FactColumn(name="held", type="boolean", nullable=False, label_en="is on hold", label_es="está en pausa"),
    FactColumn(
        name="days_in_stage",
        type="integer",
        nullable=True,
        label_en="days in the stage",
        label_es="días en la etapa",
        unit="days",
    ),
    FactColumn(
        name="disputed",
        type="money",
        nullable=False,
        label_en="disputed amount",
        label_es="monto en reclamo",
    ),
)
ACCOUNT_COLUMNS = Catalogue(FACT_COLUMNS)


def _collect_value_labels() -> Mapping[str, Label]:
    """Return the words of the values of all text columns."""
    labels: dict[str, Label] = {}
    for column in ACCOUNT_COLUMNS.values():
        labels.update(column.values or {})
    return MappingProxyType(labels)


VALUE_LABELS = _collect_value_labels()
