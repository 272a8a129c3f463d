"""Linter of messages: judges their words by the law of a country and a day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from recobra_core.law.content.normal_form import TEMPLATE_VARIABLES, FoldedText, fold_text

from . import files
from .model import (
    EXCUSED_BY_A_LEGAL_DECISION,
    EXCUSED_BY_CONSENT,
    EXCUSED_BY_DENIAL,
    SENTENCES,
    SHORT_CHANNELS,
    CountryContent,
    Finding,
    Kind,
    MessageFacts,
    RequiredPart,
    Ruling,
    Severity,
    Vocabulary,
)

STATEMENT_LINK: Final = "enlace_detalle"
"""The variable that links the page of the debtor's statement."""

_LETTER = re.compile(r"[^\W\d_]")
_LINE_START = re.compile(r"(?:(?<=\n)|\A)(?=[^\W_])")
_LINK_OR_EMAIL = re.compile(r"https?://\S+|\S+@\S+")
_NOT_YET_REACH: Final = 30
"""How many letters before a denial may still say that it holds only for now."""

_Span = tuple[int, int]
"""Start and end of a stretch of text."""


class _FoundPhrase(NamedTuple):
    """A phrase in a folded text; `code` is a key of SENTENCES."""

    code: str
    span: _Span


class _Masks(NamedTuple):
    """Stretches of a folded text whose words are meant otherwise: said innocently, or denied."""

    innocent: tuple[_Span, ...]
    denied: tuple[_Span, ...]


def lint_text(
    text: str, *, country: str, channel: str, kind: Kind, language: str = "es", facts: MessageFacts
) -> tuple[Finding, ...]:
    """Return what may not be said in a text, in its order, and then what is missing.

    A country that is not known is a finding that blocks.
    """
    rules = files.find_content(country, on=facts.on)
    if rules is None:
        return (
            Finding(
                code="unknown_country",
                severity="block",
                start=0,
                end=0,
                excerpt=country,
                sentence=SENTENCES["unknown_country"],
                article="",
                source="",
            ),
        )
    folded = fold_text(text, markup=facts.markup, template=kind == "template")
    # A text may mix its own language with those of its country, so it is read in all of them.
    languages = (code for code in dict.fromkeys((language[:2], *rules.languages)) if code in files.LANGUAGES)
    vocabularies = [files.load_vocabulary(code) for code in languages]
    findings = [
        *_find_phrases(text, folded, vocabularies, rules=rules, kind=kind, facts=facts),
        *_find_disclosures(text, folded, vocabularies, rules=rules, kind=kind, facts=facts),
    ]
    for start in folded.hidden:
        findings += _make_finding("hidden_letters", (start, start + 1), text, rules.rulings["hidden_letters"], kind)
    # Subjects, envelopes and voicemails need not say everything, and a third party is told nothing of the debt.
    missing: Iterable[Finding] = ()
    if facts.part == "body" and not facts.third_party:
        missing = _find_missing(folded, text, rules=rules, channel=channel, kind=kind, facts=facts)
    return (*_drop_repeated(findings), *missing)


def has_blocking(findings: tuple[Finding, ...]) -> bool:
    """Tell if any of the findings keeps the message from leaving."""
    return any(finding.severity == "block" for finding in findings)


def _find_phrases(
    text: str,
    folded: FoldedText,
    vocabularies: list[Vocabulary],
    *,
    rules: CountryContent,
    kind: Kind,
    facts: MessageFacts,
) -> Iterator[Finding]:
    """Yield the phrases that the country does not let be said, less those that the message is excused for."""
    is_decided = rules.legal_templates and facts.legal_template and facts.legal_decision
    for vocabulary in vocabularies:
        common = _find_common_phrases(folded.text, vocabulary.language)
        national = _find_national_phrases(folded.text, vocabulary.language, rules.country)
        for code, span in common + national:
            if code in EXCUSED_BY_A_LEGAL_DECISION and is_decided:
                continue
            if code in EXCUSED_BY_CONSENT and facts.offer_consent:
                continue
            yield from _make_finding(code, folded.span(*span), text, rules.rulings[code], kind)
        yield from _find_letterheads(text, folded, vocabulary, rules=rules, kind=kind)


# Apart from the country's rulings, because the same template is read for several countries.
@lru_cache(maxsize=1024)
def _find_common_phrases(text: str, language: str) -> tuple[_FoundPhrase, ...]:
    """Return what the phrases of a language find, less what is meant otherwise."""
    return _find_meant(text, files.load_vocabulary(language).phrases, language)


@lru_cache(maxsize=1024)
def _find_national_phrases(text: str, language: str, country: str) -> tuple[_FoundPhrase, ...]:
    """Return what the phrases that a country adds find, less what is meant otherwise in the language."""
    return _find_meant(text, files.country_phrases(country), language)


def _find_meant(text: str, phrases: Mapping[str, re.Pattern[str]], language: str) -> tuple[_FoundPhrase, ...]:
    """Return what the phrases find outside the masks; a denial excuses only some kinds of words."""
    masks = _find_masks(text, language)
    found: list[_FoundPhrase] = []
    for code, pattern in phrases.items():
        excused = masks.innocent
        if code in EXCUSED_BY_DENIAL:
            excused += masks.denied
        spans = [match.span() for match in pattern.finditer(text)]
        found += [_FoundPhrase(code, span) for span in spans if not _overlaps_any(span, excused)]
    return tuple(found)


