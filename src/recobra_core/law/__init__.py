"""Law of contact: what each country lets a collector do, as dated data, and the gate that every contact passes."""

from recobra_core.law.caps import CAPS, build_caps
from recobra_core.law.cautions import CAUTION
from recobra_core.law.clauses import BREACHES, PLACES, PURPOSES, ROLES
from recobra_core.law.company_rules import LAW_ALONE, CompanyRules, merge_company_rules, read_company_rules
from recobra_core.law.conformity import Loosening, find_loosenings
from recobra_core.law.consent import resolve_consent
from recobra_core.law.files import load_countries
from recobra_core.law.gate import CANDIDATE, HISTORY, add_defaults, add_holds_until, join_openings, judge_candidates
from recobra_core.law.opening_hours import OPENINGS, OpeningKey, build_openings, zones_for
from recobra_core.law.penalties import COMPANY_DECIDES, breach_of, find_penalty
from recobra_core.law.sentences import SENTENCES
from recobra_core.law.subdivisions import find_subdivision, list_subdivisions
from recobra_core.law.tables import to_arrow

__all__ = [
    "BREACHES",
    "CANDIDATE",
    "CAPS",
    "CAUTION",
    "COMPANY_DECIDES",
    "HISTORY",
    "LAW_ALONE",
    "OPENINGS",
    "PLACES",
    "PURPOSES",
    "ROLES",
    "SENTENCES",
    "CompanyRules",
    "Loosening",
    "OpeningKey",
    "add_defaults",
    "add_holds_until",
    "breach_of",
    "build_caps",
    "build_openings",
    "find_loosenings",
    "find_penalty",
    "find_subdivision",
    "join_openings",
    "judge_candidates",
    "list_subdivisions",
    "load_countries",
    "merge_company_rules",
    "read_company_rules",
    "resolve_consent",
    "to_arrow",
    "zones_for",
]
