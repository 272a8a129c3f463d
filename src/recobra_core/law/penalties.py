"""What a breach of the rules of contact may cost: by kind of breach, country and day."""

from collections.abc import Iterable
from datetime import date

from recobra_core.law.cautions import is_caution
from recobra_core.law.clauses import ANY_BREACH, BREACHES, Penalty, find_in_force
from recobra_core.law.files import load_countries

COMPANY_DECIDES = "company decides"
"""The source of an entry for which none is at hand: no article is shown, and the company judges by itself."""
_KINDS = {
    "window": "hours",
    "holidays": "hours",
    "barred": "channel",
    "third-parties": "third_party",
    "workplace": "third_party",
    "opt-out": "wish",
    "opted-out": "wish",
    "consent": "wish",
    "hold": "stopped",
    "limitation": "stopped",
    "offers": "offer",
}
_COMPANY = "HOUSE"
_COMPANY_DAY = "company-holiday"
_HOUSE_RULE = "(house rule)"


def breach_of(rule: str, source: str = "") -> str:
    """Return the kind of breach (BREACHES) of a rule that a verdict names with its source.

    '' where no law is at stake: a rule of the company's own, a caution of ours, facts that nobody knows.
    """
    place, *parts = rule.split("/")
    if place == _COMPANY or parts == [_COMPANY_DAY] or is_caution(source) or source.endswith(_HOUSE_RULE):
        return ""
    if not parts:
        return "other"
    if "stop" in parts:
        return "stopped"
    if "stage" in parts:
        return "channel"
    if parts[-1].startswith(("cap-", "gap-")):
        return "frequency"
    return _KINDS.get(parts[-1], "other")


def find_penalty(*, country: str, breach: str, day: date) -> Penalty | None:
    """Return what a country threatens for a kind of breach on a day, None where nobody knows or there is no breach."""
    law = load_countries().get(country)
    if law is None or breach not in BREACHES:
        return None
    return _find(law.sections.penalties, breach, day) or _find(law.sections.penalties, ANY_BREACH, day)


def list_penalties(*, country: str, day: date) -> tuple[tuple[tuple[str, ...], Penalty], ...]:
    """Return the penalties of a country on a day, each with the kinds of breach that it stands for."""
    kinds: dict[Penalty, list[str]] = {}
    for breach in BREACHES:
        penalty = find_penalty(country=country, breach=breach, day=day)
        if penalty:
            kinds.setdefault(penalty, []).append(breach)
    return tuple((tuple(breaches), penalty) for penalty, breaches in kinds.items())


def _find(penalties: Iterable[Penalty], breach: str, day: date) -> Penalty | None:
    return find_in_force([penalty for penalty in penalties if penalty.breach == breach], day)
