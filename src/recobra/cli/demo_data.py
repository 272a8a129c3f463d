"""Files of the demonstration: the same people and debts on every machine, moved to the day that is played.

Names are invented, e-mail addresses belong to example.com, telephone numbers to blocks that look real and are dull.
"""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from recobra_core.folding import strip_accents

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
# Ranges of days past due, and how many of a hundred rows lie in each. Negative days are days until the due date. Most
# rows are not due or just late, as in a living portfolio.
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
SEED: Final = 20261123  # another number makes another demonstration
PAID_DAYS: Final = 30  # payments were made on one of so many days before the day that is played
PAYMENTS: Final = 200  # of each portfolio, in a demonstration of the usual size
ROWS_PER_PAYMENT: Final = 20  # in a small one, no more than one row in so many is paid
BROKEN_PREFIX: Final = "MAL-"
RUT_WEIGHTS: Final = (2, 3, 4, 5, 6, 7)
# Numbers of identity documents count up from a plausible one, in steps, so that neighbours differ in several digits.
FIRST_DNI: Final = 40_000_000
DNI_STEP: Final = 37
FIRST_CC: Final = 52_000_000
CC_STEP: Final = 41
FIRST_RUT: Final = 76_000_000
RUT_STEP: Final = 43
# Telephone numbers of each country: the block, then the four digits that tell debtors apart.
PHONE_PERU: Final = "90000{:04d}"
PHONE_COLOMBIA: Final = "300000{:04d}"
PHONE_CHILE: Final = "92000{:04d}"
SHARE_WITH_PHONE: Final = 0.9
SHARE_WITH_EMAIL: Final = 0.92
SHARE_WITH_TWO_ACCOUNTS: Final = 0.2
MAX_OVERDUE_INSTALMENTS: Final = 6
DAYS_BETWEEN_INSTALMENTS: Final = 30
INVOICE_TERM_DAYS: Final = 30


