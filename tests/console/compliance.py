"""The numbers in the addresses of the compliance screens, of rows that exist."""

from __future__ import annotations

from recobra.messaging.models import Provider
from recobra.policy.models import HouseRule
from recobra.portfolio.models import Portfolio
from recobra.strategy.models import SavedGroup

from .world import World


def of_compliance(world: World) -> dict[str, dict[str, object]]:
    """Return the numbers of the law's pages, of a provider and of a company rule."""
    at = world.sent.sent_at
    provider = Provider.objects.first() or Provider.objects.create(
        code="cartas", kind="letters", channel="letter", name="Cartas", created_at=at, created_by="dario"
    )
    rule = HouseRule.objects.first() or HouseRule.objects.create(
        code="suave",
        version=1,
        created_at=at,
        created_by="carla",
        portfolio=world.portfolio,
        document={"rules": [{"caps": [{"n": 1, "per": "week"}]}]},
    )
    code, numbered = {"code": provider.code}, {"rule_id": rule.pk}
    maria = world.debtors["María"]
    point = maria.points.order_by("pk").first()
    assert point, "she has a telephone"
    SavedGroup.objects.filter(code="altos").exists() or SavedGroup.objects.create(
        code="altos",
        version=1,
        name="Altos",
        rule="overdue > 100",
        portfolio=world.portfolio,
        created_at=at,
        created_by="carla",
    )
    own = {"plan": {"type": "text", "label": "Plan"}}
    Portfolio.objects.filter(pk=world.portfolio.pk).update(attributes=own)
    return {
        **{f"group{what}": {"code": "altos"} for what in ("-edit", "-retire")},
        "own-columns": {"portfolio_id": world.portfolio.pk},
        "own-column": {"portfolio_id": world.portfolio.pk, "name": "plan"},
        "debtor-wish-record": {"debtor_id": maria.pk, "point_id": point.pk},
        "country": {"code": "PE"},
        "country-breach-cost": {"code": "BO"},
        "country-month": {"code": "PE"},
        **{f"policy{what}": {"portfolio_id": world.portfolio.pk} for what in ("", "-new")},
        **{f"house-rule{what}": numbered for what in ("", "-edit", "-retire")},
        **{f"provider{what}": code for what in ("", "-test", "-switch", "-resume", "-retire", "-ask", "-templates")},
    }
