"""Sections of a country's file beyond hours and caps, read and checked: from third parties to replies and fees."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict

from recobra_core.channels import CHANNELS
from recobra_core.law.clauses import (
    ROLES,
    Clause,
    FeeBand,
    Fees,
    Limitation,
    Offers,
    Replies,
    Sections,
    Stop,
    ThirdParties,
    Workplace,
)
from recobra_core.law.model import ALWAYS
from recobra_core.law.nodes import BASES, NOTHING, Node

SECTIONS = ("third_parties", "workplace", "stops", "limitation", "replies", "offers", "fees")
FEE_FACTS = ("agreed", "proven", "tariff")
_COMMON = ("effective_from", "basis", "source", "certainty", "note")


class _CommonFields(TypedDict):
    """The fields that every clause has; see `Clause`."""

    place: str
    rule: str
    effective_from: date
    basis: str
    source: str
    certainty: str
    note: str | None


def read_sections(node: Node, *, place: str, complete: bool) -> Sections:
    """Read the sections of a country, or those that a subdivision has. Raises LawFileError.

    `complete`: every section must be there, and all but the stops must say something of every day.
    """
    sections: dict[str, tuple[Any, ...]] = {}
    for name in SECTIONS:
        if name not in node.raw and not complete:
            continue
        clauses = tuple(_READERS[name](child, place) for child in node.get_children(name))
        versions = {(clause.rule, clause.effective_from) for clause in clauses}
        if len(versions) != len(clauses):
            raise node.error(name, "one version per rule and day", [clause.rule for clause in clauses])
        if complete and name != "stops" and not clauses:
            raise node.error(name, "at least one entry", [])
        sections[name] = clauses
    return Sections(**sections)


def _read_common(node: Node, place: str, name: str, *own_keys: str) -> _CommonFields:
    """Return the fields that every clause has; `own_keys` are the keys that its section may hold besides."""
    node.check_keys(*_COMMON, *own_keys)
    return {
        "place": place,
        "rule": f"{place}/{name}",
        "effective_from": node.get("effective_from", date, None) or ALWAYS,
        "basis": node.get_choice("basis", BASES),
        "source": node.get("source", str),
        "certainty": node.get("certainty", str),
        "note": node.get("note", str, None),
    }


def _read_third_parties(node: Node, place: str) -> ThirdParties:
    roles = node.get_names("roles", ROLES)
    return ThirdParties(roles=roles, **_read_common(node, place, "third-parties", "roles"))


def _read_workplace(node: Node, place: str) -> Workplace:
    return Workplace(
        channels=node.get_names("channels", CHANNELS), **_read_common(node, place, "workplace", "channels")
    )


def _read_stop(node: Node, place: str) -> Stop:
    """Read a reason to hold that the law names; each reason is a rule of its own."""
    reason = node.get("reason", str)
    return Stop(reason=reason, **_read_common(node, place, f"stop/{reason.lower().replace('_', '-')}", "reason"))


def _read_limitation(node: Node, place: str) -> Limitation:
    """Read the limitation of debts; if it bars contact it must say after how many years."""
    years = node.get("years", int, None)
    bars = node.get("bars_contact", bool)
    if bars and (years is None or years < 1):
        raise node.error("years", "a number of years where the law bars contact", years)
    return Limitation(
        years=years, bars_contact=bars, **_read_common(node, place, "limitation", "years", "bars_contact")
    )


def _read_replies(node: Node, place: str) -> Replies:
    """Read how long an answer counts as one, and the holds under which nobody is answered."""
    return Replies(
        within_hours=node.get("within_hours", int),
        any_hour_minutes=node.get("any_hour_minutes", int),
        refused_holds=node.get_names("refused_holds"),
        **_read_common(node, place, "replies", "within_hours", "any_hour_minutes", "refused_holds"),
    )


def _read_offers(node: Node, place: str) -> Offers:
    required = node.get_choice("consent", ("required", "not_required")) == "required"
    return Offers(consent_required=required, **_read_common(node, place, "offers", "consent"))


def _read_fees(node: Node, place: str) -> Fees:
    """Read what collection may cost the debtor; parts that the law does not have stay None, 0 or ()."""
    own_keys = (
        "rule",
        "needs",
        "none_if_supervised",
        "scale_uf",
        "share",
        "cap_usd",
        "after_days",
        "once",
        "free_notice",
    )
    bands = []
    if "scale_uf" in node.raw:
        bands = [_read_band(band) for band in node.get_children("scale_uf")]
    notice = node.get_child("free_notice", NOTHING)
    notice.check_keys("days", "penalty_uf")
    return Fees(
        text=node.get("rule", str),
        needs=node.get_names("needs", FEE_FACTS),
        none_if_supervised=node.get("none_if_supervised", bool, False),
        scale_uf=tuple(bands),
        share=_get_decimal(node, "share"),
        cap_usd=_get_decimal(node, "cap_usd"),
        after_days=node.get("after_days", int, 0),
        once=node.get_choice("once", ("instalment", "month")) if "once" in node.raw else None,
        notice_days=notice.get("days", int) if notice.raw else None,
        penalty_uf=_get_decimal(notice, "penalty_uf"),
        **_read_common(node, place, "fees", *own_keys),
    )


def _read_band(node: Node) -> FeeBand:
    """Read a band of the fee scale, which must have a rate."""
    node.check_keys("up_to", "rate")
    top = node.get("up_to", int, None)
    rate = _get_decimal(node, "rate")
    if rate is None:
        raise node.error("rate", "a share such as '0.09'", None)
    return FeeBand(up_to_uf=Decimal(top) if top is not None else None, rate=rate)


def _get_decimal(node: Node, key: str) -> Decimal | None:
    """Read a number written as text, so that it stays exact."""
    text = node.get(key, str, None)
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise node.error(key, "a number such as '0.09'", text) from None


_READERS: dict[str, Callable[[Node, str], Clause]] = {
    "third_parties": _read_third_parties,
    "workplace": _read_workplace,
    "stops": _read_stop,
    "limitation": _read_limitation,
    "replies": _read_replies,
    "offers": _read_offers,
    "fees": _read_fees,
}
