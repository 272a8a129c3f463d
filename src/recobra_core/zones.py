"""Time zones in which somebody may live, as one text such as `America/Lima|America/Bogota`: a key to join by."""

import zoneinfo
from collections.abc import Iterable

import tzdata

OLDEST_RELEASE = "2025b"
"""The release since which the data knows every clock that the law's data judges by: that of Aysén came last."""
_SEPARATOR = "|"


def pin_zones() -> None:
    """Read time zones from the package `tzdata` alone, whatever the machine has. Raises RuntimeError: it is too old."""
    if zone_release() < OLDEST_RELEASE:
        raise RuntimeError(f"tzdata holds the time zones of {zone_release()}; {OLDEST_RELEASE} or later was expected.")
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()


def zone_release() -> str:
    """Return the release of the tz database that judges hours, such as 2026f."""
    return str(tzdata.IANA_VERSION)


def join_zones(names: Iterable[str]) -> str:
    """Return names of time zones as one text, '' for none."""
    return _SEPARATOR.join(names)


def split_zones(zones: str) -> tuple[str, ...]:
    """Return the names of time zones in a text of `join_zones`."""
    return tuple(zones.split(_SEPARATOR)) if zones else ()
