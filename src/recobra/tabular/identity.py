"""National ids: the kinds of each country, and the check of values.

`python-stdnum` checks the kinds whose check digit it knows; a pattern checks the others. No Django here.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Final

from recobra_core.folding import fold_name

from . import stand_ins


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


# Names that people use for a kind, by country; the codes themselves are known everywhere.
NAMES: Final[dict[str, dict[str, str]]] = {
    "AR": {"dni": "AR_DNI", "cuit": "AR_CUIT", "cuil": "AR_CUIL"},
    "BO": {"ci": "BO_CI", "cedula": "BO_CI", "carnet": "BO_CI", "nit": "BO_NIT"},
    "BR": {"cpf": "BR_CPF", "cnpj": "BR_CNPJ"},
    "CL": {"rut": "CL_RUT", "run": "CL_RUT"},
    "CO": {
        "cc": "CO_CC",
        "cedula": "CO_CC",
        "ceduladeciudadania": "CO_CC",
        "nit": "CO_NIT",
        "ce": "CO_CE",
        "ceduladeextranjeria": "CO_CE",
    },
    "CR": {"cedula": "CR_CPF", "cpf": "CR_CPF", "cedulafisica": "CR_CPF", "cpj": "CR_CPJ", "cedulajuridica": "CR_CPJ"},
    "DO": {"cedula": "DO_CEDULA", "rnc": "DO_RNC"},
    "EC": {"ci": "EC_CI", "cedula": "EC_CI", "ruc": "EC_RUC"},
    "ES": {"nif": "ES_NIF", "dni": "ES_NIF", "nie": "ES_NIE", "cif": "ES_CIF"},
    "GT": {"cui": "GT_CUI", "dpi": "GT_CUI", "nit": "GT_NIT"},
    "HN": {"dni": "HN_DNI", "identidad": "HN_DNI", "rtn": "HN_RTN"},
    "MX": {"rfc": "MX_RFC", "curp": "MX_CURP"},
    "PA": {"cedula": "PA_CEDULA", "ruc": "PA_RUC"},
    "PE": {
        "dni": "PE_DNI",
        "1": "PE_DNI",
        "ruc": "PE_RUC",
        "6": "PE_RUC",
        "ce": "PE_CE",
        "carnetdeextranjeria": "PE_CE",
        "4": "PE_CE",
        "7": "PASSPORT",
    },
    "PY": {"ci": "PY_CI", "cedula": "PY_CI", "ruc": "PY_RUC"},
    "SV": {"dui": "SV_DUI", "nit": "SV_NIT"},
    "US": {"ssn": "US_SSN", "ein": "US_EIN"},
    "UY": {"ci": "UY_CI", "cedula": "UY_CI", "rut": "UY_RUT"},
}
# Figures of the documents that may begin with a zero, shortest first.
WIDTHS: Final[dict[str, tuple[int, ...]]] = {
    "BR": (11, 14),
    "CR": (9,),
    "DO": (9, 11),
    "EC": (10, 13),
    "HN": (13, 14),
    "PE": (8,),
    "SV": (9, 14),
    "US": (9,),
}
_PASSPORT_NAMES: Final = ("pasaporte", "passport", "pas", "pp")
# Kinds whose numbers may be those of another kind of the same country, so that the number alone proves no person.
SHARED: Final = frozenset({"PE_CE", "CO_CE", "PASSPORT"})
_FEWEST_FIGURES: Final = 4

PROOF: Final = "PROOF"
DOUBTFUL: Final = "DOUBTFUL"
INVALID: Final = "INVALID"
STAND_IN: Final = "STAND_IN"
UNKNOWN: Final = "UNKNOWN"


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


def judge(country: str, code: str, value: str) -> str:
    """Return what a bare value proves: PROOF, DOUBTFUL, INVALID, STAND_IN or, of no known kind, UNKNOWN.

    A DOUBTFUL one is of a registry that breaks its own check digit: it proves somebody only with the same name.
    """
    if re.fullmatch(stand_ins.pattern(country), value):
        return STAND_IN
    valid = is_valid(code, value)
    if valid is None:
        return UNKNOWN
    if not valid:
        return DOUBTFUL if code == "EC_RUC" and re.fullmatch(_EC_UNCHECKED, value) else INVALID
    if sum(character.isdecimal() for character in value) < _FEWEST_FIGURES:
        return INVALID
    return DOUBTFUL if code == "MX_RFC" and not _is_rfc_checked(value) else PROOF


# Companies (third figure 9) and public bodies (6), whose check digit the tax authority no longer computes.
_EC_UNCHECKED: Final = r"(0[1-9]|1[0-9]|2[0-4]|30)[69]\d{7}(?!000)\d{3}"


def _is_rfc_checked(value: str) -> bool:
    """Return whether an RFC is whole and its check digit is right; some that the SAT gave out are not."""
    return len(value) >= 12 and bool(_checker("mx.rfc").is_valid(value, validate_check_digits=True))


def is_proof(country: str, code: str, value: str) -> bool:
    """Return whether a stored id proves by itself who somebody is."""
    name = re.sub("[^a-z0-9]", "", fold_name(code))
    return judge(country, kind_names(country).get(name, ""), value) == PROOF


def kind_names(country: str) -> dict[str, str]:
    """Return the codes of the kinds by every name that a file of a country may give them, bare and in lower case."""
    names = {code.lower().replace("_", ""): code for code in catalogue()}
    names |= dict.fromkeys(_PASSPORT_NAMES, "PASSPORT")
    return names | NAMES.get(country, {})


def kind_sql(country: str, *, kind: str = "kind", national_id: str = "national_id") -> str:
    """Return SQL that chooses a kind from that of the debtor and the id; the other kind where only its pattern fits."""
    if country not in KINDS:
        return "''"
    person, company = KINDS[country]
    fits_person = f"regexp_full_match({national_id}, '{person.pattern}')"
    fits_company = f"regexp_full_match({national_id}, '{company.pattern}')"
    return (
        f"CASE WHEN {national_id} IS NULL THEN '' "
        f"WHEN {kind} = 'COMPANY' AND ({fits_company} OR NOT {fits_person}) THEN '{company.code}' "
        f"WHEN {kind} = 'COMPANY' OR {fits_person} OR NOT {fits_company} THEN '{person.code}' ELSE '{company.code}' END"
    )


def pattern_kinds() -> dict[str, str]:
    """Return the patterns of the kinds without a check digit, by code, so that SQL can check them."""
    return {code: kind.pattern for code, kind in catalogue().items() if not kind.module}
