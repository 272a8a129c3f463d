"""SQL of `message_results`: every message of a period, read once and counted group by group."""

from __future__ import annotations

from typing import Final

_BASE = """
    -- A payment or promise belongs to the last message before it. So all messages are read that were sent from the
    -- first day on, also by other channels and after the last day.
    WITH sent_message AS MATERIALIZED (
        SELECT id, debtor_id, portfolio_id, coalesce(local_date, planned_for) AS day, handed_over_at
        FROM messaging_contact
        WHERE portfolio_id = ANY(%(portfolios)s) AND planned_for >= %(from_day)s AND planned_for <= %(last_day)s
            AND status IN ('SENT', 'UNCERTAIN') AND purpose <> 'REPLY'
    -- Each payment with the last message of the window before it.
    ), attributed_payment AS (
        SELECT DISTINCT ON (payment.id) payment.amount_minor, sent_message.id AS contact_id
        FROM payments_payment payment
        JOIN sent_message ON sent_message.debtor_id = payment.debtor_id
            AND sent_message.portfolio_id = payment.portfolio_id
            AND sent_message.day <= payment.paid_date AND sent_message.day > payment.paid_date - %(window)s
            -- On the day of the message itself, only what came in after it.
            AND (sent_message.day < payment.paid_date OR sent_message.handed_over_at <= payment.received_at)
        WHERE payment.portfolio_id = ANY(%(portfolios)s) AND payment.reversed_at IS NULL
            AND payment.paid_date >= %(from_day)s AND payment.paid_date <= %(last_day)s
        ORDER BY payment.id, sent_message.day DESC, sent_message.handed_over_at DESC, sent_message.id DESC
    ), paid AS (
        SELECT contact_id, sum(amount_minor) AS minor FROM attributed_payment GROUP BY contact_id
    -- What debtors did. A fact is known by its kind and its id, in the table that it comes from.
    ), fact AS (
        SELECT id, kind, debtor_id, portfolio_id, contact_id, at FROM journal_entry
        WHERE kind IN ('optout.received', 'wrong_person.received') AND debtor_id IS NOT NULL
            AND at >= %(since)s AND at < %(until)s
        UNION ALL
        SELECT id, 'promised', debtor_id, portfolio_id, contact_id, registered_at FROM agreements_promise
        WHERE registered_at >= %(since)s AND registered_at < %(until)s
        UNION ALL
        SELECT id, 'identified', debtor_id, NULL, NULL, identified_at FROM conversations_conversation
        WHERE debtor_id IS NOT NULL AND identified_at >= %(since)s AND identified_at < %(until)s
    -- Each fact with the message that it names, or else with the last of the window before it.
    ), attributed_fact AS (
        SELECT DISTINCT ON (fact.kind, fact.id) fact.kind, sent_message.id AS contact_id
        FROM fact
        JOIN sent_message ON sent_message.debtor_id = fact.debtor_id
            AND (fact.portfolio_id IS NULL OR fact.portfolio_id = sent_message.portfolio_id)
            AND sent_message.handed_over_at <= fact.at
            AND sent_message.handed_over_at > fact.at - make_interval(days => %(window)s)
        ORDER BY fact.kind, fact.id, (sent_message.id = fact.contact_id) IS TRUE DESC,
            sent_message.handed_over_at DESC, sent_message.id DESC
    ), reaction AS (
        SELECT contact_id, bool_or(kind = 'promised') AS promised,
            bool_or(kind = 'optout.received') AS opted_out,
            bool_or(kind = 'wrong_person.received') AS wrong_person, bool_or(kind = 'identified') AS identified
        FROM attributed_fact GROUP BY contact_id
    -- Messages sent in error: the whole amount that they ask for had been paid before, which was learnt afterwards.
    -- Payments of the 60 days before the period are looked at.
    ), already_paid AS (
        SELECT sent_message.id AS contact_id FROM payments_payment payment
        JOIN sent_message ON sent_message.debtor_id = payment.debtor_id
            AND sent_message.portfolio_id = payment.portfolio_id
            AND payment.paid_date < sent_message.day AND payment.received_at > sent_message.handed_over_at
        WHERE payment.portfolio_id = ANY(%(portfolios)s) AND payment.reversed_at IS NULL
            AND payment.paid_date >= %(from_day)s::date - 60 AND payment.paid_date <= %(to_day)s
        GROUP BY sent_message.id
        HAVING sum(payment.amount_minor) >= (
            SELECT sum(item.overdue_minor) FROM messaging_contactitem item WHERE item.contact_id = sent_message.id
        )
    ), complaint AS (
        SELECT DISTINCT contact_id FROM compliance_incident WHERE kind = 'COMPLAINT' AND contact_id IS NOT NULL
    -- The segment of a debtor is that of the account with the largest overdue amount.
    ), segment AS (
        SELECT DISTINCT ON (debtor_id) debtor_id, segment, overdue_minor <= 0 AS settled
        FROM strategy_accountstate
        WHERE portfolio_id = ANY(%(portfolios)s) ORDER BY debtor_id, overdue_minor DESC, account_id
    -- Every message that is counted, one row each.
    ), message AS MATERIALIZED (
        SELECT contact.debtor_id, contact.portfolio_id, contact.channel, contact.template_code, contact.variant,
            coalesce(segment.segment, '') AS segment,
            coalesce(version.code || ' · ' || nullif(contact.step_key, ''), '') AS step,
            contact.price_micros, contact.price_currency, contact.planned_for, contact.status,
            contact.author = '' AS automatic, contact.purpose <> 'REPLY' AS counts,
            coalesce(contact.local_date, contact.planned_for) AS day,
            contact.status IN ('SENT', 'UNCERTAIN') AS has_left,
            contact.delivered_at IS NOT NULL AS delivered, contact.read_at IS NOT NULL AS read,
            contact.clicked_at IS NOT NULL AS clicked, contact.replied_at IS NOT NULL AS replied,
            -- A debtor who has paid every account has no state any more.
            coalesce(segment.settled, NOT EXISTS (
                SELECT FROM portfolio_account account WHERE account.debtor_id = contact.debtor_id
                    AND account.portfolio_id = ANY(%(portfolios)s) AND account.status <> 'PAID')) AS settled,
            contact.channel IN ('call', 'ivr', 'visit') AND contact.reached IS TRUE AS answered,
            contact.undelivered_at IS NOT NULL AS undelivered,
            contact.complained_at IS NOT NULL OR complaint.contact_id IS NOT NULL AS complained,
            coalesce(reaction.promised, false) AS promised, coalesce(reaction.opted_out, false) AS opted_out,
            coalesce(reaction.wrong_person, false) AS wrong_person, coalesce(paid.minor, 0) AS paid_minor,
            coalesce(reaction.identified OR reaction.promised, false)
                OR visit.result IN ('MET', 'PROMISE') IS TRUE AS right_party,
            already_paid.contact_id IS NOT NULL AS already_paid
        FROM messaging_contact contact
        LEFT JOIN paid ON paid.contact_id = contact.id
        LEFT JOIN reaction ON reaction.contact_id = contact.id
        LEFT JOIN already_paid ON already_paid.contact_id = contact.id
        LEFT JOIN complaint ON complaint.contact_id = contact.id
        LEFT JOIN workbench_visit visit ON visit.contact_id = contact.id
        LEFT JOIN segment ON segment.debtor_id = contact.debtor_id
        LEFT JOIN strategy_strategyversion version ON version.id = contact.strategy_version_id
        WHERE contact.portfolio_id = ANY(%(portfolios)s)
            AND contact.planned_for >= %(from_day)s AND contact.planned_for <= %(to_day)s
            AND (%(channel)s = '' OR contact.channel = %(channel)s)
            AND (%(template_code)s = '' OR contact.template_code = %(template_code)s)
    )"""

