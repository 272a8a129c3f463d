"""Group of a campaign: its debtors on a day, decided by the expressions of the daily cycle and judged by the gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, partial

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from recobra.kit import engine
from recobra.kit.language import screen_language
from recobra.messaging.models import Contact, Provider, Template
from recobra.messaging.snapshot import HISTORY
from recobra.messaging.templates.render import is_notice
from recobra.portfolio.models import Portfolio
from recobra.portfolio.own_columns import RuleColumn
from recobra.portfolio.snapshot import Scope
from recobra.strategy.operations.day_facts import read_facts
from recobra.strategy.operations.decision import (
    DayStatements,
    law_tables,
    prepare_day,
    run_decisions,
    small_tables,
    statements_for,
)
from recobra.strategy.policies import Policies, catalogue_with, policies_in_force, rule_catalogue
from recobra_core.decide import Step, Strategy, find_silenced, is_held_out
from recobra_core.decide.steps import AtDpd, Send
from recobra_core.law import OPENINGS, join_openings, judge_candidates
from recobra_core.law.caps import CAPS
from recobra_core.rules import RuleError, compile_rule

OWES = "balance > 0"
_ANY_DPD = 100_000  # days past due: wider than any account has, so that the rule alone makes the group
_MAX_STRATEGY_CODE = 50
STEP = "campaign"
OFFER_STAGE = "OFFER"
"""A template of this stage advertises something new; a discount on the debt itself is a claim."""


@dataclass(frozen=True, kw_only=True)
class CampaignSpec:
    """Message and group of a campaign. `experiment` names the draw of the control group for ever."""

    portfolio_id: int
    rule: str
    template_code: str
    channels: tuple[str, ...]
    experiment: str
    control_bps: int


@dataclass(frozen=True, kw_only=True)
class MessagePrice:
    """Price and rate of messages by a channel; None where nobody has entered them.

    `micros` is the dearest price in millionths of the currency's major unit, `least` the cheapest. `currencies` are
    those of every provider that may carry it: another one steps in where the first does not answer.
    """

    channel: str
    micros: int | None = None
    least: int | None = None
    currency: str = ""
    per_second: float | None = None
    currencies: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class GroupSurvey:
    """Group of debtors on a day.

    members: debtor_id, accounts, overdue_minor, control. candidates: the gate's input, one row per debtor who can be
    reached. unreachable and silent: debtor_id, reason. planned: debtors with a contact of this day already.
    """

    policies: Policies
    as_of: date
    purpose: str
    tables: dict[str, pa.Table]
    members: pa.Table
    candidates: pa.Table
    unreachable: pa.Table
    silent: pa.Table
    planned: frozenset[int]
    prepared: engine.PreparedStatements = field(repr=False)

    def judge(self, candidates: pa.Table, *, day: date) -> pa.Table:
        """Return candidates judged at the opening of a day: with the gate's columns, due_at and closes_at (UTC)."""
        if candidates.num_rows == 0:
            return candidates
        count = candidates.num_rows
        # In place of the day of the survey, and of the purpose that a strategy's message would have.
        columns = {
            "local_date": pa.array([day] * count, pa.date32()),
            "purpose": pa.array([self.purpose] * count, pa.string()),
        }
        for name, column in columns.items():
            if name in candidates.column_names:
                candidates = candidates.drop_columns([name])
            candidates = candidates.append_column(name, column)
        facts = law_tables(self.tables, policies=self.policies, as_of=day)
        with self.prepared.fill({"campaign_candidates": candidates, "history": self.tables["history"], **facts}):
            return self.prepared.run([_compile_verdicts(candidates.schema)])["campaign_verdicts"]


# One compiled statement serves all days of a campaign.
@lru_cache(maxsize=8)
def _compile_verdicts(schema: pa.Schema) -> engine.Statement:
    """Return the statement that judges the table `campaign_candidates` at the opening of each row's day."""
    openings = engine.source_table("openings", OPENINGS)
    dated = engine.source_table("campaign_candidates", schema)
    opened = join_openings(dated, openings=openings)
    timed = opened.select(
        *dated.columns, at_utc=opened.opens_at_utc, due_at=opened.opens_at_utc, closes_at=opened.closes_at_utc
    )
    history = engine.source_table("history", HISTORY)
    caps = engine.source_table("caps", CAPS)
    verdicts = judge_candidates(timed, openings=openings, history=history, caps=caps)
    return engine.compile_statement("campaign_verdicts", verdicts)


