"""Numbers that stand in for no identity document: general-public and foreigner ids, by country, and dummies.

Who has one of these has shown nobody's document, so they tell nobody apart. The patterns are read alike by Python,
DuckDB and PostgreSQL. Read in November 2026.
"""

from __future__ import annotations

from typing import Final

# By country: the pattern of the bare value, and who says that it stands for nobody.
BY_COUNTRY: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "AR": (
        (r"(50|51|55)[0-9]{9}", "ARCA, «CUIT país»: one for all residents of a foreign country"),
        (r"23000000000", "dummy of invoicing programs for a final consumer"),
    ),
    "BO": ((r"9900[123]", "SIN: 99001 foreigner without NIT, 99002 tax control, 99003 small sales of the day"),),
    "CO": ((r"22222222222[0-9]?", "DIAN, technical annex of electronic invoices: final consumer, 222222222222"),),
    "EC": ((r"9{10}(999|001)?", "SRI, technical sheet of electronic receipts: final consumer, 9999999999999"),),
    "MX": (
        (r"X[AE]XX010101[0-9A-Z]{0,3}", "SAT, Resolución Miscelánea Fiscal, generic RFC: general public, foreigners"),
        (r"XEXX010101[HM]NEXXX[A0-9][0-9]", "SAT, catalogue of payroll receipts: generic CURP"),
    ),
    "PY": ((r"(4{6}|6{6}|7{6}|8{6}|9{6})01[0-9]?", "DNIT: 44444401-7 customers without a name, and its brothers"),),
}
_RUNS: Final = "|".join(f"{figure}{{5,}}" for figure in "0123456789")
_LONG_RUNS: Final = "|".join(f"{figure}{{7,}}" for figure in "0123456789")
# In every country: no figure at all (S/N, «no tiene», CF), one figure repeated (also within prefix and check digit),
# figures that count up or down.
EVERYWHERE: Final = (
    r"[^0-9]*",
    r"0*[A-Z]?",
    rf"[A-Z]?({_RUNS})[A-Z]?",
    rf"[0-9A-Z]{{1,2}}({_LONG_RUNS})[0-9A-Z]?",
    rf"({_LONG_RUNS})[0-9A-Z]",
    r"0?123456789?0?",
    r"987654321?0?",
)


def pattern(country: str) -> str:
    """Return the pattern, to be matched whole, of what stands in for no id in a country."""
    own = [value for value, _source in BY_COUNTRY.get(country, ())]
    return "|".join(f"({part})" for part in (*own, *EVERYWHERE))


# How people write in the column of a number that there is none.
_NO_NUMBER: Final = (
    r"[^0-9A-Z]*",
    r"0+",
    r"[^0-9A-Z]*(S|SIN|N|NO)[ ./-]*(N|A|D|NUM|NUMERO|NÚMERO|CODIGO|CÓDIGO|DOC|DOCUMENTO|TIENE|APLICA)[.º°]*",
    r"NINGUNO|NULL|NONE|NAN|VARIOS|C/?F|CONSUMIDOR FINAL|PUBLICO (EN )?GENERAL|PÚBLICO (EN )?GENERAL",
)


def number_pattern(country: str) -> str:
    """Return the pattern, to be matched whole in capitals, of what stands in for no customer number in a country.

    Figures that are dummies as a document, such as 1111, may be a customer number.
    """
    own = [value for value, _source in BY_COUNTRY.get(country, ())]
    return "|".join(f"({part})" for part in (*own, *_NO_NUMBER))
