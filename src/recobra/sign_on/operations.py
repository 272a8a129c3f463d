"""Operations on single sign-on: save its settings, switch it on and off, test it. The secret never comes out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recobra.access.actors import Actor
from recobra.access.permissions import NotAllowed, consequence, requires
from recobra.access.queries import has_password_administrator
from recobra.access.roles import Right, defined_roles
from recobra.access.teams import teams
from recobra.approvals.operations import ApprovalRefused, ask, withdraw_of_subject
from recobra.approvals.second_person import needs_second_person
from recobra.journal.operations import record_fact
from recobra.kit import outgoing_rule
from recobra.kit.encryption import Undecryptable
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Unsuitable
from recobra.portfolio.models import Portfolio

from . import discovery
from .facts import SignOnSaved, SignOnTested
from .models import ONLY, IdentityProvider
from .provider_settings import OPENID, GroupRule, PasswordFor, ProviderSettings, settings_of
from .refusals import Reason, SignOnRefused

CODE: Final = "sign_on"
"""The kind of approval of single sign-on."""
RULES_MAX: Final = 200
_NAME_LENGTH_MAX: Final = 60
_TEXT_LENGTH_MAX: Final = 500


class SettingsRefused(ApprovalRefused):
    """The settings cannot be saved; `errors` say why, by field, and are shown as they are."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decides who comes in: the settings, the secret in plain, and whether people may sign in so."""

    settings: ProviderSettings
    secret: str = field(repr=False)
    is_enabled: bool = field(kw_only=True)


@requires(Right.MANAGE_USERS)
def save_settings(*, settings: ProviderSettings, secret: str, is_enabled: bool, actor: Actor) -> IdentityProvider:
    """Configure the identity provider. Raises SettingsRefused, and NotAllowed for portfolios beyond the actor's reach.

    A secret that is '' stays as it was. Where the company wants a second person, new settings of a provider by which
    people come in wait for one, and so does switching it on; settings that are not in use are saved at once, so that
    they can be tested.
    """
    settings = settings.model_copy(update={"authorization_origin": ""})
    _check_reach(settings, actor)
    errors = _find_errors(settings, is_enabled=is_enabled)
    if not errors and is_enabled:
        # Outside a transaction: the provider may take seconds to answer.
        settings = _read_origin(settings)
    with transaction.atomic():
        # Made before it is locked: of two who save it for the first time at once the second waits for the first.
        IdentityProvider.objects.get_or_create(pk=ONLY)
        provider = IdentityProvider.objects.select_for_update().get(pk=ONLY)
        present = _present(provider)
        errors |= _moved_errors(settings, secret, present)
        if errors:
            raise SettingsRefused(errors)
        wanted = Wanted(settings, secret or present.secret, is_enabled=is_enabled)
        at_once = _part_at_once(present, wanted, actor)
        _withdraw(provider, actor)
        if wanted.settings != present.settings:
            _forget_test(provider)
        _store(provider, at_once, present, actor)
        if at_once != wanted:
            _ask(provider, at_once, wanted, actor)
    return provider


@requires(Right.MANAGE_USERS)
@transaction.atomic
def switch_off(*, actor: Actor) -> None:
    """Let nobody come in through the provider any more, at once; who has a password uses that."""
    provider = IdentityProvider.objects.select_for_update().get(pk=ONLY)
    _withdraw(provider, actor)
    present = _present(provider)
    _store(provider, replace(present, is_enabled=False), present, actor)


@requires(Right.MANAGE_USERS)
def test_settings(*, actor: Actor) -> IdentityProvider:
    """Test the settings, those that wait where some do, without anybody signing in; store the answer.

    Where they are others by the time it comes, it is said so instead.
    """
    settings = _newest_settings(IdentityProvider.objects.get(pk=ONLY))
    is_good, answer = _try(settings)
    with transaction.atomic():
        provider = IdentityProvider.objects.select_for_update().get(pk=ONLY)
        if _newest_settings(provider) != settings:
            is_good, answer = False, _("Its settings were changed meanwhile: test them again.")
        provider.tested_at, provider.tested_well, provider.tested_answer = actor.now, is_good, answer
        provider.save(update_fields=["tested_at", "tested_well", "tested_answer"])
        record_fact(SignOnTested(ok=is_good), actor=actor)
    return provider


def _newest_settings(provider: IdentityProvider) -> ProviderSettings:
    """Return the settings that wait for a second person, else those that hold."""
    if provider.proposed:
        return ProviderSettings.model_validate(provider.proposed["settings"])
    return settings_of(provider)


test_settings.__test__ = False  # type: ignore[attr-defined]  # its name is no test's


@consequence
def apply_proposal(*, provider: IdentityProvider, actor: Actor) -> None:
    """Do what waited for a second person. `provider` is locked. Raises SettingsRefused where it is unusable by now."""
    proposed = provider.proposed
    settings = ProviderSettings.model_validate(proposed["settings"])
    errors = _find_errors(settings, is_enabled=True)
    if errors:
        raise SettingsRefused(errors)
    provider.proposed = {}
    present = _present(provider)
    _store(provider, Wanted(settings, proposed["secret"], is_enabled=True), present, actor)


