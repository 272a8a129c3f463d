"""Findings of the law about a campaign's templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from recobra.messaging.models import Template
from recobra.messaging.templates import law_findings, selection
from recobra.strategy.models import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFinding:
    """A finding with the channels in whose templates it was found, in the campaign's order."""

    read: law_findings.TemplateFinding
    channels: tuple[str, ...]


def findings_of(campaign: Campaign, *, on: date) -> list[CampaignFinding]:
    """Return what the law of the portfolio's country says of the campaign's templates, the graver first."""
    country = campaign.portfolio.country
    reads: dict[tuple[str, ...], law_findings.TemplateFinding] = {}
    channels: dict[tuple[str, ...], list[str]] = {}
    for template in _usable_templates(campaign, on):
        for read in law_findings.lint_everywhere(
            subject=template.subject,
            text=template.text,
            html=template.html,
            channel=template.channel,
            country=country,
            language=template.language,
            legal=template.legal,
            on=on,
        ):
            finding = read.finding
            # The same sentence found in two channels is shown once.
            key = (finding.severity, finding.sentence, finding.article, finding.excerpt.casefold())
            reads.setdefault(key, read)
            channels.setdefault(key, []).append(template.channel)
    return [CampaignFinding(read=reads[key], channels=tuple(dict.fromkeys(channels[key]))) for key in sorted(reads)]


def _usable_templates(campaign: Campaign, on: date) -> list[Template]:
    """Return, by channel, the templates that may be drawn; where the law lets none leave, those it bars."""
    country = campaign.portfolio.country
    templates = list(
        selection.templates_in_force().filter(
            code=campaign.template_code, channel__in=campaign.channels, country__in=("", country), weight__gt=0
        )
    )
    usable: list[Template] = []
    for channel in campaign.channels:
        candidates = [template for template in templates if template.channel == channel]
        candidates = [template for template in candidates if selection.is_lawful(template, country, on)] or candidates
        # Templates of the country go before general ones.
        usable += [template for template in candidates if template.country] or candidates
    return usable
