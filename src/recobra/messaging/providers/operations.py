"""Operations on providers: save, test, switch on and off. Their secrets go in and never come out again."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, runtime_checkable

from babel import Locale
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.approvals.operations import ApprovalRefused, ask, withdraw_of_subject
from recobra.approvals.second_person import needs_second_person
from recobra.journal.operations import record_fact
from recobra.kit import outgoing_rule
from recobra.kit.encryption import Undecryptable
from recobra.messaging.channels import ADAPTERS
from recobra.messaging.channels.adapter import Adapter, Check, Config, Setting, Unsuitable
from recobra.messaging.facts import ProviderSaved, ProviderTested
from recobra.messaging.models import Provider, ReplyMailbox
from recobra.messaging.providers.routing import build_config
from recobra_core.money import EXPONENTS, MICROS_DECIMALS

CODE: Final = "provider"
"""The kind of approval of a way out."""
MAX_PER_SECOND: Final = 10_000.0
MAX_SETTING_CHARACTERS: Final = 20_000
MAX_PRICE_MICROS: Final = 10**15
MAX_RANK: Final = 32_767  # of the column, a smallint
MAX_ANSWER_CHARACTERS: Final = 500
# The product creates these itself where they are needed.
_NOT_CONFIGURED: Final = frozenset({"sandbox"})
_CODE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")
_LOCALE: Final = Locale("en")


class ProviderRefused(ApprovalRefused):
    """The provider cannot be saved; `errors` say why, by field, and are shown as they are."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKind:
    """A kind of provider that can be configured, with the fields of its form."""

    kind: str
    channel: str
    label: str | Promise
    settings: tuple[Setting, ...]
    two_way: bool


@runtime_checkable
class _ChecksSettings(Protocol):
    """An adapter that can check its settings without opening a connection."""

    def find_problems(self, config: Config) -> dict[str, str]: ...


def list_kinds() -> list[ProviderKind]:
    """Return the kinds of provider that can be configured."""
    adapters = (ADAPTERS[kind] for kind in sorted(ADAPTERS) if kind not in _NOT_CONFIGURED)
    return [
        ProviderKind(
            kind=adapter.kind,
            channel=adapter.channel,
            label=adapter.label,
            settings=tuple(adapter.settings),
            two_way=adapter.two_way,
        )
        for adapter in adapters
    ]


@requires(Right.MANAGE_CHANNELS)
def save_provider(
    *,
    code: str,
    kind: str,
    name: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str | None],
    rate_per_second: float | None,
    price_micros: int,
    price_currency: str,
    country: str,
    rank: int,
    enabled: bool,
    actor: Actor,
) -> Provider:
    """Configure a provider, or change the one of this code. Raises ProviderRefused.

    A secret that is '' or not given stays as it was; None deletes it. `price_micros` is the price of one message in
    millionths of the currency's major unit. Where the company wants a second person for ways out, new settings of a
    provider that is in use wait for one, and so does switching one on; the rest is saved.
    """
    if kind not in ADAPTERS or kind in _NOT_CONFIGURED:
        raise ProviderRefused({"kind": _("This kind of provider is not installed.")})
    adapter = ADAPTERS[kind]
    errors = _field_errors(code=code, name=name, country=country, rank=rank)
    errors |= _number_errors(rate_per_second, price_micros, price_currency)
    with transaction.atomic():
        saved = Provider.objects.select_for_update().filter(code=code).first()
        # Contacts refer to the row: those sent before would seem to have left by the other kind.
        if saved is not None and saved.kind != kind:
            raise ProviderRefused({"kind": _("What was sent by it would be told otherwise: make a new provider.")})
        new_settings = _read_settings(adapter, settings)
        new_secrets = _merge_secrets(adapter, secrets, saved)
        errors |= _setting_errors(adapter, new_settings, new_secrets, code)
        errors |= _moved_errors(adapter, new_settings, secrets, saved)
        if errors:
            raise ProviderRefused(errors)
        made = {"created_at": actor.now, "created_by": actor.name}
        provider = saved or Provider(code=code, kind=kind, channel=adapter.channel, **made)
        wanted = Wanted(new_settings, new_secrets, enabled=enabled)
        at_once = _part_at_once(provider, wanted, actor)
        changed = _apply_changes(
            provider,
            secrets=at_once.secrets,
            name=name.strip(),
            settings=at_once.settings,
            rate_per_second=rate_per_second,
            price_micros=price_micros,
            price_currency=price_currency,
            country=country,
            rank=rank,
            enabled=at_once.enabled,
        )
        provider.save()
        record_saved(provider=provider, changed=changed, actor=actor)
        if at_once != wanted:
            _ask(provider, wanted, actor)
        elif {"settings", "secrets", "enabled"} & set(changed):
            _withdraw(provider, actor)
    return provider


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decides where messages go: the settings, the secrets in plain, and whether the provider is in use."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    enabled: bool = field(kw_only=True)


