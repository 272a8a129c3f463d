"""Phone numbers and addresses in the stored form, and the other spellings of the same line.

A debtor's wish holds for the line, however a provider spells it. Sources: Mexico dropped the mobile «1» on 2019-08-03
(IFT, Plan Técnico Fundamental de Numeración); Argentine mobiles carry a «9» only when called from abroad (ENACOM,
Resolución 46/1997); Brazil put a «9» before mobile numbers (Anatel, Resolução 553/2010), and WhatsApp accounts older
than that keep the short form.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from recobra_core.channels import KIND_BY_CHANNEL

PHONE: Final = "PHONE"
EMAIL: Final = "EMAIL"
SENDER: Final = "sender:"
"""Begins the address of somebody whose number the provider does not show; its own id of the person follows."""
ADDRESS_MAX: Final = 320
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
    if bare.startswith(SENDER):
        return bare
    if kind == PHONE:
        digits = _NOT_DIGITS.sub("", bare)
        return f"+{digits}" if digits else ""
    if kind == EMAIL:
        inside = _IN_BRACKETS.search(bare)
        return (inside.group(1) if inside else bare).strip().lower()
    return bare


def sender_address(sender_id: str) -> str:
    """Return the address that stands for somebody without a number, known by an id of the provider's or not at all."""
    # A longer one is no id: its digest tells it apart, and an index takes it.
    short = sender_id if len(sender_id) <= ADDRESS_MAX else hashlib.sha256(sender_id.encode()).hexdigest()
    return f"{SENDER}{short}"


def has_number(address: str) -> bool:
    """Tell if an address is one that can be written to, and not the id of somebody without a number."""
    return 0 < len(address) <= ADDRESS_MAX and not address.startswith(SENDER)


def has_letters(written: str) -> bool:
    """Tell if a number is written with letters, such as the name by which a shop sends SMS."""
    bare = _SCHEME.sub("", written.strip())
    return not bare.startswith(SENDER) and any(character.isalpha() for character in bare)


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
