"""Company rules of contact: they may only tighten the law, and the versions that judged are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit.language import screen_language
from recobra.policy.facts import CautionDecided, CompanyRuleRetired, CompanyRuleSaved
from recobra.policy.models import HouseRule
from recobra.policy.portfolio_policies import PolicyHistories, policy_histories
from recobra.portfolio.models import Portfolio
from recobra.portfolio.scope import check_every_portfolio, check_portfolio
from recobra_core import law
from recobra_core.documents import DocumentError

_DIGEST_LENGTH: Final = 12


class CompanyRuleRefused(Exception):
    """The rule cannot be read or would loosen the law; `loosenings` names each place with its article."""

    def __init__(self, text: str, loosenings: Sequence[law.Loosening] = ()) -> None:
        super().__init__(text)
        self.loosenings = tuple(loosenings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesInForce:
    """Company rules in force: the name of each portfolio's rules, and the rules by their name."""

    name_by_portfolio: Mapping[int, str]
    rules_by_name: Mapping[str, law.CompanyRules]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RuleVersion:
    """A version of a rule as a key of the cache: its document is text, since it never changes once saved."""

    rule_id: int
    code: str
    version: int
    portfolio_id: int | None
    document_json: str


@requires(Right.EDIT_RULES)
@transaction.atomic
def save_company_rule(*, code: str, portfolio_id: int | None, document: Mapping[str, Any], actor: Actor) -> HouseRule:
    """Put a new version in force in the place of the one before. Raises CompanyRuleRefused.

    `document` is what `law.read_company_rules` reads, without its name, which is the code. The rule is compared with
    the law of the portfolio's country, or of every country with portfolios where it is for all. Beyond a caution that
    is no law it may go with a `decision`, the reason in the person's words; that is a fact of its own.
    """
    _check_reach(portfolio_id, actor)
    try:
        rules = law.read_company_rules({**document, "name": code})
    except DocumentError as error:
        raise CompanyRuleRefused(" ".join(error.messages(screen_language()))) from error
    loosenings: list[law.Loosening] = []
    for country in _countries_of_rule(portfolio_id):
        loosenings += law.find_loosenings(rules, country=country)
    decided = [loosening for loosening in loosenings if loosening.basis == law.CAUTION]
    if len(decided) < len(loosenings):
        raise CompanyRuleRefused(_("A company rule may tighten the law, never loosen it."), loosenings)
    if decided and not document.get("decision", "").strip():
        raise CompanyRuleRefused(
            _("This goes beyond cautions that are no law: the company may decide on them, and says why."), loosenings
        )
    with connection.cursor() as cursor:
        # Two versions saved at once must not get the same number.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"house rule {code}"])
    last = HouseRule.objects.filter(code=code).order_by("-version").first()
    HouseRule.objects.filter(code=code, retired_at__isnull=True).update(retired_at=actor.now)
    saved = HouseRule.objects.create(
        code=code,
        version=last.version + 1 if last else 1,
        portfolio_id=portfolio_id,
        document=dict(document),
        created_at=actor.now,
        created_by=actor.name,
    )
    fact = CompanyRuleSaved(house_rule_id=saved.pk, code=code, version=saved.version)
    record_fact(fact, actor=actor, portfolio_id=portfolio_id)
    if decided:
        cautions = sorted({loosening.rule for loosening in decided})
        decision = CautionDecided(house_rule_id=saved.pk, code=code, version=saved.version, cautions=cautions)
        record_fact(decision, actor=actor, portfolio_id=portfolio_id)
    return saved


@requires(Right.EDIT_RULES)
@transaction.atomic
def retire_company_rule(*, house_rule_id: int, actor: Actor) -> None:
    """Take a rule out of force; once retired it stays so. Raises HouseRule.DoesNotExist."""
    rule = HouseRule.objects.select_for_update().get(pk=house_rule_id)
    _check_reach(rule.portfolio_id, actor)
    if rule.retired_at is None:
        rule.retired_at = actor.now
        rule.save(update_fields=["retired_at"])
        fact = CompanyRuleRetired(house_rule_id=rule.pk, code=rule.code, version=rule.version)
        record_fact(fact, actor=actor, portfolio_id=rule.portfolio_id)


def _check_reach(portfolio_id: int | None, actor: Actor) -> None:
    """Raise OutOfScope or NotAllowed for an actor who may not change a rule of a portfolio, None for all of them."""
    if portfolio_id is None:
        check_every_portfolio(actor)
    else:
        check_portfolio(actor, portfolio_id)


def company_rules_in_force(
    portfolio_ids: Iterable[int] | None = None, *, histories: PolicyHistories | None = None
) -> RulesInForce:
    """Return the rules in force of some portfolios, or of all, with the holidays of their policies.

    Several rules of one portfolio hold together. `histories` are the policies of the portfolios, read unless given.
    """
    ids = list(Portfolio.objects.values_list("pk", flat=True) if portfolio_ids is None else portfolio_ids)
    if histories is None:
        histories = policy_histories(ids)
    versions = [
        _RuleVersion(
            rule_id=rule.pk,
            code=rule.code,
            version=rule.version,
            portfolio_id=rule.portfolio_id,
            document_json=json.dumps(rule.document),
        )
        for rule in HouseRule.objects.filter(retired_at__isnull=True).order_by("code", "version")
    ]
    names: dict[int, str] = {}
    rules_by_name: dict[str, law.CompanyRules] = {}
    for portfolio_id in ids:
        # A rule without a portfolio holds for all of them.
        applicable = tuple(version for version in versions if version.portfolio_id in (None, portfolio_id))
        holidays = histories[portfolio_id].holidays()
        if applicable or holidays:
            rules = _merge_rules(applicable, holidays)
            names[portfolio_id] = rules.name
            rules_by_name[rules.name] = rules
    return RulesInForce(name_by_portfolio=names, rules_by_name=rules_by_name)


@lru_cache(maxsize=64)
def _merge_rules(versions: tuple[_RuleVersion, ...], holidays: frozenset[date]) -> law.CompanyRules:
    """Return rules as one; its name holds their codes and versions, such as `visits.2+quiet.1`.

    Portfolios with the same rules and the same `holidays` share a name; the days are in it by their digest.
    """
    parts = []
    for version in versions:
        document = json.loads(version.document_json)
        parts.append(law.read_company_rules({**document, "name": f"{version.code}.{version.version}"}))
    names = [part.name for part in parts]
    if holidays:
        days = " ".join(day.isoformat() for day in sorted(holidays))
        names.append(f"holidays-{sha256(days.encode()).hexdigest()[:_DIGEST_LENGTH]}")
    return law.merge_company_rules(name="+".join(names), parts=parts, holidays=holidays)


def _countries_of_rule(portfolio_id: int | None) -> list[str]:
    """Return the countries whose law a rule must respect; every known one while nobody has a portfolio."""
    portfolios = Portfolio.objects.all()
    if portfolio_id:
        portfolios = portfolios.filter(pk=portfolio_id)
    known = set(law.load_countries())
    used = known.intersection(portfolios.values_list("country", flat=True))
    return sorted(used or known)
