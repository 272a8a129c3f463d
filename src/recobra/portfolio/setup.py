"""Creditors and portfolios: opened, renamed, disabled and enabled, and reads of all for who administers them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra_core.folding import fold_name

from .description import PortfolioSettings
from .facts import (
    CreditorDisabled,
    CreditorEnabled,
    CreditorOpened,
    PortfolioDisabled,
    PortfolioEnabled,
    PortfolioOpened,
    PortfolioRenamed,
)
from .models import Creditor, DisableReason, Portfolio
from .operations import CreditorRefused, find_barred_details, save_creditor_details
from .scope import check_creditor, check_every_portfolio, check_portfolio

CODE_LENGTH_MAX: Final = 40
NAME_LENGTH_MAX: Final = 200
_CODE: Final = re.compile(rf"[\w.-]{{1,{CODE_LENGTH_MAX}}}")


class PortfolioUnknown(Exception):
    """No portfolio has this code; the text names those that exist."""


class PortfolioRefused(Exception):
    """The portfolio cannot be so; `errors` say why, by field ('' for the whole), and are shown as they are."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(errors.values()))
        self.errors = dict(errors)


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def create_creditor(
    *, code: str, name: str, details: Mapping[str, str], supervised: bool | None, actor: Actor
) -> Creditor:
    """Open a creditor that nobody knows yet, with the details that messages name. Raises CreditorRefused.

    The details are saved as `save_creditor_details` does, so they may wait for a second person.
    """
    check_every_portfolio(actor)
    errors = {}
    if not _CODE.fullmatch(code):
        errors["code"] = _code_rule()
    elif Creditor.objects.filter(code=code).exists():
        errors["code"] = _("There is a creditor of this code already.")
    if name_error := _find_name_error(name):
        errors["name"] = name_error
    if errors:
        raise CreditorRefused(errors)
    creditor = open_creditor(code=code, name=name.strip(), actor=actor)
    return save_creditor_details(creditor_id=creditor.pk, details=details, supervised=supervised, actor=actor)


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_creditor(*, code: str, name: str, actor: Actor, **details: str) -> Creditor:
    """Open a creditor, or return the one that has the code. `details`: the model's own text fields."""
    creditor, is_new = Creditor.objects.get_or_create(code=code, defaults={"name": name, **details})
    if is_new:
        record_fact(CreditorOpened(creditor_id=creditor.pk, code=code), actor=actor)
    return creditor


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_portfolio(
    *,
    creditor: Creditor,
    code: str,
    name: str,
    industry: str,
    country: str,
    currency: str,
    time_zone: str,
    settings_of: int | None = None,
    actor: Actor,
) -> Portfolio:
    """Open a portfolio, or return the one that has the code.

    Its policy begins with the product's own, or with the one in force of the portfolio `settings_of`.
    """
    fields = {
        "creditor": creditor,
        "name": name,
        "industry": industry,
        "country": country,
        "currency": currency,
        "time_zone": time_zone,
    }
    portfolio, is_new = Portfolio.objects.get_or_create(code=code, defaults=fields)
    if is_new:
        record_fact(PortfolioOpened(code=code, settings_of=settings_of), actor=actor, portfolio_id=portfolio.pk)
    return portfolio


