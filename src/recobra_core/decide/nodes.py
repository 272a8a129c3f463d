"""Reader of documents that does not stop at the first fault: every problem is kept with its place."""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple, TypeVar

_Read = TypeVar("_Read")

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
TEXT_MAX = 500
SHOWN_MAX = 60
"""Characters of a faulty value that a problem shows."""
AMOUNT_BOUND = Decimal(10) ** 15


class Expected(NamedTuple):
    """What a place in the document should hold, in English and in Spanish."""

    en: str
    es: str


@dataclass(frozen=True)
class Problem:
    """One fault of a document: where it is, what stands there (empty: nothing) and what should."""

    path: str
    found: str
    expected: Expected

    def message(self, lang: str = "es") -> str:
        """Return the problem as a sentence."""
        if lang == "es":
            return f"{self.path or 'documento'}: se encontró {self.found or 'nada'}; se esperaba {self.expected.es}."
        return f"{self.path or 'document'}: found {self.found or 'nothing'}; expected {self.expected.en}."


A_MAPPING = Expected("a group of fields", "un grupo de campos")
A_LIST = Expected("a list", "una lista")
A_TEXT = Expected(f"a text of 1 to {TEXT_MAX} characters", f"un texto de 1 a {TEXT_MAX} caracteres")
A_KEY = Expected(
    "a key of lower-case letters, digits, - and _ (50 at most)",
    "una clave de minúsculas, dígitos, - y _ (50 como máximo)",
)
AN_AMOUNT = Expected("an amount in units of the currency, 0 or more", "un importe en unidades de la moneda, 0 o más")
YES_OR_NO = Expected("yes or no", "yes (sí) o no")


class Node:
    """A value of the document and its path. All nodes of a document share one list of problems.

    A reader that finds a wrong value records a problem and returns a stand-in, so that reading goes on.
    """

    def __init__(self, value: Any, path: str, problems: list[Problem]) -> None:
        self.value = value
        self.path = path
        self._problems = problems

    @property
    def has_value(self) -> bool:
        """Tell if a value is written here; null is none."""
        return self.value is not None

    def has_field(self, key: str) -> bool:
        """Tell if a field is written, even as null."""
        return isinstance(self.value, dict) and key in self.value

    def refuse(self, expected: Expected, *, found: str | None = None) -> None:
        """Record a problem here; `found` is shown in place of the value."""
        if found is None:
            found = f"«{_shorten(str(self.value))}»" if self.has_value else ""
        self._problems.append(Problem(self.path, found, expected))

    def get_field(self, key: str) -> "Node":
        """Return the field of a mapping; an absent one holds nothing."""
        path = f"{self.path}.{key}" if self.path else key
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(value, path, self._problems)

    def check_fields(self, *known: str) -> bool:
        """Return whether this is a mapping; refuse each unknown field, and suggest the nearest known one."""
        if not isinstance(self.value, dict):
            self.refuse(A_MAPPING)
            return False
        for key in self.value:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                self.get_field(str(key)).refuse(_one_of(near or known), found=f"«{key}»")
        return True

    def read_items(self) -> list["Node"]:
        """Return the items of a list; an absent one is empty."""
        if self.value is None:
            return []
        if not isinstance(self.value, list | tuple):
            self.refuse(A_LIST)
            return []
        return [Node(item, f"{self.path}[{at}]", self._problems) for at, item in enumerate(self.value)]

    def read_text(self) -> str:
        """Read a text, which must not be blank."""
        if not isinstance(self.value, str) or not 0 < len(self.value.strip()) <= TEXT_MAX:
            self.refuse(A_TEXT)
            return ""
        return self.value.strip()

    def read_key(self) -> str:
        """Read a key: the name by which a step or segment is remembered."""
        if not isinstance(self.value, str) or not _KEY.fullmatch(self.value):
            self.refuse(A_KEY)
            return ""
        return self.value

    def read_number(self, low: int, high: int) -> int:
        """Read a whole number between two limits, both included."""
        # The exact type, for True is an int too.
        if type(self.value) is not int or not low <= self.value <= high:
            self.refuse(Expected(f"a whole number from {low} to {high}", f"un número entero de {low} a {high}"))
            return low
        return self.value

    def read_amount(self) -> Decimal:
        """Read an amount in major units without passing through binary fractions."""
        if isinstance(self.value, int | float | str | Decimal) and not isinstance(self.value, bool):
            try:
                # Through text: a float read from YAML carries its binary fraction.
                amount = Decimal(str(self.value))
            except InvalidOperation:
                amount = Decimal("NaN")
            if amount.is_finite() and 0 <= amount < AMOUNT_BOUND:
                return amount
        self.refuse(AN_AMOUNT)
        return Decimal(0)

    def read_choice(self, options: Iterable[str]) -> str:
        """Read one of the given words."""
        options = tuple(options)
        if self.value not in options:
            self.refuse(_one_of(options))
            return options[0]
        return str(self.value)

    def read_yes_or_no(self) -> Literal["yes", "no"]:
        """Read yes or no; YAML turns the bare words into booleans."""
        if not isinstance(self.value, bool) and self.value not in ("yes", "no"):
            self.refuse(YES_OR_NO)
        return "yes" if self.value is True or self.value == "yes" else "no"

    def read_optional(self, read: Callable[["Node"], _Read]) -> _Read | None:
        """Return what `read` makes of this node, or None where nothing is written."""
        return read(self) if self.has_value else None


def _shorten(text: str) -> str:
    return f"{text[:SHOWN_MAX]}…" if len(text) > SHOWN_MAX else text


def _one_of(options: Iterable[str]) -> Expected:
    """Return the expectation of one of the given words."""
    listed = ", ".join(options)
    return Expected(f"one of: {listed}", f"uno de: {listed}")
