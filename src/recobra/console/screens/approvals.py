"""Aprobaciones: what waits for a second person, the old beside the new, and the decisions about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.approvals import exports, operations, queries, second_person
from recobra.approvals.kinds import Part, kind_of
from recobra.approvals.queries import Approval
from recobra.console import labels
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, may_open, needs
from recobra.console.parameters import parse_count
from recobra.kit import clock

from .place import installation_place


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the tray."""

    approval: Approval
    kind: str | Promise
    title: str


@require_GET
@needs(Right.DECIDE)
def list_approvals(request: StaffRequest) -> HttpResponse:
    """Show what waits, and the last decisions."""
    context = {
        "waiting": _describe(list(queries.waiting_for(request.user))),
        "decided": _describe(queries.decided_for(request.user)),
        "place": installation_place(),
    }
    return render(request, "console/approvals/index.html", context)


@require_GET
@needs(Right.DECIDE)
def show_approval(request: StaffRequest, approval_id: int) -> HttpResponse:
    """Show one change, the old beside the new, and what the user may do about it."""
    approval = queries.approval_for(request.user, approval_id)
    kind = kind_of(approval.kind)
    parts = [_in_words(part) for part in kind.parts(approval)]
    subject_url = reverse(f"console:{kind.page}", args=[approval.subject]) if kind.page else ""
    context = {
        "row": _describe([approval])[0],
        "approval": approval,
        "changed": [part for part in parts if part.is_changed],
        "unchanged": [part for part in parts if not part.is_changed],
        "subject_url": subject_url if subject_url and may_open(request.user, subject_url) else "",
        "may_decide": queries.may_decide(request.user, approval, now=clock.now()),
        "is_own": approval.is_by(request.user.username, request.user.pk),
        "may_withdraw": queries.may_withdraw(request.user, approval),
        "place": installation_place(),
    }
    return render(request, "console/approvals/approval.html", context)


@require_POST
@needs(Right.DECIDE)
def approve(request: StaffRequest, approval_id: int) -> HttpResponse:
    """Approve a change, which does it."""
    return _decide(request, approval_id, operations.approve, _("Approved."))


@require_POST
@needs(Right.DECIDE)
def reject(request: StaffRequest, approval_id: int) -> HttpResponse:
    """Send a change back to its author, with the reason."""
    return _decide(request, approval_id, operations.reject, _("It was sent back to its author."))


@require_POST
@needs(Right.DECIDE)
def withdraw(request: StaffRequest, approval_id: int) -> HttpResponse:
    """Take back a change of one's own."""
    return _decide(request, approval_id, operations.withdraw, _("It was withdrawn."))


@require_GET
@needs(Right.EDIT_RULES)
def list_rules(request: StaffRequest) -> HttpResponse:
    """Show which changes need a second person."""
    return render(request, "console/approvals/rules.html", {"rules": second_person.list_rules()})


@require_POST
@needs(Right.EDIT_RULES)
def set_rule(request: StaffRequest, code: str) -> HttpResponse:
    """Set whether a kind of change needs a second person (`pide=1`), and from how many rows on (`desde`)."""
    if code not in {rule.kind.code for rule in second_person.list_rules()}:
        raise Http404
    text = request.POST.get("desde", "").strip()
    # The operation refuses 0 with a text fit to show.
    size = (parse_count(text, most=second_person.MOST + 1) or 0) if text else None
    try:
        approval = second_person.set_rule(
            code=code, is_required=request.POST.get("pide") == "1", least_size=size, actor=actor_of(request)
        )
    except operations.ApprovalRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:approval-rules")
    if approval is not None and approval.decision == Approval.Decision.WAITING:
        messages.success(request, _("It waits for a second person's approval."))
    else:
        messages.success(request, _("The rule is saved."))
    return redirect("console:approval-rules")


def _decide(request: StaffRequest, approval_id: int, operation: Callable[..., Approval], done: str) -> HttpResponse:
    """Run an operation on a change and return to the tray with `done`, or to its page with the refusal."""
    approval = queries.approval_for(request.user, approval_id)
    try:
        operation(approval_id=approval.pk, reason=request.POST.get("motivo", ""), actor=actor_of(request))
    except operations.ApprovalRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:approval", approval.pk)
    messages.success(request, done)
    return redirect("console:approvals")


def _in_words(part: Part) -> Part:
    """Return a part with labels in place of codes."""
    if not part.codes:
        return part
    if part.codes == exports.CONDITION:
        label, text = labels.describe_condition(part.label, part.new)
        return replace(part, label=label, new=text)
    old, new = (labels.label_of(part.codes, code) if code else "" for code in (part.old, part.new))
    return replace(part, old=old, new=new)


def _describe(approvals: list[Approval]) -> list[Row]:
    """Return approvals as lines; their titles are read at once."""
    titles = queries.titles_of(approvals)
    rows = []
    for approval in approvals:
        title = titles[approval.pk]
        if approval.kind == exports.CODE:
            title = f"{labels.label_of('export', approval.new['what'])} · {title}"
        rows.append(Row(approval=approval, kind=kind_of(approval.kind).label, title=title))
    return rows


urlpatterns = [
    path("aprobaciones/", list_approvals, name="approvals"),
    path("aprobaciones/reglas/", list_rules, name="approval-rules"),
    path("aprobaciones/reglas/<slug:code>/", set_rule, name="approval-rule"),
    path("aprobaciones/<int:approval_id>/", show_approval, name="approval"),
    path("aprobaciones/<int:approval_id>/aprobar/", approve, name="approval-approve"),
    path("aprobaciones/<int:approval_id>/devolver/", reject, name="approval-reject"),
    path("aprobaciones/<int:approval_id>/retirar/", withdraw, name="approval-withdraw"),
]
