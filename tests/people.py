"""The company that every test works with, and the people at its screens."""

from __future__ import annotations

from datetime import datetime

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.models import Role, Scope, User
from recobra.access.roles import Right
from recobra.approvals.models import SecondPersonRule
from recobra.portfolio.models import Creditor, Portfolio

CAST = {
    "ana": Role.GESTOR,
    "bruno": Role.SUPERVISOR,
    "carla": Role.MANAGER,
    "dario": Role.ADMINISTRATOR,
    "hilda": Role.AUDITOR,
    "zoe": Role.GESTOR,
}


def create_company() -> Portfolio:
    """Create the creditor «Banco Sur» with a consumer portfolio in Peru, and a company that wants no second person.

    `tests/console/test_two_people.py` lets it want one, as a new installation does.
    """
    SecondPersonRule.objects.bulk_create(
        SecondPersonRule(kind=kind, is_required=False) for kind in ("payment_instructions", "provider", "strategy")
    )
    creditor = Creditor.objects.create(code="SUR", name="Banco Sur", payment_instructions="Pague en bancosur.example")
    return Portfolio.objects.create(
        creditor=creditor,
        code="PE-CONSUMO",
        name="Consumo Perú",
        industry=Portfolio.Industry.CONSUMER,
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )


def create_cast(company: Portfolio) -> dict[str, User]:
    """Create the people: Ana and Bruno work for the company, Carla, Darío and Hilda see all, Zoe must see nothing."""
    people = {
        name: User.objects.create_user(username=name, password="una-clave-larga", role=role)
        for name, role in CAST.items()
    }
    for name in ("ana", "bruno"):
        Scope.objects.create(user=people[name], portfolio_code=company.code)
    return people


def acting(name: str, *, now: datetime, user_id: int | None = None) -> Actor:
    """Return who acts where rights are not the point: a service by its name, anybody else with every right."""
    if name in set(map(str, Service)):
        return service_actor(Service(name), now=now)
    return Actor(name=name, user_id=user_id, now=now, rights=frozenset(Right))
