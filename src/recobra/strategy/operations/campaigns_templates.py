"""The words of a campaign: the templates its country is written with, and what the law there says of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from recobra.messaging.models import Template
from recobra.messaging.templates import law_findings, selection
from recobra.strategy.models import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFinding:
    """A finding, said once, with the channels in whose words it was found, in the campaign's order."""

    read: law_findings.TemplateFinding
    channels: tuple[str, ...]


def findings_of(campaign: Campaign, *, on: date) -> list[CampaignFinding]:
    """Return what the law of the portfolio's country says of the campaign's words, the graver first."""
    kept: dict[tuple[str, ...], law_findings.TemplateFinding] = {}
    where: dict[tuple[str, ...], list[str]] = {}
    for template in _usable_templates(campaign, on):
        for each in _read_findings(template, campaign.portfolio.country, on):
            finding = each.finding
            key = (finding.severity, finding.sentence, finding.article, finding.excerpt.casefold())
            kept.setdefault(key, each)
            where.setdefault(key, []).append(template.channel)
    return [CampaignFinding(read=kept[key], channels=tuple(dict.fromkeys(where[key]))) for key in sorted(kept)]


def _usable_templates(campaign: Campaign, on: date) -> list[Template]:
    """Return, by channel, the templates that may be drawn; where the law lets none leave, those it bars."""
    country = campaign.portfolio.country
    found = list(
        selection.templates_in_force().filter(
            code=campaign.template_code, channel__in=campaign.channels, country__in=("", country), weight__gt=0
        )
    )
    used: list[Template] = []
    for channel in campaign.channels:
        fit = [each for each in found if each.channel == channel]
        going = [each for each in fit if selection.is_lawful(each, country, on)] or fit
        used += [each for each in going if each.country] or going
    return used


def _read_findings(template: Template, country: str, on: date) -> tuple[law_findings.TemplateFinding, ...]:
    return law_findings.lint_everywhere(
        subject=template.subject,
        text=template.text,
        html=template.html,
        channel=template.channel,
        country=country,
        language=template.language,
        legal=template.legal,
        on=on,
    )
