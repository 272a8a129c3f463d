"""Operations on providers: save, test, switch on and off. Their secrets go in and never come out again."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from babel import Locale
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from recobra.journal.operations import record
from recobra.messaging.channels import ADAPTERS
from recobra.messaging.channels.adapter import Adapter, Check, Config, Setting, Unsuitable
from recobra.messaging.models import Provider
from recobra.messaging.providers.routing import build_config
from recobra.messaging.providers.secrets import decrypt, encrypt
from recobra_core.money import EXPONENTS, MICROS_DECIMALS

MAX_PER_SECOND: Final = 10_000.0
MAX_SETTING_CHARACTERS: Final = 20_000
MAX_PRICE_MICROS: Final = 10**15
# The product makes these itself where they are needed.
_NOT_CONFIGURED: Final = frozenset({"sandbox"})
_CODE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")
_LOCALE: Final = Locale("en")


class ProviderRefused(Exception):
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
        ProviderKind(kind=a.kind, channel=a.channel, label=a.label, settings=tuple(a.settings), two_way=a.two_way)
        for a in adapters
    ]


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
    actor: str,
    actor_id: int | None,
    now: datetime,
) -> Provider:
    """Configure a provider, or change the one of this code. Raises ProviderRefused.

    A secret that is '' or not given stays as it was; None deletes it. `price_micros` is the price of one message in
    millionths of the currency's major unit.
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
        new_settings = {
            setting.name: (str(settings.get(setting.name, "")).strip() or setting.default)
            for setting in adapter.settings
            if setting.kind != "secret"
        }
        new_secrets = _merge_secrets(adapter, secrets, saved)
        errors |= _setting_errors(adapter, new_settings, new_secrets, code)
        if errors:
            raise ProviderRefused(errors)
        provider = saved or Provider(code=code, kind=kind, channel=adapter.channel, created_at=now, created_by=actor)
        changed = _apply_changes(
            provider,
            secrets=new_secrets,
            name=name.strip(),
            settings=new_settings,
            rate_per_second=rate_per_second,
            price_micros=price_micros,
            price_currency=price_currency,
            country=country,
            rank=rank,
            enabled=enabled,
        )
        provider.save()
        _record("provider.saved", provider, by=(actor, actor_id), now=now, enabled=enabled, changed=changed)
    return provider


def enable_provider(*, provider_id: int, enabled: bool, actor: str, actor_id: int | None, now: datetime) -> None:
    """Switch a provider on or off. Raises ProviderRefused where its settings are unusable."""
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        adapter = ADAPTERS[provider.kind]
        if enabled and (
            errors := _setting_errors(adapter, provider.settings, _decrypt_or_empty(provider), provider.code)
        ):
            raise ProviderRefused(errors)
        if provider.enabled != enabled:
            provider.enabled = enabled
            provider.save(update_fields=["enabled"])
            _record("provider.saved", provider, by=(actor, actor_id), now=now, enabled=enabled, changed=["enabled"])


def retire_provider(*, provider_id: int, actor: str, actor_id: int | None, now: datetime) -> None:
    """Switch a provider off and delete its secrets: from now on its calls are refused too."""
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        provider.enabled, provider.secrets = False, ""
        provider.save(update_fields=["enabled", "secrets"])
        changed = ["enabled", "secrets"]
        _record("provider.saved", provider, by=(actor, actor_id), now=now, enabled=False, changed=changed)


def test_provider(
    *,
    provider_id: int,
    actor: str,
    now: datetime,
    actor_id: int | None = None,  # noqa: PT028 - no test, whatever its name
) -> Check:
    """Test a provider's settings without reaching a debtor, and store the answer."""
    provider = Provider.objects.get(pk=provider_id)
    # Outside a transaction: a provider may take half a minute to answer.
    try:
        check = asyncio.run(ADAPTERS[provider.kind].check_settings(build_config(provider)))
    except Unsuitable as error:
        check = Check(ok=False, answer=str(error))
    with transaction.atomic():
        provider.tested_at, provider.tested_well, provider.tested_answer = now, check.ok, check.answer[:500]
        provider.save(update_fields=["tested_at", "tested_well", "tested_answer"])
        _record("provider.tested", provider, by=(actor, actor_id), now=now, ok=check.ok)
    return check


