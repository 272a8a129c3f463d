"""Prices in millionths of the currency's major unit: an SMS costs less than a cent."""

from django.db import migrations

from recobra_core.money import EXPONENTS, MICROS_DECIMALS

_TABLES = ("contact_provider", "contact_contact")


def _factor() -> str:
    """Say in SQL how many micros a minor unit has: ten thousand with two decimals, also for a code not in ISO 4217."""
    others: dict[int, list[str]] = {}
    for currency, exponent in EXPONENTS.items():
        if exponent != 2:
            others.setdefault(exponent, []).append(f"'{currency}'")
    cases = " ".join(
        f"WHEN price_currency IN ({', '.join(codes)}) THEN {10 ** (MICROS_DECIMALS - exponent)}"
        for exponent, codes in sorted(others.items())
    )
    return f"CASE {cases} ELSE {10 ** (MICROS_DECIMALS - 2)} END"


# Unknown and free messages, often most of a large outbox, are not rewritten.
_TO_MICROS = "; ".join(
    f"UPDATE {table} SET price_micros = price_micros * {_factor()} WHERE price_micros <> 0" for table in _TABLES
)
# Back again, what is below the minor unit is rounded half up.
_TO_MINOR = "; ".join(
    f"UPDATE {table} SET price_micros = round(price_micros::numeric / {_factor()}) WHERE price_micros <> 0"
    for table in _TABLES
)


class Migration(migrations.Migration):
    dependencies = [("contact", "0004_contact_buttons")]

    operations = [
        migrations.RenameField("provider", "price_minor", "price_micros"),
        migrations.RenameField("contact", "price_minor", "price_micros"),
        migrations.RunSQL(_TO_MICROS, _TO_MINOR),
    ]
