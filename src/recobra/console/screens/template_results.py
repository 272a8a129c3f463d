"""Results of the variants of a template, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recobra.access.queries import User
from recobra.insight.queries.variants import Variant, variant_results
from recobra.messaging.queries import Template
from recobra_core.kpi.difference import Conclusion

FINDINGS: Final[dict[Conclusion, tuple[str | Promise, str]]] = {
    "better": (_("Better than the first"), "good"),
    "worse": (_("Worse than the first"), "bad"),
    "no_difference": (_("No difference worth the name"), "quiet"),
    "not_enough": (_("Not enough yet to say"), "warn"),
}


def describe_variants(
    user: User, *, templates: QuerySet[Template], today: date
) -> Sequence[tuple[Variant, str | Promise, str]]:
    """Return the variants with the finding of each against the first, and its tone; nothing where there is only one."""
    template_ids = list(templates.values_list("pk", flat=True))
    variants = variant_results(user, template_ids=template_ids, today=today)
    # One variant alone has nothing to be compared with.
    if len(variants) <= 1:
        return []
    described: list[tuple[Variant, str | Promise, str]] = []
    for variant in variants:
        # The first has none: the others are compared with it.
        finding, tone = FINDINGS[variant.finding] if variant.finding else ("", "")
        described.append((variant, finding, tone))
    return described
