"""Write a draft: by fields, by rows of conditions, or as YAML. Nothing is kept until «Save the draft»."""

from __future__ import annotations

import re
from typing import Any, NoReturn

import yaml
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.messaging.queries import template_versions
from recobra.strategy import operations, queries
from recobra.strategy.operations import StrategyRefused
from recobra_core.decide.steps import CHANNELS, EVENTS, STAGES

from . import form, rule_field
from .pages import touched

YAML_LONGEST = 200_000
_PLACE = re.compile(r"^(steps|segments)\[(\d+)\]")


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def edit(request: StaffRequest, code: str) -> HttpResponse:
    """Show the draft (or the version in force, to start from) as fields; buttons change them, one saves them."""
    listed = queries.strategy_for(request.user, code)
    if request.method == "GET":
        base = listed.draft or listed.shown
        return _fields(request, listed, form.from_document(base.document), seen=_mark(listed.draft))
    shape = form.from_post(request.POST) | {"code": code}
    action = request.POST.get("do", "")
    if action != "save":
        return _fields(request, listed, form.changed(shape, action), seen=request.POST.get("seen", ""))
    return _save(request, listed, form.to_document(shape), shape)


def _save(request: StaffRequest, listed: queries.StrategyListing, document: Any, shape: form.Shape) -> HttpResponse:
    seen, current = request.POST.get("seen", ""), _mark(listed.draft)
    if current != seen:
        return _fields(request, listed, shape, seen=current, problems=[_overtaken(listed)], status=409)
    try:
        operations.save_draft(document=document, **_who(request))
    except StrategyRefused as refused:
        return _fields(request, listed, shape, seen=seen, problems=refused.problems, status=422)
    _saved(request, listed.code)
    return redirect("console:strategy-edit", listed.code)


def _saved(request: StaffRequest, code: str) -> None:
    """Say that the draft is kept, with the ways to go on from here."""
    listed = queries.strategy_for(request.user, code)
    ways = []
    if listed.draft and listed.published:
        compare = reverse("console:strategy-compare", args=[code])
        ways.append((f"{compare}?de={listed.published.number}&a={listed.draft.number}", _("Compare")))
    if listed.draft:
        ways.append((reverse("console:strategy-publish", args=[code, listed.draft.number]), _("Publish")))
    said = _("The draft is saved. It is not in force until you publish it.")
    links = format_html_join(" · ", '<a href="{}">{}</a>', ways)
    messages.success(request, format_html("{} {}", said, links))


def _mark(draft: queries.StrategyVersion | None) -> str:
    return f"{draft.number}:{draft.created_at.isoformat()}" if draft else ""


def _overtaken(listed: queries.StrategyListing) -> str:
    if listed.draft is None:
        return _("The draft was published or retired meanwhile. Save again to begin a new one.")
    said = _("%(who)s saved this draft while you were writing. Save again to put yours in its place.")
    return said % {"who": listed.draft.created_by}