test_provider.__test__ = False  # type: ignore[attr-defined]  # its name is no test's


def stored_secret_names(provider: Provider) -> frozenset[str]:
    """Return the names of the stored secrets, for the form; their values are never shown."""
    return frozenset(name for name, value in _decrypt_or_empty(provider).items() if value)


def _field_errors(*, code: str, name: str, country: str, rank: int) -> dict[str, str]:
    return _sentences_of_wrong(
        {
            "code": (not _CODE.fullmatch(code), _("Small letters, digits and hyphens are expected, at most 50.")),
            "name": (not name.strip(), _("A name is needed.")),
            "country": (
                bool(country) and not (len(country) == 2 and country in _LOCALE.territories),
                _("A country such as PE is expected, or none."),
            ),
            "rank": (not 0 <= rank <= 32_767, _("A number from 0 to %(most)d is expected.") % {"most": 32_767}),
        }
    )


def _number_errors(rate: float | None, price_micros: int, currency: str) -> dict[str, str]:
    return _sentences_of_wrong(
        {
            "rate_per_second": (
                rate is not None and not (math.isfinite(rate) and 0 < rate <= MAX_PER_SECOND),
                _("More than zero, and at most %(most)d, is expected.") % {"most": MAX_PER_SECOND},
            ),
            "price_micros": (
                not 0 <= price_micros <= MAX_PRICE_MICROS,
                _("A price from 0 to %(most)d is expected.") % {"most": MAX_PRICE_MICROS // 10**MICROS_DECIMALS},
            ),
            "price_currency": (currency not in EXPONENTS, _("A currency such as PEN or USD is expected.")),
        }
    )


def _sentences_of_wrong(checked: Mapping[str, tuple[bool, str]]) -> dict[str, str]:
    return {field: sentence for field, (is_wrong, sentence) in checked.items() if is_wrong}


def _merge_secrets(adapter: Adapter, changes: Mapping[str, str | None], saved: Provider | None) -> dict[str, str]:
    secrets = _decrypt_or_empty(saved) if saved is not None else {}
    for name in (setting.name for setting in adapter.settings if setting.kind == "secret"):
        if name in changes and changes[name] is None:
            secrets.pop(name, None)
        elif value := (changes.get(name) or "").strip():
            secrets[name] = value
    return secrets


def _decrypt_or_empty(provider: Provider) -> dict[str, str]:
    """Return the secrets in plain, {} where they belong to another installation's key."""
    try:
        return decrypt(provider.secrets)
    except InvalidToken:
        return {}


def _setting_errors(
    adapter: Adapter, settings: Mapping[str, str], secrets: Mapping[str, str], code: str
) -> dict[str, str]:
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
    # An adapter expects the shapes above, so that it checks only settings that have them.
    if errors or not isinstance(adapter, _ChecksSettings):
        return errors
    return adapter.find_problems(Config(provider_id=None, code=code, settings=settings, secrets=secrets))


def _apply_changes(provider: Provider, *, secrets: Mapping[str, str], **fields: object) -> list[str]:
    """Set the fields of a provider without saving it, and return the names of those that changed."""
    changed = [name for name, value in fields.items() if provider.pk is None or getattr(provider, name) != value]
    for name, value in fields.items():
        setattr(provider, name, value)
    if provider.pk is None or _decrypt_or_empty(provider) != secrets:
        changed.append("secrets")
    # Unchanged secrets too: what an earlier key had encrypted is encrypted with today's.
    if secrets or "secrets" in changed:
        provider.secrets = encrypt(secrets)
    # A test of other settings proves nothing.
    if {"settings", "secrets"} & set(changed):
        provider.tested_at, provider.tested_well, provider.tested_answer = None, None, ""
    return changed


def _record(kind: str, provider: Provider, *, by: tuple[str, int | None], now: datetime, **payload: object) -> None:
    identity = {"provider_id": provider.pk, "provider": provider.code, "kind": provider.kind}
    record(kind, at=now, actor=by[0], actor_id=by[1], payload={**identity, **payload})
