"""ISO 4217 currencies and their exponents, and the way in and out of minor units.

Source: ISO 4217:2015, list one, with the amendments to 2025 (ANG, BGN and HRK stay readable for old debts). CLDR
gives other decimals for some, which is how people show amounts and not how they are kept.
Units of account that follow an index (UVA, UDI) have no code here or are tables; CLF and UYW have four decimals.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Literal

Rounding = Literal["half_even", "half_up", "down"]
AMOUNT_LIMIT = 10**12
"""In major units: from here on an amount is no debt but a slip, and below it rules are exact (`rules/exact.py`)."""
_LARGEST_DIGITS = 15  # of minor units: what every spreadsheet still holds exactly

_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
        CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
        HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU
        MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG
        SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
        XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS: dict[str, int] = {}
for _exponent, _codes in _BY_EXPONENT.items():
    _EXPONENTS |= dict.fromkeys(_codes.split(), _exponent)
EXPONENTS: Mapping[str, int] = MappingProxyType(_EXPONENTS)
_MODES = {"half_even": ROUND_HALF_EVEN, "half_up": ROUND_HALF_UP, "down": ROUND_DOWN}


class MoneyError(ValueError):
    """An amount or a currency that cannot be kept. The text names it."""


def exponent_of(currency: str) -> int:
    """Return how many decimals the currency keeps. Raises MoneyError for a code that is not in ISO 4217."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise MoneyError(f"{currency!r} is not an ISO 4217 currency code.") from None


def largest_minor(currency: str) -> int:
    """Return the largest amount that is kept anywhere, in minor units. Raises MoneyError as `exponent_of`."""
    return int(min(AMOUNT_LIMIT * 10 ** exponent_of(currency), 10**_LARGEST_DIGITS)) - 1


def to_minor(amount: Decimal, currency: str, *, rounding: Rounding | None = None) -> int:
    """Return the amount in minor units. Without `rounding`, decimals the currency does not have are refused.

    Raises MoneyError for that, for an amount that is not a number, and for one beyond `largest_minor`.
    """
    exponent = exponent_of(currency)
    if not amount.is_finite():
        raise MoneyError(f"{amount} {currency} is not an amount that can be kept.")
    # Before scaling: a huge exponent would make a number of as many digits.
    if abs(amount) >= AMOUNT_LIMIT:
        raise MoneyError(f"{amount} {currency} is not an amount that can be kept.")
    minor = round_whole(amount.scaleb(exponent), rounding=rounding or "down")
    if rounding is None and Decimal(minor).scaleb(-exponent) != amount:
        raise MoneyError(f"{amount} {currency} has more than the {exponent} decimals of the currency.")
    # Rounding may have lifted it over the limit.
    if abs(minor) > largest_minor(currency):
        raise MoneyError(f"{amount} {currency} is not an amount that can be kept.")
    return minor


def from_minor(amount_minor: int, currency: str) -> Decimal:
    """Return the amount in major units, exact, with the currency's decimals."""
    return Decimal(amount_minor).scaleb(-exponent_of(currency))


def round_whole(value: Decimal, *, rounding: Rounding) -> int:
    """Return a whole number by a named rounding; `down` is towards zero."""
    return int(value.to_integral_value(rounding=_MODES[rounding]))
