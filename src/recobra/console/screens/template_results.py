"""Results of the variants of a template, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recobra.access.queries import User
from recobra.insight.queries.variants import Variant, variant_results
from recobra_core.kpi.difference import Conclusion

FINDINGS: Final[dict[Conclusion, tuple[str | Promise, str]]] = {
    "better": (_("Better than the first"), "good"),
    "worse": (_("Worse than the first"), "bad"),
    "no_difference": (_("No difference worth the name"), "quiet"),
    "not_enough": (_("Not enough yet to say"), "warn"),
}


def describe_variants(user: User, *, templates: Any, today: date) -> Sequence[tuple[Variant, str | Promise, str]]:
    """Return the variants with the finding of each against the first; nothing where there is only one."""
    variants = variant_results(user, template_ids=list(templates.values_list("pk", flat=True)), today=today)
    described = [(variant, *(FINDINGS[variant.finding] if variant.finding else ("", ""))) for variant in variants]
    return described if len(described) > 1 else []
