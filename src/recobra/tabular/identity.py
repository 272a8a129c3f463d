"""National ids: the kinds of each country, and the check of values.

`python-stdnum` checks the kinds whose check digit it knows; a pattern checks the others. No Django here.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Final


@dataclass(frozen=True)
class Kind:
    """One kind of id; `module` is its checker in stdnum, `pattern` what its bare characters look like."""

    code: str
    pattern: str
    module: str = ""


_RFC: Final = Kind("MX_RFC", r"[A-ZÑ&]{3,4}\d{6}[0-9A-Z]{0,3}", "mx.rfc")
# By country: the kind of a person, then that of a company.
KINDS: Final = {
    "AR": (Kind("AR_DNI", r"\d{7,8}"), Kind("AR_CUIT", r"\d{11}", "ar.cuit")),
    "BO": (Kind("BO_CI", r"\d{5,10}[A-Z0-9]{0,3}"), Kind("BO_NIT", r"\d{7,13}")),
    "BR": (Kind("BR_CPF", r"\d{11}", "br.cpf"), Kind("BR_CNPJ", r"[0-9A-Z]{12}\d{2}", "br.cnpj")),
    "CL": (Kind("CL_RUT", r"\d{7,8}[0-9K]", "cl.rut"), Kind("CL_RUT", r"\d{7,8}[0-9K]", "cl.rut")),
    "CO": (Kind("CO_CC", r"\d{5,10}"), Kind("CO_NIT", r"\d{9,10}", "co.nit")),
    "CR": (Kind("CR_CPF", r"\d{9,10}", "cr.cpf"), Kind("CR_CPJ", r"\d{10}", "cr.cpj")),
    "DO": (Kind("DO_CEDULA", r"\d{11}", "do.cedula"), Kind("DO_RNC", r"\d{9}", "do.rnc")),
    "EC": (Kind("EC_CI", r"\d{10}", "ec.ci"), Kind("EC_RUC", r"\d{13}", "ec.ruc")),
    "ES": (Kind("ES_NIF", r"[0-9A-Z]{9}", "es.nif"), Kind("ES_NIF", r"[0-9A-Z]{9}", "es.nif")),
    "GT": (Kind("GT_CUI", r"\d{13}"), Kind("GT_NIT", r"\d{2,11}[0-9K]", "gt.nit")),
    "HN": (Kind("HN_DNI", r"\d{13}"), Kind("HN_RTN", r"\d{14}")),
    "MX": (_RFC, _RFC),
    "PA": (Kind("PA_CEDULA", r"(\d{1,2}|PE|E|N|\d{1,2}(AV|PI))\d{4,11}"), Kind("PA_RUC", r"[0-9A-Z]{5,20}")),
    "PE": (Kind("PE_DNI", r"\d{8}"), Kind("PE_RUC", r"\d{11}", "pe.ruc")),
    "PY": (Kind("PY_CI", r"\d{5,8}"), Kind("PY_RUC", r"\d{5,9}", "py.ruc")),
    "SV": (Kind("SV_DUI", r"\d{9}"), Kind("SV_NIT", r"\d{14}", "sv.nit")),
    "US": (Kind("US_SSN", r"\d{9}", "us.ssn"), Kind("US_EIN", r"\d{9}", "us.ein")),
    "UY": (Kind("UY_CI", r"\d{7,8}"), Kind("UY_RUT", r"\d{12}", "uy.rut")),
}
# Kinds that only the file itself can name.
EXTRA: Final = (
    Kind("MX_CURP", r"[A-Z]{4}\d{6}[A-Z]{6}[0-9A-Z]\d", "mx.curp"),
    Kind("ES_NIE", r"[XYZ]\d{7}[A-Z]", "es.nie"),
    Kind("ES_CIF", r"[A-Z]\d{7}[0-9A-Z]", "es.cif"),
    Kind("PE_CE", r"[0-9A-Z]{6,12}"),
    Kind("CO_CE", r"\d{4,10}"),
    Kind("AR_CUIL", r"\d{11}", "ar.cuit"),
    Kind("PASSPORT", r"[0-9A-Z]{5,15}"),
)


@cache
def catalogue() -> dict[str, Kind]:
    """Return every known kind by its code."""
    kinds: list[Kind] = []
    for person, company in KINDS.values():
        kinds += [person, company]
    kinds += EXTRA
    return {kind.code: kind for kind in kinds}


@cache
def _checker(module: str) -> ModuleType:
    """Return the checker of one kind of id in stdnum, imported once."""
    return importlib.import_module(f"stdnum.{module}")


def is_valid(code: str, value: str) -> bool | None:
    """Return whether a bare value can be an id of this kind; None where the kind is not known."""
    kind = catalogue().get(code)
    if kind is None:
        return None
    if not re.fullmatch(kind.pattern, value):
        return False
    return bool(_checker(kind.module).is_valid(value)) if kind.module else True


def are_valid(pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
    """Return `is_valid` of each pair."""
    return [is_valid(code, value) for code, value in pairs]


def kind_sql(country: str) -> str:
    """Return SQL that chooses a kind from `kind` and `national_id`; the other kind where only its pattern fits."""
    if country not in KINDS:
        return "''"
    person, company = KINDS[country]
    fits_person = f"regexp_full_match(national_id, '{person.pattern}')"
    fits_company = f"regexp_full_match(national_id, '{company.pattern}')"
    return (
        f"CASE WHEN national_id IS NULL THEN '' "
        f"WHEN kind = 'COMPANY' AND ({fits_company} OR NOT {fits_person}) THEN '{company.code}' "
        f"WHEN kind = 'COMPANY' OR {fits_person} OR NOT {fits_company} THEN '{person.code}' ELSE '{company.code}' END"
    )


def pattern_kinds() -> dict[str, str]:
    """Return the patterns of the kinds without a check digit, by code, so that SQL can check them."""
    return {code: kind.pattern for code, kind in catalogue().items() if not kind.module}
