"""The rule field: checked while it is typed, said in words, and written by rows of conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.strategies.description import language
from recobra.strategy import queries
from recobra_core.rules import OPERATORS, Catalogue, Row, RuleError, Unknown, compile_rule, from_builder, to_builder

ROWS_MAX = 50
_MODES: dict[str, Unknown] = {"yes": "yes", "no": "no"}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the core says of a rule: its words, or what is wrong and where; and its rows, where rows can say it."""

    text: str
    words: str = ""
    error: str = ""
    before: str = ""
    after: str = ""
    place: int = 0
    rows: list[Row] = field(default_factory=list)
    too_rich: bool = False


def said(member: dict[str, Any], catalogue: Catalogue) -> Verdict:
    """Judge the rule of a step or segment of the editor."""
    return judge(member["rule"], _MODES.get(member["unknown"], "refuse"), catalogue)


def judge(text: str, unknown: Unknown, catalogue: Catalogue) -> Verdict:
    """Say a rule in words, or what is wrong with it, in the language of the screen."""
    if not text.strip():
        return Verdict(text=text)
    try:
        rule = compile_rule(text, catalogue, unknown=unknown)
    except RuleError as error:
        at = min(error.position, len(text))
        return Verdict(
            text=text,
            error=error.text(language()),
            place=at + 1,
            before=text[max(at - 30, 0) : at],
            after=text[at : at + 30],
        )
    rows = to_builder(rule)
    return Verdict(text=text, words=rule.in_words(language()), rows=rows or [], too_rich=rows is None)


@require_POST
@needs(Right.EDIT_STRATEGIES)
def check(request: StaffRequest) -> HttpResponse:
    """Judge one rule field (`field` is its prefix): as typed, or as its rows of conditions say it."""
    unknown = _MODES.get(request.POST.get(f"{request.POST.get('field', '')}-unknown", ""), "refuse")
    return answer(request, unknown=unknown)


def answer(request: StaffRequest, *, unknown: Unknown, **context: Any) -> HttpResponse:
    """Return the part of the page that says what a rule field says; `context` goes to its templates."""
    prefix, catalogue = request.POST.get("field", ""), queries.rule_catalogue()
    context |= {"prefix": prefix, "columns": columns(catalogue)}
    if "rows" not in request.POST:
        verdict = judge(request.POST.get(f"{prefix}-rule", ""), unknown, catalogue)
        return render(request, "console/strategies/_rule_said.html", context | {"said": verdict})
    rows = _rows(request.POST, prefix)
    try:
        text = from_builder(rows, catalogue)
        verdict = judge(text, unknown, catalogue)
    except RuleError as error:
        text = request.POST.get(f"{prefix}-rule", "")
        verdict = Verdict(text=text, error=error.text(language()), rows=rows)
    member = {"rule": text, "unknown": request.POST.get(f"{prefix}-unknown", ""), "said": verdict}
    return render(request, "console/strategies/_rule.html", context | {"member": member, "built": True})


def _rows(post: QueryDict, prefix: str) -> list[Row]:
    """Read the rows by their numbers; a row without a column is a row taken away."""
    rows = []
    for at in range(ROWS_MAX):
        column = post.get(f"{prefix}-row-{at}-column", "")
        if column:
            operator, value = post.get(f"{prefix}-row-{at}-operator", ""), post.get(f"{prefix}-row-{at}-value", "")
            several = operator in {"in", "not in", "between", "not between"}
            values = tuple(each.strip() for each in value.split(";")) if several else (value.strip(),)
            rows.append(Row(column, operator, () if operator.startswith("is ") else values))
    return rows


def columns(catalogue: Catalogue) -> dict[str, Any]:
    """Return the columns with their labels, and the operators in words."""
    label = "label_en" if language() == "en" else "label_es"
    return {
        "names": sorted(((each.name, getattr(each, label)) for each in catalogue.values()), key=lambda pair: pair[1]),
        "operators": [(operator, operators()[operator]) for operator in OPERATORS],
    }


def operators() -> dict[str, str]:
    """Return every operator of the builder in words."""
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
