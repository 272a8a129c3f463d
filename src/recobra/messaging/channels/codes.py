"""Meaning of the providers' own codes for a message and its address, from the errors.yaml beside each adapter."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from recobra.messaging import reasons
from recobra.messaging.channels import http
from recobra.messaging.channels.base import Bounce, Outcome, OutcomeKind
from recobra_core import yaml_text


class Meaning(StrEnum):
    """The meaning of a code."""

    HARD = "hard"  # the address does not exist
    UNUSABLE = "unusable"  # this channel does not reach the address
    OPTED_OUT = "opted_out"  # the debtor told the provider to stop
    REFUSED = "refused"  # this message is not taken
    LATER = "later"  # not now to this address
    DOWN = "down"  # not now at all: speed, credit, credentials
    SOFT = "soft"  # it was tried and did not arrive
    DOUBT = "doubt"  # the provider's own fault, done or not


@lru_cache(maxsize=16)
def load_meanings(path: Path) -> Mapping[str, Meaning]:
    """Return the meaning of each code in an errors.yaml, which lists codes by meaning."""
    document: dict[str, Any] = yaml_text.load(path.read_text(encoding="utf-8"))
    meanings = {}
    for meaning, codes in document["codes"].items():
        for code in codes:
            meanings[str(code)] = Meaning(meaning)
    return meanings


def outcome_by_meaning(meaning: Meaning, reply: http.Reply) -> Outcome:
    """Return the outcome of a reply whose code has this meaning."""
    match meaning:
        case Meaning.HARD:
            return http.refused_outcome(reply, bounce=Bounce.HARD)
        case Meaning.UNUSABLE | Meaning.OPTED_OUT:
            return http.refused_outcome(reply, unusable=True)
        case Meaning.REFUSED | Meaning.SOFT:
            return http.refused_outcome(reply)
        case Meaning.LATER:
            return http.retry_outcome(reply, unreachable=False)
        case Meaning.DOWN:
            return http.retry_outcome(reply)
        case Meaning.DOUBT:
            return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=reply.summary)


class ReceiptMeaning(NamedTuple):
    """What a receipt says of a message and its address, as the fields of a ReceiptEvent."""

    kind: str
    permanent: bool | None = None
    unusable: bool = False


def receipt_by_meaning(meaning: Meaning | None) -> ReceiptMeaning:
    """Return what a receipt «not delivered» says whose code has this meaning; None is a code that is not known."""
    match meaning:
        case Meaning.HARD:
            return ReceiptMeaning("BOUNCED", permanent=True)
        case Meaning.UNUSABLE:
            return ReceiptMeaning("FAILED", unusable=True)
        case Meaning.OPTED_OUT:
            return ReceiptMeaning("OPTED_OUT")
        case Meaning.SOFT:
            return ReceiptMeaning("BOUNCED", permanent=False)
        case _:
            return ReceiptMeaning("FAILED")
