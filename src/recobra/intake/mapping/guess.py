"""Guess of a mapping from Spanish and English column names and a few rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from recobra_core.folding import fold_words
from recobra_core.law import find_subdivision, load_countries

_ID_NAMES: Final = r"doc\w*|dni|ruc|rut|rfc|curp|cuit|cuil|cedula|ci|nit|cpf|cnpj|nif|identificacion"
_ACCOUNT_NAMES: Final = r"cuenta|credito|prestamo|operacion|factura|tarjeta|suministro|obligacion|documento|pagare"
_NAME: Final = (
    r"nombres?|razon social|apellidos y nombres|nombre completo|titular|nombre (del )?(cliente|deudor|titular)"
    r"|name|(full|customer|debtor) ?name"
)
_CUSTOMER: Final = r"cliente|deudor|customer|client|debtor"
USUAL_NAMES: Final = (
    "cuenta",
    "nro cuenta",
    "credito",
    "nro credito",
    "prestamo",
    "operacion",
    "factura",
    "nro factura",
    "documento",
    "nro documento",
    "numero documento",
    "comprobante",
    "serie",
    "cliente",
    "cod cliente",
    "codigo cliente",
    "nombre",
    "nombres",
    "razon social",
    "deudor",
    "dni",
    "ruc",
    "rut",
    "rfc",
    "nit",
    "cedula",
    "vence",
    "vencimiento",
    "fecha vencimiento",
    "fecha de vencimiento",
    "f vcto",
    "fec vcto",
    "fecha vcto",
    "emision",
    "fecha emision",
    "fecha de emision",
    "saldo",
    "saldo total",
    "deuda",
    "monto",
    "importe",
    "importe s",
    "total",
    "capital",
    "interes",
    "moneda",
    "telefono",
    "celular",
    "correo",
    "email",
    "account",
    "customer",
    "invoice",
    "name",
    "due date",
    "balance",
    "amount",
    "currency",
    "phone",
)
"""Names of columns by which the row that holds them is told from the titles above it."""
# First match wins, for targets in this order; a column is given away once. Words are matched whole, accents dropped.
WORDS: Final = (
    ("instalment.due_date", (r"(fecha )?(de )?venc\w*", r"fec\w* venc\w*", r"due ?date", r"fch venc\w*", r"f venc\w*")),
    (
        "instalment.issue_date",
        (r"(fecha )?(de )?(emision|factura)$", r"fecha emision", r"issue ?date", r"invoice ?date"),
    ),
    (
        "account.opened_date",
        (r"fecha (de )?(apertura|desembolso|alta|otorgamiento|inicio)", r"open(ed|ing)? ?date", r"f desembolso"),
    ),
    ("instalment.number", (r"(nro|numero|num|no)? ?(de )?cuota", r"instal?lment( number| no)?")),
    ("currency", (r"moneda", r"divisa", r"currency")),
    (
        "amounts.late_interest",
        (r".*(mora|moratorio|penalty|late).*(interes|interest)?", r"interes(es)? (moratorios?|por mora)"),
    ),
    ("amounts.principal", (r"(saldo )?(de )?capital", r"principal", r"capital (pendiente|vencido|insoluto)")),
    ("amounts.interest", (r"interes(es)?( (corriente|compensatorio|vencido)s?)?", r"interest")),
    ("amounts.tax", (r"iva", r"igv", r"itbis", r"impuestos?", r"tax(es)?")),
    ("amounts.fee", (r"comision(es)?", r"gastos?( (de )?cobranza)?", r"fees?", r"cargos?")),
    (
        "instalment.amount",
        (r"(monto|importe|valor) (original|inicial|(de (la )?)?factura|(del? )?documento)", r"original amount"),
    ),
    (
        "balance",
        (
            r"saldo( (total|deudor|actual|vencido|pendiente))?",
            r"deuda( total)?",
            r"monto( (total|vencido|adeudado|deuda))?",
            r"importe( (total|pendiente))?",
            r"invoice ?amount",
            r"amount( due)?",
            r"balance",
            r"outstanding",
            r"total",
        ),
    ),
    (
        "debtor.national_id",
        (
            rf"(nro |num |numero )?(de )?({_ID_NAMES})( identidad| deudor| cliente)?",
            r"national ?id",
            r"tax ?id",
        ),
    ),
    ("debtor.kind", (r"tipo (de )?(persona|cliente|deudor)", r"customer ?type")),
    ("account.product", (r"(tipo (de )?)?producto", r"product( type)?", r"tipo (de )?credito")),
    ("account.contract", (r"contrato", r"(nro|numero) (de )?contrato", r"contract( number)?")),
    (
        "account.external_id",
        (
            rf"(nro|numero|num|no|cod\w*|id)? ?(de )?(la )?({_ACCOUNT_NAMES})",
            r"account( ?(id|number|no))?",
            r"loan( ?id)?",
            r"invoice ?(number|no|id)",
            r"cuenta id",
            r"id cuenta",
            r"nro cuenta",
            r"external id",
        ),
    ),
    (
        "debtor.external_id",
        (
            r"(cod\w*|id|nro|numero) ?(de )?(cliente|deudor|socio)",
            r"(customer|client|debtor)( ?(id|number|no))",
            r"cliente id",
        ),
    ),
    (
        "debtor.name",
        (
            _NAME,
            _CUSTOMER,
        ),
    ),
    ("debtor.subdivision", (r"departamento", r"provincia", r"estado", r"region", r"state")),
)
ADDRESS_WORDS: Final = (
    ("street", r"direccion|domicilio|calle|address|street"),
    ("district", r"distrito|barrio|colonia|comuna|district"),
    ("city", r"ciudad|municipio|localidad|city"),
    ("postal", r"(codigo )?postal|cp|zip( ?code)?"),
)
PHONE: Final = (
    r"(tel\w*|cel\w*|movil\w*|fono|phone|mobile|whatsapp|fijo)( .*)?( ?\d+)?|.* (telefono|celular|phone)( ?\d+)?"
)
EMAIL: Final = r"(e ?mail|correo|mail)( .*)?( ?\d+)?"


def guess_mapping(headers: Sequence[str], sample: Sequence[Sequence[str | None]] = ()) -> dict[str, Any]:
    """Return a mapping document for a file with these column names; `sample` holds a few rows of text."""
    free = {fold_words(header): header for header in headers}
    document: dict[str, Any] = {}
    document["phones"] = _take_columns(free, PHONE)
    document["emails"] = _take_columns(free, EMAIL) or _columns_with(headers, sample, "@")
    flat = {}
    for target, words in WORDS:
        column = _take_column(free, "|".join(words))
        # «Estado» is also the state of a debt.
        is_other = target == "debtor.subdivision" and not _holds_places(headers, sample, column)
        if column and not is_other:
            flat[target] = column
    _tell_number_from_name(flat, free, headers, sample)
    # A total beside its parts would count twice; parts without the principal are not the whole debt.
    if any(target.startswith("amounts.") for target in flat) and "amounts.principal" in flat:
        flat.pop("balance", None)
    elif "balance" in flat:
        flat = {target: column for target, column in flat.items() if not target.startswith("amounts.")}
    address = {}
    for part, pattern in ADDRESS_WORDS:
        column = _take_column(free, pattern)
        if column:
            address[part] = column
    for target, column in flat.items():
        if not column:
            continue
        group, _dot, name = target.partition(".")
        if name:
            document.setdefault(group, {})[name] = column
        else:
            document[target] = column
    if address:
        document["address"] = address
    return {name: value for name, value in document.items() if value}


def find_currency_column(headers: Sequence[str]) -> str:
    """Return the column that says the currency by its name, '' where none does."""
    free = {fold_words(header): header for header in headers}
    return _take_column(free, "|".join(dict(WORDS)["currency"]))


def _take_column(free: dict[str, str], words: str) -> str:
    """Return the first column that matches and take it off the free ones, '' where none does."""
    for name in list(free):
        if re.fullmatch(words, name):
            return free.pop(name)
    return ""


def _take_columns(free: dict[str, str], words: str) -> list[str]:
    """Return every column that matches and take them off the free ones."""
    return [free.pop(name) for name in list(free) if re.fullmatch(words, name)]


def _tell_number_from_name(
    flat: dict[str, str], free: dict[str, str], headers: Sequence[str], sample: Sequence[Sequence[str | None]]
) -> None:
    """Take «Cliente» for the customer number where codes stand in it, and the name from a column of its own."""
    if "debtor.external_id" in flat:
        return
    named = flat.get("debtor.name", "")
    others = [header for name, header in free.items() if re.fullmatch(_CUSTOMER, name)]
    column = named if re.fullmatch(_CUSTOMER, fold_words(named)) else "".join(others[:1])
    filled = _filled_cells(headers, sample, column)
    codes = [cell for cell in filled if re.fullmatch(r"(?=.*\d)\S+", cell.strip())]
    if len(codes) > len(filled) / 2:
        flat["debtor.external_id"] = column
        if column == named:
            flat["debtor.name"] = _take_column(free, _NAME)


def _filled_cells(headers: Sequence[str], sample: Sequence[Sequence[str | None]], column: str) -> list[str]:
    """Return the cells of a column that are not empty, as text."""
    position = headers.index(column) if column in headers else len(headers)
    return [str(row[position]) for row in sample if position < len(row) and row[position]]


def _holds_places(headers: Sequence[str], sample: Sequence[Sequence[str | None]], column: str) -> bool:
    """Tell if half of the filled cells of a column, or more, are states or provinces of a country."""
    filled = _filled_cells(headers, sample, column)
    places = [cell for cell in filled if _is_place(cell)]
    return len(places) >= len(filled) / 2


def _is_place(written: str) -> bool:
    # A letter alone is a province of Argentina, and anything else as well.
    return len(written.strip()) > 1 and any(find_subdivision(country, written) for country in load_countries())


def _columns_with(headers: Sequence[str], sample: Sequence[Sequence[str | None]], mark: str) -> list[str]:
    """Return the columns in which most filled cells contain a mark."""
    columns = []
    for position, header in enumerate(headers):
        filled = [row[position] for row in sample if position < len(row) and row[position]]
        with_mark = [cell for cell in filled if mark in str(cell)]
        if len(with_mark) > len(filled) / 2:
            columns.append(header)
    return columns
