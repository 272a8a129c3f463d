"""Findings of the law against a template, part by part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Final

from django.utils.translation import gettext, gettext_noop
from jinja2 import TemplateSyntaxError

from recobra.messaging.templates.check import find_variables
from recobra.messaging.templates.variables import NOTICES
from recobra_core.law import load_countries
from recobra_core.law.content import Finding, MessageFacts, lint_text

_NOT_SPANISH: Final = {"pt": ("BR",), "en": ("US",)}
SPOKEN: Final = frozenset({"ivr", "call"})
"""Channels whose text is spoken before it is known who listens."""

# The core knows no gettext: its sentences are repeated here for the translators, and a test compares them.
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
    """Return the countries for which a template of a language is checked, where it has no country of its own."""
    prefix = language[:2]
    if prefix != "es":
        return _NOT_SPANISH.get(prefix, ())
    elsewhere = set(chain.from_iterable(_NOT_SPANISH.values()))
    return tuple(code for code in sorted(load_countries()) if code not in elsewhere)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFinding:
    """A finding with its part of the template (subject, text, html) and the countries in which it holds."""

    part: str
    finding: Finding
    countries: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the finding as it is stored with the template."""
        names = ("code", "severity", "start", "end", "excerpt", "sentence", "article", "source")
        finding = {name: getattr(self.finding, name) for name in names}
        return {"part": self.part, "countries": list(self.countries), **finding}


def lint_for_country(
    *, subject: str, text: str, html: str, channel: str, country: str, language: str, legal: bool, on: date
) -> tuple[Finding, ...]:
    """Return the findings of one country's law; `legal` templates are read as with a legal decision."""
    findings = _lint_parts(
        subject=subject, text=text, html=html, channel=channel, country=country, language=language, legal=legal, on=on
    )
    return tuple(finding.finding for finding in findings)


@lru_cache(maxsize=512)
def lint_everywhere(
    *, subject: str, text: str, html: str, channel: str, country: str, language: str, legal: bool, on: date
) -> tuple[TemplateFinding, ...]:
    """Return the findings of a template in its country, or in every country of its language.

    A finding that several countries share appears once, with the article of the first one.
    """
    merged: dict[tuple[object, ...], TemplateFinding] = {}
    countries_by_key: dict[tuple[object, ...], list[str]] = {}
    for code in [country] if country else countries_by_language(language):
        for part_finding in _lint_parts(
            subject=subject, text=text, html=html, channel=channel, country=code, language=language, legal=legal, on=on
        ):
            finding = part_finding.finding
            key = (part_finding.part, finding.code, finding.start, finding.end, finding.severity)
            merged.setdefault(key, part_finding)
            countries_by_key.setdefault(key, []).append(code)
    findings = []
    for shared_key, first in merged.items():
        # One country may have several findings about the same words.
        countries = tuple(dict.fromkeys(countries_by_key[shared_key]))
        findings.append(replace(first, countries=countries))
    return tuple(findings)


def blocked_countries(findings: Iterable[TemplateFinding], *, country: str, language: str) -> tuple[str, ...]:
    """Return the countries in which a template may not be used, among its own or those of its language."""
    blocked: set[str] = set()
    for finding in findings:
        if finding.finding.severity == "block":
            blocked.update(finding.countries)
    candidates = (country,) if country else countries_by_language(language)
    return tuple(code for code in candidates if code in blocked)


OWN_RULE: Final = gettext_noop("Project default")
"""The text in place of an article, for a rule that no law contains."""


def translate_sentence(sentence: str) -> str:
    """Return a finding's sentence, or its article, in the reader's language."""
    return gettext(sentence) if sentence else ""


def _lint_parts(
    *, subject: str, text: str, html: str, channel: str, country: str, language: str, legal: bool, on: date
) -> list[TemplateFinding]:
    """Return the findings of one country's law, part by part, the same finding of a part only once."""
    names = _find_variables((subject, text, html))
    body = MessageFacts(
        on=on,
        variables=names,
        notice=not NOTICES.isdisjoint(_find_variables((text,))),
        legal_template=legal,
        legal_decision=legal,
    )
    # What a notice must say is judged by its text alone, whatever the subject or the HTML uses.
    parts = [("text", text, body)]
    if subject.strip():
        parts.insert(0, ("subject", subject, replace(body, part="subject")))
    # Read once more as a recording on an answering machine, which others may play.
    if channel in SPOKEN:
        parts.append(("text", text, replace(body, part="voicemail")))
    if html.strip():
        # As a reply, so that missing parts are not reported again: the text has been checked for them.
        parts.append(("html", html, replace(body, markup=True, reply=True)))
    findings: dict[tuple[str, Finding], TemplateFinding] = {}
    for part, source, facts in parts:
        for finding in lint_text(
            source, country=country, channel=channel, kind="template", language=language, facts=facts
        ):
            # A spoken text is read twice, and may have the same finding both times.
            findings[part, finding] = TemplateFinding(part=part, finding=finding)
    return list(findings.values())


@lru_cache(maxsize=512)
def _find_variables(parts: tuple[str, ...]) -> frozenset[str]:
    """Return the variables that parts of a template use, none where one of them does not parse."""
    try:
        return frozenset().union(*map(find_variables, parts))
    except TemplateSyntaxError:
        # A draft that does not parse yet is shown with its findings all the same.
        return frozenset()