# A wrong person has not learnt of the debtor's balance.
_AWARE = "(read OR clicked OR replied OR answered OR right_party) AND NOT wrong_person"
# One expression for each count of `recobra_core.kpi.contacts.Counts` that is read here.
_MESSAGE_COUNTS: Final = {
    "planned": "count(*) FILTER (WHERE counts)",
    "cancelled": "count(*) FILTER (WHERE counts AND status = 'CANCELLED')",
    "waiting": "count(*) FILTER (WHERE counts AND status IN ('DUE', 'LEASED') AND planned_for >= %(today)s)",
    "blocked": "count(*) FILTER (WHERE counts AND status = 'BLOCKED')",
    "failed": "count(*) FILTER (WHERE counts AND status = 'FAILED')",
    "sent": "count(*) FILTER (WHERE counts AND has_left)",
    "on_time": "count(*) FILTER (WHERE counts AND has_left AND day = planned_for)",
    **{
        name: f"count(*) FILTER (WHERE counts AND has_left AND {name})"
        for name in ("delivered", "read", "clicked", "replied")
    },
    "responded": "count(*) FILTER (WHERE counts AND has_left AND (clicked OR replied OR answered))",
    "promised": "count(*) FILTER (WHERE counts AND has_left AND promised)",
    "paid": "count(*) FILTER (WHERE counts AND has_left AND paid_minor > 0)",
    "automatic": "count(*) FILTER (WHERE counts AND has_left AND automatic)",
    "converted": """count(*) FILTER (WHERE counts AND has_left AND automatic
        AND (paid_minor > 0 OR promised OR replied))""",
    **{
        name: f"count(*) FILTER (WHERE counts AND has_left AND {name})"
        for name in ("undelivered", "complained", "right_party", "already_paid", "wrong_person")
    },
    "errors": "count(*) FILTER (WHERE counts AND has_left AND (already_paid OR wrong_person))",
    "opted_out": "count(*) FILTER (WHERE counts AND has_left AND opted_out)",
    "paid_minor": "coalesce(sum(paid_minor) FILTER (WHERE counts AND has_left), 0)",
    "carried": "count(*) FILTER (WHERE has_left)",
    "unpriced": "count(*) FILTER (WHERE has_left AND price_micros IS NULL)",
    "cost_micros": "coalesce(sum(price_micros) FILTER (WHERE has_left), 0)",
}
_DEBTOR_COUNTS: Final = {
    "debtors": "count(*)",
    "aware": "count(*) FILTER (WHERE aware)",
    "silenced": "count(*) FILTER (WHERE silenced)",
    "cured": "count(*) FILTER (WHERE cured)",
}
COUNTED: Final = (*_MESSAGE_COUNTS, *_DEBTOR_COUNTS)
_MESSAGE_COLUMNS = ", ".join((*_MESSAGE_COUNTS.values(), *("0" for _name in _DEBTOR_COUNTS)))
_DEBTOR_COLUMNS = ", ".join((*("0" for _name in _MESSAGE_COUNTS), *_DEBTOR_COUNTS.values()))

