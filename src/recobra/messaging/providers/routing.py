"""Routes of messages: the providers of a channel, the allowance of each, and the circuit of those that fail.

Allowance and circuit are kept in one row per provider, by the database's clock: all dispatchers share them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from recobra.kit.encryption import Undecryptable
from recobra.messaging.channels import ADAPTERS, Adapter
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.models import Provider
from recobra.portfolio.models import Channel

_log = logging.getLogger(__name__)

BURST_SECONDS: Final = 0.1
"""How long an unused allowance may grow: what was not sent in one second is not made up for in the next."""
FAILURES_TO_OPEN: Final = 5
FIRST_REST_SECONDS: Final = 30
MAX_REST_SECONDS: Final = 600
TRIAL_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A configured provider, or an implicit one without a row (`provider_id` None).

    `rate_per_second` None: as fast as it takes them. `price_micros` is the price of one message,
    in millionths of the major unit of `price_currency`.
    """

    provider_id: int | None
    code: str
    kind: str
    channel: str
    country: str = ""
    rate_per_second: float | None = None
    price_micros: int | None = None
    price_currency: str = ""
    config: Config = field(repr=False)

    @property
    def adapter(self) -> Adapter:
        """Return the adapter of the provider's kind."""
        return ADAPTERS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All routes at one moment; `open_ids` are the configured providers whose circuit lets messages through."""

    configured: tuple[Route, ...]
    open_ids: frozenset[int]

    def open_routes(self, channel: str, country: str) -> list[Route]:
        """Return the routes that are open to a channel and country, the preferred one first."""
        fitting = self.configured_routes(channel, country)
        if not fitting:
            # Only where nothing is configured: providers that all rest are waited for.
            return implicit_routes(channel)
        return [route for route in fitting if route.provider_id in self.open_ids]

    def has_route(self, channel: str, country: str) -> bool:
        """Return whether there is any route, even one that rests at the moment."""
        return bool(implicit_routes(channel)) or bool(self.configured_routes(channel, country))

    def routes_of_channel(self, channel: str) -> list[Route]:
        """Return the routes of a channel into any country, resting ones included."""
        configured = [route for route in self.configured if route.channel == channel]
        return configured or implicit_routes(channel)

    def channels(self) -> list[str]:
        """Return the channels with configured providers."""
        return sorted({route.channel for route in self.configured})

    def rate_limit(self, channel: str) -> float | None:
        """Return how many messages a second may leave by a channel; None without a limit, or without an open route."""
        total = None
        for route in self.configured:
            if route.channel != channel or route.provider_id not in self.open_ids:
                continue
            if route.rate_per_second is None:
                return None
            total = (total or 0.0) + route.rate_per_second
        return total

    def resting_channels(self) -> list[str]:
        """Return the channels all of whose providers rest."""
        open_channels = {route.channel for route in self.configured if route.provider_id in self.open_ids}
        return [channel for channel in self.channels() if channel not in open_channels]

    def configured_routes(self, channel: str, country: str) -> list[Route]:
        """Return the configured routes of a channel that serve a country, resting ones included."""
        return [route for route in self.configured if route.channel == channel and route.country in {"", country}]


def load_routes() -> Routes:
    """Return all routes at this moment."""
    configured: list[Route] = []
    # One that lets us send nothing is waited for like one that rests.
    stopped_ids: set[int] = set()
    for provider in Provider.objects.filter(enabled=True, kind__in=list(ADAPTERS)).order_by("rank", "code"):
        try:
            config = build_config(provider)
        except Unsuitable:
            # A database that moved to another installation has secrets that cannot be read there. The other providers
            # still send.
            _log.error("The secrets of provider %s belong to another key: save them again.", provider.code)
            continue
        if provider.stopped_at is not None:
            stopped_ids.add(provider.pk)
        configured.append(
            Route(
                provider_id=provider.pk,
                code=provider.code,
                kind=provider.kind,
                channel=provider.channel,
                country=provider.country,
                rate_per_second=provider.rate_per_second,
                price_micros=provider.price_micros,
                price_currency=provider.price_currency,
                config=config,
            )
        )
    if not configured:
        return Routes(configured=(), open_ids=frozenset())
    with connection.cursor() as cursor:
        cursor.execute(_RESTING)
        resting_ids = {provider_id for (provider_id,) in cursor.fetchall()}
    open_ids = frozenset(route.provider_id or 0 for route in configured) - resting_ids - stopped_ids
    return Routes(configured=tuple(configured), open_ids=open_ids)


def implicit_routes(channel: str) -> list[Route]:
    """Return the routes without a configured provider: the mail server of the settings, a demonstration's mailbox."""
    if channel == "email":
        server = {"url": settings.SMTP_URL, "from": settings.MAIL_FROM}
        config = Config(provider_id=None, code="smtp", settings=server)
        return [Route(provider_id=None, code="smtp", kind="smtp", channel=channel, config=config)]
    # E-mail of a demonstration goes to the mailbox too: its SMTP adapter starts the mailbox where SMTP_URL is empty.
    if settings.DEMO and channel in Channel.values:
        config = Config(provider_id=None, code="sandbox", settings={})
        return [Route(provider_id=None, code="sandbox", kind="sandbox", channel=channel, config=config)]
    return []


