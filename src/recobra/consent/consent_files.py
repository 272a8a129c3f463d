"""Consent by file: who authorised which channel, or no longer does, with day and proof. Twice changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import chain
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, requires
from recobra.access.roles import Right
from recobra.consent.facts import ConsentFileLoaded
from recobra.consent.ledger import (
    PROOF_LENGTH_MIN,
    SAID_MAX,
    Act,
    Address,
    Authorisation,
    ConsentStatement,
    Outcome,
    Source,
    record_authorisations,
)
from recobra.journal.operations import record_fact
from recobra.kit import email_address
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint, Debtor, Portfolio
from recobra.tabular import caged, dates, formats, identifiers, phones, written_days
from recobra.tabular.records import RowFault, find_columns, list_faults, match_columns
from recobra.tabular.refusals import READERS_BUSY, FileRefused, explain_fault
from recobra.tabular.sql_text import cell
from recobra.tabular.workspace import open_workspace
from recobra_core.channels import CHANNELS_BY_KIND, KIND_BY_CHANNEL
from recobra_core.folding import fold_words

MAX_ROWS: Final = 200_000  # rows are checked in memory
MAX_SHOWN_CHARACTERS: Final = 200  # of a wrong cell, in its error
REQUIRED: Final = ("debtor", "channel", "act", "date", "proof")
TARGETS: Final = (*REQUIRED, "value", "source")
# By target, the names of its column as `fold_words` leaves them.
_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "debtor": ("cliente", "documento", "dni", "cedula", "rut", "rfc", "customer", "debtor", "nro cliente", "deudor"),
    "channel": ("canal", "channel", "medio"),
    "act": ("autoriza", "consentimiento", "estado", "act", "consent", "autorizacion"),
    "date": ("fecha", "date", "fecha autorizacion", "fecha consentimiento", "dia"),
    "proof": ("prueba", "texto", "proof", "evidencia", "soporte"),
    "value": ("contacto", "telefono", "correo", "numero", "direccion", "value", "celular", "email"),
    "source": ("origen", "fuente", "source"),
}
_CHANNELS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email", "e mail", "correo", "correo electronico", "mail"),
    "sms": ("sms", "mensaje de texto", "mensaje"),
    "whatsapp": ("whatsapp", "wa", "wsp"),
    "call": ("call", "llamada", "telefono", "llamada telefonica"),
    "ivr": ("ivr", "llamada automatica", "automatic call"),
    "letter": ("letter", "carta", "correspondencia"),
    "visit": ("visit", "visita"),
}
_ALL_WORDS: Final = frozenset({"", "todos", "todas", "all", "todo"})
_ACTS: Final[Mapping[str, tuple[str, ...]]] = {
    Act.GRANTED: ("si", "s", "yes", "y", "1", "true", "autoriza", "autorizado", "autorizada", "acepta", "granted", "x"),
    Act.WITHDRAWN: ("no", "n", "0", "false", "retira", "retirado", "revoca", "revocado", "rechaza", "withdrawn"),
}


class ConsentFileRefused(Exception):
    """A file is no list of consents; the text is shown as it is. `is_passing`: it may be read in a minute."""

    def __init__(self, text: str, *, is_passing: bool = False) -> None:
        super().__init__(text)
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row of the file: its texts by target, and the day that they state, None where it is none."""

    line: int
    texts: dict[str, str]
    stated_on: date | None


@dataclass(kw_only=True)
class _ConsentFile:
    """A file while it is checked: whom its rows name, their contact points, and the results so far."""

    portfolio: Portfolio
    today: date
    actor: Actor
    debtor_ids: Mapping[str, set[int]]  # by customer number and bare document
    points: Mapping[int, list[ContactPoint]]
    authorisations: list[Authorisation] = field(default_factory=list)
    errors: list[RowFault] = field(default_factory=list)


