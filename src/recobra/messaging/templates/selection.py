"""Selection of the template of a message: in force, fit for the country, nearest to what was asked for."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When

import recobra_core
from recobra.kit import file_cache, tables
from recobra.messaging.models import Template, TemplateRegistration
from recobra.messaging.templates.law_findings import lint_for_country
from recobra.portfolio.models import Channel, LegalDecision
from recobra_core.law.content import files, has_blocking

_HASH_DIGITS: Final = 8  # hexadecimal ones
_HASH_RANGE: Final = 16**_HASH_DIGITS
_TONES: Final = ("", "NEUTRAL", "EMPATHETIC", "FIRM")
VERSION_KEY: Final = Template.VERSION_KEY


def versions_of(template: Template) -> QuerySet[Template]:
    """Return all versions of a template's variant, newest first."""
    return Template.objects.filter(**{name: getattr(template, name) for name in VERSION_KEY}).order_by("-version")


def templates_in_force() -> QuerySet[Template]:
    """Return the newest approved version of each template and variant that is not retired."""
    approved = Template.objects.filter(status=Template.Status.APPROVED, retired_at__isnull=True)
    # The order must begin with the fields of DISTINCT ON; the first row of each is the newest version.
    newest = approved.order_by(*VERSION_KEY, "-version").distinct(*VERSION_KEY)
    return Template.objects.filter(pk__in=newest.values("pk"))


def needs_registration() -> Q:
    """Return the condition on templates that may begin no conversation until a provider has approved them.

    A demonstration asks nobody.
    """
    if settings.DEMO:
        return Q(pk__in=[])
    registered = TemplateRegistration.objects.sendable().filter(template_id=OuterRef("pk"))
    return Q(channel=Channel.WHATSAPP) & ~Q(Exists(registered))


class TemplatePool:
    """Templates in force, from which those of many contacts are picked.

    `unregistered_ids` are those that may begin no conversation: their provider has not approved them.
    """

    def __init__(self, templates: Iterable[Template], *, unregistered_ids: Collection[int] = frozenset()) -> None:
        self._by_code: dict[tuple[str, str], list[Template]] = {}
        for template in templates:
            self._by_code.setdefault((template.code, template.channel), []).append(template)
        self._unregistered_ids = unregistered_ids
        # The law's answers, which are the same for the many debtors of a batch.
        self._lawful: dict[tuple[int, str, date], bool] = {}

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
        begins: bool = False,
    ) -> Template | None:
        """Return the template for a debtor on a day, None where none fits.

        The language counts first, then the country's own template before the general one, then the tone. A template
        that the country's law blocks does not fit, and a legal one fits only with an approved legal decision; nor does
        one that its provider has not approved fit where the message `begins` a conversation. Among variants, the
        debtor's hash draws by their weights.
        """
        fitting = []
        for template in self._newest(code, channel, begins=begins):
            is_for_country = template.country in {"", country}
            is_drawn = template.weight > 0
            may_be_legal = legal_decision or not template.legal
            # The law is asked last, because that takes longest.
            if is_for_country and is_drawn and may_be_legal and self._is_lawful(template, country, on):
                fitting.append(template)
        if not fitting:
            return None
        distances = [_distance(template, language=language, tone=tone) for template in fitting]
        least = min(distances)
        nearest = [template for template, distance in zip(fitting, distances, strict=True) if distance == least]
        return draw_variant(nearest, debtor_id=debtor_id)

    def _newest(self, code: str, channel: str, *, begins: bool) -> Iterable[Template]:
        """Return the newest version of each template of a code, of those that may begin a conversation if it does."""
        newest: dict[tuple[str, ...], Template] = {}
        for template in self._by_code.get((code, channel), ()):
            if begins and template.pk in self._unregistered_ids:
                continue
            key = tuple(getattr(template, name) for name in VERSION_KEY)
            if key not in newest or newest[key].version < template.version:
                newest[key] = template
        return newest.values()

    def _is_lawful(self, template: Template, country: str, on: date) -> bool:
        """Return `is_lawful`, asked once for each template, country and day."""
        question = (template.pk, country, on)
        if question not in self._lawful:
            self._lawful[question] = is_lawful(template, country, on)
        return self._lawful[question]


