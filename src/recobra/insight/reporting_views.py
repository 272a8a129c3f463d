"""Views for spreadsheets and other people's reports: figures without names, numbers, addresses, texts or secrets.

They are the whole of the schema `reporting`, which the reporting role reads and nothing else. A column is added here by
name; whoever adds one asks whether it could tell who somebody is. Of a debtor there is the number that the product
gave, which means nothing outside it. The views are made by `kit/privileges.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

VIEWS: Final[Mapping[str, str]] = {
    "creditors": "SELECT id, code, name, supervised FROM portfolio_creditor",
    "portfolios": "SELECT id, creditor_id, code, name, industry, country, currency, time_zone FROM portfolio_portfolio",
    "debtors": """
        SELECT id, creditor_id, kind, country, subdivision, time_zone, language, preferred_channel,
            national_id_kind, national_id <> '' AS has_national_id, national_id_valid
        FROM portfolio_debtor""",
    "contact_points": """
        SELECT id, debtor_id, kind, line, source, valid, consent, opted_out_at, quality, retired_at
        FROM portfolio_contactpoint""",
    "accounts": "SELECT id, portfolio_id, debtor_id, product, status, opened_date FROM portfolio_account",
    "instalments": "SELECT id, account_id, due_date FROM portfolio_instalment",
    "postings": """
        SELECT id, account_id, instalment_id, kind, concept, amount_minor, value_date, booked_at, payment_id,
            reverses_id
        FROM portfolio_posting""",
    "holds": """
        SELECT id, debtor_id, account_id, reason, disputed_minor, starts_on, ends_on, created_at, lifted_at
        FROM portfolio_hold""",
    "payments": """
        SELECT id, portfolio_id, debtor_id, account_id, amount_minor, unapplied_minor, paid_date, received_at, source,
            reversed_at
        FROM payments_payment""",
    "promises": """
        SELECT id, portfolio_id, debtor_id, amount_minor, currency, promised_on, grace_days, channel, registered_on
        FROM agreements_promise""",
    "account_states": """
        SELECT account_id, portfolio_id, debtor_id, balance_minor, overdue_minor, oldest_due_date, next_due_date,
            bucket, stage, segment, cycle_date, stage_since
        FROM strategy_accountstate""",
    "kpi_days": "SELECT day, portfolio_id, key, value FROM strategy_kpiday",
    "contacts": """
        SELECT id, debtor_id, portfolio_id, channel, template_code, step_key, status, planned_for, planned_at, due_at,
            reason, rule, article, sent_at, local_date, purpose, variant, campaign_id, price_micros, price_currency,
            reached, delivered_at, read_at, clicked_at, replied_at, undelivered_at, complained_at
        FROM messaging_contact""",
    "campaigns": """
        SELECT id, code, name, portfolio_id, starts_on, ends_on, budget_minor, budget_currency, control_bps, status,
            launched_at, ended_at
        FROM strategy_campaign""",
    "campaign_members": """
        SELECT campaign_id, debtor_id, arm, contact_id, overdue_minor, joined_at FROM strategy_campaignmember""",
    "tasks": """
        SELECT id, portfolio_id, debtor_id, account_id, kind, status, due_date, created_at, step_key, queue, closed_at
        FROM workbench_task""",
    "loads": "SELECT id, portfolio_id, as_of, status, started_at, finished_at FROM intake_load",
    "cycles": "SELECT id, as_of, status, started_at, finished_at FROM strategy_cyclerun",
}
