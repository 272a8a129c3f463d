"""Cautions of our own: rules that no law asks for, marked as such wherever they are named."""

from typing import Final, Protocol

CAUTION: Final = "default"
"""The basis of a rule that is no law. A company may decide on it, with its eyes open (`company_rules`)."""
MARK: Final = "caution of ours, not law: "
"""Goes before the source of such a rule, unless that says so itself."""
_OWN_WORDS: Final = "project default"


class _Sourced(Protocol):
    """A rule, clause or cap."""

    @property
    def basis(self) -> str: ...

    @property
    def source(self) -> str: ...


def cite(rule: _Sourced) -> str:
    """Return the source of a rule as a verdict names it: a caution of ours is marked, whatever it leans on."""
    if rule.basis != CAUTION or _OWN_WORDS in rule.source:
        return rule.source
    return f"{MARK}{rule.source}"


def is_caution(source: str) -> bool:
    """Tell if what a verdict names as its source (`cite`) is a caution of ours."""
    # A law that we widen says «…: project default» at its end, and stays law.
    return source.startswith((MARK, "no rule found in law:")) or f"{_OWN_WORDS}:" in source
