"""Indicators of messages: one definition each, with what is counted, of what, and what a reader must know.

A message counts once, on the day it was planned for; answers to what a debtor wrote are not part of the plan. A
payment, a promise or a wish belongs to the last message that left before it for that debtor, within the days of the
window: no amount is counted for two messages.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from recobra_core.kpi.difference import Interval, wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Messages of a group by what became of them; `paid_minor` in minor units, `cost_micros` in micros.

    `carried` counts what left, answers included, `unpriced` those of them whose price is unknown. `debtors` and what
    follows count debtors. `small` are the small debtors that owe today.
    """

    planned: int = 0
    cancelled: int = 0
    waiting: int = 0
    blocked: int = 0
    failed: int = 0
    sent: int = 0
    on_time: int = 0
    delivered: int = 0
    read: int = 0
    clicked: int = 0
    replied: int = 0
    responded: int = 0
    promised: int = 0
    paid: int = 0
    automatic: int = 0
    converted: int = 0
    undelivered: int = 0
    complained: int = 0
    right_party: int = 0
    already_paid: int = 0
    wrong_person: int = 0
    errors: int = 0
    opted_out: int = 0
    paid_minor: int = 0
    carried: int = 0
    unpriced: int = 0
    cost_micros: int = 0
    debtors: int = 0
    aware: int = 0
    silenced: int = 0
    cured: int = 0
    small: int = 0
    covered: int = 0

    @property
    def expected(self) -> int:
        """Return what the plan asked for and did not take back, without what may still leave."""
        return self.planned - self.cancelled - self.waiting

    def __add__(self, other: Counts) -> Counts:
        sums = {field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(Counts)}
        return Counts(**sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """The share `part` of `whole`, both names of `Counts`; `name` and `says` are its words, in English."""

    key: str
    part: str
    whole: str
    name: str
    says: str


def _define_kpi(key: str, whole: str, name: str, says: str, part: str = "") -> Kpi:
    """Return an indicator; its part is the count called `key` unless another is given."""
    return Kpi(key=key, part=part or key, whole=whole, name=name, says=says)


FUNNEL: Final = (
    _define_kpi(
        "sent",
        "planned",
        "Were sent",
        "Messages that left, of those planned for the period; those of which it is "
        "not known whether they arrived count as sent.",
    ),
    _define_kpi(
        "delivered",
        "sent",
        "Were delivered",
        "Messages that the provider says it delivered, of those sent. Plain e-mail tells of no delivery.",
    ),
    _define_kpi("read", "sent", "Were read", "Messages that the provider says were opened, of those sent."),
    _define_kpi("clicked", "sent", "Were clicked", "Messages whose link was followed, of those sent."),
    _define_kpi("replied", "sent", "Were replied to", "Messages that the debtor answered in writing, of those sent."),
    _define_kpi(
        "promised",
        "sent",
        "Followed by a promise",
        "Messages followed by a promise within the window, of those "
        "sent; a promise belongs to the last message before it.",
    ),
    _define_kpi(
        "paid",
        "sent",
        "Followed by a payment",
        "Messages followed by a payment within the window, of those sent; a "
        "payment belongs to the last message before it. It does not say that the message was why: a control group "
        "does.",
    ),
)
PLAN: Final = (
    _define_kpi(
        "adherence",
        "expected",
        "Plan adherence",
        "Messages sent, of those planned and not taken back because the "
        "debtor paid, answered or has a hold. What may still leave today does not count.",
        part="sent",
    ),
    _define_kpi(
        "on_time",
        "expected",
        "On time",
        "Messages sent on the very day they were planned for, of those planned and not taken back.",
    ),
)
RESULT: Final = (
    _define_kpi(
        "acknowledgement",
        "debtors",
        "Acknowledgement",
        "Debtors proven to know of the balance (they read, clicked, "
        "replied, answered or were met), of those written to.",
        part="aware",
    ),
    _define_kpi(
        "response",
        "sent",
        "Response",
        "Messages that were clicked, replied to or answered, of those sent.",
        part="responded",
    ),
    _define_kpi(
        "cures",
        "debtors",
        "Cures",
        "Debtors who paid within the window after a message and have nothing overdue today, of those written to.",
        part="cured",
    ),
    _define_kpi(
        "conversion",
        "automatic",
        "Conversion",
        "Automatic messages after which the debtor paid, promised or wrote "
        "within the window, of the automatic ones sent.",
        part="converted",
    ),
    _define_kpi(
        "right_party",
        "sent",
        "Right party",
        "Messages after which the debtor in person was met, made a promise or "
        "proved who he is within the window, of those sent.",
    ),
)
HARM: Final = (
    _define_kpi(
        "undelivered", "sent", "Not delivered", "Messages that the provider says did not arrive, of those sent."
    ),
    _define_kpi(
        "complaints",
        "sent",
        "Complaints",
        "Messages that were complained of or marked as unwanted, of those sent.",
        part="complained",
    ),
    _define_kpi(
        "errors",
        "sent",
        "Errors",
        "Messages about something paid before they left, or that reached somebody else, of those sent.",
    ),
    _define_kpi(
        "opt_out",
        "debtors",
        "Opt-outs",
        "Debtors who asked for no more messages within the window, of those written to.",
        part="silenced",
    ),
)
COVERAGE: Final = _define_kpi(
    "coverage",
    "small",
    "Coverage of small debtors",
    "Debtors of the lower half by overdue amount, today and in each "
    "portfolio, who were sent an automatic message in the period, of the channel and template asked for.",
    part="covered",
)
COST_PER_ACTION: Final = "Price of the messages of a channel divided by those whose price is known, answers included."
COST_PER_UNIT: Final = "Price of the messages for each 1,000 paid after them within the window."
KPIS: Final = {kpi.key: kpi for kpi in (*FUNNEL, *PLAN, *RESULT, *HARM, COVERAGE)}


def compute_rate(kpi: Kpi, counts: Counts) -> Interval | None:
    """Return an indicator with Wilson's 95 % interval, None where there is nothing to be a share of."""
    whole: int = getattr(counts, kpi.whole)
    if whole <= 0:
        return None
    return wilson_interval(successes=getattr(counts, kpi.part), count=whole)


def cost_per_action(*, cost_micros: int, priced: int) -> float | None:
    """Return what an action cost on average, in micros; None where no price is known."""
    return cost_micros / priced if priced else None


def cost_per_unit(*, cost_micros: int, paid_micros: int) -> float | None:
    """Return the cost of one unit recovered, both in one currency; None where nothing was."""
    return cost_micros / paid_micros if paid_micros else None
