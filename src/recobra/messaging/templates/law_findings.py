"""A template read by the law: its parts through the linter, as findings that name the part they stand in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from typing import Any, Final

from django.utils.translation import gettext, gettext_noop
from jinja2 import TemplateSyntaxError

from recobra.messaging.templates.check import find_variables
from recobra.messaging.templates.variables import NOTICES
from recobra_core.law import load_countries
from recobra_core.law.content import Finding, MessageFacts, lint_text

_NOT_SPANISH: Final = {"pt": ("BR",), "en": ("US",)}
SPOKEN: Final = frozenset({"ivr", "call"})
"""Channels that speak before it is known who listens."""

# The core knows no gettext: its sentences are repeated here for the catalogue, and a test compares them.
SENTENCES: Final = frozenset(
    {
        gettext_noop("It looks like or speaks of an act of a court."),
        gettext_noop("It is laid out like the paper of a court."),
        gettext_noop("It announces legal action: only a reviewed legal template may, on a case decided so."),
        gettext_noop("It threatens."),
        gettext_noop("It insults or shames, or threatens to."),
        gettext_noop("It makes a deadline or a last chance of what is none."),
        gettext_noop("It presses more than it informs."),
        gettext_noop("It speaks of credit registers."),
        gettext_noop("It tells somebody else about the debt, or asks the debtor's people to pass it on."),
        gettext_noop("Others than the debtor can see or hear the debt here."),
        gettext_noop("It asks why the debtor did not pay."),
        gettext_noop("It sells something: offers are not collection and need a consent of their own."),
        gettext_noop("It poses as an authority."),
        gettext_noop("It hides letters, or mixes alphabets inside a word."),
        gettext_noop("There are no content rules for this country."),
        gettext_noop("It does not say who the creditor is."),
        gettext_noop("It does not say the creditor's address."),
        gettext_noop("It does not say the creditor's tax id."),
        gettext_noop("It does not say who collects for the creditor."),
        gettext_noop("It does not say the collection agency's address."),
        gettext_noop("It does not say the collection agency's telephone."),
        gettext_noop("It does not say who answers for the collection."),
        gettext_noop("It does not say the contract."),
        gettext_noop("It does not say when the contract was signed."),
        gettext_noop("It does not say since when the debt is due."),
        gettext_noop("It does not say what is owed."),
        gettext_noop("It does not break down what is owed."),
        gettext_noop("It does not say how interest was reckoned: rate, kind and period."),
        gettext_noop("It does not say the collection costs with their cause."),
        gettext_noop("It does not say how to pay."),
        gettext_noop("It does not say how to object or complain."),
        gettext_noop("It does not name the office that hears complaints."),
        gettext_noop("It does not say the debtor's rights."),
        gettext_noop("It does not say how to reach the collector."),
        gettext_noop("It does not say that it is no proceeding to seize goods."),
        gettext_noop("It does not say how to stop the messages."),
        gettext_noop("It does not say that a debt collector writes to collect a debt."),
        gettext_noop("It does not say the right to dispute the debt and until when."),
    }
)


@cache
def countries_by_language(language: str) -> tuple[str, ...]:
    """Return the countries that a template without a country of its own is read for, by its language."""
    begin = language[:2]
    elsewhere = {code for codes in _NOT_SPANISH.values() for code in codes}
    if begin != "es":
        return _NOT_SPANISH.get(begin, ())
    return tuple(code for code in sorted(load_countries()) if code not in elsewhere)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFinding:
    """A finding with the part of the template it stands in (subject, text, html) and the countries it holds for."""

    part: str
    finding: Finding
    countries: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept with the template."""
        names = ("code", "severity", "start", "end", "excerpt", "sentence", "article", "source")
        return {"part": self.part, "countries": list(self.countries)} | {n: getattr(self.finding, n) for n in names}


def lint_for_country(
    *, subject: str, text: str, html: str, channel: str, country: str, language: str, legal: bool, on: date
) -> tuple[Finding, ...]:
    """Return what the law of one country says about a template, a legal one as for a decided case."""
    found = _read(
        subject=subject, text=text, html=html, channel=channel, country=country, language=language, legal=legal, on=on
    )
    return tuple(each.finding for each in found)


@lru_cache(maxsize=512)
def lint_everywhere(
    *, subject: str, text: str, html: str, channel: str, country: str, language: str, legal: bool, on: date
) -> tuple[TemplateFinding, ...]:
    """Return the findings of a template in its country, or in every country of its language.

    What several countries say alike is one finding with the first one's article.
    """
    merged: dict[tuple[object, ...], TemplateFinding] = {}
    where: dict[tuple[object, ...], list[str]] = {}
    for code in [country] if country else countries_by_language(language):
        for each in _read(
            subject=subject, text=text, html=html, channel=channel, country=code, language=language, legal=legal, on=on
        ):
            key = (each.part, each.finding.code, each.finding.start, each.finding.end, each.finding.severity)
            merged.setdefault(key, each)
            where.setdefault(key, []).append(code)
    return tuple(
        TemplateFinding(part=each.part, finding=each.finding, countries=tuple(dict.fromkeys(where[key])))
        for key, each in merged.items()
    )


def blocked_countries(found: Iterable[TemplateFinding], *, country: str, language: str) -> tuple[str, ...]:
    """Return the countries in which a template may not be used; for one of a single country, that one or none."""
    blocked = {code for each in found if each.finding.severity == "block" for code in each.countries}
    wanted = (country,) if country else countries_by_language(language)
    return tuple(code for code in wanted if code in blocked)


OWN_RULE: Final = gettext_noop("Project default")
"""What stands for an article where no law says it."""


def translate_sentence(sentence: str) -> str:
    """Return a finding's sentence, or its article, in the reader's language."""
    return gettext(sentence) if sentence else ""


def _read(
    *, subject: str, text: str, html: str, channel: str, country: str, language: str, legal: bool, on: date
) -> list[TemplateFinding]:
    names = _names((subject, text, html))
    body = MessageFacts(
        on=on,
        variables=names,
        notice=not NOTICES.isdisjoint(_names((text,))),
        legal_template=legal,
        legal_decision=legal,
    )
    parts = [("text", text, body)]
    if subject.strip():
        parts.insert(0, ("subject", subject, replace(body, part="subject")))
    if channel in SPOKEN:
        parts.append(("text", text, replace(body, part="voicemail")))
    if html.strip():
        # What is missing is said once, of the text: both parts must say the same.
        parts.append(("html", html, replace(body, markup=True, reply=True)))
    found = [
        TemplateFinding(part=part, finding=finding)
        for part, source, facts in parts
        for finding in lint_text(
            source, country=country, channel=channel, kind="template", language=language, facts=facts
        )
    ]
    return list({(each.part, each.finding): each for each in found}.values())


@lru_cache(maxsize=512)
def _names(parts: tuple[str, ...]) -> frozenset[str]:
    try:
        return frozenset().union(*map(find_variables, parts))
    except TemplateSyntaxError:
        return frozenset()
