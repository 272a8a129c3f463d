"""A template as its screen shows it: words with findings marked, what changed, buttons as lines of text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from recobra.console.screens.countries.description import country_name
from recobra.messaging.templates import law_findings
from recobra.messaging.templates.by_channel import PARTS
from recobra.messaging.templates.lengths import count_segments
from recobra.messaging.templates.whatsapp_form import number_variables
from recobra_core.law import load_countries

FIELDS: Final = ("name", "subject", "text", "html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a text; `severity` is '' where nothing was found in it."""

    text: str
    severity: str = ""


def read(template: Any, now: Any, findings: Any) -> dict[str, Any]:
    """Return what the linter panel shows of a template: each finding in words, and each part with its marks.

    `elsewhere` is what only some of the countries ask for that a general template may be used in.
    """
    found = sorted(findings(template, now=now), key=lambda each: (each.finding.severity, each.part, each.finding.start))
    whole = (template.country,) if template.country else law_findings.countries_by_language(template.language)
    blocked = law_findings.blocked_countries(found, country=template.country, language=template.language)
    here = [each for each in found if each.finding.end or len(each.countries) == len(whole)]
    return {
        "findings": [shown(each, where=_where(each, whole)) for each in here],
        "elsewhere": [shown(each, where=_where(each, whole)) for each in found if each not in here],
        "marked": [
            (part, pieces(getattr(template, part), placed))
            for part in ("subject", "text")
            if (placed := [each for each in here if each.part == part and each.finding.end])
        ],
        "blocked": names_of(blocked),
        "blocked_everywhere": bool(blocked) and len(blocked) == len(whole),
        "segments": count_segments(template.text) if template.channel == "sms" else None,
        "numbered": number_variables(template.text)[0] if template.channel == "whatsapp" else "",
    }


def shown(each: law_findings.TemplateFinding, *, where: str) -> dict[str, str]:
    """Return a finding as `_finding.html` shows it; `where` is what it holds for, '' where that needs no saying."""
    return {
        "severity": each.finding.severity,
        "sentence": law_findings.translate_sentence(each.finding.sentence),
        "part": each.part,
        "excerpt": each.finding.excerpt,
        "article": _article(each),
        "source": each.finding.source,
        "where": where,
    }


def _where(each: law_findings.TemplateFinding, whole: Sequence[str]) -> str:
    return "" if len(each.countries) == len(whole) else names_of(each.countries)


def _article(each: law_findings.TemplateFinding) -> str:
    """Return the article of a finding, with its country where others say alike by articles of their own."""
    article = law_findings.translate_sentence(each.finding.article)
    if len(each.countries) < 2 or each.finding.article == law_findings.OWN_RULE:
        return article
    return _("%(article)s (%(country)s; others alike)") % {"article": article, "country": names_of(each.countries[:1])}


def names_of(codes: Iterable[str]) -> str:
    """Return countries by name."""
    return ", ".join(country_name(code) for code in codes if code in load_countries())


def pieces(text: str, found: Sequence[law_findings.TemplateFinding]) -> list[Piece]:
    """Cut a text where findings begin and end; where two overlap, the graver one shows."""
    grave = ["" for _ in text]
    for each in sorted(found, key=lambda each: each.finding.severity, reverse=True):
        for place in range(each.finding.start, each.finding.end):
            grave[place] = each.finding.severity
    cut: list[Piece] = []
    for letter, severity in zip(text, grave, strict=True):
        if cut and cut[-1].severity == severity:
            cut[-1] = Piece(text=cut[-1].text + letter, severity=severity)
        else:
            cut.append(Piece(text=letter, severity=severity))
    return cut


def changes(before: Any, after: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return, part by part, the lines that a version took away (`-`) and put in (`+`), with what stands around them."""
    found = []
    for part in FIELDS:
        old, new = getattr(before, part).splitlines(), getattr(after, part).splitlines()
        if old != new:
            lines = [
                line for line in difflib.unified_diff(old, new, lineterm="", n=1) if line[:3] not in {"---", "+++"}
            ]
            found.append((part, [(line[:1], line[1:]) for line in lines if not line.startswith("@@")]))
    return found


def buttons_of(lines: str, channel: str) -> list[dict[str, str]]:
    """Read buttons, one a line: `code | title`, for a call `key | code | title`."""
    names = ("key", "code", "title") if channel == "ivr" else ("code", "title")
    rows = [[cell.strip() for cell in line.split("|")] for line in lines.splitlines() if line.strip()]
    return [dict(zip(names, [*row, "", ""], strict=False)) for row in rows]


def as_lines(buttons: Iterable[Mapping[str, str]]) -> str:
    """Write buttons as the lines that `buttons_of` reads."""
    return "\n".join(
        " | ".join(button[name] for name in ("key", "code", "title") if button.get(name)) for button in buttons
    )


def has_part(channel: str, part: str) -> bool:
    """Return whether a channel's templates have a part."""
    return part == "name" or part in PARTS.get(channel, ("text",))