RESULTS: Final = f"""{_BASE}
    SELECT 'by', ARRAY[{{dimension}}]::text[], {_MESSAGE_COLUMNS} FROM message GROUP BY {{dimension}}
    UNION ALL SELECT 'cost', ARRAY[channel, price_currency]::text[], {_MESSAGE_COLUMNS} FROM message
        GROUP BY channel, price_currency
    UNION ALL SELECT 'segment', ARRAY[segment, channel]::text[], {_MESSAGE_COLUMNS} FROM message
        GROUP BY segment, channel
    UNION ALL SELECT 'debtors', ARRAY[]::text[], {_DEBTOR_COLUMNS} FROM (
        SELECT bool_or({_AWARE}) AS aware, bool_or(opted_out) AS silenced,
            bool_or(paid_minor > 0 AND settled) AS cured
        FROM message WHERE counts AND has_left GROUP BY debtor_id) debtor"""
"""Rows of kind, names and the counts of COUNTED; `{dimension}` is the columns of the first kind."""

COVERAGE: Final = """
    -- Every debtor with an overdue amount, by portfolio.
    WITH owing AS (
        SELECT portfolio_id, debtor_id, sum(overdue_minor) AS minor FROM strategy_accountstate
        WHERE portfolio_id = ANY(%(portfolios)s) AND overdue_minor > 0 GROUP BY portfolio_id, debtor_id
    ), median AS (
        SELECT portfolio_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY minor) AS minor
        FROM owing GROUP BY portfolio_id
    ), treated AS (
        SELECT DISTINCT portfolio_id, debtor_id FROM messaging_contact
        WHERE portfolio_id = ANY(%(portfolios)s) AND planned_for >= %(from_day)s AND planned_for <= %(to_day)s
            AND status IN ('SENT', 'UNCERTAIN') AND purpose <> 'REPLY' AND author = ''
            AND (%(channel)s = '' OR channel = %(channel)s)
            AND (%(template_code)s = '' OR template_code = %(template_code)s)
    )
    SELECT count(*), count(treated.debtor_id) FROM owing
    JOIN median ON median.portfolio_id = owing.portfolio_id AND owing.minor <= median.minor
    LEFT JOIN treated ON treated.portfolio_id = owing.portfolio_id AND treated.debtor_id = owing.debtor_id"""
"""Two counts: debtors who owe at most the median of their portfolio, and those of them to whom a message was sent."""
