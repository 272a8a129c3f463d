"""Judge the words of a message by the law of a country and a day."""

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

_CAPITALS = re.compile(r"[^\W\d_]")
_LINE = re.compile(r"(?:(?<=\n)|\A)(?=[^\W_])")
_SECOND = re.compile(r"https?://\S+|\S+@\S+")


def lint_text(
    text: str, *, country: str, channel: str, kind: Kind, language: str = "es", facts: MessageFacts
) -> tuple[Finding, ...]:
    """Return what may not be said in a text, in its order, and then what is missing.

    A country that is not known is a finding that blocks.
    """
    rules = files.find_content(country, on=facts.on)
    if rules is None:
        return (_unknown(country),)
    folded = fold_text(text, markup=facts.markup, template=kind == "template")
    known = (each for each in dict.fromkeys((language[:2], *rules.languages)) if each in files.LANGUAGES)
    spoken = [files.load_vocabulary(each) for each in known]
    found = [
        *_words(text, folded, spoken, rules=rules, kind=kind, facts=facts),
        *_hidden(text, folded, rules=rules, kind=kind),
        *_disclosed(text, folded, spoken, rules=rules, kind=kind, facts=facts),
    ]
    missing = (
        ()
        if facts.part != "body" or facts.third_party
        else _missing(folded, text, rules=rules, channel=channel, kind=kind, facts=facts)
    )
    return (*_once(found), *missing)


def has_blocking(findings: tuple[Finding, ...]) -> bool:
    """Return whether any of the findings keeps the message from leaving."""
    return any(finding.severity == "block" for finding in findings)


def _words(
    text: str, folded: FoldedText, spoken: list[Vocabulary], *, rules: CountryContent, kind: Kind, facts: MessageFacts
) -> Iterator[Finding]:
    for words in spoken:
        own = _spans(folded.text, words.language, rules.country)
        for code, start, end in (*_spans(folded.text, words.language, ""), *own):
            if not _excused(code, rules, facts):
                yield from _finding(code, folded.span(start, end), text, rules.rulings[code], kind)
        yield from _letterheads(text, folded, words, rules=rules, kind=kind)


@lru_cache(maxsize=1024)
def _spans(text: str, language: str, country: str) -> tuple[tuple[str, int, int], ...]:
    """Return what a language's phrases (or those a country adds) find, less what is meant otherwise."""
    words = files.load_vocabulary(language)
    phrases = files.country_phrases(country) if country else words.phrases
    innocent, denied = _masks(text, language)
    return tuple(
        (code, *match.span())
        for code, pattern in phrases.items()
        for match in pattern.finditer(text)
        if not _inside(match.span(), (*innocent, *denied) if code in EXCUSED_BY_DENIAL else innocent)
    )


@lru_cache(maxsize=1024)
def _masks(text: str, language: str) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Return where a folded text says a phrase's letters innocently, and where it denies what it says."""
    words = files.load_vocabulary(language)
    return tuple(match.span() for match in words.innocent.finditer(text)), tuple(_denials(text, words))


def _excused(code: str, rules: CountryContent, facts: MessageFacts) -> bool:
    decided = rules.legal_templates and facts.legal_template and facts.legal_decision
    return (code in EXCUSED_BY_A_LEGAL_DECISION and decided) or (code in EXCUSED_BY_CONSENT and facts.offer_consent)


def _denials(text: str, words: Vocabulary) -> Iterator[tuple[int, int]]:
    """Yield what a text denies («no es una notificación judicial»), but not what it only denies for now."""
    for match in words.denial.finditer(text):
        around = text[max(0, match.start() - 30) : match.start()].rpartition(".")[2] + match.group()
        if not words.not_yet.search(around) and not words.not_yet.match(text[match.end() :].lstrip(" ,")):
            yield match.span()


