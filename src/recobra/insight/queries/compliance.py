"""Month of a country under its law: contacts sent and stopped, incidents, and how fast debtors were answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _

from recobra.access.queries import User
from recobra.compliance.models import Incident
from recobra.compliance.queries import incidents_for
from recobra.compliance.report import Block, Report, Section, Table
from recobra.messaging.channels.letter.pdf import US_LETTER
from recobra.messaging.queries import cite_article, explain_reason
from recobra.portfolio import address_forms
from recobra.portfolio.models import Channel
from recobra.portfolio.queries import portfolios_for
from recobra_core import law

Measure = Literal["count", "share", "number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedRule:
    """A rule with the number of contacts that it stopped."""

    reason: str
    rule: str
    article: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceMonth:
    """Figures of one country and month, which is that of the country's first time zone.

    `answer_median_minutes` and `answer_p90_minutes` run from a debtor's message to the first answer, None without any.
    """

    country: str
    country_name: str
    month: date
    sent: dict[str, int]
    uncertain: int
    debtors: int
    stopped: tuple[StoppedRule, ...]
    incidents: dict[str, int]
    open_incidents: int
    opt_outs: int
    wrong_persons: int
    answer_median_minutes: float | None
    answer_p90_minutes: float | None
    fine: str
    register: tuple[Incident, ...]

    @property
    def all_sent(self) -> int:
        """Messages sent by all channels."""
        return sum(self.sent.values())

    @property
    def all_stopped(self) -> int:
        """Contacts that the gate stopped."""
        return sum(each.count for each in self.stopped)

    @property
    def compliance_rate(self) -> float | None:
        """Share of the messages that broke no rule, None without messages."""
        # A message of which nobody knows whether it arrived can be a breach too.
        sent = self.all_sent + self.uncertain
        return 1 - self.incidents["BREACH"] / sent if sent else None

    @property
    def complaints_per_1000(self) -> float | None:
        """Complaints per thousand debtors written to, None where nobody was."""
        return 1000 * self.incidents["COMPLAINT"] / self.debtors if self.debtors else None

    @property
    def opt_out_rate(self) -> float | None:
        """Opt-outs per debtor written to, None where nobody was."""
        return self.opt_outs / self.debtors if self.debtors else None


def compliance_month(user: User, *, country: str, month: date) -> ComplianceMonth:
    """Return the figures of the portfolios a user may see. Raises KeyError for a country without rules."""
    country_rules = law.load_countries()[country]
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user) if portfolio.country == country]
    start, end = _month_limits(month, country_rules.time_zones[0])
    window = [portfolio_ids, start, end]
    register = incidents_for(user, country=country).filter(happened_at__gte=start, happened_at__lt=end)
    incidents = tuple(register.order_by("happened_at", "id"))
    uncertain, debtors = _fetch_rows(_REACHED, window)[0]
    opt_outs, wrong_persons = _fetch_rows(_OPT_OUTS, [start, end, portfolio_ids])[0]
    median, p90 = _fetch_rows(_ANSWERS, [start, end, portfolio_ids])[0]
    sanctions = country_rules.articles.get("sanctions") or {}
    return ComplianceMonth(
        country=country,
        country_name=country_rules.name,
        month=month.replace(day=1),
        sent=dict(_fetch_rows(_SENT, window)),
        uncertain=uncertain,
        debtors=debtors,
        stopped=tuple(
            StoppedRule(reason=r, rule=u, article=a, count=n) for r, u, a, n in _fetch_rows(_STOPPED, window)
        ),
        incidents={kind: sum(incident.kind == kind for incident in incidents) for kind in Incident.Kind.values},
        open_incidents=sum(incident.closed_at is None for incident in incidents),
        opt_outs=opt_outs,
        wrong_persons=wrong_persons,
        answer_median_minutes=median,
        answer_p90_minutes=p90,
        fine=str(sanctions.get("rule") or ""),
        register=incidents,
    )


def countries_for(user: User) -> list[tuple[str, str]]:
    """Return code and name of the countries in which the user sees portfolios and whose law is known."""
    countries = law.load_countries()
    codes = sorted({portfolio.country for portfolio in portfolios_for(user)} & set(countries))
    return [(code, countries[code].name) for code in codes]


def spreadsheet_rows(month: ComplianceMonth) -> list[list[str | int]]:
    """Return the report as rows of a spreadsheet, a head first."""
    figures: list[list[str | int]] = [[label, value] for label, value in figures_of(month)]
    rules: list[list[str | int]] = [
        [f"{each.rule} {cite_article(each.article)}".strip(), each.count] for each in month.stopped
    ]
    return [[_("Figure"), _("Value")], *figures, *rules]


def measures_of(month: ComplianceMonth) -> list[tuple[str, float | None, Measure]]:
    """Return name, value and kind of each figure; the value is None where there is nothing to measure."""
    return [
        (_("Messages sent"), month.all_sent, "count"),
        *((f"  {_channel_label(channel)}", count, "count") for channel, count in sorted(month.sent.items())),
        (_("Debtors written to"), month.debtors, "count"),
        (_("Messages of which it is not known whether they arrived"), month.uncertain, "count"),
        (_("Contacts stopped by the gate"), month.all_stopped, "count"),
        (_("Breaches"), month.incidents["BREACH"], "count"),
        (_("Attempts stopped by the last check"), month.incidents["ATTEMPT"], "count"),
        (_("Complaints"), month.incidents["COMPLAINT"], "count"),
        (_("Open incidents"), month.open_incidents, "count"),
        (_("Opt-outs"), month.opt_outs, "count"),
        (_("Wrong persons"), month.wrong_persons, "count"),
        (_("Compliance rate"), month.compliance_rate, "share"),
        (_("Complaints per 1,000 debtors"), month.complaints_per_1000, "number"),
        (_("Opt-out rate"), month.opt_out_rate, "share"),
        (_("Minutes to answer, median"), month.answer_median_minutes, "number"),
        (_("Minutes to answer, nine in ten"), month.answer_p90_minutes, "number"),
    ]


def figures_of(month: ComplianceMonth) -> list[tuple[str, str]]:
    """Return name and text of each figure, for paper and files."""
    figures = []
    for label, value, measure in measures_of(month):
        if value is None:
            text = "-"
        elif measure == "share":
            text = f"{100 * value:.2f} %"
        else:
            text = f"{value:.1f}" if measure == "number" else str(value)
        figures.append((label, text))
    return figures


def compliance_report(month: ComplianceMonth, *, made_by: str, now: datetime) -> Report:
    """Return the month as a document."""
    # Reasons, descriptions and articles are stored in English and translated where they are read.
    stopped = tuple((_(explain_reason(s.reason)), s.rule, cite_article(s.article), str(s.count)) for s in month.stopped)
    head = (_("Reason"), _("Rule"), _("Article"), _("Contacts"))
    return Report(
        title=_("Monthly compliance report"),
        subtitle=f"{month.country_name} · {month.month:%Y-%m}",
        paper="us-letter" if month.country in US_LETTER else "a4",
        facts=((_("Made"), f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"), (_("Made for"), made_by)),
        sections=(
            Section(title=_("Figures"), blocks=(Block(facts=tuple(figures_of(month))),)),
            Section(
                title=_("Contacts stopped by the gate"),
                empty=_("None."),
                blocks=(Block(tables=(Table(head=head, rows=stopped, widths=(5, 4, 5, 2)),)),) if stopped else (),
            ),
            Section(title=_("Incidents"), empty=_("None."), blocks=tuple(map(_incident_block, month.register))),
            Section(
                title=_("What the law threatens"),
                empty=_("Not known."),
                blocks=(Block(texts=(("", cite_article(month.fine)),)),) if month.fine else (),
            ),
        ),
        footer=f"{month.country} {month.month:%Y-%m}",
    )


def _incident_block(incident: Incident) -> Block:
    texts = [
        (_("Description"), _(explain_reason(incident.description))),
        (_("Corrective action"), incident.corrective_action),
    ]
    return Block(
        title=f"{incident.happened_at:%Y-%m-%d %H:%M} UTC · {Incident.Kind(incident.kind).label}",
        facts=(
            (_("Rule"), incident.rule),
            (_("Article"), cite_article(incident.article)),
            (_("Who"), incident.actor),
            (_("Closed"), f"{incident.closed_at:%Y-%m-%d}" if incident.closed_at else ""),
        ),
        texts=tuple(pair for pair in texts if pair[1]),
    )


_AT = "coalesce(c.handed_over_at, c.judged_at, c.due_at)"
_WINDOW = f"c.portfolio_id = ANY(%s) AND {_AT} >= %s AND {_AT} < %s"
_SENT = (
    f"SELECT c.channel, count(*) FROM messaging_contact c WHERE {_WINDOW} AND c.status = 'SENT' GROUP BY 1 ORDER BY 1"
)
_REACHED = f"""
    SELECT count(*) FILTER (WHERE c.status = 'UNCERTAIN'), count(DISTINCT c.debtor_id)
    FROM messaging_contact c WHERE {_WINDOW} AND c.status IN ('SENT', 'UNCERTAIN')"""
_STOPPED = f"""
    SELECT c.reason, c.rule, c.article, count(*) FROM messaging_contact c
    WHERE {_WINDOW} AND c.status = 'BLOCKED' AND c.rule <> '' GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3"""
# An opt-out of a number that several debtors share counts once; it is seen where one of them is.
_OPT_OUTS = f"""
    SELECT count(*) FILTER (WHERE e.act = 'OPTED_OUT'), count(*) FILTER (WHERE e.act = 'NOT_ME')
    FROM consent_consententry e WHERE e.at >= %s AND e.at < %s AND EXISTS (
        SELECT FROM portfolio_account a LEFT JOIN portfolio_contactpoint p
            ON p.debtor_id = a.debtor_id AND p.kind = e.kind AND p.value = ANY({address_forms.forms_sql("e.value")})
        WHERE a.portfolio_id = ANY(%s) AND (a.debtor_id = e.debtor_id OR p.id IS NOT NULL))"""
_ANSWERS = """
    WITH asked AS (
        SELECT m.at, (SELECT min(o.at) FROM conversations_conversationmessage o
            WHERE o.conversation_id = m.conversation_id AND o.direction = 'OUT' AND o.at >= m.at) AS answered
        FROM conversations_conversationmessage m JOIN conversations_conversation v ON v.id = m.conversation_id
        WHERE m.direction = 'IN' AND m.at >= %s AND m.at < %s AND EXISTS (
            SELECT FROM portfolio_account a WHERE a.debtor_id = v.debtor_id AND a.portfolio_id = ANY(%s)))
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM answered - at) / 60),
        percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM answered - at) / 60)
    FROM asked WHERE answered IS NOT NULL"""


def _fetch_rows(query: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, list(parameters))
        return list(cursor.fetchall())


def _month_limits(month: date, zone: str) -> tuple[datetime, datetime]:
    """Return the first instant of a month and of the next one, in UTC."""
    first = month.replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    start, end = (datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC) for day in (first, following))
    return start, end


def _channel_label(channel: str) -> str:
    return str(Channel(channel).label) if channel in Channel.values else channel
