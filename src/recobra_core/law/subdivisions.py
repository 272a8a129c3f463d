"""States, provinces, departments and regions: their codes, and how people write them (`subdivisions.yaml`)."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType

from recobra_core import yaml_text
from recobra_core.folding import strip_accents

SIGNS = "[^a-z0-9]+"
"""Whatever parts the words of a name."""
PREFIX = "^(provincia|departamento|dpto|depto|estado|edo|region|comunidad autonoma|state) ((de|del|do|da|of) )?"
"""The word for a subdivision before its name, «Departamento de Cusco», without accents, capitals and signs."""


def fold_subdivision(written: str) -> str:
    """Return a name or code as they are compared: «Provincia de Entre Ríos» is «entre rios», «PE-LIM» is «pe lim»."""
    plain = re.sub(SIGNS, " ", strip_accents(written.lower())).strip()
    return re.sub(PREFIX, "", plain)


@cache
def list_subdivisions(country: str) -> Mapping[str, str]:
    """Return the subdivisions of a country, PE-LIM and its name, «Lima», in order of code; none without rules."""
    named = _load_names().get(country, {})
    return MappingProxyType({f"{country}-{code}": names[0] for code, names in named.items()})


@cache
def subdivision_codes(country: str) -> Mapping[str, str]:
    """Return the code, such as PE-LIM, for everything by which a subdivision may be written, folded."""
    codes: dict[str, str] = {}
    for part, names in _load_names()[country].items():
        code = f"{country}-{part}"
        codes |= {fold_subdivision(form): code for form in (*names, part, code)}
    return MappingProxyType(codes)


@lru_cache(maxsize=4096)
def find_subdivision(country: str, written: str) -> str | None:
    """Return the code of a subdivision of a country with rules, None where it has none of that name or code."""
    return subdivision_codes(country).get(fold_subdivision(written))


@cache
def _load_names() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return by country and code the names of its subdivisions, the one to show first."""
    text = (resources.files("recobra_core.law") / "subdivisions.yaml").read_text(encoding="utf-8")
    countries = yaml_text.load(text)
    return MappingProxyType(
        {
            country: MappingProxyType({code: tuple(names) for code, names in parts.items()})
            for country, parts in countries.items()
        }
    )