def load_template_pool(wanted: Collection[tuple[str, str]], language: str = "") -> TemplatePool:
    """Return the templates in force of some codes and channels, of one language or of all, to pick from."""
    approved = Template.objects.filter(
        code__in={code for code, _channel in wanted}, status=Template.Status.APPROVED, retired_at__isnull=True
    )
    if language:
        approved = approved.filter(language=language)
    # While the provider looks at a new version, the one before it, which it approved, still begins conversations.
    marked = approved.annotate(is_unregistered=Case(When(needs_registration(), then=True), default=False))
    newest = marked.order_by(*VERSION_KEY, "is_unregistered", "-version").distinct(*VERSION_KEY, "is_unregistered")
    templates = list(newest)
    unregistered_ids = {template.pk for template in templates if template.is_unregistered}
    return TemplatePool(templates, unregistered_ids=unregistered_ids)


def is_lawful(template: Template, country: str, on: date) -> bool:
    """Return whether the country's law allows a template, a legal one with a legal decision.

    One whose words cannot be read is not refused for that: its messages wait for the key.
    """
    if not template.has_readable_words():
        return True
    return _is_lawful_text(
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
    """Return which of the accounts have an approved legal decision in force."""
    decisions = LegalDecision.objects.filter(
        tables.is_any_of("account_id", account_ids), approved_at__isnull=False, revoked_at__isnull=True
    )
    return frozenset(decisions.values_list("account_id", flat=True))


def draw_variant(variants: Sequence[Template], *, debtor_id: int) -> Template:
    """Return the variant of a debtor: the same on every day and try, whatever the order of the rows.

    The hash is that of `recobra_core.decide.assign_arm`, the experiment the template's code, channel, language,
    country and tone.
    """
    ordered = sorted(variants, key=lambda variant: variant.variant)
    first = ordered[0]
    if len(ordered) == 1:
        return first
    experiment = f"template/{first.code}/{first.channel}/{first.language}/{first.country}/{first.tone}"
    digest = hashlib.md5(f"{debtor_id}/{experiment}".encode(), usedforsecurity=False).hexdigest()
    draw = int(digest[:_HASH_DIGITS], 16)
    # Integers only: the shares are the same on every machine.
    total = sum(variant.weight for variant in ordered)
    cumulated = 0
    for variant in ordered:
        cumulated += variant.weight
        if draw < cumulated * _HASH_RANGE // total:
            return variant
    return ordered[-1]


def _distance(template: Template, *, language: str, tone: str) -> tuple[bool, bool, int]:
    """Return how far a template is from what was asked for: other language, no country of its own, other tone.

    Compared from left to right, and False before True: the smallest is the nearest.
    """
    is_other_language = template.language != language
    is_general = not template.country
    tone_distance = 0 if template.tone == tone else 1 + _TONES.index(template.tone)
    return is_other_language, is_general, tone_distance


# Cached by content: a dispatcher asks for each of thousands of contacts, with few templates.
@lru_cache(maxsize=2048)
def _is_lawful_text(**template: Any) -> bool:
    """Return whether a country's law lets a text leave, as the linter says or once said of the same text."""
    # Kept for the next process: the linter needs a language's whole vocabulary, which takes half a second to compile.
    key = _question_digest(template)
    answer = file_cache.read_text("lawful", key)
    if answer is None:
        answer = "no" if has_blocking(lint_for_country(**template)) else "yes"
        file_cache.keep_text("lawful", key, answer)
    return answer == "yes"


def _question_digest(template: dict[str, Any]) -> str:
    """Return a digest of a text, the version of the law that is in force, and the linter that reads them."""
    rules = files.find_content(template["country"], on=template["on"])
    question = {**template, "on": rules and rules.effective_from.isoformat()}
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode() + _linter_digest()).hexdigest()


@cache
def _linter_digest() -> bytes:
    """Return a digest of all that says what the linter finds: its code, its data, and how a text is put to it."""
    core = Path(recobra_core.__file__).parent
    # With how the core reads documents and folds texts, not the linter's own folder alone.
    sources = [*core.glob("*.py"), *core.glob("law/**/*.py"), *core.glob("law/content/**/*.yaml")]
    sources += Path(__file__).parent.glob("*.py")
    digest = hashlib.sha256(sys.version.encode())
    for source in sorted(sources):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.digest()
