"""The quality of a file's data, 0 to 100: the mean of five shares of its rows (docs/glossary.md says which)."""

from __future__ import annotations

from typing import Any, Final

from recobra.intake.relations import CheckedRows
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Workspace

# The warnings by which an accepted row has no share in a part.
_LACKS: Final = {
    "contact": ("no_contact_point",),
    "identity": ("no_national_id", "stand_in_id", "invalid_id"),
    "due_date": ("no_due_date",),
    "coherence": (
        "balance_above_amount",
        "day_far",
        "due_before_issue",
        "not_a_day",
        "not_a_number",
        "not_yes_or_no",
        "nothing_owed",
    ),
}


def measure_quality(duck: Workspace, checked: CheckedRows, *, accepted: int, rejected: int) -> dict[str, Any]:
    """Return the score (0 to 100, rounded down) and its parts (shares of 0 to 1, the score is their mean).

    `accepted` and `rejected` are counts of rows; without any there is no score: an empty dictionary.
    """
    if not accepted + rejected:
        return {}
    parts = {"accepted": accepted / (accepted + rejected)}
    for part, codes in _LACKS.items():
        listed = ", ".join(map(literal, codes))
        (lacking,) = duck.fetch_row(f"SELECT count(DISTINCT line) FROM {checked.warnings} WHERE code IN ({listed})")
        parts[part] = 1 - lacking / accepted if accepted else 0.0
    mean = sum(parts.values()) / len(parts)
    # Rounded first, since 0.95 may stand there as 0.9499999.
    return {"score": int(round(100 * mean, 6)), "parts": parts}
