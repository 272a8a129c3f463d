"""A country's law of words as frozen values, read from `data/` by `files`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal["template", "free", "hand"]
"""Who wrote it: a template, words made or sent by the machine, a person who writes to one debtor."""

Severity = Literal["block", "warn"]

Part = Literal["body", "subject", "envelope", "voicemail"]
"""Where the words stand. All but the body are seen or heard by whoever is near."""

SHORT_CHANNELS = frozenset({"sms", "ivr", "call"})

LEVELS = ("outright", "barred", "advice", "free")
"""outright: the law bars it, nobody may send it. barred: no machine sends it, a person is warned.
advice: everybody is warned. free: not looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a text that should not be there, or that is missing (then start == end == 0).

    `start` and `end` are places in the text as given; `excerpt` is what stands there.
    """

    code: str
    severity: Severity
    start: int
    end: int
    excerpt: str
    sentence: str
    article: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """Facts of a message beside its words. `on` is the debtor's day: a text is judged by the rules of its day.

    variables: names a template fills in, besides those found in the text itself (its other parts' names).
    markup: the text is HTML. third_party: it goes to somebody who neither owes nor guarantees.
    reply: an answer inside a conversation, which need not say again what the first message said.
    legal_template, legal_decision: a reviewed template marked legal, on a case with an approved legal decision.
    offer_consent: the debtor asked for offers. creditor_name: looked for in free text.
    """

    on: date
    part: Part = "body"
    variables: frozenset[str] = frozenset()
    markup: bool = False
    third_party: bool = False
    notice: bool = False
    reply: bool = False
    legal_template: bool = False
    legal_decision: bool = False
    offer_consent: bool = False
    creditor_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """How hard a country takes one kind of words, and by which article."""

    level: str
    article: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredPart:
    """A part that a message must have. `link`: a page the message links to may carry it. `short`: level in few words.

    `channels` empty: all. `claims_only`: not in a notice before the due date.
    """

    part: str
    level: str
    short: str
    link: bool
    link_certainty: str
    channels: frozenset[str]
    claims_only: bool
    article: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryContent:
    """A country's law of words on one day. `legal_templates`: a reviewed legal notice may exist at all."""

    country: str
    effective_from: date
    languages: tuple[str, ...]
    legal_templates: bool
    rulings: Mapping[str, Ruling]
    required: tuple[RequiredPart, ...]
    phrases: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Phrases of a language that may not be said, and those that say the same letters innocently."""

    language: str
    phrases: Mapping[str, re.Pattern[str]]
    innocent: re.Pattern[str]
    denial: re.Pattern[str]
    not_yet: re.Pattern[str]
    letterheads: re.Pattern[str]
    debt: re.Pattern[str]


SENTENCES: Mapping[str, str] = {
    "judicial_look": "It looks like or speaks of an act of a court.",
    "letterhead": "It is laid out like the paper of a court.",
    "legal_threat": "It announces legal action: only a reviewed legal template may, on a case decided so.",
    "threat": "It threatens.",
    "shame": "It insults or shames, or threatens to.",
    "urgency": "It makes a deadline or a last chance of what is none.",
    "pressure": "It presses more than it informs.",
    "credit_register": "It speaks of credit registers.",
    "third_party": "It tells somebody else about the debt, or asks the debtor's people to pass it on.",
    "shows_debt": "Others than the debtor can see or hear the debt here.",
    "asks_reason": "It asks why the debtor did not pay.",
    "offer": "It sells something: offers are not collection and need a consent of their own.",
    "authority": "It poses as an authority.",
    "hidden_letters": "It hides letters, or mixes alphabets inside a word.",
    "unknown_country": "There are no content rules for this country.",
    "missing_creditor": "It does not say who the creditor is.",
    "missing_creditor_address": "It does not say the creditor's address.",
    "missing_creditor_tax_id": "It does not say the creditor's tax id.",
    "missing_agency": "It does not say who collects for the creditor.",
    "missing_agency_address": "It does not say the collection agency's address.",
    "missing_agency_phone": "It does not say the collection agency's telephone.",
    "missing_collector": "It does not say who answers for the collection.",
    "missing_contract": "It does not say the contract.",
    "missing_contract_date": "It does not say when the contract was signed.",
    "missing_due_date": "It does not say since when the debt is due.",
    "missing_amount": "It does not say what is owed.",
    "missing_breakdown": "It does not break down what is owed.",
    "missing_interest": "It does not say how interest was reckoned: rate, kind and period.",
    "missing_fees": "It does not say the collection costs with their cause.",
    "missing_how_to_pay": "It does not say how to pay.",
    "missing_how_to_object": "It does not say how to object or complain.",
    "missing_complaint_office": "It does not name the office that hears complaints.",
    "missing_rights": "It does not say the debtor's rights.",
    "missing_contact": "It does not say how to reach the collector.",
    "missing_not_judicial": "It does not say that it is no proceeding to seize goods.",
    "missing_stop": "It does not say how to stop the messages.",
    "missing_collector_disclosure": "It does not say that a debt collector writes to collect a debt.",
    "missing_dispute_rights": "It does not say the right to dispute the debt and until when.",
}
"""Every code with its sentence; a missing part's code is `missing_` and its name in the data."""

EXCUSED_BY_A_LEGAL_DECISION = frozenset({"judicial_look", "legal_threat"})
EXCUSED_BY_DENIAL = frozenset({"judicial_look", "legal_threat", "letterhead", "authority"})
EXCUSED_BY_CONSENT = frozenset({"offer"})
