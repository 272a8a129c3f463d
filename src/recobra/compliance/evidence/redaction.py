"""Redaction of a dossier: personal data that the reader's role does not need are masked before it is signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from recobra.access import masks
from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.access.roles import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """The personal data that one reader may see; `reader` is a user name, or `command`.

    `own_documents` are those of the debtor who is told of: they are masked in texts and references too.
    """

    reader: str
    contact_data: bool
    national_id: bool
    own_documents: tuple[str, ...] = ()

    def about(self, documents: Iterable[str]) -> Redaction:
        """Return the redaction for what is told of a debtor: the own document, and those of whoever was joined."""
        return replace(self, own_documents=tuple(documents))

    def address(self, value: str) -> str:
        """Return a number or address, masked unless it may be seen."""
        return value if self.contact_data else masks.mask_contact(value)

    def text(self, value: str) -> str:
        """Return a text, with the numbers and addresses in it masked unless they may be seen."""
        shown = self.reference(value)
        return shown if self.contact_data else masks.mask_text(shown)

    def reference(self, value: str) -> str:
        """Return a customer's or an account's number; where it is the debtor's document, it is masked like one."""
        if self.national_id:
            return value
        for document in self.own_documents:
            value = masks.mask_document_in(value, document)
        return value

    def document(self, value: str) -> str:
        """Return an identity document, masked unless it may be seen."""
        return value if self.national_id else masks.mask_document(value)

    @property
    def is_masked(self) -> bool:
        """Whether anything is masked. The dossier is then no exact copy, and says so."""
        return not (self.contact_data and self.national_id)


UNREDACTED: Final = Redaction(reader="command", contact_data=True, national_id=True)
"""For the command line: whoever has the machine and its data directory has the data."""


@consequence
def redaction_for(actor: Actor) -> Redaction:
    """Return the redaction for an actor's role."""
    return Redaction(
        reader=actor.name,
        contact_data=Right.SEE_CONTACT_DATA in actor.rights,
        national_id=Right.SEE_NATIONAL_ID in actor.rights,
    )