def forget_proposal(*, provider: IdentityProvider) -> None:
    """Delete the settings that waited and will not be taken, with what a test said of them."""
    if provider.proposed:
        _forget_test(provider)
    provider.proposed = {}
    provider.save(update_fields=["proposed", "tested_at", "tested_well", "tested_answer"])


def _forget_test(provider: IdentityProvider) -> None:
    """Forget without saving what a test said: it proves nothing of other settings."""
    provider.tested_at, provider.tested_well, provider.tested_answer = None, False, ""


def _present(provider: IdentityProvider) -> Wanted:
    """Return what holds now; the secret is '' where it belongs to another installation's key."""
    try:
        secret = provider.client_secret
    except Undecryptable:
        secret = ""
    return Wanted(settings_of(provider), secret, is_enabled=provider.is_enabled)


def _part_at_once(present: Wanted, wanted: Wanted, actor: Actor) -> Wanted:
    """Return what of a wish is done at once; all of it where nobody else has to agree."""
    if not wanted.is_enabled or wanted == present or not needs_second_person(CODE, actor=actor):
        return wanted
    return present if present.is_enabled else replace(wanted, is_enabled=False)


def _ask(provider: IdentityProvider, present: Wanted, wanted: Wanted, actor: Actor) -> None:
    """Let settings, or their use, wait for a second person, who sees all of those that are not in use as new."""
    provider.proposed = {"settings": wanted.settings.model_dump(mode="json"), "secret": wanted.secret}
    provider.save(update_fields=["proposed"])
    # Settings that are not in use were changed by one person alone: to show them as old would hide them.
    old = _to_values(present, present) if present.is_enabled else {}
    new = _to_values(wanted, present)
    ask(kind=CODE, subject=provider.pk, old=old, new=new, actor=actor)
    provider.refresh_from_db()


def _to_values(wanted: Wanted, present: Wanted) -> dict[str, str]:
    """Return what a second person compares, by the name of the setting; of the secret only whether it is another."""
    settings = wanted.settings
    rules = [
        " · ".join(
            [
                rule.group,
                rule.role,
                str(rule.team_id or ""),
                "*" if rule.sees_all_portfolios else " ".join(rule.portfolios),
            ]
        )
        for rule in settings.rules
    ]
    return {
        "name": settings.name,
        "issuer": settings.issuer,
        "client_id": settings.client_id,
        "secret": "" if wanted.secret == present.secret else _("another one"),
        "authorization_origin": settings.authorization_origin,
        "scopes": " ".join(settings.scopes),
        "groups_claim": settings.groups_claim,
        "factor_amr": " ".join(settings.factor_amr),
        "factor_acr": " ".join(settings.factor_acr),
        "password_for": str(settings.password_for),
        "rules": "\n".join(rules),
        "is_enabled": "✓" if wanted.is_enabled else "",
    }


def _withdraw(provider: IdentityProvider, actor: Actor) -> None:
    """Take back what waits about a provider that changes now."""
    if provider.proposed:
        _forget_test(provider)
    provider.proposed = {}
    withdraw_of_subject(kind=CODE, subject=provider.pk, reason=_("Its settings were changed."), actor=actor)


def _store(provider: IdentityProvider, wanted: Wanted, present: Wanted, actor: Actor) -> None:
    """Write what holds from now on, and record what has changed."""
    names = ProviderSettings.model_fields
    changed = [name for name in names if getattr(wanted.settings, name) != getattr(present.settings, name)]
    changed += ["client_secret"] if wanted.secret != present.secret else []
    changed += ["is_enabled"] if wanted.is_enabled != present.is_enabled else []
    provider.settings = wanted.settings.model_dump(mode="json")
    provider.client_secret = wanted.secret
    provider.is_enabled = wanted.is_enabled
    provider.save()
    if changed:
        record_fact(SignOnSaved(changed=changed, is_enabled=wanted.is_enabled), actor=actor)


def _check_reach(settings: ProviderSettings, actor: Actor) -> None:
    """Raise NotAllowed for a group that would see portfolios which the actor does not see."""
    if actor.portfolio_codes is None:
        return
    for rule in settings.rules:
        if rule.sees_all_portfolios or set(rule.portfolios) - actor.portfolio_codes:
            raise NotAllowed(_("Nobody gives portfolios to others that he or she does not see."))


def _moved_errors(settings: ProviderSettings, secret: str, present: Wanted) -> dict[str, str]:
    """Return the error of a stored secret that would be shown to another address."""
    is_another = (settings.issuer, settings.client_id) != (present.settings.issuer, present.settings.client_id)
    if present.secret and not secret and is_another:
        return {"secret": _("The service or the client is another one: give its secret again.")}
    return {}


