"""Which template a message is written with: approved, fit for the country, nearest to what was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

from django.db.models import QuerySet

from recobra.messaging.models import Template
from recobra.messaging.templates.law_findings import lint_for_country
from recobra.portfolio.models import LegalDecision
from recobra_core.law.content import has_blocking

_SPACE: Final = 16**8
_TONES: Final = ("", "NEUTRAL", "EMPATHETIC", "FIRM")
VERSION_KEY: Final = ("code", "channel", "language", "country", "tone", "variant")
"""What versions of one template share."""


def templates_in_force() -> QuerySet[Template]:
    """Return the newest approved version of each template and variant that is not retired."""
    found = Template.objects.filter(status=Template.Status.APPROVED, retired_at__isnull=True)
    newest = found.order_by(*VERSION_KEY, "-version").distinct(*VERSION_KEY)
    return Template.objects.filter(pk__in=newest.values("pk"))


class TemplatePool:
    """Templates in force, to choose from for many contacts."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._by_code: dict[tuple[str, str], list[Template]] = {}
        for template in templates:
            self._by_code.setdefault((template.code, template.channel), []).append(template)

    def pick_template(
        self,
        *,
        code: str,
        channel: str,
        country: str,
        language: str,
        debtor_id: int,
        on: date,
        tone: str = "",
        legal_decision: bool = False,
    ) -> Template | None:
        """Return the template a debtor is written with on a day, None where none fits.

        The language goes first, then the country's own before the general one, then the tone; a template that
        the country's law blocks does not fit, and a legal one fits only a case with an approved legal decision.
        Among its variants the debtor's own hash draws, by their weights.
        """
        fit = [
            t
            for t in self._by_code.get((code, channel), ())
            if t.country in {"", country} and t.weight and (legal_decision or not t.legal) and is_lawful(t, country, on)
        ]
        if not fit:
            return None
        best = min(_distance(t, language=language, tone=tone) for t in fit)
        chosen = [t for t in fit if _distance(t, language=language, tone=tone) == best]
        return draw_variant(chosen, debtor_id=debtor_id)


def load_template_pool(wanted: Collection[tuple[str, str]], language: str = "") -> TemplatePool:
    """Return the templates in force of some codes and channels (and of one language), to choose from."""
    found = templates_in_force().filter(code__in={code for code, _ in wanted})
    return TemplatePool(found.filter(language=language) if language else found)


def is_lawful(template: Template, country: str, on: date) -> bool:
    """Return whether the country's law lets a template leave, a legal one on a decided case."""
    return _leaves(
        subject=template.subject,
        text=template.text,
        html=template.html,
        channel=template.channel,
        country=country,
        language=template.language,
        legal=template.legal,
        on=on,
    )


def accounts_with_legal_decision(account_ids: Collection[int]) -> frozenset[int]:
    """Return the accounts among those given that have an approved legal decision in force."""
    found = LegalDecision.objects.filter(account__in=account_ids, approved_at__isnull=False, revoked_at__isnull=True)
    return frozenset(found.values_list("account_id", flat=True))


def draw_variant(variants: Sequence[Template], *, debtor_id: int) -> Template:
    """Return the variant a debtor falls in: the same on every day and try, whatever the order of the rows.

    The hash is that of `recobra_core.decide.assign_arm`, the experiment the template's code, channel, language and
    country.
    """
    ordered = sorted(variants, key=lambda each: each.variant)
    first = ordered[0]
    if len(ordered) == 1:
        return first
    experiment = f"template/{first.code}/{first.channel}/{first.language}/{first.country}/{first.tone}"
    draw = int(hashlib.md5(f"{debtor_id}/{experiment}".encode(), usedforsecurity=False).hexdigest()[:8], 16)
    total, upto = sum(each.weight for each in ordered), 0
    for each in ordered:
        upto += each.weight
        if draw < upto * _SPACE // total:
            return each
    return ordered[-1]


def _distance(template: Template, *, language: str, tone: str) -> tuple[bool, bool, int]:
    of_tone = 0 if template.tone == tone else 1 + _TONES.index(template.tone)
    return (template.language != language, not template.country, of_tone)


@lru_cache(maxsize=2048)
def _leaves(**template: Any) -> bool:
    return not has_blocking(lint_for_country(**template))
