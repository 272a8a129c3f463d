"""What the law of each country lets a collector do, as dated data, and the gate that every contact passes."""

from recobra_core.law.caps import caps_table
from recobra_core.law.files import LawFileError, countries
from recobra_core.law.gate import CANDIDATE, HISTORY, SENTENCES, open_at, verdicts
from recobra_core.law.opening_hours import OPENINGS, Key, openings, zones_for

__all__ = [
    "CANDIDATE",
    "HISTORY",
    "OPENINGS",
    "SENTENCES",
    "Key",
    "LawFileError",
    "caps_table",
    "countries",
    "open_at",
    "openings",
    "verdicts",
    "zones_for",
]
