"""Draft campaign of the demonstration, for a visitor to read, weigh and launch."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

CODE: Final = "recordatorio-whatsapp"
DURATION: Final = timedelta(days=14)


def save_demo_draft(*, portfolio_code: str, username: str, at: datetime) -> None:
    """Save the draft in a portfolio of the user's; one that is there already stays as it is."""
    from recobra.access.actors import actor_for  # noqa: PLC0415
    from recobra.access.queries import User  # noqa: PLC0415 - needs the settings
    from recobra.portfolio.queries import portfolios_for  # noqa: PLC0415
    from recobra.strategy.operations import campaigns  # noqa: PLC0415
    from recobra.strategy.queries_campaigns import campaigns_for  # noqa: PLC0415

    user = User.objects.get(username=username)
    if campaigns_for(user).filter(code=CODE).exists():
        return
    portfolio = next(row for row in portfolios_for(user) if row.code == portfolio_code)
    draft = campaigns.CampaignDraft(
        code=CODE,
        name="Recordatorio por WhatsApp: hasta 30 días de atraso",
        portfolio_id=portfolio.pk,
        rule="dpd between 1 and 30",
        template_code="recordatorio",
        channels=("whatsapp",),
        starts_on=at.date(),
        ends_on=at.date() + DURATION,
    )
    campaigns.save_draft(draft=draft, actor=actor_for(user, now=at))
