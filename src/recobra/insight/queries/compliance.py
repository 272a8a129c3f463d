"""Month of a country under its law: contacts sent and stopped, incidents, and how fast debtors were answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import connection
from django.template.defaultfilters import floatformat
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
class BreachFine:
    """What the law threatens for a kind of breach, as its incidents have it, and how many of those a month has."""

    breach: str
    potential_fine: str
    fine_most: Decimal | None
    fine_unit: str
    fine_source: str
    incidents: int

    @property
    def label(self) -> str:
        """Return the kind of breach in words."""
        return str(Incident.Breach(self.breach).label)


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
    fines: tuple[BreachFine, ...]
    register: tuple[Incident, ...]

    @property
    def all_sent(self) -> int:
        """Messages sent by all channels."""
        return sum(self.sent.values())

    @property
    def all_stopped(self) -> int:
        """Contacts that the gate stopped."""
        return sum(rule.count for rule in self.stopped)

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
    parameters: dict[str, Any] = {"portfolio_ids": portfolio_ids, "start": start, "end": end}
    register = incidents_for(user, country=country).filter(happened_at__gte=start, happened_at__lt=end)
    incidents = tuple(register.order_by("happened_at", "id"))
    ((uncertain, debtors),) = _fetch_rows(_REACHED, parameters)
    ((opt_outs, wrong_persons),) = _fetch_rows(_OPT_OUTS, parameters)
    ((median, p90),) = _fetch_rows(_ANSWERS, parameters)
    stopped = tuple(
        StoppedRule(reason=reason, rule=rule, article=article, count=count)
        for reason, rule, article, count in _fetch_rows(_STOPPED, parameters)
    )
    incident_counts = dict.fromkeys(Incident.Kind.values, 0)
    for incident in incidents:
        incident_counts[incident.kind] += 1
    return ComplianceMonth(
        country=country,
        country_name=country_rules.name,
        month=month.replace(day=1),
        sent=dict(_fetch_rows(_SENT, parameters)),
        uncertain=uncertain,
        debtors=debtors,
        stopped=stopped,
        incidents=incident_counts,
        open_incidents=sum(incident.closed_at is None for incident in incidents),
        opt_outs=opt_outs,
        wrong_persons=wrong_persons,
        answer_median_minutes=median,
        answer_p90_minutes=p90,
        fines=_list_fines(incidents),
        register=incidents,
    )


def _list_fines(incidents: Iterable[Incident]) -> tuple[BreachFine, ...]:
    """Return what the law threatens for the incidents of a month, by kind of breach and penalty."""
    counts = Counter(
        (incident.breach, incident.potential_fine, incident.fine_most, incident.fine_unit, incident.fine_source)
        for incident in incidents
        if incident.breach
    )
    return tuple(
        BreachFine(
            breach=breach, potential_fine=text, fine_most=most, fine_unit=unit, fine_source=source, incidents=count
        )
        for (breach, text, most, unit, source), count in sorted(counts.items(), key=lambda item: item[0][:2])
    )


def _describe_fine(fine: BreachFine) -> str:
    """Return what a breach may cost: the law's words, or the company's own figure with whose it is."""
    words = cite_article(fine.potential_fine or fine.fine_source)
    if fine.potential_fine or fine.fine_most is None:
        return words
    cost = _("up to %(most)s %(unit)s") % {"most": floatformat(fine.fine_most, "-2g"), "unit": fine.fine_unit}
    return f"{cost} ({words})"


def countries_for(user: User) -> list[tuple[str, str]]:
    """Return code and name of the countries in which the user sees portfolios and whose law is known."""
    countries = law.load_countries()
    codes = sorted({portfolio.country for portfolio in portfolios_for(user)} & set(countries))
    return [(code, countries[code].name) for code in codes]


def spreadsheet_rows(month: ComplianceMonth) -> list[list[str | int]]:
    """Return the report as rows of a spreadsheet: a header, the figures, and how many contacts each rule stopped."""
    rows: list[list[str | int]] = [[_("Figure"), _("Value")]]
    for label, value in figures_of(month):
        rows.append([label, value])
    for stopped in month.stopped:
        rule_and_article = f"{stopped.rule} {cite_article(stopped.article)}".strip()
        rows.append([rule_and_article, stopped.count])
    return rows


def measures_of(month: ComplianceMonth) -> list[tuple[str, float | None, Measure]]:
    """Return name, value and kind of each figure, in the order of the report.

    The value is None where there is nothing to measure. The kind tells how it is written: a whole number, a share of
    one, or a number with decimals.
    """
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
        elif measure == "number":
            text = f"{value:.1f}"
        else:
            text = str(value)
        figures.append((label, text))
    return figures


def compliance_report(month: ComplianceMonth, *, made_by: str, now: datetime) -> Report:
    """Return the month as a document to print and sign."""
    stopped_blocks: tuple[Block, ...] = ()
    if month.stopped:
        head = (_("Reason"), _("Rule"), _("Article"), _("Contacts"))
        rows = tuple(
            # Reasons, descriptions and articles are stored in English and translated where they are read.
            (_(explain_reason(stopped.reason)), stopped.rule, cite_article(stopped.article), str(stopped.count))
            for stopped in month.stopped
        )
        stopped_blocks = (Block(tables=(Table(head=head, rows=rows, widths=(5, 4, 5, 2)),)),)
    fine_texts = [(f"{fine.label} ({fine.incidents})", _describe_fine(fine)) for fine in month.fines]
    fine_blocks = (Block(texts=tuple(fine_texts)),) if fine_texts else ()
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
                blocks=stopped_blocks,
            ),
            Section(title=_("Incidents"), empty=_("None."), blocks=tuple(map(_incident_block, month.register))),
            Section(
                title=_("What it may cost"),
                empty=_("None."),
                blocks=fine_blocks,
            ),
        ),
        footer=f"{month.country} {month.month:%Y-%m}",
    )


def _incident_block(incident: Incident) -> Block:
    """Return one incident for the document; a text that nobody has written is left out."""
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
        texts=tuple((label, text) for label, text in texts if text),
    )


# A contact belongs to the month in which it left, else to that in which it was judged or is due.
_HAPPENED_AT = "coalesce(contact.handed_over_at, contact.judged_at, contact.due_at)"
_IN_MONTH = f"""contact.portfolio_id = ANY(%(portfolio_ids)s)
    AND {_HAPPENED_AT} >= %(start)s AND {_HAPPENED_AT} < %(end)s"""
_SENT = f"""
    SELECT contact.channel, count(*) FROM messaging_contact contact
    WHERE {_IN_MONTH} AND contact.status = 'SENT' GROUP BY contact.channel ORDER BY contact.channel"""
_REACHED = f"""
    SELECT count(*) FILTER (WHERE contact.status = 'UNCERTAIN'), count(DISTINCT contact.debtor_id)
    FROM messaging_contact contact WHERE {_IN_MONTH} AND contact.status IN ('SENT', 'UNCERTAIN')"""
_STOPPED = f"""
    SELECT contact.reason, contact.rule, contact.article, count(*) FROM messaging_contact contact
    WHERE {_IN_MONTH} AND contact.status = 'BLOCKED' AND contact.rule <> ''
    GROUP BY contact.reason, contact.rule, contact.article
    ORDER BY count(*) DESC, contact.reason, contact.rule, contact.article"""
# An opt-out of a number that several debtors share counts once; it is seen where one of them is. Debtor and number are
# asked for apart: as one question with OR, each entry reads all accounts of the portfolios.
_OPT_OUTS = f"""
    SELECT count(*) FILTER (WHERE entry.act = 'OPTED_OUT'), count(*) FILTER (WHERE entry.act = 'NOT_ME')
    FROM consent_consententry entry
    WHERE entry.at >= %(start)s AND entry.at < %(end)s AND (
        EXISTS (
            SELECT FROM portfolio_account account
            WHERE account.debtor_id = entry.debtor_id AND account.portfolio_id = ANY(%(portfolio_ids)s))
        OR EXISTS (
            SELECT FROM portfolio_contactpoint point
            JOIN portfolio_account account ON account.debtor_id = point.debtor_id
            WHERE point.value = ANY({address_forms.forms_sql("entry.value")}) AND point.kind = entry.kind
                AND account.portfolio_id = ANY(%(portfolio_ids)s)))"""
# Each message of a debtor with the first answer after it, by whomever; those without an answer do not count.
_ANSWERS = """
    WITH question AS (
        SELECT message.at AS asked_at, (
            SELECT min(answer.at) FROM conversations_conversationmessage answer
            WHERE answer.conversation_id = message.conversation_id AND answer.direction = 'OUT'
                AND answer.at >= message.at) AS answered_at
        FROM conversations_conversationmessage message
        JOIN conversations_conversation conversation ON conversation.id = message.conversation_id
        WHERE message.direction = 'IN' AND message.at >= %(start)s AND message.at < %(end)s AND EXISTS (
            SELECT FROM portfolio_account account
            WHERE account.debtor_id = conversation.debtor_id AND account.portfolio_id = ANY(%(portfolio_ids)s))
    ), wait AS (
        SELECT extract(epoch FROM answered_at - asked_at) / 60 AS minutes FROM question WHERE answered_at IS NOT NULL
    )
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes), percentile_cont(0.9) WITHIN GROUP (ORDER BY minutes)
    FROM wait"""


def _fetch_rows(query: str, parameters: Mapping[str, Any]) -> list[Any]:
    """Run one of the queries above and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(query, dict(parameters))
        return list(cursor.fetchall())


def _month_limits(month: date, zone: str) -> tuple[datetime, datetime]:
    """Return the first instant of a month and of the next one, in UTC."""
    first = month.replace(day=1)
    # December is followed by month 1 of the year after.
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    start = datetime.combine(first, time.min, ZoneInfo(zone))
    end = datetime.combine(following, time.min, ZoneInfo(zone))
    return start.astimezone(UTC), end.astimezone(UTC)


def _channel_label(channel: str) -> str:
    """Return the name of a channel on screen, or the channel itself where it has none."""
    return str(Channel(channel).label) if channel in Channel.values else channel