def _find_errors(settings: ProviderSettings, *, is_enabled: bool) -> dict[str, str]:
    """Return what is wrong with settings, as sentences by field."""
    errors = {}
    if not 0 < len(settings.name) <= _NAME_LENGTH_MAX or not settings.name.isprintable():
        errors["name"] = _("A name of up to %(n)s letters is needed.") % {"n": _NAME_LENGTH_MAX}
    errors |= _issuer_errors(settings.issuer)
    for field_name in ("client_id", "groups_claim"):
        if not _is_word(getattr(settings, field_name)):
            errors[field_name] = _("A text without blanks is needed.")
    for field_name in ("scopes", "factor_amr", "factor_acr"):
        if not all(map(_is_word, getattr(settings, field_name))):
            errors[field_name] = _("Texts with blanks between them are expected.")
    if OPENID not in settings.scopes:
        errors["scopes"] = _("«%(scope)s» must be one of them.") % {"scope": OPENID}
    errors |= _rule_errors(settings, is_enabled=is_enabled)
    if settings.password_for == PasswordFor.ADMINISTRATORS and not has_password_administrator():
        errors["password_for"] = _("Somebody who manages users must have a password, or a failure locks everybody out.")
    return errors


def _issuer_errors(issuer: str) -> dict[str, str]:
    """Return the error of an issuer, by its field."""
    parts = outgoing_rule.split_url(issuer)
    if parts.query or parts.fragment or "@" in parts.netloc or len(issuer) > _TEXT_LENGTH_MAX or not issuer.isascii():
        return {"issuer": _("An address without «?», «#» and «@» is expected.")}
    try:
        http.validate_base_url(issuer)
    except Unsuitable as error:
        return {"issuer": str(error)}
    return {}


def _rule_errors(settings: ProviderSettings, *, is_enabled: bool) -> dict[str, str]:
    """Return the error of the groups, by their field."""
    rules = settings.rules
    if is_enabled and not rules:
        return {"rules": _("Say of one group at least what it means: nobody else comes in.")}
    if len(rules) > RULES_MAX:
        return {"rules": _("At most %(n)s groups.") % {"n": RULES_MAX}}
    roles = {role.code for role in defined_roles() if not role.is_retired}
    team_ids = {team.pk for team in teams()}
    named = {code for rule in rules for code in rule.portfolios}
    known = set(Portfolio.objects.filter(code__in=named).values_list("code", flat=True))
    for rule in rules:
        if error := _find_rule_error(rule, roles=roles, team_ids=team_ids, codes=known):
            return {"rules": error % {"group": rule.group}}
    return {}


def _find_rule_error(rule: GroupRule, *, roles: set[str], team_ids: set[int], codes: set[str]) -> str:
    """Return what is wrong with what a group means, '' where nothing is; `roles` and the others are those there are."""
    if not 0 < len(rule.group) <= _TEXT_LENGTH_MAX or not rule.group.isprintable():
        return _("A line has no group.")
    if rule.role not in roles:
        return _("«%(group)s»: choose a role.")
    if rule.team_id is not None and rule.team_id not in team_ids:
        return _("«%(group)s»: there is no such team.")
    if set(rule.portfolios) - codes:
        return _("«%(group)s»: one of its portfolios does not exist.")
    return ""


def _is_word(text: str) -> bool:
    """Return whether a text is one word that a parameter of an address may hold."""
    return 0 < len(text) <= _TEXT_LENGTH_MAX and text.isprintable() and " " not in text


def _read_origin(settings: ProviderSettings) -> ProviderSettings:
    """Return settings with where the browser will be sent, asked of the provider. Raises SettingsRefused."""
    discovery.forget(settings.issuer)
    try:
        metadata = discovery.read_metadata(settings.issuer)
    except SignOnRefused as refusal:
        raise SettingsRefused({"issuer": _describe(refusal)}) from refusal
    return settings.model_copy(update={"authorization_origin": metadata.authorization_origin})


def _try(settings: ProviderSettings) -> tuple[bool, str]:
    """Return whether the provider answers as it should, and what to tell of it; nothing that it wrote itself."""
    discovery.forget(settings.issuer)
    try:
        metadata = discovery.read_metadata(settings.issuer)
        keys = discovery.read_keys(metadata)
    except SignOnRefused as refusal:
        return False, _describe(refusal)
    if not keys:
        return False, _("It shows no key by which its answers could be checked.")
    if settings.authorization_origin and metadata.authorization_origin != settings.authorization_origin:
        return False, _("Its sign-in page has moved: save the settings again to confirm it.")
    text = ngettext(
        "It answers, and shows %(n)s key. Client and secret show at the first sign-in whether they are right.",
        "It answers, and shows %(n)s keys. Client and secret show at the first sign-in whether they are right.",
        len(keys),
    )
    return True, text % {"n": len(keys)}


def _describe(refusal: SignOnRefused) -> str:
    """Return what is wrong with the provider, for whoever sets it up."""
    if refusal.reason == Reason.UNREACHABLE:
        return _("There was no answer from the address.")
    if refusal.reason == Reason.ISSUER:
        return _("Its document names another issuer: it must be written letter by letter as the service does.")
    return _(
        "At that address there is no document of OpenID Connect that can be used: its addresses must begin with "
        "https://, be allowed from here, and it must sign with a private key."
    )
