"""The field of a rule: checked while it is typed, described in words, and edited by rows of conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.kit.language import screen_language
from recobra.strategy import queries
from recobra_core.rules import OPERATORS, Catalogue, Row, RuleError, Unknown, compile_rule, from_builder, to_builder

ROWS_MAX = 50
_LETTERS_AROUND_MISTAKE = 30
_LIST_OPERATORS = frozenset({"in", "not in", "between", "not between"})
_UNKNOWN_MODES: dict[str, Unknown] = {"yes": "yes", "no": "no"}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict of the core about a rule: its words, or its mistake with its place.

    `rows` are its conditions; a rule that rows cannot express is `too_rich`.
    """

    text: str
    words: str = ""
    error: str = ""
    before: str = ""
    after: str = ""
    place: int = 0
    rows: list[Row] = field(default_factory=list)
    too_rich: bool = False


def judge_member(member: dict[str, Any], catalogue: Catalogue) -> Verdict:
    """Return the verdict about the rule of a step or segment of the editor."""
    return judge_rule(member["rule"], _UNKNOWN_MODES.get(member["unknown"], "refuse"), catalogue)


def judge_rule(text: str, unknown: Unknown, catalogue: Catalogue) -> Verdict:
    """Return the verdict about a rule, in the language of the screen."""
    if not text.strip():
        return Verdict(text=text)
    try:
        rule = compile_rule(text, catalogue, unknown=unknown)
    except RuleError as error:
        position = min(error.position, len(text))
        first_shown = max(position - _LETTERS_AROUND_MISTAKE, 0)
        return Verdict(
            text=text,
            error=error.text(screen_language()),
            place=position + 1,
            before=text[first_shown:position],
            after=text[position : position + _LETTERS_AROUND_MISTAKE],
        )
    rows = to_builder(rule)
    return Verdict(text=text, words=rule.in_words(screen_language()), rows=rows or [], too_rich=rows is None)


@require_POST
@needs(Right.EDIT_STRATEGIES)
def check_rule(request: StaffRequest) -> HttpResponse:
    """Check one rule field (`field` is its prefix), as it is typed or by its rows of conditions."""
    prefix = request.POST.get("field", "")
    mode = request.POST.get(f"{prefix}-unknown", "")
    return render_verdict(request, unknown=_UNKNOWN_MODES.get(mode, "refuse"))


def render_verdict(request: StaffRequest, *, unknown: Unknown, **context: Any) -> HttpResponse:
    """Return the part of the page with the verdict about a rule field; `context` goes to its templates."""
    prefix = request.POST.get("field", "")
    catalogue = queries.rule_catalogue()
    context |= {"prefix": prefix, "columns": builder_columns(catalogue)}
    if "rows" not in request.POST:
        verdict = judge_rule(request.POST.get(f"{prefix}-rule", ""), unknown, catalogue)
        return render(request, "console/strategies/_verdict.html", context | {"verdict": verdict})
    rows = _read_rows(request.POST, prefix)
    try:
        text = from_builder(rows, catalogue)
        verdict = judge_rule(text, unknown, catalogue)
    except RuleError as error:
        text = request.POST.get(f"{prefix}-rule", "")
        verdict = Verdict(text=text, error=error.text(screen_language()), rows=rows)
    member = {"rule": text, "unknown": request.POST.get(f"{prefix}-unknown", ""), "verdict": verdict}
    return render(request, "console/strategies/_rule.html", context | {"member": member, "built": True})


def _read_rows(post: QueryDict, prefix: str) -> list[Row]:
    """Return the rows of conditions that were posted, by their numbers."""
    rows = []
    for index in range(ROWS_MAX):
        column = post.get(f"{prefix}-row-{index}-column", "")
        if not column:
            # A row that was removed leaves a gap in the numbers.
            continue
        operator = post.get(f"{prefix}-row-{index}-operator", "")
        value = post.get(f"{prefix}-row-{index}-value", "")
        rows.append(Row(column, operator, _split_values(operator, value)))
    return rows


def _split_values(operator: str, text: str) -> tuple[str, ...]:
    """Return the values of a condition: none for «is null» and the like, several where the operator takes a list."""
    if operator.startswith("is "):
        return ()
    if operator in _LIST_OPERATORS:
        return tuple(part.strip() for part in text.split(";"))
    return (text.strip(),)


def builder_columns(catalogue: Catalogue) -> dict[str, Any]:
    """Return the columns with their labels, and the operators in words."""
    is_english = screen_language() == "en"
    columns = [(column.name, column.label_en if is_english else column.label_es) for column in catalogue.values()]
    columns.sort(key=lambda column: column[1])
    operators = operator_labels()
    return {"names": columns, "operators": [(operator, operators[operator]) for operator in OPERATORS]}


def operator_labels() -> dict[str, str]:
    """Return the operators of the builder with their labels."""
    return {
        "=": _("is"),
        "<>": _("is not"),
        "<": _("is less than"),
        "<=": _("is at most"),
        ">": _("is more than"),
        ">=": _("is at least"),
        "between": _("is between (a; b)"),
        "not between": _("is not between (a; b)"),
        "in": _("is one of (a; b; …)"),
        "not in": _("is none of (a; b; …)"),
        "is null": _("is not known"),
        "is not null": _("is known"),
        "like": _("is like (% any text)"),
        "not like": _("is not like (% any text)"),
        "ilike": _("is like, large or small letters"),
        "not ilike": _("is not like, large or small letters"),
        "is true": _("holds"),
        "is false": _("does not hold"),
    }