@requires(Right.LOAD_FILES)
@transaction.atomic
def load_consents(
    *,
    path: Path,
    portfolio_code: str,
    columns: Mapping[str, Sequence[str]] | None = None,
    place: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    actor: Actor,
) -> dict[str, Any]:
    """Enter the consents of a file into the ledger. Raises ConsentFileRefused where it is no such list.

    `columns` are those of each target of TARGETS; without them they have their usual names. `place` says the sheet
    and the `header_line`, where a person chose them. `dry_run` finds the same and writes nothing. Returns rows,
    rejected, granted, withdrawn, known, overtaken and errors; a row without a number or channel is about all of the
    debtor's. It ends no silence, and the same file twice changes nothing.
    """
    portfolio = Portfolio.objects.filter(code=portfolio_code).first()
    if portfolio is None:
        raise ConsentFileRefused(_("There is no portfolio «%(code)s».") % {"code": portfolio_code})
    check_scope(actor, portfolio.code)
    caged.prepare()
    try:
        rows, faults = _read_file(path, portfolio, columns, place or {})
    except FileRefused as refusal:
        raise ConsentFileRefused(str(refusal)) from refusal
    file = _check_rows(rows, faults, portfolio, actor)
    outcomes = record_authorisations(file.authorisations, actor=actor)
    new = [act for (_a, act, _s), outcome in zip(file.authorisations, outcomes, strict=True) if outcome == Outcome.NEW]
    loaded = ConsentFileLoaded(
        rows=len(rows) + len({fault.line for fault in faults}),
        rejected=len({error.line for error in file.errors}),
        granted=new.count(Act.GRANTED),
        withdrawn=new.count(Act.WITHDRAWN),
        known=outcomes.count(Outcome.KNOWN),
        overtaken=outcomes.count(Outcome.OVERTAKEN),
    )
    record_fact(loaded, actor=actor, portfolio_id=portfolio.pk)
    errors = [
        {"line": error.line, "column": error.column, "found": error.found, "expected": error.expected}
        for error in sorted(file.errors, key=lambda error: error.line)
    ]
    if dry_run:
        transaction.set_rollback(True)
    return {**vars(loaded), "errors": errors}


def preview_consents(path: Path, *, sheet: str, header_line: int, shown_rows: int) -> caged.Preview:
    """Return what a file holds and its first rows. Raises ConsentFileRefused."""
    options = formats.ReadOptions(
        sheet=sheet,
        header_line=header_line,
        columns=list(chain(*_HEADERS.values())),
        is_any_sheet=True,
        may_be_empty=True,
    )
    try:
        return caged.preview_file(path, options, shown_rows=shown_rows)
    except FileRefused as refusal:
        raise ConsentFileRefused(str(refusal), is_passing=refusal.code == READERS_BUSY) from refusal


def guess_columns(headers: Sequence[str]) -> dict[int, str]:
    """Return by the position of a column the target that its name usually has."""
    matches = match_columns(headers, _HEADERS)
    return {positions[0]: target for target, positions in matches.items() if positions}


def _read_file(
    path: Path, portfolio: Portfolio, columns: Mapping[str, Sequence[str]] | None, place: Mapping[str, Any]
) -> tuple[list[_Row], list[RowFault]]:
    """Return the rows of a file, and those that are none. Raises FileRefused."""
    wanted = list(chain(*(_HEADERS if columns is None else columns).values()))
    with open_workspace() as duck:
        sheet = caged.read_file(path, duck, formats.ReadOptions(may_be_empty=True, columns=wanted, **place))
        positions = _find_positions(sheet.headers, columns)
        if duck.count(sheet.raw) > MAX_ROWS:
            raise FileRefused("too_many_rows", limit=MAX_ROWS)
        faults = list_faults(duck, sheet, {position: target for target, position in positions.items()})
        written_days.rewrite_days(duck, sheet.raw, positions["date"], zone=portfolio.time_zone)
        day = cell(positions["date"])
        label = sheet.headers[positions["date"]]
        order = dates.detect_order(duck, sheet.raw, day, country=portfolio.country, column=label)
        is_filled = " OR ".join(f"{cell(position)} IS NOT NULL" for position in range(len(sheet.headers)))
        texts = ", ".join(f"coalesce(trim({cell(position)}), '')" for position in positions.values())
        found = duck.fetch_all(
            f"SELECT line, {dates.date_sql(day, order)}, {texts} FROM {sheet.raw} WHERE {is_filled} ORDER BY line"
        )
    wrong = {fault.line for fault in faults}
    rows = [
        _Row(line=line, stated_on=stated_on, texts=dict(zip(positions, texts, strict=True)))
        for line, stated_on, *texts in found
        if line not in wrong
    ]
    return rows, faults


