"""The form of a provider, built from the settings of its adapter; secrets are written and never shown."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypedDict

from babel.numbers import NumberFormatError, format_decimal, parse_decimal
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _

from recobra.kit.typed_numbers import number_locale
from recobra.messaging.providers.operations import ProviderKind
from recobra.messaging.providers.queries import Provider
from recobra_core.money import MICROS_DECIMALS, units_of

COMMON_FIELDS: Final = (
    "code",
    "name",
    "country",
    "rank",
    "rate_per_second",
    "price",
    "price_currency",
    "enabled",
)
_PREFIX: Final = "setting-"
_RANK_DIGITS_MAX: Final = 5
_AMOUNT: Final = re.compile(r"-?[0-9.,]{1,24}")
# Exchanges points and commas.
_SWAPPED: Final = str.maketrans(".,", ",.")
_EXAMPLE_PRICE: Final = Decimal("0.0079")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderField:
    """A setting of the adapter as a form field; with `is_stored` a secret has a value already."""

    name: str
    label: str | Promise
    kind: str
    required: bool
    help: str | Promise
    choices: tuple[tuple[str, str | Promise], ...]
    value: str
    is_stored: bool
    error: str


class FormUnreadable(Exception):
    """A number of the form cannot be read; `errors` by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(errors.values()))
        self.errors = dict(errors)


def provider_fields(
    kind: ProviderKind,
    *,
    posted: Mapping[str, str] | None,
    saved: Mapping[str, Any],
    stored_secrets: frozenset[str],
    errors: Mapping[str, str],
) -> list[ProviderField]:
    """Return the fields of the adapter's settings, as they were `posted` or, with None, as they are `saved`."""
    fields = []
    for setting in kind.settings:
        if setting.kind == "secret":
            value = ""
        elif posted is not None:
            value = posted.get(f"{_PREFIX}{setting.name}", "")
        else:
            value = str(saved.get(setting.name, setting.default))
        fields.append(
            ProviderField(
                name=f"{_PREFIX}{setting.name}",
                label=setting.label,
                kind=setting.kind,
                help=setting.help,
                choices=setting.choices,
                # An empty secret keeps the stored one.
                required=setting.required and setting.name not in stored_secrets,
                value=value,
                is_stored=setting.name in stored_secrets,
                error=errors.get(setting.name, ""),
            )
        )
    return fields


def initial_values(kind: ProviderKind) -> dict[str, str]:
    """Return the values of the form of a new provider."""
    return {
        "code": slugify(kind.kind.replace("_", "-")),
        "name": str(kind.label),
        "rank": "100",
        "price_currency": "USD",
        "price": "0",
    }


def saved_values(provider: Provider, *, country: str) -> dict[str, str]:
    """Return the values of the form of a saved provider; the price as the country writes it."""
    rate = provider.rate_per_second
    return {
        "code": provider.code,
        "name": provider.name,
        "country": provider.country,
        "rank": str(provider.rank),
        "rate_per_second": "" if rate is None else f"{rate:g}",
        "price_currency": provider.price_currency,
        "price": _format_amount(units_of(provider.price_micros), country),
        "enabled": "1" if provider.enabled else "",
    }


class ProviderValues(TypedDict):
    """The values of a form, as `save_provider` takes them."""

    code: str
    kind: str
    name: str
    settings: dict[str, str]
    secrets: dict[str, str]
    rate_per_second: float | None
    price_micros: int
    price_currency: str
    country: str
    rank: int
    enabled: bool


def read_form(kind: ProviderKind, posted: Mapping[str, str], *, country: str) -> ProviderValues:
    """Return the values of a form; the price is read as the country writes it. Raises FormUnreadable."""
    errors: dict[str, str] = {}
    text = {name: posted.get(name, "").strip() for name in COMMON_FIELDS}
    rate_per_second = _parse_rate(text["rate_per_second"], errors)
    rank = _parse_rank(text["rank"], errors)
    price_micros = _parse_price(text["price"], country, errors)
    if errors:
        raise FormUnreadable(errors)
    secrets: dict[str, str] = {}
    settings: dict[str, str] = {}
    for setting in kind.settings:
        group = secrets if setting.kind == "secret" else settings
        group[setting.name] = posted.get(f"{_PREFIX}{setting.name}", "")
    return {
        "code": text["code"],
        "kind": kind.kind,
        "name": text["name"],
        "settings": settings,
        "secrets": secrets,
        "rate_per_second": rate_per_second,
        "price_micros": price_micros,
        "price_currency": text["price_currency"].upper(),
        "country": text["country"].upper(),
        "rank": rank,
        "enabled": bool(text["enabled"]),
    }


def _parse_rate(text: str, errors: dict[str, str]) -> float | None:
    """Return a number of messages per second, None for no limit; a mistake is put into `errors`."""
    if not text:
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        errors["rate_per_second"] = _("A number is expected.")
        return None


def _parse_rank(text: str, errors: dict[str, str]) -> int:
    """Return the place of a provider in the order of its channel; a mistake is put into `errors`."""
    if text.isdecimal() and len(text) <= _RANK_DIGITS_MAX:
        return int(text)
    errors["rank"] = _("A whole number is expected.")
    return 0


def _parse_price(text: str, country: str, errors: dict[str, str]) -> int:
    """Return the price of one message in micros, 0 for an empty text; a mistake is put into `errors`."""
    amount = _parse_amount(text, country) if text else Decimal(0)
    if amount is None:
        message = _("%(found)s is no price that can be read: one like %(example)s is expected.")
        errors["price"] = message % {"found": text, "example": _format_amount(_EXAMPLE_PRICE, country)}
        return 0
    decimals = _count_decimals(amount)
    if decimals > MICROS_DECIMALS:
        message = _("%(found)s has %(decimals)d decimals; at most %(most)d are expected.")
        errors["price"] = message % {"found": text, "decimals": decimals, "most": MICROS_DECIMALS}
        return 0
    return int(amount.scaleb(MICROS_DECIMALS))


def _parse_amount(text: str, country: str) -> Decimal | None:
    """Return an amount as the country writes it, None for what is no amount."""
    compact = "".join(text.split())
    if not _AMOUNT.fullmatch(compact):
        return None
    # Prices are copied from the pages of providers, which write the decimal point.
    for candidate in (compact, compact.translate(_SWAPPED)):
        with contextlib.suppress(NumberFormatError):
            return parse_decimal(candidate, locale=number_locale(country), strict=True)
    return None


def _format_amount(amount: Decimal, country: str) -> str:
    """Return an amount as a country writes it, with up to six decimals."""
    return format_decimal(amount, "0.######", locale=number_locale(country))


def _count_decimals(amount: Decimal) -> int:
    """Return the number of decimals without trailing zeros."""
    exponent = amount.normalize().as_tuple().exponent
    # NaN and infinity have a letter there; `_AMOUNT` lets neither pass.
    if not isinstance(exponent, int):
        return 0
    return max(0, -exponent)
