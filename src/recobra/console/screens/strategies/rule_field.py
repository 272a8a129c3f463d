"""The field of a rule: checked while it is typed, described in words, and edited by rows of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import receivables
from recobra.kit import clock
from recobra.kit.language import screen_language
from recobra.kit.typed_numbers import number_locale, read_number
from recobra.portfolio.own_columns import parse_day
from recobra.portfolio.queries import Portfolio, portfolios_for
from recobra.strategy import operations, queries, queries_groups, schedule
from recobra_core.money import exponent_of
from recobra_core.rules import (
    OPERATORS,
    Catalogue,
    Column,
    Row,
    Rule,
    RuleError,
    Unknown,
    compile_rule,
    from_builder,
    to_builder,
)
from recobra_core.rules.reach import find_unreachable

ROWS_MAX = 50
_LETTERS_AROUND_MISTAKE = 30
_LIST_OPERATORS = frozenset({"in", "not in", "between", "not between"})
_UNKNOWN_MODES: dict[str, Unknown] = {"yes": "yes", "no": "no"}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict of the core about a rule: its words, or its mistake with its place.

    `rows` are its conditions as they are typed in the country of the page; a rule that rows cannot express is
    `too_rich`. `is_typed`: the rows are those that were typed and are no rule yet, for the reason in `error`.
    `covered_by` is the name of an earlier segment that takes every account of this one.
    """

    text: str
    words: str = ""
    error: str = ""
    before: str = ""
    after: str = ""
    place: int = 0
    rows: list[Row] = field(default_factory=list)
    too_rich: bool = False
    is_typed: bool = False
    covered_by: str = ""
    leaves_unknown_out: bool = False


class RowRefused(Exception):
    """A condition cannot be read; the text is shown as it is."""


def rule_place(request: StaffRequest, portfolio_id: str = "") -> Portfolio | None:
    """Return the portfolio in whose writing amounts are typed: the one of the page, else the user's first."""
    portfolios = portfolios_for(request.user)
    chosen = portfolio_id or request.POST.get("portfolio", "") or request.POST.get("place", "")
    return next((each for each in portfolios if str(each.pk) == chosen), next(iter(portfolios), None))


def judge_member(member: dict[str, Any], catalogue: Catalogue, place: Portfolio | None) -> Verdict:
    """Return the verdict about the rule of a step or a segment; of conditions that are no rule yet, their own."""
    typed = member.get("typed")
    if typed is not None:
        return typed
    return judge_rule(member["rule"], unknown_mode(member["unknown"]), catalogue, place)


def unknown_mode(text: str) -> Unknown:
    """Return what the choice of a form, or of a document, says of the unknown."""
    return _UNKNOWN_MODES.get(text, "refuse")


def judge_rule(text: str, unknown: Unknown, catalogue: Catalogue, place: Portfolio | None) -> Verdict:
    """Return the verdict about a rule, in the language of the screen; `place` says how its amounts are typed."""
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
    return Verdict(
        text=text,
        words=rule.in_words(screen_language()),
        rows=[_write_row(row, catalogue, place) for row in rows or []],
        too_rich=rows is None,
        leaves_unknown_out=unknown != "yes" and any(catalogue[name].nullable for name in rule.columns),
    )


def settle_rule(
    post: QueryDict, prefix: str, *, unknown: Unknown, catalogue: Catalogue, place: Portfolio | None
) -> tuple[str, Verdict | None]:
    """Return the text of a posted rule: as it was typed, or as its conditions say where they were changed since.

    The verdict is there where the conditions are no rule: they are kept, and the rule may not be saved.
    """
    text = post.get(f"{prefix}-rule", "").strip()
    shown = post.get(f"{prefix}-shown")
    rows = _read_rows(post, prefix)
    # A text that was edited after its conditions were shown says more than they do.
    if shown is None or text.split() != shown.split() or not _were_changed(rows, text, unknown, catalogue, place):
        return text, None
    return _build_rule(rows, text, unknown=unknown, catalogue=catalogue, place=place)


def _were_changed(rows: list[Row], text: str, unknown: Unknown, catalogue: Catalogue, place: Portfolio | None) -> bool:
    """Return whether conditions are others than those of a rule's text."""
    return rows != judge_rule(text, unknown, catalogue, place).rows


