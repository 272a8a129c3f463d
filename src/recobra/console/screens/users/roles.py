"""Roles: the rights of each in plain words, and their change, which is confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access import role_changes
from recobra.access.queries import list_staff
from recobra.access.right_labels import GROUPS, find_dangers, label_of
from recobra.access.role_changes import RoleRefused, find_role
from recobra.access.roles import GIVEABLE, RIGHTS, DefinedRole, Right, defined_roles
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs


@require_GET
@needs(Right.MANAGE_USERS)
def list_roles(request: StaffRequest) -> HttpResponse:
    """Show the table of all rights by role."""
    roles = [role for role in defined_roles() if not role.is_retired]
    people = Counter(user.role for user in list_staff() if user.shut_out_at is None)
    groups = []
    for group, labels in GROUPS.items():
        rows = [(label, [right in role.rights for role in roles]) for right, label in labels.items()]
        groups.append((group, rows))
    context = {
        "roles": [(role, people[role.code]) for role in roles],
        "groups": groups,
        "columns": len(roles) + 1,
        "dangers": [(role, found) for role in roles if (found := find_dangers(role.rights))],
    }
    return render(request, "console/roles/index.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
def create_role(request: StaffRequest) -> HttpResponse:
    """Show the form of a new role, begun as another one with `?como=`; define it once it is confirmed."""
    empty = DefinedRole(code="", name="", rights=frozenset(), is_built_in=False)
    model = next((role for role in defined_roles() if role.code == request.GET.get("como", "")), empty)
    proposed = DefinedRole(
        code="", name="", rights=model.rights, sees_all_portfolios=model.sees_all_portfolios, is_built_in=False
    )
    if request.method == "GET":
        return _render_form(request, None, proposed)
    proposed = _read_role(request, None)
    if request.POST.get("confirmed") != "1":
        return _render_confirmation(request, None, proposed)
    try:
        role_changes.create_role(
            name=str(proposed.name),
            rights=proposed.rights,
            sees_all_portfolios=proposed.sees_all_portfolios,
            requires_second_factor=proposed.requires_second_factor,
            actor=actor_of(request),
        )
    except RoleRefused as refusal:
        return _render_form(request, None, proposed, str(refusal))
    messages.success(request, _("The role is there; give it to people on their page."))
    return redirect("console:roles")


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
def edit_role(request: StaffRequest, code: str) -> HttpResponse:
    """Show the form of a role; what is changed is shown once more before it holds."""
    try:
        role = find_role(code)
    except RoleRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:roles")
    if request.method == "GET":
        return _render_form(request, role, role)
    proposed = _read_role(request, role)
    if request.POST.get("confirmed") != "1":
        return _render_confirmation(request, role, proposed)
    try:
        role_changes.change_role(
            code=code,
            name=str(proposed.name),
            rights=proposed.rights,
            sees_all_portfolios=proposed.sees_all_portfolios,
            requires_second_factor=proposed.requires_second_factor,
            actor=actor_of(request),
        )
    except RoleRefused as refusal:
        return _render_form(request, role, proposed, str(refusal))
    messages.success(request, _("Saved. It holds from the next page that each person opens."))
    return redirect("console:roles")


@require_POST
@needs(Right.MANAGE_USERS)
def retire_role(request: StaffRequest, code: str) -> HttpResponse:
    """Take a role of the company's own out of use."""
    try:
        role_changes.retire_role(code=code, actor=actor_of(request))
    except RoleRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:role", code)
    messages.success(request, _("The role is no longer given."))
    return redirect("console:roles")


def _read_role(request: StaffRequest, role: DefinedRole | None) -> DefinedRole:
    """Return the role that a form sends."""
    is_built_in = role is not None and role.is_built_in
    sent = set(request.POST.getlist("rights"))
    return DefinedRole(
        code=role.code if role else "",
        name=role.name if role is not None and is_built_in else request.POST.get("name", ""),
        rights=frozenset(right for right in GIVEABLE if right in sent),
        sees_all_portfolios=request.POST.get("sees_all_portfolios") == "1",
        requires_second_factor=request.POST.get("requires_second_factor") == "1",
        is_built_in=is_built_in,
    )


def _render_form(
    request: StaffRequest, role: DefinedRole | None, proposed: DefinedRole, problem: str = ""
) -> HttpResponse:
    """Render the form of a role; `role` is None for a new one."""
    groups = []
    for group, labels in GROUPS.items():
        groups.append((group, [(right, label, right in proposed.rights) for right, label in labels.items()]))
    context = {
        "role": role,
        "proposed": proposed,
        "groups": groups,
        "problem": problem,
        "dangers": find_dangers(proposed.rights),
        "is_as_delivered": role is not None and role.is_built_in and role.rights == RIGHTS[role.code],
        "roles": [each for each in defined_roles() if not each.is_retired],
    }
    return render(request, "console/roles/form.html", context, status=422 if problem else 200)


def _render_confirmation(request: StaffRequest, role: DefinedRole | None, proposed: DefinedRole) -> HttpResponse:
    """Render what would change, for how many people, and what is dangerous about it."""
    before = role.rights if role else frozenset()
    people = sum(user.role == proposed.code and user.shut_out_at is None for user in list_staff()) if role else 0
    context = {
        "role": role,
        "proposed": proposed,
        "added": _labels(proposed.rights - before),
        "removed": _labels(before - proposed.rights),
        "people": people,
        "is_own": role is not None and role.code == request.user.role,
        "dangers": find_dangers(proposed.rights),
    }
    return render(request, "console/roles/confirm.html", context)


def _labels(rights: Collection[Right]) -> list[str | Promise]:
    """Return some rights in plain words, in the order of the rights."""
    return [label_of(right) for right in Right if right in rights]


urlpatterns = [
    path("roles/", list_roles, name="roles"),
    path("roles/nuevo/", create_role, name="role-new"),
    path("roles/<str:code>/", edit_role, name="role"),
    path("roles/<str:code>/retiro/", retire_role, name="role-retire"),
]