def check_rule(text: str) -> str:
    """Return what is wrong with a rule, '' where nothing is."""
    try:
        compile_rule(text, rule_catalogue(), unknown="no")
    except RuleError as error:
        return error.text(screen_language())
    return ""


@contextmanager
def survey_group(spec: CampaignSpec, *, as_of: date, debtor_ids: Sequence[int] | None = None) -> Iterator[GroupSurvey]:
    """Yield the group of a campaign as of a day.

    Without `debtor_ids` it is the debtors whom the rule matches; an account for which the rule is unknown is left out.
    With `debtor_ids`, the members of a launched campaign, it is those of them who still owe, whatever the rule says by
    now. Raises RuleError.
    """
    if debtor_ids is None:
        policies = _campaign_policies(spec, rule=spec.rule, day=as_of)
        scope = Scope(portfolio_ids=policies.portfolio_ids)
    else:
        policies = _campaign_policies(spec, rule=OWES, day=as_of)
        scope = Scope(portfolio_ids=policies.portfolio_ids, debtor_ids=list(debtor_ids))
    tables = read_facts(
        scope,
        as_of=as_of,
        contactable=frozenset({spec.portfolio_id}),
        columns=policies.columns_read,
        company_rules=policies.company_rules,
    )
    planned = frozenset(tables["planned"]["debtor_id"].to_pylist())
    # A debtor with a contact of today waits for another day and stays in the group, so the plan must not drop it.
    tables["planned"] = tables["planned"].slice(0, 0)
    # A cursor has registered tables and prepared statements of its own: its plan of the verdicts serves every day.
    with engine.duckdb_for_rows(tables["accounts"].num_rows, user="decisions") as duck, duck.cursor() as cursor:
        prepared = engine.PreparedStatements(cursor)
        yield _survey_with(spec, policies, tables, duck=duck, prepared=prepared, planned=planned, as_of=as_of)


def _survey_with(
    spec: CampaignSpec,
    policies: Policies,
    tables: dict[str, pa.Table],
    *,
    duck: DuckDBPyConnection,
    prepared: engine.PreparedStatements,
    planned: frozenset[int],
    as_of: date,
) -> GroupSurvey:
    """Decide for the facts of a day by the campaign's policies; `prepared` is for the verdicts."""
    statements = statements_for(policies)
    facts = dict(tables)
    engine.register_tables(duck, {"raw_accounts": facts.pop("accounts"), **facts})
    prepare_day(duck, statements=statements, as_of=as_of)
    engine.run_statements(duck, statements.classify)
    strategy = next(entry.strategy for entry in policies.policies if spec.portfolio_id in entry.portfolio_ids)
    assert strategy is not None
    group = engine.run_statements(duck, _compile_group(statements, strategy, spec))
    decisions = run_decisions(
        partial(engine.run_statements, duck),
        statements=statements,
        fill_small_tables=lambda: engine.register_tables(duck, small_tables(tables, policies=policies, as_of=as_of)),
    )
    has_plan = "contacts" in decisions
    # Without a plan nothing is due: there are no candidates, and nobody is out of reach.
    nobody = pa.table({"debtor_id": pa.array([], pa.int64()), "reason": pa.array([], pa.string())})
    candidates = engine.read_table(duck, "candidates") if has_plan else nobody
    # A debtor who is silent on one account and written to about another is not silent.
    silent = group["campaign_silent"]
    silent = silent.filter(pc.invert(pc.is_in(silent["debtor_id"], candidates["debtor_id"].combine_chunks())))
    return GroupSurvey(
        policies=policies,
        as_of=as_of,
        purpose=purpose_of(spec.template_code),
        tables=tables,
        members=group["campaign_members"],
        candidates=candidates,
        unreachable=decisions["unreachable"].select(["debtor_id", "reason"]) if has_plan else nobody,
        silent=silent,
        planned=planned,
        prepared=prepared,
    )


