"""The providers' own codes and what each means for a message and its address: data beside each adapter."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from recobra.messaging import reasons
from recobra.messaging.channels import http
from recobra.messaging.channels.base import Bounce, Outcome, OutcomeKind
from recobra_core import yaml_text


class Meaning(StrEnum):
    """What a code says."""

    HARD = "hard"  # the address does not exist
    UNUSABLE = "unusable"  # this channel does not reach the address
    OPTED_OUT = "opted_out"  # the debtor told the provider to stop
    REFUSED = "refused"  # this message is not taken
    LATER = "later"  # not now to this address
    DOWN = "down"  # not now at all: speed, credit, credentials
    SOFT = "soft"  # it was tried and did not arrive
    DOUBT = "doubt"  # the provider's own fault, done or not


@lru_cache(maxsize=16)
def meanings(path: Path) -> Mapping[str, Meaning]:
    """Return the meaning of each code of an errors.yaml: meaning, then code with its words."""
    document: dict[str, Any] = yaml_text.load(path.read_text(encoding="utf-8"))
    return {str(code): Meaning(meaning) for meaning, listed in document["codes"].items() for code in listed}


def outcome(meaning: Meaning, reply: http.Reply) -> Outcome:
    """Return what a code in the answer to a sending means."""
    match meaning:
        case Meaning.HARD:
            return http.refused(reply, bounce=Bounce.HARD)
        case Meaning.UNUSABLE | Meaning.OPTED_OUT:
            return http.refused(reply, unusable=True)
        case Meaning.REFUSED | Meaning.SOFT:
            return http.refused(reply)
        case Meaning.LATER:
            return http.put_off(reply, unreachable=False)
        case Meaning.DOWN:
            return http.put_off(reply)
        case Meaning.DOUBT:
            return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=reply.said)


def receipt(meaning: Meaning | None) -> tuple[str, bool | None, bool]:
    """Return kind, permanent and unusable of a receipt that says «not delivered» with this code."""
    match meaning:
        case Meaning.HARD:
            return "BOUNCED", True, False
        case Meaning.UNUSABLE:
            return "FAILED", None, True
        case Meaning.OPTED_OUT:
            return "OPTED_OUT", None, False
        case Meaning.SOFT:
            return "BOUNCED", False, False
        case _:
            return "FAILED", None, False
