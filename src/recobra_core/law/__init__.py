"""What the law of each country lets a collector do, as dated data, and the gate that every contact passes."""

from recobra_core.law.caps import CAPS, caps_table
from recobra_core.law.clauses import PLACES, PURPOSES, ROLES
from recobra_core.law.company_rules import LAW_ALONE, House, merged, read_house
from recobra_core.law.conformity import Loosening, check_house
from recobra_core.law.files import LawFileError, countries
from recobra_core.law.gate import CANDIDATE, HISTORY, holding, open_at, verdicts, with_defaults
from recobra_core.law.opening_hours import OPENINGS, Key, openings, zones_for
from recobra_core.law.sentences import SENTENCES
from recobra_core.law.tables import arrow_of

__all__ = [
    "CANDIDATE",
    "CAPS",
    "HISTORY",
    "LAW_ALONE",
    "OPENINGS",
    "PLACES",
    "PURPOSES",
    "ROLES",
    "SENTENCES",
    "House",
    "Key",
    "LawFileError",
    "Loosening",
    "arrow_of",
    "caps_table",
    "check_house",
    "countries",
    "holding",
    "merged",
    "open_at",
    "openings",
    "read_house",
    "verdicts",
    "with_defaults",
    "zones_for",
]
