"""Letters and print batches as PDF.

The address is placed for the window of an envelope: DIN 5008 form B on A4, a number 10 envelope on US Letter. Only the
name and the address show through the window: no sender's trade, reference or bar code, which would tell whoever handles
the envelope that somebody is being written to about a debt (requirement S1-80).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from babel import Locale
from django.utils import translation
from django.utils.translation import gettext as _

from recobra.kit.date_format import format_date
from recobra.kit.money_format import format_minor
from recobra.kit.typeset.barcode import bar_widths
from recobra.kit.typeset.glyphs import displayable_data, displayable_text
from recobra.kit.typeset.typst import TypstDocument
from recobra.messaging.templates.render import resolve_locale
from recobra_core.law import list_subdivisions

US_LETTER: Final = frozenset(["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"])
"""Countries that print on US Letter; the others print on A4 (Unicode CLDR, paperSize)."""
BATCH_LIMIT: Final = 2_000
_ISO_SUBDIVISION: Final = re.compile(r"[A-Z]{2}-\w{1,3}")  # a code for the courier's file; a postman reads the name
_WINDOW_LINES: Final = 6
_WINDOW_CHARACTERS: Final = 48

_TEMPLATE: Final = Path(__file__).parent / "letters.typ"


class LetterUnsuitable(ValueError):
    """The letter must not be printed; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a letter goes. `lines` begin with the street; city and the rest are set where they are known apart."""

    lines: tuple[str, ...]
    city: str = ""
    subdivision: str = ""
    postal_code: str = ""
    country: str = ""

    def envelope_lines(self) -> tuple[str, ...]:
        """Return the lines on the envelope without the name; none where there is no more than a region."""
        place = " ".join(part for part in (self.postal_code, self.city) if part)
        region = self.subdivision
        if _ISO_SUBDIVISION.fullmatch(region):
            region = list_subdivisions(region[:2]).get(region, "")
        if not place and not any(line.strip() for line in self.lines):
            return ()
        last_line = ", ".join(part for part in (place, region) if part)
        return tuple(line for line in (*self.lines, last_line) if line.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The sender of a letter, and the address that undelivered letters go back to."""

    name: str
    lines: tuple[str, ...] = ()
    tax_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A document that is owed, by concept, in minor units of its currency."""

    number: str
    due_date: date
    currency: str
    principal_minor: int
    interest_minor: int
    fees_minor: int
    total_minor: int

    def __post_init__(self) -> None:
        """Refuse an item that does not add up."""
        if self.principal_minor + self.interest_minor + self.fees_minor != self.total_minor:
            raise LetterUnsuitable(f"The document {self.number} does not add up.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter to one person. `reference` finds the contact again; `payment_reference` is what a payment names."""

    reference: str
    day: date
    country: str
    recipient: str
    address: Address
    sender: Sender
    creditor: str
    creditor_tax_id: str
    subject: str
    body: str
    items: tuple[Item, ...]
    how_to_pay: str
    how_to_object: str
    payment_reference: str = ""
    language: str = "es"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Letters printed together: the PDF with its cover sheet, and how many sheets each letter takes, by reference."""

    pdf: bytes
    sheets: dict[str, int]


def render_batch(letters: Sequence[Letter], *, code: str, at: datetime) -> Batch:
    """Return the letters of a batch in one PDF behind a cover sheet, each on sheets of its own.

    Raises LetterUnsuitable: for a letter without name, address or reference, one reference twice, none or too many.
    """
    references = [letter.reference for letter in letters]
    if not letters or len(letters) > BATCH_LIMIT:
        raise LetterUnsuitable(f"A batch takes 1 to {BATCH_LIMIT} letters, not {len(letters)}.")
    if len(set(references)) != len(references):
        raise LetterUnsuitable("A reference appears twice in the batch.")
    sheet = build_sheet(letters, code=code, at=at)
    return Batch(pdf=sheet.pdf(at=at), sheets=dict(zip(references, sheet.metadata("sheets"), strict=True)))


def build_sheet(letters: Sequence[Letter], *, code: str, at: datetime) -> TypstDocument:
    """Return the document of some letters, to be made PDF; with a batch code a cover comes first."""
    data: dict[str, Any] = {"letters": [_letter_data(letter) for letter in letters]}
    if code:
        data["cover"] = _cover_data(letters, code, at)
    return TypstDocument(_TEMPLATE, data)


def _cover_data(letters: Sequence[Letter], code: str, at: datetime) -> dict[str, Any]:
    """Return the cover, which tells the printer what must come out: references only, no names."""
    with translation.override(letters[0].language):
        return {
            "title": _("Print batch"),
            "code": displayable_text(code),
            "bars": bar_widths(code),
            "paper": _paper_size(letters[0].country),
            "made": at.strftime("%Y-%m-%d %H:%M UTC"),
            "notice": _("One side only. Fold so that only the address shows; close every envelope."),
            "words": {
                "letters": _("Letters"),
                "sheets": _("Sheets, without this one"),
                "made": _("Made"),
                "reference": _("Reference"),
                "paper": _("Paper"),
            },
            "references": [displayable_text(letter.reference) for letter in letters],
        }


def _letter_data(letter: Letter) -> dict[str, Any]:
    """Return the texts and codes of one letter for letters.typ. Raises LetterUnsuitable."""
    _check_complete(letter)
    locale = resolve_locale(letter.language, letter.country)
    with translation.override(letter.language):
        texts = {
            "recipient": letter.recipient,
            "day": format_date(letter.day, "long", locale),
            "sender": [letter.sender.name, *letter.sender.lines, letter.sender.tax_id],
            "creditor": " · ".join(part for part in (letter.creditor, letter.creditor_tax_id) if part),
            "subject": letter.subject,
            "body": [part.strip() for part in letter.body.split("\n\n") if part.strip()],
            "tables": _item_tables(letter.items, locale),
            "how_to_pay": letter.how_to_pay.strip(),
            "how_to_object": letter.how_to_object.strip(),
            "reference": letter.reference,
            "payment_reference": letter.payment_reference,
            "words": _labels(),
        }
    return displayable_data(texts) | {
        "lang": letter.language.partition("-")[0],
        "paper": _paper_size(letter.country),
        "window": _window_lines(letter),
        "bars": bar_widths(letter.reference),
        "payment_bars": bar_widths(letter.payment_reference),
    }


def _check_complete(letter: Letter) -> None:
    """Raise LetterUnsuitable, naming all that is missing, for a letter that must not be printed."""
    required = {
        "reference": letter.reference,
        "name": letter.recipient,
        "address": " ".join(letter.address.envelope_lines()),
        "words": letter.body,
        "creditor": letter.creditor,
    }
    missing = " and no ".join(name for name, text in required.items() if not text.strip())
    if missing:
        raise LetterUnsuitable(f"The letter {letter.reference or '-'} has no {missing}.")


def _window_lines(letter: Letter) -> list[str]:
    """Return what shows through the window, cut to fit; the courier's file has all of it."""
    shown = []
    for line in (letter.recipient, *letter.address.envelope_lines()):
        # Zero-width spaces only serve to break long words in the text, and would count as characters here.
        text = displayable_text(line, unseen=False).replace("\u200b", "")
        text = " ".join(text.split())
        if len(text) > _WINDOW_CHARACTERS:
            text = text[: _WINDOW_CHARACTERS - 1] + "…"
        if text:
            shown.append(text)
    return shown[:_WINDOW_LINES]