def _inside(span: tuple[int, int], masks: Iterable[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in masks)


def _letterheads(
    text: str, folded: FoldedText, words: Vocabulary, *, rules: CountryContent, kind: Kind
) -> Iterator[Finding]:
    """A line that begins in capitals the way a court's paper is headed."""
    masked = [span for mask in _masks(folded.text, words.language) for span in mask]
    for line in _LINE.finditer(folded.text):
        match = words.letterheads.match(folded.text, line.start())
        if match is None or _inside(match.span(), masked):
            continue
        start, end = folded.span(*match.span())
        letters = _CAPITALS.findall(text[start:end])
        if letters and all(letter.isupper() for letter in letters):
            yield from _finding("letterhead", (start, end), text, rules.rulings["letterhead"], kind)


def _hidden(text: str, folded: FoldedText, *, rules: CountryContent, kind: Kind) -> Iterator[Finding]:
    for place in folded.hidden:
        yield from _finding("hidden_letters", (place, place + 1), text, rules.rulings["hidden_letters"], kind)


def _disclosed(
    text: str, folded: FoldedText, spoken: list[Vocabulary], *, rules: CountryContent, kind: Kind, facts: MessageFacts
) -> Iterator[Finding]:
    """The debt named where somebody else reads or hears it."""
    if not facts.third_party and facts.part == "body":
        return
    code = "third_party" if facts.third_party else "shows_debt"
    ruling = rules.rulings[code]
    if facts.part == "subject" and not facts.third_party and ruling.level == "barred":
        ruling = replace(ruling, level="advice")
    spans = [folded.span(*match.span()) for words in spoken for match in words.debt.finditer(folded.text)]
    spans += [
        match.span(1) for match in TEMPLATE_VARIABLES.finditer(text) if match.group(1) in files.amount_variables()
    ]
    for span in spans:
        yield from _finding(code, span, text, ruling, kind)


def _missing(
    folded: FoldedText, text: str, *, rules: CountryContent, channel: str, kind: Kind, facts: MessageFacts
) -> Iterator[Finding]:
    names = facts.variables | set(TEMPLATE_VARIABLES.findall(text))
    plain = _SECOND.sub(" ", folded.text)
    for required in rules.required:
        if _asked(required, channel, names, facts) and not _said(required, names, plain, facts):
            level = required.short if channel in SHORT_CHANNELS else required.level
            ruling = Ruling(
                level="barred" if level == "outright" else level,
                article=required.article,
                source=required.source,
                certainty=required.certainty,
            )
            yield from _finding(f"missing_{required.part}", (0, 0), text, ruling, kind)


def _asked(required: RequiredPart, channel: str, names: frozenset[str], facts: MessageFacts) -> bool:
    """Return whether a part is asked of this message itself: not in an answer, nor where a page may carry it."""
    elsewhere = required.link and STATEMENT_LINK in names
    here = not required.channels or channel in required.channels
    return here and not elsewhere and not facts.reply and not (required.claims_only and facts.notice)


def _said(required: RequiredPart, names: frozenset[str], plain: str, facts: MessageFacts) -> bool:
    variables, phrases = files.load_parts()[required.part]
    if required.part == "creditor" and facts.creditor_name:
        return fold_text(facts.creditor_name).text in plain or bool(names & set(variables))
    return bool(names & set(variables)) or phrases.search(plain) is not None


def _finding(code: str, span: tuple[int, int], text: str, ruling: Ruling, kind: Kind) -> Iterator[Finding]:
    severity: Severity | None = {
        "outright": "block",
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


def _once(found: list[Finding]) -> list[Finding]:
    """Leave out what says again, on the same words, what another finding of its kind says."""
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda each: (each.start, -each.end, each.code)):
        same = (each for each in kept if each.code == finding.code)
        if not any(each.start <= finding.start and finding.end <= each.end for each in same):
            kept.append(finding)
    return kept


def _unknown(country: str) -> Finding:
    return Finding(
        code="unknown_country",
        severity="block",
        start=0,
        end=0,
        excerpt=country,
        sentence=SENTENCES["unknown_country"],
        article="",
        source="",
    )
