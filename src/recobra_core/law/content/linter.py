"""Linter of messages: judges their words by the law of a country and a day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

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
        national = _find_spans(folded.text, vocabulary.language, rules.country)
        for code, start, end in (*_find_spans(folded.text, vocabulary.language, ""), *national):
            if code in EXCUSED_BY_A_LEGAL_DECISION and is_decided:
                continue
            if code in EXCUSED_BY_CONSENT and facts.offer_consent:
                continue
            yield from _make_finding(code, folded.span(start, end), text, rules.rulings[code], kind)
        yield from _find_letterheads(text, folded, vocabulary, rules=rules, kind=kind)


# Apart from the country's rulings, because the same template is read for several countries.
@lru_cache(maxsize=1024)
def _find_spans(text: str, language: str, country: str) -> tuple[tuple[str, int, int], ...]:
    """Return what a language's phrases (or those a country adds) find, less what is meant otherwise."""
    phrases = files.country_phrases(country) if country else files.load_vocabulary(language).phrases
    innocent, denied = _find_masks(text, language)
    return tuple(
        (code, *match.span())
        for code, pattern in phrases.items()
        for match in pattern.finditer(text)
        if not _overlaps_any(match.span(), (*innocent, *denied) if code in EXCUSED_BY_DENIAL else innocent)
    )


@lru_cache(maxsize=1024)
def _find_masks(text: str, language: str) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Return where a folded text says a phrase's letters innocently, and where it denies what it says."""
    vocabulary = files.load_vocabulary(language)
    innocent = tuple(match.span() for match in vocabulary.innocent.finditer(text))
    denied = []
    for match in vocabulary.denial.finditer(text):
        # «Todavía no es…» denies only for now, which is a threat: its words count.
        before = text[max(0, match.start() - 30) : match.start()].rpartition(".")[2] + match.group()
        after = text[match.end() :].lstrip(" ,")
        if not vocabulary.not_yet.search(before) and not vocabulary.not_yet.match(after):
            denied.append(match.span())
    return innocent, tuple(denied)


def _overlaps_any(span: tuple[int, int], masks: Iterable[tuple[int, int]]) -> bool:
    """Tell if a span (start, end) shares a character with any of the masks."""
    return any(start < span[1] and span[0] < end for start, end in masks)


def _find_letterheads(
    text: str, folded: FoldedText, vocabulary: Vocabulary, *, rules: CountryContent, kind: Kind
) -> Iterator[Finding]:
    """Yield the lines that begin in capitals the way a court's paper is headed."""
    masked = [span for mask in _find_masks(folded.text, vocabulary.language) for span in mask]
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
    spans = [
        folded.span(*match.span()) for vocabulary in vocabularies for match in vocabulary.debt.finditer(folded.text)
    ]
    amounts = files.amount_variables()
    spans += [match.span(1) for match in TEMPLATE_VARIABLES.finditer(text) if match.group(1) in amounts]
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
        if _is_required(required, channel, variables, facts) and not _is_said(required, variables, words, facts):
            level = required.short if channel in SHORT_CHANNELS else required.level
            ruling = Ruling(
                level="barred" if level == "outright" else level,
                article=required.article,
                source=required.source,
                certainty=required.certainty,
            )
            yield from _make_finding(f"missing_{required.part}", (0, 0), text, ruling, kind)


def _is_required(required: RequiredPart, channel: str, variables: frozenset[str], facts: MessageFacts) -> bool:
    """Tell if the message itself must say a part: not in an answer, nor where a page may carry it."""
    is_on_page = required.link and STATEMENT_LINK in variables
    applies = not required.channels or channel in required.channels
    return applies and not is_on_page and not facts.reply and not (required.claims_only and facts.notice)


def _is_said(required: RequiredPart, variables: frozenset[str], words: str, facts: MessageFacts) -> bool:
    """Tell if the message says a part, by one of its variables or in plain words."""
    part_variables, phrases = files.load_parts()[required.part]
    if variables & set(part_variables):
        return True
    # Where the creditor's name is known, only that name says who the creditor is.
    if required.part == "creditor" and facts.creditor_name:
        return fold_text(facts.creditor_name).text in words
    return phrases.search(words) is not None


def _make_finding(code: str, span: tuple[int, int], text: str, ruling: Ruling, kind: Kind) -> Iterator[Finding]:
    """Yield the finding, or nothing where the ruling leaves such words free."""
    severity: Severity | None = {
        "outright": "block",
        # What no machine may send, a person who answers for it may.
        "barred": "warn" if kind == "hand" else "block",
        "advice": "warn",
    }.get(ruling.level)
    if severity is not None:
        yield Finding(
            code=code,
            severity=severity,
            start=span[0],
            end=span[1],
            excerpt=text[slice(*span)],
            sentence=SENTENCES[code],
            article=ruling.article,
            source=f"{ruling.source} ({ruling.certainty})",
        )


def _drop_repeated(findings: list[Finding]) -> list[Finding]:
    """Leave out what says again, on the same words, what another finding of its kind says."""
    distinct: list[Finding] = []
    # The longest of those that begin alike comes first, so that it takes in the others.
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end, finding.code)):
        same_code = (other for other in distinct if other.code == finding.code)
        if not any(other.start <= finding.start and finding.end <= other.end for other in same_code):
            distinct.append(finding)
    return distinct