def _find_positions(headers: Sequence[str], columns: Mapping[str, Sequence[str]] | None) -> dict[str, int]:
    """Return the position of each target's column. Raises ConsentFileRefused, or FileRefused for one not there."""
    if columns is None:
        guessed = guess_columns(headers)
        positions = {target: position for position, target in guessed.items()}
    else:
        named = find_columns(headers, chain(*columns.values()))
        positions = {target: named[names[0]] for target, names in columns.items() if names}
    missing = [target for target in REQUIRED if target not in positions]
    if missing:
        raise ConsentFileRefused(
            _("The file needs a column for: %(missing)s. Its header is: %(header)s.")
            % {
                "missing": ", ".join(str(target_label(target)) for target in missing),
                "header": ", ".join(headers)[:300],
            }
        )
    return positions


def target_label(target: str) -> str:
    """Return what a column of such a file holds, in words."""
    return {
        "debtor": _("Customer number or document"),
        "channel": _("Channel"),
        "act": _("Authorises: yes or no"),
        "date": _("Day on which it was said"),
        "proof": _("Proof: by what means and in which words"),
        "value": _("Number or address (empty: all)"),
        "source": _("Where it comes from"),
    }[target]


def _check_rows(rows: Sequence[_Row], faults: list[RowFault], portfolio: Portfolio, actor: Actor) -> _ConsentFile:
    """Return the file with each row checked."""
    debtor_ids = _find_debtors(portfolio, {row.texts["debtor"] for row in rows})
    ids = set(chain(*debtor_ids.values()))
    points: dict[int, list[ContactPoint]] = {}
    for point in ContactPoint.objects.filter(debtor_id__in=ids, retired_at__isnull=True).order_by("pk"):
        points.setdefault(point.debtor_id, []).append(point)
    file = _ConsentFile(
        portfolio=portfolio,
        today=portfolio.local_day(actor.now),
        actor=actor,
        debtor_ids=debtor_ids,
        points=points,
        errors=list(faults),
    )
    for row in rows:
        _check_row(file, row)
    return file


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text).upper()


def _find_debtors(portfolio: Portfolio, numbers: Iterable[str]) -> dict[str, set[int]]:
    """Return the debtors of a portfolio by customer number and bare document, as far as some numbers name them."""
    written = [number for number in set(numbers) if number]
    bare = {_bare(number) for number in written} - {""}
    named = Debtor.objects.filter(
        Q(external_id__in=written) | Q(national_id__in=bare), creditor=portfolio.creditor_id
    ).values_list("pk", "joined_into", "external_id", "national_id")
    found: dict[str, set[int]] = {}
    for debtor_id, joined_into, external_id, national_id in named:
        for number in {external_id, national_id} - {""}:
            found.setdefault(number, set()).add(joined_into or debtor_id)
    reached = set(
        Debtor.objects.filter(pk__in=set(chain(*found.values())), accounts__portfolio=portfolio).values_list(
            "pk", flat=True
        )
    )
    return {number: ids & reached for number, ids in found.items()}


