"""What the variants of a template brought, in words, for its page."""

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


def variants_of(user: User, *, templates: Any, today: date) -> Sequence[tuple[Variant, str | Promise, str]]:
    """Return the variants with what may be said of each beside the first; none where there is but one."""
    found = variant_results(user, template_ids=list(templates.values_list("pk", flat=True)), today=today)
    said = [(each, *(FINDINGS[each.finding] if each.finding else ("", ""))) for each in found]
    return said if len(said) > 1 else []
