"""Whose eyes a dossier is for: what the role does not need is masked before anything is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from recobra.access import masks
from recobra.access.queries import User
from recobra.access.roles import Right, may


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What may be read; `name` is who reads."""

    name: str
    contact_data: bool
    national_id: bool

    def address(self, value: str) -> str:
        """Return a number or address as these eyes may see it."""
        return value if self.contact_data else masks.contact(value)

    def text(self, value: str) -> str:
        """Return words as these eyes may see them: without numbers and addresses where those are not theirs."""
        return value if self.contact_data else masks.prose(value)

    def document(self, value: str) -> str:
        """Return an identity document as these eyes may see it."""
        return value if self.national_id else masks.document(value)

    @property
    def masked(self) -> bool:
        """Tell if anything is masked: then the dossier is no exact copy, and says so."""
        return not (self.contact_data and self.national_id)


UNREDACTED: Final = Redaction(name="command", contact_data=True, national_id=True)
"""The command line: whoever has the machine and its data directory has the data."""


def redaction_for(user: User) -> Redaction:
    """Return what a user's role may read."""
    return Redaction(
        name=user.username, contact_data=may(user, Right.SEE_CONTACT_DATA), national_id=may(user, Right.SEE_NATIONAL_ID)
    )
