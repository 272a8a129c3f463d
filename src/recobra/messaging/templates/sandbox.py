"""The sandbox that templates are filled in by, because people write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from recobra.messaging.templates.facts import ConceptLine, CurrencyGroup, DocumentLine

_FIELDS: Final[Mapping[type, frozenset[str]]] = {
    row: frozenset(field.name for field in fields(row)) for row in (CurrencyGroup, DocumentLine, ConceptLine)
}
"""The fields of the rows that templates see: texts, numbers and other rows, never anything that can be called."""


class TemplateSandbox(SandboxedEnvironment):
    """Jinja's sandbox, which gives the declared fields of our own rows without asking whether they are safe.

    It is asked about everything else: methods, names with underscores, objects of any other class. A name that is not
    known is an error and not an empty space.
    """

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=autoescape, trim_blocks=True, lstrip_blocks=True)
        # Functions such as `range`, which no template that was saved can call, would be copied for each message.
        self.globals.clear()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute as a template reads it (Jinja calls this)."""
        # By the very class: a class derived from a row could make a property of a field.
        names = _FIELDS.get(type(obj))
        if names is not None and attribute in names:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)
