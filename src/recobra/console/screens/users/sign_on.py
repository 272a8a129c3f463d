"""Inicio de sesión único: the company's own service, what its groups mean here, and its test."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right, defined_roles
from recobra.access.teams import teams
from recobra.access.users import ALL_PORTFOLIOS
from recobra.approvals.queries import waiting_of
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, freshly, needs
from recobra.console.parameters import parse_id
from recobra.console.screens.place import installation_place
from recobra.portfolio.queries import portfolios_for
from recobra.sign_on import operations
from recobra.sign_on.flow import redirect_uri
from recobra.sign_on.operations import RULES_MAX, SettingsRefused
from recobra.sign_on.provider_settings import GroupRule, PasswordFor, ProviderSettings, settings_of
from recobra.sign_on.queries import IdentityProvider, find_provider, has_secret
from recobra.sign_on.setting_labels import LABELS

_MORE_LINES = 3
_PASSWORD_FOR = {
    PasswordFor.EVERYBODY: gettext_lazy("Everybody who has one"),
    PasswordFor.ADMINISTRATORS: gettext_lazy("Only who manages users, and who is not linked yet"),
}


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
@freshly
def edit_sign_on(request: StaffRequest) -> HttpResponse:
    """Show the settings, those that wait where some do, and save them."""
    provider = find_provider() or IdentityProvider()
    settings = settings_of(provider)
    is_enabled = provider.is_enabled
    if provider.proposed:
        settings, is_enabled = ProviderSettings.model_validate(provider.proposed["settings"]), True
    errors: dict[str, str] = {}
    if request.method == "POST":
        settings, is_enabled = _read(request.POST), request.POST.get("is_enabled") == "1"
        secret = request.POST.get("secret", "").strip()
        try:
            provider = operations.save_settings(
                settings=settings, secret=secret, is_enabled=is_enabled, actor=actor_of(request)
            )
        except SettingsRefused as refusal:
            errors = refusal.errors
        else:
            messages.success(request, _describe_saved(provider))
            return redirect("console:users-sign-on")
    context = {
        "provider": provider,
        "settings": settings,
        "is_enabled": is_enabled,
        "has_secret": has_secret(provider),
        "waiting": waiting_of(operations.CODE, provider.pk),
        "errors": errors,
        "labels": LABELS,
        "lines": _lines(settings),
        "roles": [role for role in defined_roles() if not role.is_retired],
        "teams": teams(),
        "codes": [portfolio.code for portfolio in portfolios_for(request.user)],
        "password_for": _PASSWORD_FOR.items(),
        "redirect_uri": redirect_uri(),
        "place": installation_place(),
    }
    return render(request, "console/users/sign_on.html", context, status=422 if errors else 200)


def _describe_saved(provider: IdentityProvider) -> str:
    if waiting_of(operations.CODE, provider.pk) is not None:
        return _("It waits for a second person's approval.")
    if provider.is_enabled:
        return _("Saved. People can sign in through «%(name)s».") % {"name": settings_of(provider).name}
    return _("Saved. Test it before it is used.")


def _read(data: QueryDict) -> ProviderSettings:
    """Return the settings that a form sends; lines without a group are left out."""
    rules = []
    for number in range(RULES_MAX + _MORE_LINES):
        group = data.get(f"group-{number}", "").strip()
        if group:
            codes = data.get(f"portfolios-{number}", "").replace(",", " ").split()
            rules.append(
                GroupRule(
                    group=group,
                    role=data.get(f"role-{number}", ""),
                    team_id=parse_id(data.get(f"team-{number}", "")),
                    portfolios=tuple(code for code in codes if code != ALL_PORTFOLIOS),
                    sees_all_portfolios=ALL_PORTFOLIOS in codes,
                )
            )
    password_for = data.get("password_for", "")
    return ProviderSettings(
        name=" ".join(data.get("name", "").split()),
        issuer=data.get("issuer", "").strip(),
        client_id=data.get("client_id", "").strip(),
        scopes=tuple(data.get("scopes", "").split()),
        groups_claim=data.get("groups_claim", "").strip(),
        factor_amr=tuple(data.get("factor_amr", "").split()),
        factor_acr=tuple(data.get("factor_acr", "").split()),
        password_for=PasswordFor(password_for) if password_for in set(PasswordFor) else PasswordFor.EVERYBODY,
        rules=tuple(rules),
    )


def _lines(settings: ProviderSettings) -> list[dict[str, object]]:
    """Return the lines of the form: one for each rule, and some empty ones."""
    lines: list[dict[str, object]] = []
    for rule in settings.rules:
        codes = ALL_PORTFOLIOS if rule.sees_all_portfolios else ", ".join(rule.portfolios)
        lines.append({"group": rule.group, "role": rule.role, "team_id": rule.team_id, "portfolios": codes})
    return lines + [{} for _number in range(_MORE_LINES)]


@require_POST
@needs(Right.MANAGE_USERS)
@freshly
def test_sign_on(request: StaffRequest) -> HttpResponse:
    """Test the settings without anybody signing in."""
    provider = operations.test_settings(actor=actor_of(request))
    say = messages.success if provider.tested_well else messages.error
    say(request, provider.tested_answer)
    return redirect("console:users-sign-on")


@require_POST
@needs(Right.MANAGE_USERS)
@freshly
def switch_off(request: StaffRequest) -> HttpResponse:
    """Let nobody come in through the provider any more."""
    operations.switch_off(actor=actor_of(request))
    messages.success(request, _("Single sign-on is switched off. Whoever has a password uses that."))
    return redirect("console:users-sign-on")


urlpatterns = [
    path("usuarios/inicio-unico/", edit_sign_on, name="users-sign-on"),
    path("usuarios/inicio-unico/probar/", test_sign_on, name="users-sign-on-test"),
    path("usuarios/inicio-unico/apagar/", switch_off, name="users-sign-on-off"),
]
