"""Time zones in which somebody may live, as one text such as `America/Lima|America/Bogota`: a key to join by."""

from collections.abc import Iterable

_SEPARATOR = "|"


def join_zones(names: Iterable[str]) -> str:
    """Return names of time zones as one text, '' for none."""
    return _SEPARATOR.join(names)


def split_zones(zones: str) -> tuple[str, ...]:
    """Return the names of time zones in a text of `join_zones`."""
    return tuple(zones.split(_SEPARATOR)) if zones else ()