def _build_rule(
    rows: list[Row], text: str, *, unknown: Unknown, catalogue: Catalogue, place: Portfolio | None
) -> tuple[str, Verdict | None]:
    """Return the text that conditions say, or the text before with the verdict that keeps them."""
    if not rows:
        return "", None
    try:
        built = from_builder([_parse_row(row, catalogue, place) for row in rows], catalogue, unknown=unknown)
        compile_rule(built, catalogue, unknown=unknown)
    except RuleError as error:
        return text, Verdict(text=text, error=error.text(screen_language()), rows=rows, is_typed=True)
    except RowRefused as refusal:
        return text, Verdict(text=text, error=str(refusal), rows=rows, is_typed=True)
    return built, None


def find_covered(segments: Sequence[dict[str, Any]], catalogue: Catalogue) -> dict[int, str]:
    """Return by position the segments that nothing reaches, each with the name of the one that takes their accounts."""
    rules: list[Rule | None] = []
    for segment in segments:
        try:
            rules.append(compile_rule(segment["rule"], catalogue, unknown=unknown_mode(segment["unknown"])))
        except RuleError:
            rules.append(None)
    covered = find_unreachable(rules)
    return {position: segments[before]["name"] or str(before + 1) for position, before in covered.items()}


@require_POST
@needs(Right.EDIT_STRATEGIES)
def check_rule(request: StaffRequest) -> HttpResponse:
    """Check one rule field (`field` is its prefix), as it is typed or by its rows of conditions."""
    mode = request.POST.get(f"{request.POST.get('field', '')}-unknown", "")
    return render_verdict(request, unknown=unknown_mode(mode), count_url=reverse("console:strategy-rule-count"))


def render_verdict(request: StaffRequest, *, unknown: Unknown, **context: Any) -> HttpResponse:
    """Return the part of the page with the verdict about a rule field; `context` goes to its templates."""
    prefix = request.POST.get("field", "")
    catalogue = queries.rule_catalogue()
    place = rule_place(request)
    context |= {"prefix": prefix, "columns": builder_columns(catalogue), "live": True}
    # The rule of a group itself leaves the unknown out.
    context["fixed_unknown"] = prefix == "group" and "rule_url" not in context
    # A step narrows by segments; only these, and campaigns, take groups.
    if prefix.startswith("segments") or "rule_url" in context:
        context["groups"] = queries_groups.groups_for(request.user)
    text = request.POST.get(f"{prefix}-rule", "")
    if "rows" not in request.POST and "pick" not in request.POST:
        verdict = judge_rule(text, unknown, catalogue, place)
        return render(request, "console/strategies/_verdict.html", context | {"verdict": verdict})
    if "pick" in request.POST:
        return _take_group(request, prefix, catalogue, place, context)
    rows = _read_rows(request.POST, prefix)
    text, typed = _build_rule(rows, text, unknown=unknown, catalogue=catalogue, place=place)
    verdict = typed or judge_rule(text, unknown, catalogue, place)
    member = {"rule": text, "unknown": request.POST.get(f"{prefix}-unknown", ""), "verdict": verdict}
    return render(request, "console/strategies/_rule.html", context | {"member": member, "built": True})


def _take_group(
    request: StaffRequest, prefix: str, catalogue: Catalogue, place: Portfolio | None, context: dict[str, Any]
) -> HttpResponse:
    """Return the rule field with the rule of the group that was chosen; with none chosen, an empty one."""
    code = request.POST.get(f"{prefix}-pick", "")
    group = next((each for each in queries_groups.groups_for(request.user) if each.code == code), None)
    text = group.rule if group else ""
    reference = group.reference if group else ""
    member = {
        "rule": text,
        "unknown": "no",
        "from_group": reference,
        "group_note": describe_group(reference, text),
        "verdict": judge_rule(text, "no", catalogue, place),
    }
    return render(request, "console/strategies/_rule.html", context | {"member": member})


def describe_group(reference: str, rule: str) -> str:
    """Return in words from which version of a group a rule comes, '' where it is no longer that one's."""
    group = queries_groups.find_version(reference)
    if group is None or group.rule.split() != rule.split():
        return ""
    words = {"name": group.name, "version": group.version, "newest": queries_groups.newest_version(group.code)}
    if group.version == words["newest"]:
        return _("The rule of the group «%(name)s», version %(version)s.") % words
    text = _("The rule of the group «%(name)s», version %(version)s. Choose it again to take version %(newest)s.")
    return text % words