def _check_row(file: _ConsentFile, row: _Row) -> None:
    """Add what a row states about each number to the authorisations, or all of its errors to the errors."""
    expected: dict[str, str] = {}  # by target: what a wrong cell should have held
    debtor_id = _find_debtor(file, row.texts["debtor"], expected)
    act = next((code for code, words in _ACTS.items() if fold_words(row.texts["act"]) in words), "")
    if not act:
        expected["act"] = _("yes or no")
    channels = _read_channels(row.texts["channel"])
    if not channels:
        expected["channel"] = _("a channel such as email, sms, whatsapp or call, or «all»")
    if row.stated_on is None or not date(1990, 1, 1) <= row.stated_on <= file.today:
        expected["date"] = _("a day not in the future, such as 2026-11-22 or 22/11/2026")
    if act == Act.GRANTED and len(row.texts["proof"]) < PROOF_LENGTH_MIN:
        expected["proof"] = _("the proof: by what means and in which words it was authorised")
    points = _find_points(file, row.texts.get("value", ""), debtor_id, channels, expected)
    if expected or row.stated_on is None:
        for target, words in expected.items():
            found = row.texts.get(target, "")[:MAX_SHOWN_CHARACTERS]
            file.errors.append(RowFault(line=row.line, column=target, found=found, expected=words))
        return
    said = ": ".join(text for text in (row.texts.get("source", ""), row.texts["proof"]) if text)[:SAID_MAX]
    # Noon: whoever withdrew on the same day by another way has the last word only where that was later.
    at = datetime.combine(row.stated_on, time(12), ZoneInfo(file.portfolio.time_zone))
    for point in points:
        address = Address(
            kind=point.kind,
            value=point.value,
            forms=address_forms.list_forms(point.value, kind=point.kind),
            debtor_id=point.debtor_id,
        )
        for channel in set(channels) & set(CHANNELS_BY_KIND[point.kind]):
            statement = ConsentStatement(source=Source.LOAD, actor=file.actor, at=at, channel=channel, said=said)
            file.authorisations.append((address, act, statement))


def _find_debtor(file: _ConsentFile, number: str, expected: dict[str, str]) -> int | None:
    """Return the debtor whom a row names, None where there is none or several, said in `expected`."""
    found = file.debtor_ids.get(number) or file.debtor_ids.get(_bare(number)) or set()
    if len(found) == 1:
        return next(iter(found))
    code = file.portfolio.code
    if identifiers.is_scientific(number):
        expected["debtor"] = explain_fault("scientific", {})
    elif found:
        expected["debtor"] = _("one debtor of portfolio %(code)s; several have this document") % {"code": code}
    else:
        expected["debtor"] = _("a customer number or document of portfolio %(code)s") % {"code": code}
    return None


def _read_channels(text: str) -> tuple[str, ...]:
    """Return the channels that a cell names, all of them for «all», none where it names no channel."""
    folded = fold_words(text)
    if folded in _ALL_WORDS - {""}:
        return tuple(KIND_BY_CHANNEL)
    return tuple(code for code, words in _CHANNELS.items() if folded in words)


def _find_points(
    file: _ConsentFile, text: str, debtor_id: int | None, channels: Sequence[str], expected: dict[str, str]
) -> list[ContactPoint]:
    """Return the contact points in use that a row is about; where there is none, `expected` says so."""
    if debtor_id is None or not channels:
        return []
    kinds = {KIND_BY_CHANNEL[channel] for channel in channels}
    points = [point for point in file.points.get(debtor_id, []) if point.kind in kinds]
    if fold_words(text) not in _ALL_WORDS:
        forms = _list_forms(text, file.portfolio.country)
        points = [point for point in points if point.value in forms]
        if not points:
            expected["value"] = _("a number or address of this debtor that is in use and reached by the channel")
    elif not points:
        expected["channel"] = _("a channel by which the debtor can be reached: there is no number or address for it")
    return points


def _list_forms(text: str, country: str) -> set[str]:
    """Return how a number or address that somebody wrote may be stored."""
    forms = {" ".join(text.split()), *email_address.find_addresses(text)}
    number = phones.parse_one(text.removesuffix(".0"), country)
    return forms | set(address_forms.list_forms(number.value, kind=address_forms.PHONE))
