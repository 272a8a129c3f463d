"""The screens of campaigns, by light, in the dark and on a phone, judged by axe; and worked by keyboard."""

from datetime import timedelta

import pytest
from django.db.models import F

from recobra.kit import clock
from recobra.messaging.models import Contact, Template
from recobra.strategy import schedule
from recobra.strategy.models import CampaignMember
from recobra.strategy.operations import campaigns
from tests.people import acting

from .keyboard import press
from .scenes import LOADED, choose_pages, visit

pytestmark = pytest.mark.browser
PAGES = {
    "campanas": "/campanas/",
    "campana-nueva": "/campanas/nueva/",
    "campana-previa": "/campanas/borrador/previa/",
    "campana": "/campanas/verano/",
    "campana-borrador": "/campanas/borrador/",
}


@pytest.fixture
def campaign(world_with_strategy):
    world, now = world_with_strategy, clock.now()
    Template.objects.update(status="APPROVED")
    today = schedule.today(now)
    Contact.objects.update(planned_for=F("planned_for") - timedelta(20), local_date=F("local_date") - timedelta(20))
    for code in ("verano", "borrador"):
        written = campaigns.CampaignDraft(
            code=code,
            name=code.title(),
            portfolio_id=world.portfolio.pk,
            rule="overdue > 0",
            template_code="recordatorio",
            channels=("email", "sms"),
            starts_on=today,
            ends_on=today + timedelta(9),
            control_bps=0,
        )
        made = campaigns.save_draft(draft=written, actor=acting("bruno", now=now))
        if code == "verano":
            campaigns.launch(campaign_id=made.pk, actor=acting("bruno", now=now))
            # Among five people a draw may leave one arm empty.
            CampaignMember.objects.filter(campaign=made, debtor_id=world.debtors["Lucía"].pk).update(arm="CONTROL")
    return made


@pytest.mark.parametrize("scene", LOADED)
def test_every_page_of_campaigns_can_be_used_by_everybody(page_for, campaign, assert_usable, scene):
    page = page_for("carla", scene)
    for name, address in choose_pages(PAGES).items():
        visit(page, address)
        if name == "campana-previa":
            page.wait_for_selector("#days-title")
        assert_usable(page, name)


def test_a_campaign_is_launched_and_paused_with_the_keyboard_alone(page_for, campaign):
    page = page_for("bruno")
    page.goto("/campanas/borrador/previa/")
    launch = page.locator("form[action$='/lanzar/'] button")
    launch.wait_for()
    launch.focus()
    press(page, "Enter")
    page.wait_for_url("**/campanas/borrador/")
    pause = page.locator("form[action$='/pausar/'] button")
    pause.focus()
    press(page, "Enter")
    page.locator("form[action$='/reanudar/'] button").wait_for()
    campaign.refresh_from_db()
    assert campaign.status == "PAUSED"
