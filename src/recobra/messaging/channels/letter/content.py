"""Content of the letter of a contact: text, addresses and the documents it is about.

It is stored as JSON when the letter is handed over: what is printed days later is what the gate checked and recorded.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from recobra.messaging.channels.letter.pdf import Address, Item, Letter, LetterUnsuitable, Sender
from recobra.messaging.models import Contact
from recobra.payments.owed import fetch_statements
from recobra.portfolio.statement import Document

_LINE_CHARACTERS: Final = 44
_INTEREST: Final = ("INTEREST", "LATE_INTEREST")
_POSTAL_CODE: Final = re.compile(r"(?<!\d)(\d{4,7}(?:-\d{3})?)(?!\d)")


def build_reference(contact: Contact) -> str:
    """Return the reference of a contact for letter, bar code and courier: country and number, no personal data."""
    return f"{contact.portfolio.country}-{contact.pk:010}"


def build_letter(
    contact: Contact, *, subject: str, text: str, address: str, day: date, return_address: str = ""
) -> Letter:
    """Return the letter of a contact, as of the debtor's day. Raises LetterUnsuitable.

    Documents, how to pay and how to object are added where the text itself does not say them.
    """
    creditor = contact.debtor.creditor
    statement = fetch_statements({contact.debtor_id: day})[contact.debtor_id].without_held()
    documents = statement.overdue or statement.upcoming
    one_line = " ".join(text.split())
    names_all_documents = all(document.number in one_line for document in documents)
    letter = Letter(
        reference=build_reference(contact),
        day=day,
        country=contact.debtor.country or contact.portfolio.country,
        recipient=contact.debtor.name,
        address=parse_address(address, contact),
        # The agency writes where one collects, else the creditor.
        sender=Sender(
            name=creditor.agency_name or creditor.name,
            lines=_split_lines(return_address or creditor.agency_address or creditor.address),
        ),
        creditor=creditor.name,
        creditor_tax_id=creditor.tax_id,
        subject=subject,
        body=text,
        items=() if names_all_documents else tuple(_build_item(document) for document in documents),
        how_to_pay=_unless_in(one_line, creditor.payment_instructions),
        how_to_object=_unless_in(one_line, creditor.complaint_contact),
        language=contact.debtor.language or "es",
    )
    if not letter.address.envelope_lines():
        raise LetterUnsuitable(f"The letter {letter.reference} has no address.")
    return letter


def parse_address(text: str, contact: Contact) -> Address:
    """Read an address from one text: its lines, or one line broken at commas to fit the window."""
    lines = _split_lines(text)
    return Address(
        lines=_break_line(lines[0]) if len(lines) == 1 else lines,
        subdivision=contact.debtor.subdivision,
        country=contact.debtor.country or contact.portfolio.country,
    )


def route_area(text: str, subdivision: str) -> str:
    """Return the area of an address on a route: subdivision and postal code, or its last part as the city."""
    numbers = _POSTAL_CODE.findall(text)
    _before, _comma, last_part = text.rpartition(",")
    # A single number is a postal code only in the last part; elsewhere it is the number of the house.
    has_postal_code = len(numbers) > 1 or _POSTAL_CODE.search(last_part) is not None
    if has_postal_code:
        area = numbers[-1]
    else:
        _before, _comma, city = text.replace("\n", ",").rpartition(",")
        area = city.strip().casefold()
    return " ".join(part for part in (subdivision, area) if part)


def letter_to_json(letter: Letter) -> dict[str, Any]:
    """Return a letter as JSON."""
    content = asdict(letter)
    content["day"] = letter.day.isoformat()
    for item in content["items"]:
        item["due_date"] = item["due_date"].isoformat()
    content["items"] = list(content["items"])
    return content


def letter_from_json(content: dict[str, Any]) -> Letter:
    """Return the letter of `letter_to_json`, whose keys are the fields; JSON has no dates and no tuples."""
    fields = dict(content)
    fields["day"] = date.fromisoformat(content["day"])
    items = []
    for item in content["items"]:
        item_fields = dict(item)
        item_fields["due_date"] = date.fromisoformat(item["due_date"])
        items.append(Item(**item_fields))
    fields["items"] = tuple(items)
    address = dict(content["address"])
    address["lines"] = tuple(address["lines"])
    fields["address"] = Address(**address)
    sender = dict(content["sender"])
    sender["lines"] = tuple(sender["lines"])
    fields["sender"] = Sender(**sender)
    return Letter(**fields)


def _build_item(document: Document) -> Item:
    """Return a document as a row of the letter's table, its concepts summed into principal, interest and fees."""
    principal = document.concepts_minor.get("PRINCIPAL", 0)
    interest = sum(document.concepts_minor.get(concept, 0) for concept in _INTEREST)
    return Item(
        number=document.number,
        due_date=document.due_date,
        currency=document.currency,
        principal_minor=principal,
        interest_minor=interest,
        fees_minor=document.owed_minor - principal - interest,
        total_minor=document.owed_minor,
    )


def _unless_in(letter_text: str, text: str) -> str:
    """Return a text, '' where the letter already contains it; line breaks and spaces make no difference."""
    return "" if " ".join(text.split()) in letter_text else text.strip()


def _split_lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"[\n;]", text) if part.strip())


def _break_line(text: str) -> tuple[str, ...]:
    """Return an address of one line as lines of up to _LINE_CHARACTERS, broken at its commas."""
    lines: list[str] = []
    for piece in text.split(","):
        part = piece.strip()
        if lines and len(f"{lines[-1]}, {part}") <= _LINE_CHARACTERS:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return tuple(line for line in lines if line)
