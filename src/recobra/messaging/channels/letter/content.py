"""Make the letter of a contact: what the dispatcher handed over, the debtor's address, the documents it speaks of.

A letter is frozen as plain values when it is handed over: what is printed days later is what was judged and recorded.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from recobra.messaging.channels.letter.pdf import Address, Item, Letter, LetterUnsuitable, Sender
from recobra.messaging.models import Contact
from recobra.portfolio.models import Creditor
from recobra.portfolio.statement import Document, fetch_statements

_LINE: Final = 44
_INTEREST: Final = ("INTEREST", "LATE_INTEREST")
_POSTAL: Final = re.compile(r"(?<!\d)(\d{4,7}(?:-\d{3})?)(?!\d)")


def build_reference(contact: Contact) -> str:
    """Return what letter, bar code and courier name a contact by: country and number, no data of the debtor's."""
    return f"{contact.portfolio.country}-{contact.pk:010}"


def build_letter(contact: Contact, *, subject: str, text: str, address: str, day: date, back_to: str = "") -> Letter:
    """Return the letter of a contact, as of the debtor's day. Raises LetterUnsuitable.

    Documents, how to pay and how to object are added where the text itself does not say them: a letter says each once.
    """
    creditor = contact.debtor.creditor
    statement = fetch_statements({contact.debtor_id: day})[contact.debtor_id].without_held()
    documents = statement.overdue or statement.upcoming
    said = " ".join(text.split())
    letter = Letter(
        reference=build_reference(contact),
        day=day,
        country=contact.debtor.country or contact.portfolio.country,
        recipient=contact.debtor.name,
        address=parse_address(address, contact),
        sender=_sender(creditor, back_to),
        creditor=creditor.name,
        creditor_tax_id=creditor.tax_id,
        subject=subject,
        body=text,
        items=() if all(d.number in said for d in documents) else tuple(map(_item, documents)),
        how_to_pay=_unsaid(creditor.payment_instructions, said),
        how_to_object=_unsaid(creditor.complaint_contact, said),
        language=contact.debtor.language or "es",
    )
    if not letter.address.written():
        raise LetterUnsuitable(f"The letter {letter.reference} has no address.")
    return letter


def parse_address(text: str, contact: Contact) -> Address:
    """Read an address that is one text: lines as they are, else broken at commas to fit the window."""
    parts = [part.strip() for part in re.split(r"[\n;]", text) if part.strip()]
    if len(parts) == 1:
        parts = _broken(parts[0])
    return Address(
        lines=tuple(parts),
        subdivision=contact.debtor.subdivision,
        country=contact.debtor.country or contact.portfolio.country,
    )


def route_area(text: str, subdivision: str) -> str:
    """Return what an address is grouped by on a route: subdivision and postal code, or its last part as the city."""
    numbers = _POSTAL.findall(text)
    postal = numbers[-1] if len(numbers) > 1 or _POSTAL.search(text.rpartition(",")[2]) else ""
    city = text.replace("\n", ",").rpartition(",")[2].strip()
    return " ".join(part for part in (subdivision, postal or city.casefold()) if part)


def letter_to_json(letter: Letter) -> dict[str, Any]:
    """Return a letter as JSON can hold it."""
    plain = asdict(letter) | {"day": letter.day.isoformat()}
    plain["items"] = [asdict(item) | {"due_date": item.due_date.isoformat()} for item in letter.items]
    return plain


def letter_from_json(content: dict[str, Any]) -> Letter:
    """Return the letter that was frozen."""
    items = tuple(Item(**item | {"due_date": date.fromisoformat(item["due_date"])}) for item in content["items"])
    address = content["address"]
    sender = content["sender"]
    return Letter(
        **content
        | {
            "day": date.fromisoformat(content["day"]),
            "items": items,
            "address": Address(**address | {"lines": tuple(address["lines"])}),
            "sender": Sender(**sender | {"lines": tuple(sender["lines"])}),
        }
    )


def _item(document: Document) -> Item:
    sums = document.concepts_minor
    principal, interest = sums.get("PRINCIPAL", 0), sum(sums.get(name, 0) for name in _INTEREST)
    return Item(
        number=document.number,
        due_date=document.due_date,
        currency=document.currency,
        principal_minor=principal,
        interest_minor=interest,
        fees_minor=document.owed_minor - principal - interest,
        total_minor=document.owed_minor,
    )


def _sender(creditor: Creditor, back_to: str) -> Sender:
    """Return who writes: the agency where one collects, else the creditor; undelivered letters go to `back_to`."""
    address = back_to or creditor.agency_address or creditor.address
    lines = tuple(part.strip() for part in re.split(r"[\n;]", address) if part.strip())
    return Sender(name=creditor.agency_name or creditor.name, lines=lines)


def _unsaid(text: str, said: str) -> str:
    return "" if " ".join(text.split()) in said else text.strip()


def _broken(text: str) -> list[str]:
    lines: list[str] = []
    for part in (piece.strip() for piece in text.split(",")):
        if lines and len(lines[-1]) + len(part) + 2 <= _LINE:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return [line for line in lines if line]
