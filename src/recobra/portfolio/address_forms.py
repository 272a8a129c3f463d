"""Phone numbers and addresses in the stored form, and the other spellings of the same line.

A debtor's wish holds for the line, however a provider spells it. Sources: Mexico dropped the mobile «1» on 2019-08-03
(IFT, Plan Técnico Fundamental de Numeración); Argentine mobiles carry a «9» only when called from abroad (ENACOM,
Resolución 46/1997); Brazil put a «9» before mobile numbers (Anatel, Resolução 553/2010), and WhatsApp accounts older
than that keep the short form.
"""

from __future__ import annotations

import re
from typing import Final

from recobra_core.channels import KIND_BY_CHANNEL

PHONE: Final = "PHONE"
EMAIL: Final = "EMAIL"
_NOT_DIGITS = re.compile(r"\D")
_SCHEME = re.compile(r"^(?:whatsapp|sms|tel|mailto):", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"<([^<>]+)>\s*$")
# How Python and PostgreSQL name a group that a digit follows.
_GROUP = re.compile(r"\\g<(\d)>")
_BY_DIGIT = r"\\\1"
# Pairs of spellings: the pattern of one, and how the other is made of its groups.
_TWINS: Final = (
    (re.compile(r"\+52(\d{10})"), r"+521\1"),
    (re.compile(r"\+521(\d{10})"), r"+52\1"),
    (re.compile(r"\+54([1-8]\d{9})"), r"+549\1"),
    (re.compile(r"\+549(\d{10})"), r"+54\1"),
    (re.compile(r"\+55(\d{2})([6-9]\d{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+55(\d{2})9([6-9]\d{7})"), r"+55\1\2"),
)


def point_kind(channel: str) -> str:
    """Return the kind of contact point that a channel reaches."""
    return KIND_BY_CHANNEL[channel]


def point_kind_sql(channel: str) -> str:
    """Return SQL for `point_kind` of an expression of type text; NULL for a channel that nobody knows."""
    cases = [f"WHEN '{name}' THEN '{kind}'" for name, kind in KIND_BY_CHANNEL.items()]
    return f"CASE {channel} {' '.join(cases)} END"


def normalise_address(value: str, *, kind: str) -> str:
    """Return an address in the form of `ContactPoint.value`: `+` and digits for a phone, lower case for an e-mail."""
    bare = _SCHEME.sub("", value.strip())
    if kind == PHONE:
        digits = _NOT_DIGITS.sub("", bare)
        return f"+{digits}" if digits else ""
    if kind == EMAIL:
        inside = _IN_BRACKETS.search(bare)
        return (inside.group(1) if inside else bare).strip().lower()
    return bare


def list_forms(value: str, *, kind: str) -> tuple[str, ...]:
    """Return a stored value and every other spelling under which the same line may be stored, itself first."""
    if kind != PHONE:
        return (value,)
    variants = [value]
    for pattern, other in _TWINS:
        match = pattern.fullmatch(value)
        if match:
            variants.append(match.expand(other))
    return tuple(dict.fromkeys(variants))


def forms_sql(value: str) -> str:
    """Return SQL for the array of a stored value and the other spelling of the same line, itself first.

    `value` is an expression of type text; anything but a number stays alone. `x = ANY(…)` of it uses indexes of x.
    """
    cases = []
    for pattern, other in _TWINS:
        # «+» and the country, without the backslash: cheaper to test than the pattern.
        prefix = pattern.pattern[1:4]
        replacement = _GROUP.sub(_BY_DIGIT, other)
        cases.append(
            f"WHEN starts_with({value}, '{prefix}') AND {value} ~ '^{pattern.pattern}$' THEN "
            f"ARRAY[{value}, regexp_replace({value}, '{pattern.pattern}', '{replacement}')]"
        )
    return f"CASE {' '.join(cases)} ELSE ARRAY[{value}] END"