def _part_at_once(provider: Provider, wanted: Wanted, actor: Actor) -> Wanted:
    """Return what of a wish is done at once; all of it where nobody else has to agree.

    A provider that is not in use takes new settings, so that they can be tested; one that is in use keeps its own.
    """
    if not wanted.enabled or not needs_second_person(CODE, actor=actor):
        return wanted
    if provider.enabled:
        return Wanted(provider.settings, _decrypt_or_empty(provider), enabled=True)
    return replace(wanted, enabled=False)


def _ask(provider: Provider, wanted: Wanted, actor: Actor) -> None:
    """Let a provider's settings, or its use, wait for a second person, who sees all that is not in use as new.

    Raises ProviderRefused.
    """
    _withdraw(provider, actor)
    before = Wanted(provider.settings, _decrypt_or_empty(provider), enabled=provider.enabled)
    provider.proposed = {}
    if provider.enabled:
        provider.proposed = {"settings": dict(wanted.settings), "secrets": dict(wanted.secrets)}
    provider.save(update_fields=["proposed"])
    # What is not in use was changed by one person alone: to show it as old would hide it.
    old = _to_values(before, before) if provider.enabled else {}
    new = _to_values(wanted, before)
    ask(kind=CODE, subject=str(provider.pk), old=old, new=new, actor=actor)
    provider.refresh_from_db()


def _to_values(wanted: Wanted, before: Wanted) -> dict[str, str]:
    """Return what a second person compares, by the name of the setting; of a secret only whether it is another."""
    secrets = {
        name: "" if value == before.secrets.get(name, "") else _("another one")
        for name, value in wanted.secrets.items()
    }
    return {**wanted.settings, **secrets, "enabled": "✓" if wanted.enabled else ""}


def _withdraw(provider: Provider, actor: Actor) -> None:
    """Take back what waits about a provider that has changed meanwhile."""
    withdraw_of_subject(kind=CODE, subject=str(provider.pk), reason=_("Its settings were changed."), actor=actor)


@consequence
def apply_proposal(*, provider: Provider, actor: Actor) -> None:
    """Do what waited for a second person: take the proposed settings, or switch the provider on.

    `provider` is locked. Raises ProviderRefused where the settings are unusable by now.
    """
    adapter = ADAPTERS[provider.kind]
    wanted = Wanted(provider.settings, _decrypt_or_empty(provider), enabled=True)
    if provider.proposed:
        wanted = Wanted(provider.proposed["settings"], provider.proposed["secrets"], enabled=True)
    errors = _setting_errors(adapter, wanted.settings, wanted.secrets, provider.code)
    if errors:
        raise ProviderRefused(errors)
    provider.proposed = {}
    changed = _apply_changes(provider, secrets=wanted.secrets, settings=wanted.settings, enabled=True)
    provider.save()
    record_saved(provider=provider, changed=changed, actor=actor)


def forget_proposal(*, provider: Provider) -> None:
    """Delete the settings that waited and will not be taken."""
    provider.proposed = {}
    provider.save(update_fields=["proposed"])


@requires(Right.MANAGE_CHANNELS)
def enable_provider(*, provider_id: int, enabled: bool, actor: Actor) -> None:
    """Switch a provider on or off. Raises ProviderRefused where its settings are unusable."""
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        adapter = ADAPTERS[provider.kind]
        if enabled:
            errors = _setting_errors(adapter, provider.settings, _decrypt_or_empty(provider), provider.code)
            if errors:
                raise ProviderRefused(errors)
        if provider.enabled == enabled:
            return
        _withdraw(provider, actor)
        if enabled and needs_second_person(CODE, actor=actor):
            _ask(provider, Wanted(provider.settings, _decrypt_or_empty(provider), enabled=True), actor)
            return
        provider.enabled = enabled
        provider.save(update_fields=["enabled"])
        record_saved(provider=provider, changed=["enabled"], actor=actor)