@lru_cache(maxsize=1024)
def _find_masks(text: str, language: str) -> _Masks:
    """Return where a folded text says a phrase's letters innocently, and where it denies what it says."""
    vocabulary = files.load_vocabulary(language)
    innocent = tuple(match.span() for match in vocabulary.innocent.finditer(text))
    denied = []
    for match in vocabulary.denial.finditer(text):
        # «Todavía no es…» denies only for now, which is a threat: its words count.
        preceding = text[max(0, match.start() - _NOT_YET_REACH) : match.start()]
        _, _, beginning = preceding.rpartition(".")
        same_sentence = beginning + match.group()
        following = text[match.end() :].lstrip(" ,")
        if not vocabulary.not_yet.search(same_sentence) and not vocabulary.not_yet.match(following):
            denied.append(match.span())
    return _Masks(innocent=innocent, denied=tuple(denied))


def _overlaps_any(span: _Span, masks: Iterable[_Span]) -> bool:
    """Tell if a span shares a character with any of the masks."""
    start, end = span
    return any(mask_start < end and start < mask_end for mask_start, mask_end in masks)


def _find_letterheads(
    text: str, folded: FoldedText, vocabulary: Vocabulary, *, rules: CountryContent, kind: Kind
) -> Iterator[Finding]:
    """Yield the lines that begin in capitals the way a court's paper is headed."""
    masks = _find_masks(folded.text, vocabulary.language)
    masked = masks.innocent + masks.denied
    for line in _LINE_START.finditer(folded.text):
        match = vocabulary.letterheads.match(folded.text, line.start())
        if match is None or _overlaps_any(match.span(), masked):
            continue
        start, end = folded.span(*match.span())
        # In small letters the same words are an ordinary sentence.
        letters = _LETTER.findall(text[start:end])
        if letters and all(letter.isupper() for letter in letters):
            yield from _make_finding("letterhead", (start, end), text, rules.rulings["letterhead"], kind)


def _find_disclosures(
    text: str,
    folded: FoldedText,
    vocabularies: list[Vocabulary],
    *,
    rules: CountryContent,
    kind: Kind,
    facts: MessageFacts,
) -> Iterator[Finding]:
    """Yield where the debt is named and somebody else reads or hears it."""
    if not facts.third_party and facts.part == "body":
        return
    code = "third_party" if facts.third_party else "shows_debt"
    ruling = rules.rulings[code]
    # A subject line shows in the debtor's own mailbox: it is warned of, not barred.
    if facts.part == "subject" and not facts.third_party and ruling.level == "barred":
        ruling = replace(ruling, level="advice")
    spans = []
    for vocabulary in vocabularies:
        spans += [folded.span(*match.span()) for match in vocabulary.debt.finditer(folded.text)]
    amounts = files.amount_variables()
    # A template that fills in what is owed says it just as well.
    for match in TEMPLATE_VARIABLES.finditer(text):
        if match.group(1) in amounts:
            spans.append(match.span(1))
    for span in spans:
        yield from _make_finding(code, span, text, ruling, kind)


def _find_missing(
    folded: FoldedText, text: str, *, rules: CountryContent, channel: str, kind: Kind, facts: MessageFacts
) -> Iterator[Finding]:
    """Yield the parts that the message must have and does not."""
    variables = facts.variables | set(TEMPLATE_VARIABLES.findall(text))
    # A word inside a link or an address says nothing to the reader.
    words = _LINK_OR_EMAIL.sub(" ", folded.text)
    for required in rules.required:
        if not _is_required(required, channel, variables, facts) or _is_said(required, variables, words, facts):
            continue
        level = required.short if channel in SHORT_CHANNELS else required.level
        ruling = Ruling(
            # A missing part is barred at most, so that a person may still send the message.
            level="barred" if level == "outright" else level,
            article=required.article,
            source=required.source,
            certainty=required.certainty,
        )
        yield from _make_finding(f"missing_{required.part}", (0, 0), text, ruling, kind)


def _is_required(required: RequiredPart, channel: str, variables: frozenset[str], facts: MessageFacts) -> bool:
    """Tell if the message itself must say a part: not in an answer, nor where a page may carry it."""
    if facts.reply:
        return False
    if required.claims_only and facts.notice:
        return False
    if required.link and STATEMENT_LINK in variables:
        return False
    return not required.channels or channel in required.channels


def _is_said(required: RequiredPart, variables: frozenset[str], words: str, facts: MessageFacts) -> bool:
    """Tell if the message says a part, by one of its variables or in plain words."""
    part = files.load_parts()[required.part]
    if variables & set(part.variables):
        return True
    # Where the creditor's name is known, only that name says who the creditor is.
    if required.part == "creditor" and facts.creditor_name:
        return fold_text(facts.creditor_name).text in words
    return part.phrases.search(words) is not None


def _make_finding(code: str, span: _Span, text: str, ruling: Ruling, kind: Kind) -> Iterator[Finding]:
    """Yield the finding, or nothing where the ruling leaves such words free."""
    start, end = span
    severity: Severity | None = None
    if ruling.level == "outright":
        severity = "block"
    elif ruling.level == "barred":
        # What no machine may send, a person who answers for it may.
        severity = "warn" if kind == "hand" else "block"
    elif ruling.level == "advice":
        severity = "warn"
    if severity is not None:
        yield Finding(
            code=code,
            severity=severity,
            start=start,
            end=end,
            excerpt=text[start:end],
            sentence=SENTENCES[code],
            article=ruling.article,
            source=f"{ruling.source} ({ruling.certainty})",
        )


def _drop_repeated(findings: list[Finding]) -> list[Finding]:
    """Leave out findings whose words lie within those of another finding with the same code."""
    distinct: list[Finding] = []
    # The longest of those that begin alike comes first, so that it takes in the others.
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end, finding.code)):
        same_code = (other for other in distinct if other.code == finding.code)
        if not any(other.start <= finding.start and finding.end <= other.end for other in same_code):
            distinct.append(finding)
    return distinct
