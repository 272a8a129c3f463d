"""Saved groups: a rule with a name, used by segments, campaigns and the list of receivables."""

import pytest

from recobra.kit import clock
from recobra.messaging.models import Template
from recobra.strategy.models import Campaign, SavedGroup, StrategyVersion
from tests.console.editor import EDIT, fields
from tests.console.following import follow

from .test_campaigns import fields as campaign_fields
from .test_countries import text


@pytest.fixture
def followed(world):
    follow(world, clock.now())
    Template.objects.update(status="APPROVED")
    return world


def write(client, address="/grupos/nuevo/", **changes):
    posted = {"name": "Montos altos", "portfolio": "", "group-rule": "overdue > 450"}
    return client.post(address, posted | changes)


def test_a_group_is_written_once_and_used_in_a_list_a_strategy_and_a_campaign(at_desk, followed):
    carla, bruno = at_desk("carla"), at_desk("bruno")
    # It is built of conditions, in the country's writing, and kept with what was typed where it is refused.
    rows = {"group-rule": "", "group-shown": "", "group-row-0-column": "overdue", "group-row-0-operator": ">"}
    refused = write(carla, **rows | {"group-row-0-value": "cuatro"})
    assert (refused.status_code, 'value="cuatro"' in refused.content.decode()) == (422, True)
    assert write(carla, **rows | {"group-row-0-value": "450.00"}).status_code == 302
    group = SavedGroup.objects.get()
    assert (group.code, group.rule, group.version) == ("montos-altos", "overdue > 450", 1)
    page = text(carla.get("/grupos/"))
    assert "Montos altos" in page
    assert "saldo vencido mayor que 450" in page

    # The list and its export show whom it takes today.
    shown = bruno.get("/cartera/?grupo=montos-altos").context["page"].rows
    everybody = bruno.get("/cartera/").context["page"].rows
    expected = {row.account_id for row in everybody if (row.overdue_minor or 0) > 45_000}
    counted = carla.post("/estrategias/regla/cuentas/", {"field": "g", "g-rule": group.rule, "g-unknown": "no"})
    assert {row.account_id for row in shown} == {row.account_id for row in counted.context["examples"]} != set()
    assert expected <= {row.account_id for row in shown}
    exported = b"".join(carla.get("/cartera/exportar.csv?grupo=montos-altos").streaming_content).decode("utf-8-sig")
    assert len(exported.splitlines()) == 1 + len(shown)
    assert bruno.get("/cartera/?grupo=nada").context["page"].rows == []

    # A segment takes its rule, and says from which version.
    taken = carla.post("/estrategias/regla/", {"field": "segments-0", "pick": "1", "segments-0-pick": "montos-altos"})
    member = taken.context["member"]
    assert (member["rule"], member["from_group"]) == ("overdue > 450", "montos-altos:1")
    posted = fields(carla) | {
        "segments-0-rule": member["rule"],
        "segments-0-from_group": member["from_group"],
        "segments-0-unknown": "no",
    }
    assert carla.post(EDIT, posted | {"do": "save"}).status_code == 302
    segment = StrategyVersion.objects.get(code="consumo", status="DRAFT").document["segments"][0]
    assert (segment["rule"], segment["from_group"]) == ("overdue > 450", "montos-altos:1")
    # And so does a campaign.
    campaign = campaign_fields(followed) | {"group-rule": group.rule, "group-from_group": group.reference}
    assert bruno.post("/campanas/nueva/", campaign).status_code == 302
    assert Campaign.objects.get().from_group == "montos-altos:1"

    # Another version: what took the first keeps its rule, and says so; the list is of the new one.
    assert write(carla, "/grupos/montos-altos/", **{"group-rule": "overdue > 99999"}).status_code == 302
    assert bruno.get("/cartera/?grupo=montos-altos").context["page"].rows == []
    assert "Regla del grupo «Montos altos», versión 1. Elíjalo otra vez para tomar la versión 2." in text(
        carla.get(EDIT)
    )
    assert Campaign.objects.get().rule == "overdue > 450"

    # It is not taken out of use while something uses it; a rule that was changed by hand is no longer its.
    refusal = text(carla.post("/grupos/montos-altos/retirar/", follow=True))
    assert "Está en uso: estrategia «Crédito de consumo», versión 2: segmento" in refusal
    assert carla.post(EDIT, fields(carla) | {"segments-0-rule": "balance > 5", "do": "save"}).status_code == 302
    assert "from_group" not in StrategyVersion.objects.get(code="consumo", status="DRAFT").document["segments"][0]
    Campaign.objects.all().delete()
    carla.post("/grupos/montos-altos/retirar/")
    assert "Todavía no hay grupos" in text(carla.get("/grupos/"))
    # Its name is free again.
    assert write(carla).status_code == 302
    assert write(carla).status_code == 422