@requires(Right.MANAGE_CHANNELS)
def retire_provider(*, provider_id: int, actor: Actor) -> None:
    """Switch a provider off and delete its secrets: from now on its calls are refused too."""
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        provider.enabled = False
        provider.secrets = {}
        provider.save(update_fields=["enabled", "secrets"])
        _withdraw(provider, actor)
        record_saved(provider=provider, changed=["enabled", "secrets"], actor=actor)


@requires(Right.MANAGE_CHANNELS)
def test_provider(*, provider_id: int, actor: Actor) -> Check:
    """Test a provider's settings without reaching a debtor, and store the answer, unless they are others by then."""
    provider = Provider.objects.get(pk=provider_id)
    # Outside a transaction: a provider may take half a minute to answer.
    try:
        check = asyncio.run(ADAPTERS[provider.kind].check_settings(build_config(provider)))
    except Unsuitable as error:
        check = Check(ok=False, answer=str(error))
    tested_settings = (provider.settings, _decrypt_or_empty(provider))
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        if (provider.settings, _decrypt_or_empty(provider)) != tested_settings:
            return Check(ok=False, answer=_("Its settings were changed meanwhile: test them again."))
        provider.tested_at = actor.now
        provider.tested_well = check.ok
        provider.tested_answer = check.answer[:MAX_ANSWER_CHARACTERS]
        provider.save(update_fields=["tested_at", "tested_well", "tested_answer"])
        tested = ProviderTested(
            provider_id=provider.pk, provider=provider.code, provider_kind=provider.kind, ok=check.ok
        )
        record_fact(tested, actor=actor)
    return check


test_provider.__test__ = False  # type: ignore[attr-defined]  # its name is no test's


def stored_secret_names(provider: Provider) -> frozenset[str]:
    """Return the names of the stored secrets, for the form; their values are never shown."""
    return frozenset(name for name, value in _decrypt_or_empty(provider).items() if value)


def _field_errors(*, code: str, name: str, country: str, rank: int) -> dict[str, str]:
    """Return what is wrong with the plain fields, as sentences by field."""
    errors = {}
    if not _CODE.fullmatch(code):
        errors["code"] = _("Small letters, digits and hyphens are expected, at most 50.")
    if not name.strip():
        errors["name"] = _("A name is needed.")
    # Babel's territories are also regions of three digits, such as 419 for Latin America.
    is_country = len(country) == 2 and country in _LOCALE.territories
    if country and not is_country:
        errors["country"] = _("A country such as PE is expected, or none.")
    if not 0 <= rank <= MAX_RANK:
        errors["rank"] = _("A number from 0 to %(most)d is expected.") % {"most": MAX_RANK}
    return errors


def _number_errors(rate: float | None, price_micros: int, currency: str) -> dict[str, str]:
    """Return what is wrong with rate and price, as sentences by field."""
    errors = {}
    if rate is not None and not (math.isfinite(rate) and 0 < rate <= MAX_PER_SECOND):
        errors["rate_per_second"] = _("More than zero, and at most %(most)d, is expected.") % {"most": MAX_PER_SECOND}
    if not 0 <= price_micros <= MAX_PRICE_MICROS:
        max_price = MAX_PRICE_MICROS // 10**MICROS_DECIMALS
        errors["price_micros"] = _("A price from 0 to %(most)d is expected.") % {"most": max_price}
    if currency not in EXPONENTS:
        errors["price_currency"] = _("A currency such as PEN or USD is expected.")
    return errors


