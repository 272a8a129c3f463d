"""Read and check the sections beyond hours and caps: from third parties and stops to replies and fees."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from recobra_core.law.clauses import (
    ROLES,
    Clause,
    Fees,
    Limitation,
    Offers,
    Replies,
    Sections,
    Stop,
    ThirdParties,
    Workplace,
)
from recobra_core.law.model import ALWAYS, CHANNELS
from recobra_core.law.nodes import BASES, NOTHING, Node

SECTIONS = ("third_parties", "workplace", "stops", "limitation", "replies", "offers", "fees")
FEE_FACTS = ("agreed", "proven", "tariff")
_COMMON = ("effective_from", "basis", "source", "certainty", "note")


def read_sections(node: Node, *, place: str, complete: bool) -> Sections:
    """Read the sections of a country, or those that a subdivision has. Raises LawFileError.

    `complete`: every section must be there, and all but the stops must say something of every day.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for name in SECTIONS:
        if name not in node.raw and not complete:
            continue
        clauses = tuple(_READERS[name](each, place) for each in node.children(name))
        _once_a_day(node, name, clauses)
        if complete and name != "stops" and not clauses:
            raise node.wrong(name, "at least one entry", [])
        found[name] = clauses
    return Sections(**found)


def _once_a_day(node: Node, name: str, clauses: tuple[Clause, ...]) -> None:
    seen = [(clause.rule, clause.effective_from) for clause in clauses]
    if len(set(seen)) != len(seen):
        raise node.wrong(name, "one version per rule and day", [rule for rule, _ in seen])


def _common(node: Node, place: str, name: str, *own: str) -> dict[str, Any]:
    node.only(*_COMMON, *own)
    return {
        "place": place,
        "rule": f"{place}/{name}",
        "effective_from": node.get("effective_from", date, None) or ALWAYS,
        "basis": node.one_of("basis", BASES),
        "source": node.get("source", str),
        "certainty": node.get("certainty", str),
        "note": node.get("note", str, None),
    }


def _third_parties(node: Node, place: str) -> ThirdParties:
    roles = node.names("roles", ROLES)
    return ThirdParties(roles=roles, **_common(node, place, "third-parties", "roles"))


def _workplace(node: Node, place: str) -> Workplace:
    return Workplace(channels=node.names("channels", CHANNELS), **_common(node, place, "workplace", "channels"))


def _stop(node: Node, place: str) -> Stop:
    reason = node.get("reason", str)
    return Stop(reason=reason, **_common(node, place, f"stop/{slug_of(reason)}", "reason"))


def _limitation(node: Node, place: str) -> Limitation:
    years = node.get("years", int, None)
    bars = node.get("bars_contact", bool)
    if bars and (years is None or years < 1):
        raise node.wrong("years", "a number of years where the law bars contact", years)
    return Limitation(years=years, bars_contact=bars, **_common(node, place, "limitation", "years", "bars_contact"))


def _replies(node: Node, place: str) -> Replies:
    own = ("within_hours", "any_hour_minutes", "refused_holds")
    return Replies(
        within_hours=node.get("within_hours", int),
        any_hour_minutes=node.get("any_hour_minutes", int),
        refused_holds=node.names("refused_holds"),
        **_common(node, place, "replies", *own),
    )


def _offers(node: Node, place: str) -> Offers:
    required = node.one_of("consent", ("required", "not_required")) == "required"
    return Offers(consent_required=required, **_common(node, place, "offers", "consent"))


def _fees(node: Node, place: str) -> Fees:
    own = (
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
    notice = node.child("free_notice", NOTHING)
    notice.only("days", "penalty_uf")
    return Fees(
        text=node.get("rule", str),
        needs=node.names("needs", FEE_FACTS),
        none_if_supervised=node.get("none_if_supervised", bool, False),
        scale_uf=tuple(_band(each) for each in node.children("scale_uf")) if "scale_uf" in node.raw else (),
        share=_decimal(node, "share"),
        cap_usd=_decimal(node, "cap_usd"),
        after_days=node.get("after_days", int, 0),
        once=node.one_of("once", ("instalment", "month")) if "once" in node.raw else None,
        notice_days=notice.get("days", int) if notice.raw else None,
        penalty_uf=_decimal(notice, "penalty_uf"),
        **_common(node, place, "fees", *own),
    )


def _band(node: Node) -> tuple[Decimal | None, Decimal]:
    node.only("up_to", "rate")
    top = node.get("up_to", int, None)
    rate = _decimal(node, "rate")
    if rate is None:
        raise node.wrong("rate", "a share such as '0.09'", None)
    return (None if top is None else Decimal(top)), rate


def _decimal(node: Node, key: str) -> Decimal | None:
    """Read a number written as text, so that it stays exact."""
    text = node.get(key, str, None)
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        raise node.wrong(key, "a number such as '0.09'", text) from None


def slug_of(reason: str) -> str:
    """SUIT_SERVED as it stands in a rule's name: suit-served."""
    return reason.lower().replace("_", "-")


_READERS: dict[str, Callable[[Node, str], Clause]] = {
    "third_parties": _third_parties,
    "workplace": _workplace,
    "stops": _stop,
    "limitation": _limitation,
    "replies": _replies,
    "offers": _offers,
    "fees": _fees,
}
