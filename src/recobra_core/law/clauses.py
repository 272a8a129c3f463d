"""Clauses of the law beyond hours and caps, as frozen values, read from the sections of `data/<CC>.yaml`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar, get_args

from recobra_core.stages import Stage

ROLES = ("debtor", "co_debtor", "guarantor", "reference", "other")
"""Whose number or address it is."""
PLACES = ("", "personal", "work", "other_person")
"""Where it is; '' is what nobody stated, the creditor gave it as the debtor's."""
OF_OTHERS = ("work", "other_person")
"""Places that do not lead to the debtor: nothing is planned for them."""
PURPOSES = ("CLAIM", "NOTICE", "OFFER", "REPLY", "MANUAL")
"""OFFER is advertising (a new loan); a discount on the debt itself is a CLAIM. MANUAL is judged as a CLAIM."""
BREACHES = ("hours", "frequency", "channel", "third_party", "wish", "stopped", "offer", "content", "other")
"""Kinds of breach: of hours and days, limits, a barred channel, other people or the workplace, an opt-out or refusal,
a hold or limitation, advertising, what was said or written, anything else."""
ANY_BREACH = "any"
STAGES: tuple[str, ...] = get_args(Stage)
"""The stages that an account passes through, the first one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One dated version of a section. `rule` names place and section, such as AR-C/workplace."""

    place: str
    rule: str
    effective_from: date
    basis: str
    source: str
    certainty: str
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdParties(Clause):
    """Only these roles may be contacted."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace(Clause):
    """The channels by which a number or address of the workplace may be used."""

    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Clause):
    """A reason to hold that the law itself names: collection stops at once."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limitation(Clause):
    """Years from the due date until a debt is prescribed, and whether the law then bars its collection."""

    years: int | None
    bars_contact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies(Clause):
    """How long an answer to the debtor does not count as a contact, and how long it may leave at any hour."""

    within_hours: int
    any_hour_minutes: int
    refused_holds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers(Clause):
    """Whether advertising needs the consent of the debtor."""

    consent_required: bool


class FeeBand(NamedTuple):
    """A band of the overdue amount: its upper end in UF (None: no end) and its rate, a share such as 0.09."""

    up_to_uf: Decimal | None
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees(Clause):
    """Cost of collection for the debtor; `text` says it in words. None or () where the law has no such part.

    `needs` are facts that each bound the fee: agreed (in the contract), proven (what it cost), tariff (published).
    `scale_uf`: bands of the overdue amount, each up to so many UF, with its rate. `share` of the overdue amount, at
    most `cap_usd`. Nothing up to `after_days` past due. `once` per instalment or month. `notice_days`, `penalty_uf`:
    what is deducted where no free notice was given in those days after the due date.
    """

    text: str
    needs: tuple[str, ...]
    none_if_supervised: bool
    scale_uf: tuple[FeeBand, ...]
    share: Decimal | None
    cap_usd: Decimal | None
    after_days: int
    once: str | None
    notice_days: int | None
    penalty_uf: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMethods(Clause):
    """The channels that may be used in a stage (STAGES), and the roles that may be contacted in it."""

    stage: str
    channels: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty(Clause):
    """What the law threatens for a kind of breach (BREACHES), or for ANY_BREACH that has no entry of its own.

    `text` says it in words, '' where the company decides. `most` and `least` are in `unit`, such as UIT; None: unsaid.
    """

    breach: str
    text: str
    unit: str
    least: Decimal | None
    most: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """All versions of all sections of a place; a subdivision may have a few of them only."""

    third_parties: tuple[ThirdParties, ...] = ()
    workplace: tuple[Workplace, ...] = ()
    stops: tuple[Stop, ...] = ()
    limitation: tuple[Limitation, ...] = ()
    replies: tuple[Replies, ...] = ()
    offers: tuple[Offers, ...] = ()
    fees: tuple[Fees, ...] = ()
    penalties: tuple[Penalty, ...] = ()
    stages: tuple[StageMethods, ...] = ()


C = TypeVar("C", bound=Clause)


def find_in_force(versions: Iterable[C], day: date) -> C | None:
    """Return the version in force on a day, or None where there is none yet."""
    begun = [clause for clause in versions if clause.effective_from <= day]
    return max(begun, key=lambda clause: clause.effective_from, default=None)


def find_governing(
    national: Iterable[C], local: Mapping[str, Iterable[C]], *, day: date, subdivision: str | None
) -> tuple[C, ...]:
    """Return the clauses that must all allow: the subdivision's, else the country's; all where it is not known."""
    national_clause = find_in_force(national, day)
    if subdivision is not None:
        # A subdivision with a clause of its own goes before the country.
        governing = [find_in_force(local.get(subdivision, ()), day) or national_clause]
    else:
        governing = [national_clause, *(find_in_force(versions, day) for versions in local.values())]
    return tuple(clause for clause in governing if clause is not None)
