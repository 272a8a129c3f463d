"""The form of a provider, made of what its adapter asks for; secrets go in and are never shown."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from babel.numbers import NumberFormatError, format_decimal, parse_decimal
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _

from recobra.console.templatetags.console import numbers_of
from recobra.messaging.providers.operations import ProviderKind
from recobra_core.money import MICROS_DECIMALS, units_of

ALWAYS: Final = (
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
_AMOUNT: Final = re.compile(r"-?[0-9.,]{1,24}")
_SWAPPED: Final = str.maketrans(".,", ",.")
_EXAMPLE: Final = Decimal("0.0079")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the adapter's as the page draws it; `kept` says that a secret is there already."""

    name: str
    label: str | Promise
    kind: str
    required: bool
    help: str | Promise
    choices: tuple[tuple[str, str | Promise], ...]
    value: str
    kept: bool
    error: str


class Unreadable(Exception):
    """What was typed is no number; `errors` say so by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(errors.values()))
        self.errors = dict(errors)


def fields(
    kind: ProviderKind, *, given: Mapping[str, Any], kept: frozenset[str], errors: Mapping[str, str], typed: bool
) -> list[Field]:
    """Return the adapter's own fields; `given` are kept settings, or the form's where it was `typed`."""
    return [
        Field(
            name=f"{_PREFIX}{each.name}",
            label=each.label,
            kind=each.kind,
            help=each.help,
            choices=each.choices,
            required=each.required and each.name not in kept,
            value="" if each.kind == "secret" else _value(given, each.name, each.default, typed=typed),
            kept=each.name in kept,
            error=errors.get(each.name, ""),
        )
        for each in kind.settings
    ]


def _value(given: Mapping[str, Any], name: str, default: str, *, typed: bool) -> str:
    return str(given.get(f"{_PREFIX}{name}", "")) if typed else str(given.get(name, default))


def start(kind: ProviderKind) -> dict[str, str]:
    """Return what the form of a new provider begins with."""
    return {
        "code": slugify(kind.kind.replace("_", "-")),
        "name": str(kind.label),
        "rank": "100",
        "price_currency": "USD",
        "price": "0",
    }


def of_provider(provider: Any, *, country: str) -> dict[str, str]:
    """Return what the form of a saved provider begins with, its price as the country writes it."""
    rate = provider.rate_per_second
    return {
        "code": provider.code,
        "name": provider.name,
        "country": provider.country,
        "rank": str(provider.rank),
        "rate_per_second": "" if rate is None else f"{rate:g}",
        "price_currency": provider.price_currency,
        "price": _written_amount(units_of(provider.price_micros), country),
        "enabled": "1" if provider.enabled else "",
    }


def written(kind: ProviderKind, posted: Mapping[str, Any], *, country: str) -> dict[str, Any]:
    """Return a form as `save_provider` takes it, its price read as the country writes it. Raises Unreadable."""
    errors: dict[str, str] = {}
    text = {name: str(posted.get(name, "")).strip() for name in ALWAYS}
    found = {
        "rate_per_second": _rate(text["rate_per_second"], errors),
        "rank": _rank(text["rank"], errors),
        "price_micros": _price(text["price"], country, errors),
    }
    if errors:
        raise Unreadable(errors)
    secrets = {each.name: posted.get(f"{_PREFIX}{each.name}", "") for each in kind.settings if each.kind == "secret"}
    settings = {each.name: posted.get(f"{_PREFIX}{each.name}", "") for each in kind.settings if each.kind != "secret"}
    return {
        **found,
        "code": text["code"],
        "kind": kind.kind,
        "name": text["name"],
        "settings": settings,
        "secrets": secrets,
        "country": text["country"].upper(),
        "price_currency": text["price_currency"].upper(),
        "enabled": bool(text["enabled"]),
    }


def _rate(text: str, errors: dict[str, str]) -> float | None:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        errors["rate_per_second"] = _("A number is expected.")
        return None


def _rank(text: str, errors: dict[str, str]) -> int:
    if text.isdecimal() and len(text) < 6:
        return int(text)
    errors["rank"] = _("A whole number is expected.")
    return 0


def _price(text: str, country: str, errors: dict[str, str]) -> int:
    """Read the price of one message as micros."""
    amount = _amount(text, country) if text else Decimal(0)
    if amount is None:
        said = _("%(found)s is no price that can be read: one like %(example)s is expected.")
        errors["price"] = said % {"found": text, "example": _written_amount(_EXAMPLE, country)}
        return 0
    decimals = _decimals(amount)
    if decimals > MICROS_DECIMALS:
        said = _("%(found)s has %(decimals)d decimals; at most %(most)d are expected.")
        errors["price"] = said % {"found": text, "decimals": decimals, "most": MICROS_DECIMALS}
        return 0
    return int(amount.scaleb(MICROS_DECIMALS))


def _amount(text: str, country: str) -> Decimal | None:
    """Read an amount as the country writes it; what cannot be that, with comma and point the other way round."""
    plain = "".join(text.split())
    if not _AMOUNT.fullmatch(plain):
        return None
    for each in (plain, plain.translate(_SWAPPED)):
        with contextlib.suppress(NumberFormatError):
            return parse_decimal(each, locale=numbers_of(country), strict=True)
    return None


def _written_amount(amount: Decimal, country: str) -> str:
    return format_decimal(amount, "0.######", locale=numbers_of(country))


def _decimals(amount: Decimal) -> int:
    """Return how many decimals there are without the zeros at the end."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