def _item_tables(items: Sequence[Item], locale: Locale) -> list[dict[str, Any]]:
    """Return one table per currency, each with its own total."""
    by_currency: dict[str, list[Item]] = {}
    for item in items:
        by_currency.setdefault(item.currency, []).append(item)
    item_tables = []
    for currency, currency_items in by_currency.items():
        rows = []
        for item in currency_items:
            due_date = format_date(item.due_date, "short", locale)
            rows.append([item.number, due_date, *_format_amounts([item], locale)])
        total = _format_amounts(currency_items, locale)
        item_tables.append({"currency": currency, "rows": rows, "total": total})
    return item_tables


def _format_amounts(items: Sequence[Item], locale: Locale) -> list[str]:
    """Return principal, interest, fees and total of items of one currency, summed and formatted."""
    sums_minor = (
        sum(item.principal_minor for item in items),
        sum(item.interest_minor for item in items),
        sum(item.fees_minor for item in items),
        sum(item.total_minor for item in items),
    )
    return [format_minor(sum_minor, items[0].currency, locale) for sum_minor in sums_minor]


def _labels() -> dict[str, str]:
    """Return the fixed words of a letter in the active language."""
    return {
        "creditor": _("Creditor"),
        "document": _("Document"),
        "due": _("Due date"),
        "principal": _("Principal"),
        "interest": _("Interest"),
        "fees": _("Fees and taxes"),
        "total": _("Total"),
        "how_to_pay": _("How to pay"),
        "how_to_object": _("How to object"),
        "payment_reference": _("Payment reference"),
        "reference": _("Reference"),
        "page": _("Page"),
        "of": _("of"),
    }


def _paper_size(country: str) -> str:
    return "us-letter" if country in US_LETTER else "a4"