@require_POST
@needs(Right.EDIT_STRATEGIES)
def count_rule(request: StaffRequest) -> HttpResponse:
    """Count what a rule field matches today: in the chosen portfolio, else where the strategy is followed, or all."""
    code = request.POST.get("strategy", "")
    chosen = request.POST.get("portfolio", "")
    following = queries.portfolios_following(request.user, code) if code else []
    following = [each for each in portfolios_for(request.user) if str(each.pk) == chosen] or following
    mode = request.POST.get(f"{request.POST.get('field', '')}-unknown", "")
    return render_count(request, unknown=unknown_mode(mode), portfolios=following or portfolios_for(request.user))


def render_count(request: StaffRequest, *, unknown: Unknown, portfolios: Sequence[Portfolio]) -> HttpResponse:
    """Return the part of the page that says what a rule field matches today, with the accounts that owe most."""
    prefix = request.POST.get("field", "")
    catalogue = queries.rule_catalogue()
    text, typed = settle_rule(request.POST, prefix, unknown=unknown, catalogue=catalogue, place=rule_place(request))
    context: dict[str, Any] = {"prefix": prefix, "portfolios": portfolios}
    if typed is not None or not text or not portfolios:
        context["problem"] = typed.error if typed else _("There is nothing to count yet.")
        return render(request, "console/strategies/_count.html", context)
    try:
        matches = operations.count_matches(
            rule=text,
            unknown=unknown,
            portfolio_ids=[portfolio.pk for portfolio in portfolios],
            as_of=schedule.today(clock.now()),
        )
    except RuleError as error:
        context["problem"] = error.text(screen_language())
        return render(request, "console/strategies/_count.html", context)
    countries = {portfolio.currency: portfolio.country for portfolio in portfolios}
    rows = [total | {"country": countries.get(total["currency"], "")} for total in matches.totals]
    found = {
        row.account_id: row for row in receivables.accounts_by_id(request.user, list(matches.examples), clock.now())
    }
    # What is overdue at this moment: the list knows it as of the last cycle.
    examples = [replace(found[pk], overdue_minor=minor) for pk, minor in matches.examples.items() if pk in found]
    context |= {"matches": matches, "totals": rows, "examples": examples}
    return render(request, "console/strategies/_count.html", context)


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


def _parse_row(row: Row, catalogue: Catalogue, place: Portfolio | None) -> Row:
    """Return a row with its values as rules write them. Raises RowRefused for one that cannot be read."""
    column = catalogue.get(row.column)
    if column is None:
        return row
    return Row(row.column, row.operator, tuple(_parse_value(value, column, place) for value in row.values))


def _parse_value(text: str, column: Column, place: Portfolio | None) -> str:
    label = column.label_en if screen_language() == "en" else column.label_es
    if not text:
        raise RowRefused(_("Write a value for «%(column)s».") % {"column": label})
    if column.type in {"money", "integer", "number"}:
        country, currency = (place.country, place.currency) if place else ("", "USD")
        is_money = column.type == "money"
        number = read_number(text, country=country, currency=currency if is_money else "")
        if number is None or (column.type == "integer" and number != number.to_integral_value()):
            example = _write_number(Decimal("1234.5" if column.type != "integer" else "1234"), column, place)
            words = {"found": text, "column": label, "example": example}
            raise RowRefused(_("«%(found)s» is no value of «%(column)s»: write it like %(example)s.") % words)
        return format(number, "f")
    if column.type == "date":
        day = parse_day(text)
        if day is None:
            words = {"found": text, "column": label, "example": "31/12/2026"}
            raise RowRefused(_("«%(found)s» is no value of «%(column)s»: write it like %(example)s.") % words)
        return day
    return text


def _write_row(row: Row, catalogue: Catalogue, place: Portfolio | None) -> Row:
    """Return a row with its numbers as the country of the page writes them."""
    column = catalogue[row.column]
    if column.type not in {"money", "integer", "number"}:
        return row
    return Row(row.column, row.operator, tuple(_write_number(Decimal(value), column, place) for value in row.values))


def _write_number(number: Decimal, column: Column, place: Portfolio | None) -> str:
    decimals = max(-int(number.as_tuple().exponent), 0)
    if column.type == "money" and place is not None:
        # As many decimals as the currency has, or none: three of them would be read as thousands.
        decimals = exponent_of(place.currency) if decimals else 0
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return str(format_decimal(number, pattern, locale=number_locale(place.country if place else "")))


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