def _read_settings(adapter: Adapter, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an adapter that are no secrets, without blank ends; an empty one has its default."""
    plain = (setting for setting in adapter.settings if setting.kind != "secret")
    return {setting.name: str(settings.get(setting.name, "")).strip() or setting.default for setting in plain}


def _merge_secrets(adapter: Adapter, changes: Mapping[str, str | None], saved: Provider | None) -> dict[str, str]:
    """Return the stored secrets with the changes made: None deletes one, '' leaves it as it was."""
    secrets = _decrypt_or_empty(saved) if saved is not None else {}
    for setting in adapter.settings:
        if setting.kind != "secret" or setting.name not in changes:
            continue
        change = changes[setting.name]
        if change is None:
            secrets.pop(setting.name, None)
        elif change.strip():
            secrets[setting.name] = change.strip()
    return secrets


def _decrypt_or_empty(provider: Provider) -> dict[str, str]:
    """Return the secrets in plain, {} where they belong to another installation's key."""
    try:
        return dict(provider.secrets)
    except Undecryptable:
        return {}


def _setting_errors(
    adapter: Adapter, settings: Mapping[str, str], secrets: Mapping[str, str], code: str
) -> dict[str, str]:
    """Return what is wrong with settings and secrets, by name: their shape first, then the adapter's own checks."""
    values = {**settings, **secrets}
    errors = {}
    for setting in adapter.settings:
        text = str(values.get(setting.name, ""))
        if not text:
            if setting.required:
                errors[setting.name] = _("This field is needed.")
        elif setting.choices and text not in dict(setting.choices):
            errors[setting.name] = _("One of the choices is expected.")
        elif setting.kind == "integer" and not text.isdecimal():
            errors[setting.name] = _("A whole number is expected.")
        elif len(text) > MAX_SETTING_CHARACTERS:
            errors[setting.name] = _("This is too long.")
    # The adapter relies on the shapes above, so it is asked only once they are right.
    if errors or not isinstance(adapter, _ChecksSettings):
        return errors
    return adapter.find_problems(Config(provider_id=None, code=code, settings=settings, secrets=secrets))


def _moved_errors(
    adapter: Adapter, settings: Mapping[str, str], changes: Mapping[str, str | None], saved: Provider | None
) -> dict[str, str]:
    """Return which address leads elsewhere while secrets stay: they would be shown to whoever answers there."""
    if saved is None:
        return {}
    stored = stored_secret_names(saved)
    if not any(not changes.get(name) and changes.get(name, "") is not None for name in stored):
        return {}
    errors = {}
    for setting in adapter.settings:
        before, after = str(saved.settings.get(setting.name, "")), settings.get(setting.name, "")
        is_moved = setting.kind == "document" and before != after
        # An address that is given for the first time got no secret before.
        is_moved |= setting.kind == "url" and before != "" and _origin(before) != _origin(after)
        if is_moved:
            errors[setting.name] = _("It leads elsewhere: give the secrets anew.")
    return errors


def _origin(address: str) -> tuple[str, str]:
    """Return scheme and place of an address."""
    parts = outgoing_rule.split_url(address)
    return parts.scheme, parts.netloc


def _apply_changes(provider: Provider, *, secrets: Mapping[str, str], **fields: object) -> list[str]:
    """Set the fields of a provider without saving it, and return the names of those that changed.

    How far another mailbox was read is forgotten.
    """
    read_from = provider.settings.get("imap_url")
    changed = [name for name, value in fields.items() if provider.pk is None or getattr(provider, name) != value]
    for name, value in fields.items():
        setattr(provider, name, value)
    if provider.pk is not None and provider.settings.get("imap_url") != read_from:
        # Both may number alike: messages of the new one would count as read.
        ReplyMailbox.objects.filter(provider=provider).delete()
    if provider.pk is None or _decrypt_or_empty(provider) != secrets:
        changed.append("secrets")
    # Unchanged ones are not written: those of another installation's key stay as they are until they are given again.
    if "secrets" in changed:
        provider.secrets = dict(secrets)
    # A test of other settings proves nothing.
    if {"settings", "secrets"} & set(changed):
        provider.tested_at = None
        provider.tested_well = None
        provider.tested_answer = ""
    return changed


@consequence
def record_saved(*, provider: Provider, changed: list[str], actor: Actor) -> None:
    """Record that the settings of a provider are others."""
    saved = ProviderSaved(
        provider_id=provider.pk,
        provider=provider.code,
        provider_kind=provider.kind,
        enabled=provider.enabled,
        changed=changed,
    )
    record_fact(saved, actor=actor)
