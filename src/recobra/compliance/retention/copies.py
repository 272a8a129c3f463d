"""A person's data as they are handed out: one ZIP with a page to read and to print, and every table as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service
from recobra.access.masks import mask_text
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.compliance.facts import PersonDataCopied, PersonRequestAnswered
from recobra.compliance.models import PersonRequest
from recobra.conversations.attachments import attachments_dir
from recobra.journal.operations import record_fact
from recobra.kit import tables
from recobra.kit.personal_data import Holding, Row
from recobra.kit.spreadsheet_text import escape_formula
from recobra.kit.typeset.signature import canonical_json
from recobra.portfolio.models import Account, Creditor, Debtor
from recobra.portfolio.queries import with_joined
from recobra.portfolio.scope import check_debtor, check_every_portfolio

from .holdings import all_holdings
from .person_page import describe_person, write_html, write_pdf
from .requests import RequestRefused

_SERVICES: Final = frozenset(map(str, Service))
_OWN_NAMES: Final = frozenset({"address", "value", "national_id", "number", "account_number", "reference"})
"""Columns that hold what is the person's own; in every other text the numbers of others are masked."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A ZIP with everything that is held on a person; `digest` is that of the list of its files and their digests."""

    content: bytes
    name: str
    digest: str
    files: int
    rows: int


@requires(Right.HANDLE_PERSON_REQUESTS)
@transaction.atomic
def copy_person(*, debtor_id: int, actor: Actor) -> Copy:
    """Return a debtor's data as a ZIP, record it, and answer a request for it that waits. Raises RequestRefused."""
    check_debtor(actor, debtor_id)
    debtor = Debtor.objects.select_related("creditor").get(pk=debtor_id)
    codes = actor.portfolio_codes
    if codes is not None and Account.objects.filter(debtor=debtor).exclude(portfolio__code__in=codes).exists():
        raise RequestRefused(
            _("This debtor owes in other portfolios too: someone who may see all of them must answer.")
        )
    return _copy(debtor, actor)


@requires(Right.HANDLE_PERSON_REQUESTS)
@transaction.atomic
def copy_person_by_number(*, creditor: str, number: str, actor: Actor) -> Copy:
    """Return a debtor's data by the creditor's code and its number of the debtor. Raises RequestRefused."""
    check_every_portfolio(actor)
    creditors = Creditor.objects.filter(code=creditor) if creditor else Creditor.objects.all()
    of_creditors = tables.is_any_of("creditor_id", creditors.values_list("pk", flat=True))
    named = Debtor.objects.select_related("creditor", "joined_into__creditor")
    debtors = list(named.filter(of_creditors, external_id=number)[:2])
    if not debtors:
        raise RequestRefused(_("There is no debtor «%s».") % number)
    if len(debtors) > 1:
        raise RequestRefused(_("Several creditors have a debtor «%s»: say which.") % number)
    # All of who was joined with another is with the latter.
    return _copy(debtors[0].joined_into or debtors[0], actor)


def _copy(debtor: Debtor, actor: Actor) -> Copy:
    """Make, record and answer with the copy of a debtor's data."""
    if debtor.erased_at is not None:
        raise RequestRefused(_("This person is anonymised already: nothing points to anybody any more."))
    own = _list_own_values(debtor)
    parts = {each: _read_rows(each, debtor, own) for each in all_holdings() if each.copy is not None}
    files = _write_files(debtor, parts, actor.now)
    digests = {name: sha256(content).hexdigest() for name, content in sorted(files.items())}
    digest = sha256(canonical_json(digests)).hexdigest()
    rows = sum(len(part) for part in parts.values())
    record_fact(PersonDataCopied(digest=digest, files=len(files), rows=rows), actor=actor, debtor_id=debtor.pk)
    waiting = PersonRequest.objects.filter(debtor=debtor, kind=PersonRequest.Kind.ACCESS, answered_at__isnull=True)
    for request in waiting.select_for_update():
        request.answered_at = actor.now
        request.answered_by = actor.name
        request.digest = digest
        request.save(update_fields=["answered_at", "answered_by", "digest"])
        answered = PersonRequestAnswered(request_id=request.pk, request_kind=request.kind, erased=[], kept={})
        record_fact(answered, actor=actor, debtor_id=debtor.pk)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    name = f"datos-{debtor.pk}-{actor.now:%Y%m%d-%H%M%S}.zip"
    return Copy(content=packed.getvalue(), name=name, digest=digest, files=len(files), rows=rows)


def _list_own_values(debtor: Debtor) -> list[str]:
    """Return what stays readable in texts: the person's own numbers and e-mails, and those that the creditor gave."""
    own = [value for _kind, value in debtor.points.values_list("kind", "value")]
    own += [debtor.creditor.complaint_contact, debtor.creditor.agency_phone]
    for each in [debtor, *debtor.joined.all()]:
        own += [each.national_id, each.external_id]
    # A text is searched for runs of digits, so «PR-0000311» is found there as 0000311.
    numbers = Account.objects.filter(debtor=debtor).values_list("external_id", flat=True)
    return own + [run for number in numbers for run in (number, *re.findall(r"\d+", number))]


def _read_rows(holding: Holding, debtor: Debtor, own: Sequence[str]) -> list[dict[str, object]]:
    """Return the rows of a holding in plain values, with what belongs to others masked."""
    assert holding.copy is not None
    return [_plain_row(row, own) for debtor_id in with_joined([debtor.pk]) for row in holding.copy(debtor_id)]


def _plain_row(row: Row, own: Sequence[str]) -> dict[str, object]:
    plain: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, datetime | date | time):
            plain[name] = value.isoformat()
        elif isinstance(value, UUID):
            plain[name] = str(value)
        elif name == "actor":
            # Who works for the company is no data of the debtor's: the copy says whether it was a person.
            plain[name] = value if str(value) in _SERVICES else "staff"
        elif isinstance(value, str) and name not in _OWN_NAMES:
            plain[name] = mask_text(value, keep=own)
        else:
            plain[name] = value
    return plain


def _write_files(debtor: Debtor, parts: Mapping[Holding, list[dict[str, object]]], now: datetime) -> dict[str, bytes]:
    """Return the files of a copy by their names: the page twice, each table twice, and the attachments."""
    files: dict[str, bytes] = {}
    everything = {}
    for holding, rows in parts.items():
        name = holding.model.lower().replace(".", "_")
        everything[name] = rows
        if rows:
            files[f"{name}.csv"] = _write_csv(rows)
        files.update(_read_attachments(holding, rows))
    document = {"format": "recobra-person/1", "made_at": now.isoformat(), "tables": everything}
    files["datos.json"] = json.dumps(document, ensure_ascii=False, indent=2).encode()
    tables_by_model = {holding.model: rows for holding, rows in parts.items()}
    page = describe_person(debtor, tables_by_model, now)
    files["leame.html"] = write_html(page).encode()
    files["leame.pdf"] = write_pdf(page, now=now)
    return files


def _write_csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return rows as CSV in UTF-8 with a byte order mark; no cell of it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    """Return a value as the text of a cell."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return escape_formula(text, keep_figures=True)


def _read_attachments(holding: Holding, rows: Iterable[Mapping[str, object]]) -> dict[str, bytes]:
    """Return the files that the person sent, by their places in the ZIP."""
    if holding.model != "conversations.Attachment":
        return {}
    paths = {str(row["path"]) for row in rows if row["path"]}
    found = {path: attachments_dir() / path for path in sorted(paths)}
    return {f"adjuntos/{Path(path).name}": file.read_bytes() for path, file in found.items() if file.is_file()}