def _compile_group(
    statements: DayStatements, strategy: Strategy, spec: CampaignSpec
) -> tuple[engine.Statement, engine.Statement]:
    """Return two statements: `campaign_members`, a row for each debtor, and `campaign_silent`, who of them is silenced.

    The second has the reason: a debtor whom the strategy's stops keep from being written to.
    """
    (step,) = strategy.steps
    assert step.rule is not None
    accounts = statements.classified.filter(statements.classified.portfolio_id == spec.portfolio_id)
    matching = accounts.filter(step.rule.condition(accounts))
    members = matching.group_by("debtor_id").agg(
        accounts=matching.count().cast("int64"), overdue_minor=matching.overdue_minor.sum().cast("int64")
    )
    control = is_held_out(members.debtor_id, experiment=spec.experiment, share_bps=spec.control_bps)
    members = members.mutate(control=control).order_by(ibis.asc("debtor_id"))
    accounts_and_debtors = matching.select("account_id", "debtor_id")
    silenced = find_silenced(matching, strategy, as_of=engine.AS_OF).inner_join(accounts_and_debtors, "account_id")
    silent = silenced.group_by("debtor_id").agg(reason=silenced.reason.min())
    return (
        engine.compile_statement("campaign_members", members),
        engine.compile_statement("campaign_silent", silent),
    )


def _campaign_policies(spec: CampaignSpec, *, rule: str, day: date) -> Policies:
    """Return the policies of the creditor's portfolios with the campaign in the place of the strategy.

    `rule` says which accounts the campaign is for. The creditor's other portfolios follow no strategy, and are read
    for what their debtors have been sent.
    """
    creditor = Portfolio.objects.values_list("creditor_id", flat=True).get(pk=spec.portfolio_id)
    base = policies_in_force(Portfolio.objects.filter(creditor=creditor).values_list("pk", flat=True), day=day)
    entries = []
    for entry in base.policies:
        others = tuple(pk for pk in entry.portfolio_ids if pk != spec.portfolio_id)
        if others:
            entries.append(replace(entry, portfolio_ids=others, strategy=None))
        if spec.portfolio_id in entry.portfolio_ids:
            stops = entry.strategy.stops if entry.strategy else {}
            strategy = _campaign_strategy(spec, stops, base.attributes, rule=rule)
            entries.append(replace(entry, portfolio_ids=(spec.portfolio_id,), strategy=strategy))
    return replace(base, policies=tuple(entries), versions={}, followed=frozenset({spec.portfolio_id}))


def _campaign_strategy(
    spec: CampaignSpec, stops: Mapping[str, int | None], attributes: Mapping[str, RuleColumn], *, rule: str
) -> Strategy:
    """Return the campaign as a strategy of one step, with the stops of the strategy that the portfolio follows."""
    # Put together without the limits of a document: no person wrote it, and its span has no end.
    step = Step.model_construct(
        key=STEP,
        name=STEP,
        when=AtDpd.model_construct(days=-_ANY_DPD),
        until=_ANY_DPD,
        rule=compile_rule(rule, catalogue_with(attributes), unknown="no"),
        do=Send.model_construct(template=spec.template_code, channels=spec.channels),
    )
    code = f"campaign-{spec.experiment}"[:_MAX_STRATEGY_CODE]
    return Strategy.model_construct(code=code, name=STEP, steps=(step,), stops=dict(stops))


def purpose_of(template_code: str) -> str:
    """Return the purpose of a template's messages before the law: offer, notice or claim."""
    template = Template.objects.filter(code=template_code, retired_at__isnull=True).order_by("-version").first()
    if template is None:
        return Contact.Purpose.CLAIM.value
    if template.stage == OFFER_STAGE:
        return Contact.Purpose.OFFER.value
    if is_notice(template):
        return Contact.Purpose.NOTICE.value
    return Contact.Purpose.CLAIM.value


def message_prices(channels: Sequence[str], *, country: str) -> dict[str, MessagePrice]:
    """Return the price of a message by each channel in a country, from all providers that may carry it.

    The rate and the currency are those of the provider with the first rank.
    """
    enabled = Provider.objects.filter(enabled=True, channel__in=channels, country__in=["", country])
    carriers: defaultdict[str, list[Provider]] = defaultdict(list)
    for provider in enabled.order_by("rank", "code"):
        carriers[provider.channel].append(provider)
    return {channel: _message_price(channel, carriers[channel]) for channel in channels}


def _message_price(channel: str, carriers: Sequence[Provider]) -> MessagePrice:
    """Return the price of a channel from the providers that may carry it, by rank.

    The dearest and the cheapest price are those in the first provider's currency: amounts of two cannot be compared.
    """
    if not carriers:
        return MessagePrice(channel=channel)
    first = carriers[0]
    prices = [provider.price_micros for provider in carriers if provider.price_currency == first.price_currency]
    return MessagePrice(
        channel=channel,
        micros=max(prices),
        least=min(prices),
        currency=first.price_currency,
        per_second=first.rate_per_second,
        currencies=frozenset(provider.price_currency for provider in carriers),
    )
