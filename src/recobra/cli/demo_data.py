"""Files of the demonstration: the same people and debts on every machine, moved to the day that is played.

Names are invented, e-mail addresses belong to example.com, telephone numbers to blocks that look real and are dull.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

FIRST_NAMES: Final = (
    "María",
    "José",
    "Luis",
    "Carmen",
    "Juan",
    "Rosa",
    "Jorge",
    "Ana",
    "Carlos",
    "Luz",
    "Miguel",
    "Elena",
    "Víctor",
    "Patricia",
    "Pedro",
    "Sonia",
    "Raúl",
    "Gloria",
    "César",
    "Marta",
    "Andrés",
    "Paula",
    "Diego",
    "Camila",
    "Iván",
    "Natalia",
    "Óscar",
    "Verónica",
    "Hugo",
    "Lucía",
    "Mateo",
    "Daniela",
    "Felipe",
    "Ximena",
    "Tomás",
    "Valentina",
)
LAST_NAMES: Final = (
    "Quispe",
    "Flores",
    "Sánchez",
    "Rodríguez",
    "Rojas",
    "Huamán",
    "Mamani",
    "Vargas",
    "Ramos",
    "Díaz",
    "Castillo",
    "Mendoza",
    "Gómez",
    "Martínez",
    "López",
    "Moreno",
    "Ortiz",
    "Muñoz",
    "González",
    "Pérez",
    "Soto",
    "Contreras",
    "Silva",
    "Sepúlveda",
    "Núñez",
    "Fuentes",
    "Araya",
    "Espinoza",
    "Valencia",
    "Restrepo",
    "Zapata",
    "Cárdenas",
)
TRADES: Final = ("Comercial", "Distribuidora", "Ferretería", "Transportes", "Servicios", "Constructora", "Agrícola")
# Days past due, and how many of a hundred: most are not due or just late, as in a living portfolio.
ARREARS: Final = (
    ((-25, -6), 14),
    ((-5, 0), 12),
    ((1, 5), 13),
    ((6, 15), 14),
    ((16, 30), 13),
    ((31, 60), 13),
    ((61, 90), 8),
    ((91, 180), 8),
    ((181, 360), 5),
)
SEED: Final = 20261123
PAID_DAYS: Final = 30
PAYMENTS: Final = 200  # of each portfolio, in a demonstration of the usual size
ROWS_PER_PAYMENT: Final = 20  # in a small one, no more than one row in so many is paid
BROKEN_PREFIX: Final = "MAL-"
RUT_WEIGHTS: Final = (2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One portfolio of the demonstration: its opening, its file and the mapping of the columns."""

    creditor: dict[str, str]
    portfolio: dict[str, Any]
    strategy: str
    share: float
    mapping: dict[str, Any]
    rows: Callable[[random.Random, date, int], Iterator[dict[str, str]]]

    def write(self, folder: Path, *, as_of: date, accounts: int) -> Path:
        """Write the portfolio's file for a day and return its path."""
        chance = random.Random(f"{SEED}/{self.portfolio['code']}")  # noqa: S311 - the same on every machine
        path = folder / f"{self.portfolio['code'].lower()}-{as_of}.csv"
        rows = self.rows(chance, as_of, accounts)
        first = next(rows)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(first), delimiter=";")
            writer.writeheader()
            writer.writerow(first)
            writer.writerows(rows)
        return path

    def write_payments(self, loaded: Path, *, as_of: date) -> Path:
        """Write what some debtors of the loaded file paid in the month before a day, and return its path.

        Each pays one row of the file to the last cent, less what the file calls interest.
        """
        chance = random.Random(f"{SEED}/{self.portfolio['code']}/payments")  # noqa: S311 - the same on every machine
        with loaded.open(newline="", encoding="utf-8") as file:
            rows = [
                row for row in csv.DictReader(file, delimiter=";") if not row[self.account].startswith(BROKEN_PREFIX)
            ]
        step = max(ROWS_PER_PAYMENT, len(rows) // PAYMENTS)
        path = loaded.with_name(f"{loaded.stem}-pagos.csv")
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(("cuenta", "monto", "fecha", "referencia"))
            for number, row in enumerate(rows[step // 2 :: step], start=1):
                day = as_of - timedelta(days=chance.randint(1, PAID_DAYS))
                writer.writerow((row[self.account], row[self.amount], day, f"OP-{number:06d}"))
        return path

    @property
    def account(self) -> str:
        """Return the column of the file that names the account."""
        return str(self.mapping["account"]["external_id"])

    @property
    def amount(self) -> str:
        """Return the column of the file that says what is owed."""
        return str(self.mapping.get("balance") or self.mapping["amounts"]["principal"])


def _draw_days_late(chance: random.Random) -> int:
    """Return days past due, negative before the due date."""
    spans, weights = zip(*ARREARS, strict=True)
    (low, high) = chance.choices(spans, weights)[0]
    return chance.randint(low, high)


def _draw_people(chance: random.Random, identity: Callable[[int], str], phone: str) -> Iterator[dict[str, str]]:
    """Yield debtors without end; now and then one lacks a telephone, an e-mail address, or both."""
    number = 0
    while True:
        number += 1
        first, last, mother = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES), chance.choice(LAST_NAMES)
        handle = f"{_to_ascii(first)}.{_to_ascii(last)}.{number}"
        yield {
            "documento": identity(number),
            "nombre": f"{first} {last} {mother}",
            "celular": phone.format(number % 10_000) if chance.random() < 0.9 else "",
            "correo": f"{handle}@example.com" if chance.random() < 0.92 else "",
            "direccion": f"Calle {chance.choice(LAST_NAMES)} {chance.randint(100, 999)}",
        }


def _to_ascii(text: str) -> str:
    return text.lower().translate(str.maketrans("áéíóúñ", "aeioun"))


def _draw_accounts(chance: random.Random, people: Iterator[dict[str, str]], count: int) -> Iterator[dict[str, str]]:
    """Yield a debtor for each account; one in five debtors has two."""
    left = count
    while left > 0:
        person = next(people)
        for _ in range(min(left, 2 if chance.random() < 0.2 else 1)):
            left -= 1
            yield person


def _instalment_rows(chance: random.Random, as_of: date, accounts: int) -> Iterator[dict[str, str]]:
    """Yield consumer credit in Peru: the overdue instalments of each loan, and the next one."""
    people = _draw_people(chance, lambda number: f"{40_000_000 + number * 37:08d}", "90000{:04d}")
    for number, person in enumerate(_draw_accounts(chance, people, accounts), start=1):
        days_late, amount = _draw_days_late(chance), chance.randint(8_000, 95_000)
        first = chance.randint(1, 12)
        overdue = 0 if days_late <= 0 else min(days_late // 30 + 1, 6)
        oldest = as_of - timedelta(days=days_late)
        for step in range(max(overdue, 0) + 1):
            yield {
                **person,
                "prestamo": f"PR-{number:07d}",
                "cuota": str(first + step),
                "vencimiento": f"{oldest + timedelta(days=30 * step):%d/%m/%Y}",
                "capital": _format_comma(amount),
                "interes": _format_comma(amount // 9),
                "desembolso": f"{oldest - timedelta(days=30 * first):%d/%m/%Y}",
            }
    # Two rows that cannot be right, so that there are rejected rows to mend.
    for loan, broken in (
        (f"{BROKEN_PREFIX}1", {"vencimiento": "30/02/2026"}),
        (f"{BROKEN_PREFIX}2", {"capital": "ciento"}),
    ):
        common = {"prestamo": loan, "cuota": "1", "vencimiento": f"{as_of:%d/%m/%Y}"}
        yield {**next(people), **common, "capital": "150,00", "interes": "", "desembolso": "", **broken}


def _bill_rows(chance: random.Random, as_of: date, accounts: int) -> Iterator[dict[str, str]]:
    """Yield services in Colombia: one open bill each."""
    people = _draw_people(chance, lambda number: f"{52_000_000 + number * 41}", "300000{:04d}")
    for number, person in enumerate(_draw_accounts(chance, people, accounts), start=1):
        days_late = _draw_days_late(chance)
        yield {
            **person,
            "contrato": f"SV{number:08d}",
            "vencimiento": f"{as_of - timedelta(days=days_late):%Y-%m-%d}",
            "saldo": f"{chance.randint(35, 420) * 1000}.00",
            "plan": chance.choice(("Móvil", "Hogar", "Dúo")),
        }


def _invoice_rows(chance: random.Random, as_of: date, accounts: int) -> Iterator[dict[str, str]]:
    """Yield invoices of companies in Chile, in a currency without cents."""
    people = _draw_people(chance, lambda number: format_rut(76_000_000 + number * 43), "92000{:04d}")
    for number, person in enumerate(_draw_accounts(chance, people, accounts), start=1):
        days_late = _draw_days_late(chance)
        trade = TRADES[int(person["documento"][6]) % len(TRADES)]
        yield {
            **person,
            "nombre": f"{trade} {person['nombre'].split()[1]} SpA",
            "factura": f"F{number:08d}",
            "emision": f"{as_of - timedelta(days=days_late + 30):%d-%m-%Y}",
            "vencimiento": f"{as_of - timedelta(days=days_late):%d-%m-%Y}",
            "saldo": f"{chance.randint(40, 6000) * 1000}",
        }


def format_rut(number: int) -> str:
    """Return a Chilean RUT with its check digit."""
    digits = [int(digit) for digit in reversed(str(number))]
    rest = 11 - sum(digit * RUT_WEIGHTS[place % 6] for place, digit in enumerate(digits)) % 11
    return f"{number}-{ {10: 'K', 11: '0'}.get(rest, str(rest)) }"


def _format_comma(minor: int) -> str:
    return f"{minor // 100},{minor % 100:02d}"


_DEBTOR_MAPPING: Final = {"name": "nombre", "national_id": "documento", "external_id": "documento"}
_CONTACT_MAPPING: Final[dict[str, Any]] = {"phones": ["celular"], "emails": ["correo"], "address": ["direccion"]}

EXAMPLES: Final = (
    Example(
        creditor={
            "code": "BANCO-SUR",
            "name": "Banco Sur",
            "complaint_contact": "reclamos@bancosur.example",
            "payment_instructions": "Pague en bancosur.example o en cualquier agencia con su DNI.",
        },
        portfolio={
            "code": "PE-CONSUMO",
            "name": "Consumo Perú",
            "industry": "CONSUMER",
            "country": "PE",
            "currency": "PEN",
            "time_zone": "America/Lima",
        },
        strategy="consumo",
        share=0.6,
        mapping={
            "name": "consumo",
            "account": {"external_id": "prestamo", "product": {"value": "LOAN"}, "opened_date": "desembolso"},
            "debtor": {**_DEBTOR_MAPPING, "national_id_kind": {"value": "DNI"}, "kind": {"value": "PERSON"}},
            "instalment": {"number": "cuota", "due_date": "vencimiento"},
            "amounts": {"principal": "capital", "interest": "interes"},
            **_CONTACT_MAPPING,
            "options": {"decimal": "comma", "date_order": "dmy", "due_rows": "several", "gone": "paid"},
        },
        rows=_instalment_rows,
    ),
    Example(
        creditor={
            "code": "TELCO-ANDINA",
            "name": "Telco Andina",
            "complaint_contact": "pqr@telcoandina.example",
            "payment_instructions": "Pague en telcoandina.example con su número de contrato.",
        },
        portfolio={
            "code": "CO-SERVICIOS",
            "name": "Servicios Colombia",
            "industry": "SERVICES",
            "country": "CO",
            "currency": "COP",
            "time_zone": "America/Bogota",
        },
        strategy="servicios",
        share=0.25,
        mapping={
            "name": "servicios",
            "account": {"external_id": "contrato", "product": {"value": "SERVICE"}},
            "debtor": {**_DEBTOR_MAPPING, "national_id_kind": {"value": "CC"}, "kind": {"value": "PERSON"}},
            "due_date": "vencimiento",
            "balance": "saldo",
            "attributes": {"plan": {"column": "plan", "type": "text"}},
            **_CONTACT_MAPPING,
            "options": {"decimal": "point", "date_order": "ymd", "gone": "paid"},
        },
        rows=_bill_rows,
    ),
    Example(
        creditor={
            "code": "COMERCIAL-MAIPO",
            "name": "Comercial Maipo",
            "complaint_contact": "clientes@maipo.example",
            "payment_instructions": "Transfiera indicando el número de su factura.",
        },
        portfolio={
            "code": "CL-FACTURAS",
            "name": "Facturas Chile",
            "industry": "INVOICES",
            "country": "CL",
            "currency": "CLP",
            "time_zone": "America/Santiago",
        },
        strategy="facturas",
        share=0.15,
        mapping={
            "name": "facturas",
            "account": {"external_id": "factura", "product": {"value": "INVOICE"}, "opened_date": "emision"},
            "debtor": {**_DEBTOR_MAPPING, "national_id_kind": {"value": "RUT"}, "kind": {"value": "COMPANY"}},
            "instalment": {"due_date": "vencimiento", "issue_date": "emision"},
            "balance": "saldo",
            **_CONTACT_MAPPING,
            "options": {"date_order": "dmy", "gone": "paid"},
        },
        rows=_invoice_rows,
    ),
)