@dataclass(frozen=True, kw_only=True)
class Example:
    """One portfolio of the demonstration.

    `creditor` and `portfolio` are the parameters that open them, `strategy` is the code of the strategy to follow,
    `share` the part of the demonstration's accounts, `mapping` what the columns of the file mean. `rows` yields the
    file's rows from a random generator, the day of the file and the number of accounts.
    """

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
        # The first row names the columns.
        first_row = next(rows)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(first_row), delimiter=";")
            writer.writeheader()
            writer.writerow(first_row)
            writer.writerows(rows)
        return path

    def write_payments(self, loaded: Path, *, as_of: date) -> Path:
        """Write a file of what some debtors of a loaded file paid in the month before a day, and return its path.

        Each pays the principal or the balance of one row in full, without the interest.
        """
        chance = random.Random(f"{SEED}/{self.portfolio['code']}/payments")  # noqa: S311 - the same on every machine
        with loaded.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        rows = [row for row in rows if not row[self.account].startswith(BROKEN_PREFIX)]
        # Every so many rows, from the middle of the first stretch on.
        step = max(ROWS_PER_PAYMENT, len(rows) // PAYMENTS)
        paid_rows = rows[step // 2 :: step]
        path = loaded.with_name(f"{loaded.stem}-pagos.csv")
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(("cuenta", "monto", "fecha", "referencia"))
            for number, row in enumerate(paid_rows, start=1):
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
    ranges = [days for days, _percent in ARREARS]
    percents = [percent for _days, percent in ARREARS]
    (chosen,) = chance.choices(ranges, percents)
    low, high = chosen
    return chance.randint(low, high)


def _draw_people(
    chance: random.Random, format_identity: Callable[[int], str], phone_format: str
) -> Iterator[dict[str, str]]:
    """Yield debtors without end, as the columns of a file that are about the person.

    `format_identity` returns the identity document of the nth debtor, `phone_format` takes four digits. Now and then a
    debtor lacks a telephone, an e-mail address, or both.
    """
    # The order of the draws makes the names: another order makes another demonstration.
    for number in itertools.count(1):
        first_name = chance.choice(FIRST_NAMES)
        last_name = chance.choice(LAST_NAMES)
        second_last_name = chance.choice(LAST_NAMES)
        phone = phone_format.format(number % 10_000)
        email = f"{_to_ascii(first_name)}.{_to_ascii(last_name)}.{number}@example.com"
        has_phone = chance.random() < SHARE_WITH_PHONE
        has_email = chance.random() < SHARE_WITH_EMAIL
        street = chance.choice(LAST_NAMES)
        house_number = chance.randint(100, 999)
        yield {
            "documento": format_identity(number),
            "nombre": f"{first_name} {last_name} {second_last_name}",
            "celular": phone if has_phone else "",
            "correo": email if has_email else "",
            "direccion": f"Calle {street} {house_number}",
        }


def _to_ascii(text: str) -> str:
    """Return a name in lower case without accents, for an e-mail address."""
    return strip_accents(text.lower())


def _draw_accounts(chance: random.Random, people: Iterator[dict[str, str]], count: int) -> Iterator[dict[str, str]]:
    """Yield a debtor for each of `count` accounts; some debtors have two of them, one after the other."""
    accounts_left = count
    while accounts_left > 0:
        person = next(people)
        has_two = chance.random() < SHARE_WITH_TWO_ACCOUNTS
        accounts_left -= 1
        yield person
        if has_two and accounts_left > 0:
            accounts_left -= 1
            yield person


def _instalment_rows(chance: random.Random, as_of: date, accounts: int) -> Iterator[dict[str, str]]:
    """Yield consumer credit in Peru: the overdue instalments of each loan, and the next one."""
    people = _draw_people(chance, lambda number: f"{FIRST_DNI + number * DNI_STEP:08d}", PHONE_PERU)
    for loan_number, person in enumerate(_draw_accounts(chance, people, accounts), start=1):
        days_late = _draw_days_late(chance)
        principal_minor = chance.randint(8_000, 95_000)
        interest_minor = principal_minor // 9
        first_instalment = chance.randint(1, 12)
        overdue_count = 0
        if days_late > 0:
            overdue_count = min(days_late // DAYS_BETWEEN_INSTALMENTS + 1, MAX_OVERDUE_INSTALMENTS)
        first_due = as_of - timedelta(days=days_late)
        opened = first_due - timedelta(days=DAYS_BETWEEN_INSTALMENTS * first_instalment)
        for offset in range(overdue_count + 1):
            due_date = first_due + timedelta(days=DAYS_BETWEEN_INSTALMENTS * offset)
            yield {
                **person,
                "prestamo": f"PR-{loan_number:07d}",
                "cuota": str(first_instalment + offset),
                "vencimiento": f"{due_date:%d/%m/%Y}",
                "capital": _format_comma(principal_minor),
                "interes": _format_comma(interest_minor),
                "desembolso": f"{opened:%d/%m/%Y}",
            }
    # Two rows that cannot be right, so that there are rejected rows to mend.
    valid_cells = {
        "cuota": "1",
        "vencimiento": f"{as_of:%d/%m/%Y}",
        "capital": "150,00",
        "interes": "",
        "desembolso": "",
    }
    yield {**next(people), "prestamo": f"{BROKEN_PREFIX}1", **valid_cells, "vencimiento": "30/02/2026"}
    yield {**next(people), "prestamo": f"{BROKEN_PREFIX}2", **valid_cells, "capital": "ciento"}


def _bill_rows(chance: random.Random, as_of: date, accounts: int) -> Iterator[dict[str, str]]:
    """Yield services in Colombia: one open bill for each contract, in thousands of pesos."""
    people = _draw_people(chance, lambda number: str(FIRST_CC + number * CC_STEP), PHONE_COLOMBIA)
    for contract_number, person in enumerate(_draw_accounts(chance, people, accounts), start=1):
        due_date = as_of - timedelta(days=_draw_days_late(chance))
        thousands = chance.randint(35, 420)
        yield {
            **person,
            "contrato": f"SV{contract_number:08d}",
            "vencimiento": f"{due_date:%Y-%m-%d}",
            "saldo": f"{thousands * 1000}.00",
            "plan": chance.choice(("Móvil", "Hogar", "Dúo")),
        }


def _invoice_rows(chance: random.Random, as_of: date, accounts: int) -> Iterator[dict[str, str]]:
    """Yield invoices of companies in Chile, in thousands of pesos: the currency has no cents."""
    people = _draw_people(chance, lambda number: format_rut(FIRST_RUT + number * RUT_STEP), PHONE_CHILE)
    for invoice_number, person in enumerate(_draw_accounts(chance, people, accounts), start=1):
        due_date = as_of - timedelta(days=_draw_days_late(chance))
        issue_date = due_date - timedelta(days=INVOICE_TERM_DAYS)
        thousands = chance.randint(40, 6000)
        # A company is named after its trade, which a digit of its RUT decides, and the last name of a person.
        trade = TRADES[int(person["documento"][6]) % len(TRADES)]
        _first_name, last_name, _second_last_name = person["nombre"].split()
        yield {
            **person,
            "nombre": f"{trade} {last_name} SpA",
            "factura": f"F{invoice_number:08d}",
            "emision": f"{issue_date:%d-%m-%Y}",
            "vencimiento": f"{due_date:%d-%m-%Y}",
            "saldo": f"{thousands * 1000}",
        }


def format_rut(number: int) -> str:
    """Return a Chilean RUT with its check digit, such as 76000043-4.

    The digits, from the last to the first, are multiplied by 2, 3, 4, 5, 6, 7, 2, 3 … and added up. The check digit
    is what the sum lacks to a multiple of eleven, where 10 is written K and 11 is written 0.
    """
    weighted_sum = 0
    for place, digit in enumerate(reversed(str(number))):
        weighted_sum += int(digit) * RUT_WEIGHTS[place % len(RUT_WEIGHTS)]
    check = 11 - weighted_sum % 11
    check_digit = {10: "K", 11: "0"}.get(check, str(check))
    return f"{number}-{check_digit}"


def _format_comma(minor: int) -> str:
    """Return an amount with a decimal comma, such as 1234,50 for 123450."""
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