def _fields(
    request: StaffRequest,
    listed: queries.StrategyListing,
    shape: form.Shape,
    *,
    seen: str,
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    catalogue = queries.rule_catalogue()
    for which in ("segments", "steps"):
        shape[which] = [
            member | {"prefix": f"{which}-{at}", "said": rule_field.said(member, catalogue)}
            for at, member in enumerate(shape[which])
        ]
    context = {
        "listed": listed,
        "shape": shape,
        "seen": seen,
        "problems": [_placed(each, shape) for each in problems or []],
        **choices(shape),
        "columns": rule_field.columns(catalogue),
    }
    part = request.htmx  # type: ignore[attr-defined]
    name = "console/strategies/_editor.html" if part else "console/strategies/edit.html"
    # htmx swaps only answers it takes for good ones.
    return render(request, name, context, status=200 if part else status)


def choices(shape: form.Shape) -> dict[str, Any]:
    """Return what the lists of the editor offer."""
    named = {each.code: each.name for each in template_versions().reverse()}  # the general one's name stays
    named |= {step["template"]: step["template"] for step in shape["steps"] if step["template"] not in {"", *named}}
    return {
        "templates": sorted(named.items()),
        "channels": [(code, labels.say("channel", code)) for code in CHANNELS],
        "stages": [(code, labels.say("stage", code)) for code in STAGES],
        "events": [(code, labels.say("event", code)) for code in EVENTS],
        "segments": [(each["key"], each["name"]) for each in form.keyed(shape["segments"]) if each["name"]],
    }


def _placed(problem: str, shape: form.Shape) -> dict[str, str]:
    """Return a problem with the anchor of its field group, its place said as people count."""
    found = _PLACE.match(problem)
    if not found:
        return {"text": problem, "anchor": ""}
    which, at = found[1], int(found[2])
    name = shape[which][at]["name"] if at < len(shape[which]) else ""
    noun = _("Step") if which == "steps" else _("Segment")
    return {"text": f"{noun} {at + 1} «{name}»{problem[found.end() :]}", "anchor": f"{which}-{at}"}


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def edit_yaml(request: StaffRequest, code: str) -> HttpResponse:
    """Show and take the draft as YAML, for who prefers to write."""
    listed = queries.strategy_for(request.user, code)
    seen, problems = _mark(listed.draft), []
    text = yaml.safe_dump((listed.draft or listed.shown).document, allow_unicode=True, sort_keys=False, width=110)
    if request.method == "POST":
        text = request.POST.get("text", "")
        try:
            document = _document(text, code) if request.POST.get("seen", "") == seen else _refuse(_overtaken(listed))
            operations.save_draft(document=document, **_who(request))
        except StrategyRefused as refused:
            problems = refused.problems
        else:
            _saved(request, code)
            return redirect("console:strategy-yaml", code)
    context = {"listed": listed, "text": text, "seen": seen, "problems": problems}
    return render(request, "console/strategies/yaml.html", context, status=422 if problems else 200)


def _document(text: str, code: str) -> Any:
    """Read YAML. Raises StrategyRefused that names the line."""
    if len(text) > YAML_LONGEST:
        raise StrategyRefused([_("The text is too long.")])
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = _("Line %(line)d cannot be read as YAML: %(problem)s.")
        raise StrategyRefused([said % {"line": line, "problem": error.problem}]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise StrategyRefused([_("The text cannot be read as YAML.")]) from error
    if isinstance(document, dict) and document.get("code") != code:
        raise StrategyRefused([_("The code must stay «%(code)s».") % {"code": code}])
    return document


def _refuse(problem: str) -> NoReturn:
    raise StrategyRefused([problem])


@require_POST
@needs(Right.EDIT_STRATEGIES)
def try_out(request: StaffRequest, code: str) -> HttpResponse:
    """Count whom the fields as they stand would touch today."""
    document = form.to_document(form.from_post(request.POST) | {"code": code})
    following = {each.code for each in queries.strategy_for(request.user, code).portfolios}
    return render(request, "console/strategies/_reach.html", touched(request, document, following))


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def create(request: StaffRequest) -> HttpResponse:
    """Begin a strategy of one's own from one that exists or came with the product."""
    bases = {f"propia:{each.code}": each.shown.document for each in queries.strategies_for(request.user)}
    bases |= {f"lista:{each.code}": each.to_document() for each in queries.ready_made_strategies()}
    problems: list[str] = []
    if request.method == "POST":
        code, base = request.POST.get("code", "").strip(), bases.get(request.POST.get("base", ""))
        try:
            if base is None or f"propia:{code}" in bases:
                _refuse(_("Choose what to start from, and a code that no strategy has yet."))
            document = (base or {}) | {"code": code, "name": request.POST.get("name", "").strip()}
            operations.save_draft(document=document, **_who(request))
        except StrategyRefused as refused:
            problems = refused.problems
        else:
            return redirect("console:strategy-edit", code)
    listed = [(key, document["name"], key.startswith("lista:")) for key, document in bases.items()]
    context = {"bases": listed, "problems": problems, "given": request.POST}
    return render(request, "console/strategies/create.html", context, status=422 if problems else 200)


def _who(request: StaffRequest) -> dict[str, Any]:
    return {"actor": request.user.username, "actor_id": request.user.pk, "now": clock.now()}


urlpatterns = [
    path("estrategias/nueva/", create, name="strategy-create"),
    path("estrategias/regla/", rule_field.check, name="strategy-rule"),
    path("estrategias/<slug:code>/editar/", edit, name="strategy-edit"),
    path("estrategias/<slug:code>/editar/yaml/", edit_yaml, name="strategy-yaml"),
    path("estrategias/<slug:code>/editar/alcance/", try_out, name="strategy-try"),
]