@consequence
def refuse_portfolio(
    *, creditor: Creditor, code: str, settings: PortfolioSettings, settings_of: int | None, actor: Actor
) -> None:
    """Raise PortfolioRefused, with all that is wrong, where a portfolio that nobody knows yet cannot be opened so."""
    errors = {}
    if not _CODE.fullmatch(code):
        errors["code"] = _code_rule()
    elif Portfolio.objects.filter(code=code).exists():
        errors["code"] = _("There is a portfolio of this code already.")
    if name_error := _find_name_error(settings.name):
        errors["name"] = name_error
    if creditor.disabled_at is not None:
        errors["creditor"] = _("The creditor is disabled: enable it first.")
    elif barred := find_barred_details(creditor, countries=[settings.country], now=actor.now):
        # They were read by the law of the countries known then, and leave inside approved templates.
        errors["creditor"] = " ".join(barred.values())
    if settings_of is not None and not Portfolio.objects.filter(pk=settings_of).exists():
        errors["settings_of"] = _("Choose one of the portfolios.")
    if errors:
        raise PortfolioRefused(errors)


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def rename_portfolio(*, portfolio_id: int, name: str, actor: Actor) -> Portfolio:
    """Give a portfolio another name; its code stays, since files and addresses name it. Raises PortfolioRefused."""
    portfolio = _lock_portfolio(portfolio_id, actor)
    if name_error := _find_name_error(name):
        raise PortfolioRefused({"name": name_error})
    if portfolio.name != name.strip():
        portfolio.name = name.strip()
        portfolio.save(update_fields=["name"])
        record_fact(PortfolioRenamed(code=portfolio.code), actor=actor, portfolio_id=portfolio.pk)
    return portfolio


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def disable_portfolio(*, portfolio_id: int, reason: str, actor: Actor) -> Portfolio:
    """Let nothing more be loaded, planned or sent of a portfolio; what was planned is cancelled.

    `reason` is a code of DisableReason. One that is disabled already stays as it is. Raises PortfolioRefused.
    """
    portfolio = _lock_portfolio(portfolio_id, actor)
    _check_reason(reason)
    if portfolio.disabled_at is None:
        portfolio.disabled_at = actor.now
        portfolio.disable_reason = reason
        portfolio.save(update_fields=["disabled_at", "disable_reason"])
        record_fact(PortfolioDisabled(code=portfolio.code, reason=reason), actor=actor, portfolio_id=portfolio.pk)
    return portfolio


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def enable_portfolio(*, portfolio_id: int, actor: Actor) -> Portfolio:
    """Let a portfolio be worked again, from its next load and the next cycle on. Raises PortfolioRefused."""
    portfolio = _lock_portfolio(portfolio_id, actor)
    if portfolio.creditor.disabled_at is not None:
        raise PortfolioRefused({"": _("The creditor is disabled: enable it first.")})
    if portfolio.disabled_at is not None:
        portfolio.disabled_at = None
        portfolio.disable_reason = ""
        portfolio.save(update_fields=["disabled_at", "disable_reason"])
        record_fact(PortfolioEnabled(code=portfolio.code), actor=actor, portfolio_id=portfolio.pk)
    return portfolio


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def disable_creditor(*, creditor_id: int, reason: str, actor: Actor) -> Creditor:
    """Disable a creditor and each of its portfolios. `reason` is a code of DisableReason. Raises PortfolioRefused."""
    check_every_portfolio(actor)
    check_creditor(actor, creditor_id)
    creditor = Creditor.objects.select_for_update(no_key=True).get(pk=creditor_id)
    _check_reason(reason)
    if creditor.disabled_at is None:
        creditor.disabled_at = actor.now
        creditor.disable_reason = reason
        creditor.save(update_fields=["disabled_at", "disable_reason"])
        fact = CreditorDisabled(creditor_id=creditor.pk, code=creditor.code, reason=reason)
        record_fact(fact, actor=actor)
        for portfolio_id in creditor.portfolios.order_by("pk").values_list("pk", flat=True):
            disable_portfolio(portfolio_id=portfolio_id, reason=reason, actor=actor)
    return creditor


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def enable_creditor(*, creditor_id: int, actor: Actor) -> Creditor:
    """Let portfolios of a creditor be opened and enabled again; those that were disabled with it stay so."""
    check_every_portfolio(actor)
    creditor = Creditor.objects.select_for_update(no_key=True).get(pk=creditor_id)
    if creditor.disabled_at is not None:
        creditor.disabled_at = None
        creditor.disable_reason = ""
        creditor.save(update_fields=["disabled_at", "disable_reason"])
        record_fact(CreditorEnabled(creditor_id=creditor.pk, code=creditor.code), actor=actor)
    return creditor


def propose_code(name: str, *, taken: Collection[str], prefix: str = "") -> str:
    """Return a free code made of a name, such as «PE-BANCO-SUR» of «Banco Sur»; '' for a name without letters."""
    words = re.findall(r"[A-Z0-9]+", fold_name(name).upper())
    if not words:
        return ""
    # Room for a number behind it.
    code = "-".join([*([prefix] if prefix else []), *words])[: CODE_LENGTH_MAX - 4].rstrip("-")
    number = 2
    proposed = code
    while proposed in taken:
        proposed = f"{code}-{number}"
        number += 1
    return proposed


def portfolio_codes_taken() -> frozenset[str]:
    """Return the codes of all portfolios."""
    return frozenset(Portfolio.objects.values_list("code", flat=True))


def creditor_codes_taken() -> frozenset[str]:
    """Return the codes of all creditors."""
    return frozenset(Creditor.objects.values_list("code", flat=True))


def list_portfolios() -> list[Portfolio]:
    """Return every portfolio of the installation, by code."""
    return list(Portfolio.objects.select_related("creditor").order_by("code"))


def get_portfolio(*, code: str) -> Portfolio:
    """Return the portfolio that has a code. Raises PortfolioUnknown."""
    portfolio = Portfolio.objects.filter(code=code).first()
    if portfolio is None:
        known = ", ".join(Portfolio.objects.order_by("code").values_list("code", flat=True)) or _("none yet")
        refusal = _("There is no portfolio «%(code)s»; there are: %(known)s.")
        raise PortfolioUnknown(refusal % {"code": code, "known": known})
    return portfolio


def _lock_portfolio(portfolio_id: int, actor: Actor) -> Portfolio:
    """Return a portfolio within the actor's reach, locked. Raises OutOfScope, Portfolio.DoesNotExist."""
    check_portfolio(actor, portfolio_id)
    locked = Portfolio.objects.select_for_update(no_key=True, of=("self",)).select_related("creditor")
    return locked.get(pk=portfolio_id)


def _check_reason(reason: str) -> None:
    """Raise PortfolioRefused for what is no reason."""
    if reason not in DisableReason.values:
        raise PortfolioRefused({"reason": _("Choose a reason.")})


def _code_rule() -> str:
    return _("Letters, digits, hyphens and dots, up to %(most)d; it never changes.") % {"most": CODE_LENGTH_MAX}


def _find_name_error(name: str) -> str:
    if not name.strip():
        return _("A name is needed.")
    if len(name.strip()) > NAME_LENGTH_MAX:
        return _("It is too long: up to %(count)s characters.") % {"count": NAME_LENGTH_MAX}
    return ""
