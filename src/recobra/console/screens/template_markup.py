"""Presentation of a template: findings marked in its text, changes between versions, buttons as lines of text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from recobra.kit.countries import country_name
from recobra.messaging.queries import Template
from recobra.messaging.templates import law_findings, words
from recobra.messaging.templates.by_channel import PARTS
from recobra.messaging.templates.lengths import count_segments
from recobra.messaging.templates.operations import lint_template
from recobra.messaging.templates.whatsapp_form import number_variables
from recobra_core.law import load_countries

FIELDS: Final = ("name", "subject", "text", "html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a text; `severity` is '' where it has no finding."""

    text: str
    severity: str = ""


def read_findings(template: Template, now: datetime) -> dict[str, Any]:
    """Return the context of the linter panel: each finding in words, and each part with its marks.

    `elsewhere` are the findings of only some of the countries in which a general template may be used.
    """
    findings = sorted(lint_template(template, now=now), key=_finding_order)
    possible = (template.country,) if template.country else law_findings.countries_by_language(template.language)
    blocked = law_findings.blocked_countries(findings, country=template.country, language=template.language)
    # A finding that points at words is shown with them, even where only some of the countries object.
    here = [finding for finding in findings if finding.finding.end or len(finding.countries) == len(possible)]
    elsewhere = [finding for finding in findings if finding not in here]
    marked = []
    for part in ("subject", "text"):
        placed = [finding for finding in here if finding.part == part and finding.finding.end]
        if placed:
            marked.append((part, mark_findings(getattr(template, part), placed)))
    numbered_text = ""
    if template.channel == "whatsapp":
        numbered_text, _variables = number_variables(template.text)
    return {
        "findings": [describe_finding(finding, where=_describe_countries(finding, possible)) for finding in here],
        "elsewhere": [describe_finding(finding, where=_describe_countries(finding, possible)) for finding in elsewhere],
        "marked": marked,
        "blocked": join_country_names(blocked),
        "blocked_everywhere": bool(blocked) and len(blocked) == len(possible),
        "segments": count_segments(template.text) if template.channel == "sms" else None,
        "numbered": numbered_text,
    }


def _finding_order(finding: law_findings.TemplateFinding) -> tuple[str, str, int]:
    """Return the sort key of a finding: its severity (the gravest sorts first), its part and its place there."""
    return finding.finding.severity, finding.part, finding.finding.start


def describe_finding(finding: law_findings.TemplateFinding, *, where: str) -> dict[str, str]:
    """Return a finding as `_finding.html` shows it; `where` names its countries, '' for all of them."""
    return {
        "severity": finding.finding.severity,
        "sentence": law_findings.translate_sentence(finding.finding.sentence),
        "part": finding.part,
        "excerpt": finding.finding.excerpt,
        "article": _describe_article(finding),
        "source": finding.finding.source,
        "where": where,
    }


def _describe_countries(finding: law_findings.TemplateFinding, possible: Sequence[str]) -> str:
    """Return the countries of a finding, '' where it holds in all the `possible` ones."""
    if len(finding.countries) == len(possible):
        return ""
    return join_country_names(finding.countries)


def _describe_article(finding: law_findings.TemplateFinding) -> str:
    """Return the article of a finding, with its country where others have articles of their own for it."""
    article = law_findings.translate_sentence(finding.finding.article)
    if len(finding.countries) < 2 or finding.finding.article == law_findings.OWN_RULE:
        return article
    country = join_country_names(finding.countries[:1])
    return _("%(article)s (%(country)s; others alike)") % {"article": article, "country": country}


def join_country_names(codes: Iterable[str]) -> str:
    """Return the names of countries, joined by commas."""
    return ", ".join(country_name(code) for code in codes if code in load_countries())


def mark_findings(text: str, findings: Sequence[law_findings.TemplateFinding]) -> list[Piece]:
    """Cut a text where findings begin and end; where two overlap, the graver one shows."""
    severities = ["" for _ in text]
    # Severities sort by their names: the gravest comes last and overwrites the others.
    for finding in sorted(findings, key=lambda finding: finding.finding.severity, reverse=True):
        for position in range(finding.finding.start, finding.finding.end):
            severities[position] = finding.finding.severity
    pieces: list[Piece] = []
    for letter, severity in zip(text, severities, strict=True):
        if pieces and pieces[-1].severity == severity:
            pieces[-1] = Piece(text=pieces[-1].text + letter, severity=severity)
        else:
            pieces.append(Piece(text=letter, severity=severity))
    return pieces


def list_changes(before: Template, after: Template) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each part that changed with its lines: the sign (`-` removed, `+` added, blank around them), the text."""
    changes = []
    for part in FIELDS:
        old = getattr(before, part).splitlines()
        new = getattr(after, part).splitlines()
        if old == new:
            continue
        # The heads of files and hunks say nothing to a reader of two texts.
        heads = ("---", "+++", "@@")
        lines = [line for line in difflib.unified_diff(old, new, lineterm="", n=1) if not line.startswith(heads)]
        changes.append((part, [(line[:1], line[1:]) for line in lines]))
    return changes


def parse_buttons(lines: str, channel: str) -> list[dict[str, str]]:
    """Return the buttons of a text, one a line: `code | title`, for a call `key | code | title`."""
    names = ("key", "code", "title") if channel == "ivr" else ("code", "title")
    buttons = []
    for line in lines.splitlines():
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("|")]
        # Cells that are missing at the end are empty; the checks of the template report them.
        missing = [""] * (len(names) - len(cells))
        buttons.append(dict(zip(names, cells + missing, strict=False)))
    return buttons


def format_buttons(buttons: Iterable[Mapping[str, str]]) -> str:
    """Return buttons as the text that `parse_buttons` reads."""
    lines = []
    for button in buttons:
        cells = [button[name] for name in ("key", "code", "title") if button.get(name)]
        lines.append(" | ".join(cells))
    return "\n".join(lines)


def list_blocks(template: Template) -> list[tuple[str, str]]:
    """Return the lists that may be put into a template, each with its code; none where the channel takes no loops."""
    if template.channel == "whatsapp":
        return []
    texts = words.block_texts(template.language)
    return [(str(block.label), texts[block.name]) for block in words.BLOCKS if block.name in texts]


def has_part(channel: str, part: str) -> bool:
    """Return whether a channel's templates have a part."""
    return part == "name" or part in PARTS.get(channel, ("text",))
