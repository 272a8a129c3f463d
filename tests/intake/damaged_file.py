"""A file with every kind of damage of `damages.yaml`, as CSV and as a workbook, and what must come out of it.

`python -m tests.intake.damaged_file FOLDER` writes `danada.csv`, `danada.xlsx`, their mapping and the right figures.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml

LINES = 1_200
KINDS: dict[str, list[Any]] = yaml.safe_load(Path(__file__).with_name("damages.yaml").read_text("utf-8"))
HEADER = ("cuenta", "cliente", "nombre", "documento", "emision", "vence", "saldo", "moneda", "correo", "telefono")
TITLES = (("CUENTAS POR COBRAR AL 25/11/2026",), ("Empresa de Prueba SAC", "", "RUC", "20512333797"), ())
UNREADABLE = {"amount", "text_error"}
COLUMNS = {
    "amounts": "saldo",
    "days": "vence",
    "accounts": "cuenta",
    "customers": "cliente",
    "mails": "correo",
    "phones": "telefono",
    "currencies": "moneda",
}
MAPPING: dict[str, Any] = {
    "account": {"external_id": "cuenta"},
    "debtor": {"external_id": "cliente", "name": "nombre"},
    "instalment": {"due_date": "vence"},
    "balance": "saldo",
    "currency": "moneda",
    "emails": ["correo"],
    "phones": ["telefono"],
    "options": {"other_currencies": "set_aside", "shrink_limit": 1},
}


@dataclass
class Right:
    """What must come out: by account its amount, day and points; the rows that are no debts by reason; the money.

    `money` is by part (accepted, rejected, each reason for setting aside) and currency, to the cent; `unread` counts the
    rejected rows whose amount nobody can read.
    """

    accounts: dict[str, tuple[Decimal, date]] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    points: dict[str, set[str]] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    aside: Counter[str] = field(default_factory=Counter)
    money: Counter[tuple[str, str]] = field(default_factory=Counter)
    unread: int = 0

    def sum_file(self) -> dict[str, Decimal]:
        """Return the money of the whole file by currency."""
        totals: Counter[str] = Counter()
        for (_part, currency), amount in self.money.items():
            totals[currency] += amount
        return dict(totals)


def make_rows(*, is_workbook: bool) -> tuple[list[list[str]], Right, set[int]]:
    """Return the rows of the table, what must come out of them, and which of them are hidden."""
    damages = [
        (kind, damage)
        for kind in (*COLUMNS, "rows")
        for damage in KINDS[kind]
        if damage.get("workbook", is_workbook) in {is_workbook, "only" if is_workbook else False}
    ]
    rows: list[list[str]] = []
    hidden: set[int] = set()
    right = Right()
    for number, (kind, damage) in zip(range(LINES), cycle(damages), strict=False):
        if damage.get("aside") == "hidden":
            hidden.add(number)
        rows.append(_make_row(number, kind, damage, right))
    return rows, right, hidden


def _make_row(number: int, kind: str, damage: dict[str, Any], right: Right) -> list[str]:
    """Return the cells of a row with one damage, and note what must come out of it."""
    cells = {
        "cuenta": f"C{number:05}",
        "cliente": f"K{number:05}",
        "nombre": f"Cliente {number}; «Peña»",
        "documento": "",
        "emision": "2026-09-01",
        "vence": "2026-10-01",
        "saldo": f"{number},{number % 100:02}",
        "moneda": "PEN",
        "correo": "",
        "telefono": "",
    }
    if kind == "rows" and damage.get("aside") != "hidden":
        outcome = "aside" if "aside" in damage else "rejected"
        getattr(right, outcome)[damage[outcome]] += 1
        # Its cells are not where the header has them, so none of them is surely its amount.
        right.unread += outcome == "rejected"
        if damage["cells"] == "header":
            return list(HEADER)
        written = {name: text.format(n=number) for name, text in damage["cells"].items()}
        return [*written.values()] if outcome == "rejected" else [written.get(name, "") for name in HEADER]
    read = dict(cells)
    if kind != "rows":
        column = COLUMNS[kind]
        cells[column] = damage["written"].format(n=number)
        read[column] = str(damage.get("reads", "")).format(n=number)
    if "reads" not in damage:
        outcome = "aside" if "aside" in damage else "rejected"
        getattr(right, outcome)[damage[outcome]] += 1
        if damage.get("rejected") in UNREADABLE and kind == "amounts":
            right.unread += 1
        else:
            part = "rejected" if outcome == "rejected" else damage["aside"]
            currency = "USD" if damage.get("aside") == "currency" else "PEN"
            right.money[part, currency] += _amount(cells["saldo"])
        return [cells[name] for name in HEADER]
    amount = Decimal(read["saldo"]) if kind == "amounts" else _amount(read["saldo"])
    right.money["accepted", "PEN"] += amount
    right.accounts[read["cuenta"]] = (amount, date.fromisoformat(read["vence"]))
    right.customers[read["cuenta"]] = read["cliente"]
    right.points[read["cuenta"]] = set(f"{read['correo']} {read['telefono']}".split())
    return [cells[name] for name in HEADER]


def _amount(text: str) -> Decimal:
    """Return an amount as these rows write it: with a comma, below zero with its sign or in brackets."""
    figures = text.strip("(−)").replace(",", ".")
    return Decimal(figures) * (1 if figures == text.replace(",", ".") else -1)


def write_text(rows: list[list[str]]) -> bytes:
    """Return the table as Excel saves «Unicode text» with a separator line: UTF-16, titles above."""
    text = io.StringIO(newline="")
    text.write("sep=;\r\n")
    writer = csv.writer(text, delimiter=";")
    writer.writerows([*(list(title) + [""] * (len(HEADER) - len(title)) for title in TITLES), HEADER, *rows])
    return text.getvalue().encode("utf-16")


def write_workbook(rows: list[list[str]], right: Right, hidden: set[int]) -> bytes:
    """Return the table as a workbook that nobody tidied: titles, an old hidden sheet, merged cells, formats, errors.

    What only a workbook can have comes behind the other rows, and is added to what must come out.
    """
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    old, sheet = book.add_worksheet("Anterior"), book.add_worksheet("Cartera")
    old.write_row(0, 0, HEADER)
    old.write_row(1, 0, ("V1", "K9", "Cliente Viejo", "", "", "2025-01-01", 999))
    old.hide()
    sheet.activate()
    first = len(TITLES)
    for at, cells in enumerate([*TITLES, HEADER, *rows]):
        for column, cell in enumerate(cells):
            if cell:
                sheet.write_string(at, column, cell)
        if at - first - 1 in hidden:
            sheet.set_row(at, None, None, {"hidden": True})
    _write_typed_rows(book, sheet, first + 1 + len(rows), right)
    book.close()
    return content.getvalue()


def _write_typed_rows(book: xlsxwriter.Workbook, sheet: Any, at: int, right: Right) -> None:
    zeros, day = book.add_format({"num_format": "00000000"}), book.add_format({"num_format": "dd/mm/yyyy"})
    due = date(2026, 10, 2)
    for offset in range(5):
        sheet.write_number(at + offset, 0, 700 + offset, zeros)
        sheet.write_datetime(at + offset, HEADER.index("vence"), due, day)
        sheet.write_number(at + offset, HEADER.index("saldo"), 10.25 + offset)
    sheet.merge_range(at, 1, at + 4, 1, "KM")
    sheet.write_formula(at + 3, HEADER.index("saldo"), "=A1+1", None, "")
    sheet.write_formula(at + 4, HEADER.index("saldo"), "=NA()", None, "#N/A")
    right.rejected += Counter(cell_formula=1, cell_error=1)
    right.unread += 2
    for offset in range(3):
        account = f"{700 + offset:08}"
        right.money["accepted", "PEN"] += Decimal("10.25") + offset
        right.accounts[account] = (Decimal("10.25") + offset, due)
        right.customers[account] = "KM"
        right.points[account] = set()


def count_kinds() -> int:
    """Return how many kinds of damage there are."""
    return sum(1 for _ in _iterate_kinds())


def _iterate_kinds() -> Iterator[Any]:
    yield from chain.from_iterable(KINDS.values())


def write_files(folder: Path) -> None:
    """Write both files, their mapping, and what must come out of each."""
    (folder / "mapeo.yaml").write_text(yaml.safe_dump(MAPPING, allow_unicode=True), "utf-8")
    figures = {}
    for name, is_workbook in (("danada.csv", False), ("danada.xlsx", True)):
        rows, right, hidden = make_rows(is_workbook=is_workbook)
        content = write_workbook(rows, right, hidden) if is_workbook else write_text(rows)
        (folder / name).write_bytes(content)
        figures[name] = {
            "accounts": len(right.accounts),
            "amount": str(sum(amount for amount, _day in right.accounts.values())),
            "rejected": dict(right.rejected),
            "set_aside": dict(right.aside),
            "money": {f"{part} {currency}": str(amount) for (part, currency), amount in right.money.items()},
            "rows_whose_amount_cannot_be_read": right.unread,
            "whole_file": {currency: str(amount) for currency, amount in right.sum_file().items()},
        }
    (folder / "debe_salir.json").write_text(json.dumps(figures, indent=2), "utf-8")


if __name__ == "__main__":
    write_files(Path(sys.argv[1]))