def build_config(provider: Provider) -> Config:
    """Return the settings of a provider for its adapter, secrets in plain. Raises Unsuitable."""
    try:
        secrets: Mapping[str, str] = provider.secrets
    except Undecryptable as error:
        raise Unsuitable(_("Its secrets belong to another installation's key: give them again.")) from error
    return Config(
        provider_id=provider.pk,
        code=provider.code,
        settings={name: str(value) for name, value in provider.settings.items()},
        secrets=secrets,
        webhook_url=f"{settings.PUBLIC_URL.rstrip('/')}/api/webhooks/{provider.code}/",
    )


def take_allowance(*, provider_id: int, wanted: int) -> int:
    """Take up to `wanted` messages from a provider's allowance; return how many were granted.

    None are granted while the provider rests, and one as a trial once its rest is over.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RATE_IN_USE, [provider_id])
        row = cursor.fetchone()
        if row is None or wanted <= 0:
            return 0
        (rate,) = row
        cursor.execute(_INSERT_STATE, [provider_id])
        # At least one, or a slow provider would never have a whole message to give away.
        burst = None if rate is None else max(1.0, rate * BURST_SECONDS)
        cursor.execute(
            _TAKE_ALLOWANCE, {"id": provider_id, "wanted": wanted, "rate": rate, "burst": burst, "trial": TRIAL_SECONDS}
        )
        row = cursor.fetchone()
    if row is None:
        return 0
    (granted_count,) = row
    return int(granted_count)


def record_failure(provider_id: int) -> None:
    """Record that a provider was not reached or did not answer; after FAILURES_TO_OPEN in a row it rests."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_STATE, [provider_id])
        cursor.execute(
            _RECORD_FAILURE,
            {"id": provider_id, "most": FAILURES_TO_OPEN, "first": FIRST_REST_SECONDS, "longest": MAX_REST_SECONDS},
        )


def record_success(provider_id: int) -> None:
    """Record that a provider answered, which ends its failures and its rest."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_SUCCESS, [provider_id])


_RATE_IN_USE = "SELECT rate_per_second FROM messaging_provider WHERE id = %s AND enabled AND stopped_at IS NULL"

# Refilled an hour ago: the first allowance of a new provider is a full one.
_INSERT_STATE = """
    INSERT INTO messaging_providerstate (provider_id, tokens, refilled_at, failures, trying)
    VALUES (%s, 0, clock_timestamp() - interval '1 hour', 0, false) ON CONFLICT DO NOTHING"""

_RESTING = "SELECT provider_id FROM messaging_providerstate WHERE open_until > clock_timestamp()"

# One statement under one row lock: two dispatchers never take the same allowance. `seen` reads the clock once the lock
# is held, because time passes while waiting for it. A trial sets the rest anew for its duration, so that only one
# dispatcher makes it; success ends the rest, and a trial that nobody reports on is followed by another one.
_TAKE_ALLOWANCE = """
    WITH held AS MATERIALIZED (
        SELECT provider_id, open_until, tokens, refilled_at FROM messaging_providerstate
        WHERE provider_id = %(id)s FOR UPDATE
    ), seen AS MATERIALIZED (SELECT held.*, clock_timestamp() AS now FROM held
    ), filled AS (
        SELECT provider_id, now, open_until,
            least(%(burst)s::float8, tokens + extract(epoch FROM now - refilled_at) * %(rate)s::float8) AS tokens
        FROM seen
    ), granted AS (
        SELECT provider_id, now, open_until, tokens,
            CASE WHEN open_until > now THEN 0
                 WHEN open_until IS NOT NULL THEN least(1, %(wanted)s, floor(coalesce(tokens, 1)))
                 ELSE least(%(wanted)s, floor(coalesce(tokens, %(wanted)s))) END::int AS count
        FROM filled)
    UPDATE messaging_providerstate state
    SET tokens = coalesce(granted.tokens - granted.count, 0), refilled_at = granted.now,
        trying = granted.open_until IS NOT NULL AND (state.trying OR granted.count > 0),
        open_until = CASE WHEN granted.open_until <= granted.now AND granted.count > 0
                              THEN granted.now + make_interval(secs => %(trial)s)
                          ELSE state.open_until END
    FROM granted WHERE state.provider_id = granted.provider_id
    RETURNING granted.count"""

# Each failure after the rest doubles the next one, up to the longest.
_RECORD_FAILURE = """
    UPDATE messaging_providerstate
    SET failures = failures + 1, trying = false,
        open_until = CASE WHEN failures + 1 >= %(most)s THEN clock_timestamp() + make_interval(secs =>
            least(%(longest)s, %(first)s * power(2, least(failures + 1 - %(most)s, 10)))) END
    WHERE provider_id = %(id)s"""

_RECORD_SUCCESS = """
    UPDATE messaging_providerstate SET failures = 0, open_until = NULL, trying = false
    WHERE provider_id = %s AND (failures > 0 OR open_until IS NOT NULL)"""
