"""SQL of `message_results`: every message of a period, read once and counted group by group."""

from __future__ import annotations

from typing import Final

# A payment or promise belongs to the last message before it. So all messages are read that were sent from the first day
# on, also by other channels and after the last day.
_BASE = """
    WITH sent_message AS MATERIALIZED (
        SELECT c.id, c.debtor_id, c.portfolio_id, coalesce(c.local_date, c.planned_for) AS day, c.handed_over_at
        FROM messaging_contact c
        WHERE c.portfolio_id = ANY(%(portfolios)s) AND c.planned_for >= %(from_day)s AND c.planned_for <= %(last_day)s
            AND c.status IN ('SENT', 'UNCERTAIN') AND c.purpose <> 'REPLY'
    ), paid AS (
        SELECT p.contact_id, sum(p.amount_minor) AS minor FROM (
            SELECT DISTINCT ON (p.id) p.amount_minor, l.id AS contact_id
            FROM payments_payment p JOIN sent_message l ON l.debtor_id = p.debtor_id AND l.portfolio_id = p.portfolio_id
                AND l.day <= p.paid_date AND l.day > p.paid_date - %(window)s
                AND (l.day < p.paid_date OR l.handed_over_at <= p.received_at)
            WHERE p.portfolio_id = ANY(%(portfolios)s) AND p.reversed_at IS NULL
                AND p.paid_date >= %(from_day)s AND p.paid_date <= %(last_day)s
            ORDER BY p.id, l.day DESC, l.handed_over_at DESC, l.id DESC) p
        GROUP BY p.contact_id
    ), fact AS (
        SELECT j.id, j.kind, j.debtor_id, j.portfolio_id, j.contact_id, j.at FROM journal_entry j
        WHERE j.kind IN ('promise.registered', 'optout.received', 'wrong_person.received') AND j.debtor_id IS NOT NULL
            AND j.at >= %(since)s AND j.at < %(until)s
        UNION ALL
        SELECT -v.id, 'identified', v.debtor_id, NULL, NULL, v.identified_at FROM conversations_conversation v
        WHERE v.debtor_id IS NOT NULL AND v.identified_at >= %(since)s AND v.identified_at < %(until)s
    ), reaction AS (
        SELECT f.contact_id, bool_or(f.kind = 'promise.registered') AS promised,
            bool_or(f.kind = 'optout.received') AS opted_out,
            bool_or(f.kind = 'wrong_person.received') AS wrong_person, bool_or(f.kind = 'identified') AS identified
        FROM (
            SELECT DISTINCT ON (f.id) f.kind, l.id AS contact_id
            FROM fact f JOIN sent_message l ON l.debtor_id = f.debtor_id
                AND (f.portfolio_id IS NULL OR f.portfolio_id = l.portfolio_id)
                AND l.handed_over_at <= f.at AND l.handed_over_at > f.at - make_interval(days => %(window)s)
            ORDER BY f.id, (l.id = f.contact_id) IS TRUE DESC, l.handed_over_at DESC, l.id DESC) f
        GROUP BY f.contact_id
    ), already AS (
        SELECT l.id FROM payments_payment p
        JOIN sent_message l ON l.debtor_id = p.debtor_id AND l.portfolio_id = p.portfolio_id
            AND p.paid_date < l.day AND p.received_at > l.handed_over_at
        WHERE p.portfolio_id = ANY(%(portfolios)s) AND p.reversed_at IS NULL
            AND p.paid_date >= %(from_day)s::date - 60 AND p.paid_date <= %(to_day)s
        GROUP BY l.id
        HAVING sum(p.amount_minor) >= (
            SELECT sum(i.overdue_minor) FROM messaging_contactitem i WHERE i.contact_id = l.id
        )
    ), complaint AS (
        SELECT DISTINCT i.contact_id FROM compliance_incident i WHERE i.kind = 'COMPLAINT' AND i.contact_id IS NOT NULL
    ), segment AS (
        SELECT DISTINCT ON (s.debtor_id) s.debtor_id, s.segment, s.overdue_minor <= 0 AS settled
        FROM strategy_accountstate s
        WHERE s.portfolio_id = ANY(%(portfolios)s) ORDER BY s.debtor_id, s.overdue_minor DESC, s.account_id
    ), message AS MATERIALIZED (
        SELECT c.debtor_id, c.portfolio_id, c.channel, c.template_code, c.variant, coalesce(g.segment, '') AS segment,
            coalesce(v.code || ' · ' || nullif(c.step_key, ''), '') AS step, c.price_micros, c.price_currency,
            c.planned_for, c.status, c.author = '' AS automatic, c.purpose <> 'REPLY' AS counts,
            coalesce(c.local_date, c.planned_for) AS day, c.status IN ('SENT', 'UNCERTAIN') AS has_left,
            c.delivered_at IS NOT NULL AS delivered, c.read_at IS NOT NULL AS read, c.clicked_at IS NOT NULL AS clicked,
            c.replied_at IS NOT NULL AS replied,
            -- A debtor who has paid every account has no state any more.
            coalesce(g.settled, NOT EXISTS (SELECT FROM portfolio_account o WHERE o.debtor_id = c.debtor_id
                AND o.portfolio_id = ANY(%(portfolios)s) AND o.status <> 'PAID')) AS settled,
            c.channel IN ('call', 'ivr', 'visit') AND c.reached IS TRUE AS answered,
            c.undelivered_at IS NOT NULL AS undelivered, c.complained_at IS NOT NULL OR i.contact_id IS NOT NULL
                AS complained, coalesce(t.promised, false) AS promised, coalesce(t.opted_out, false) AS opted_out,
            coalesce(t.wrong_person, false) AS wrong_person, coalesce(paid.minor, 0) AS paid_minor,
            coalesce(t.identified OR t.promised, false) OR w.result IN ('MET', 'PROMISE') IS TRUE AS right_party,
            a.id IS NOT NULL AS already_paid
        FROM messaging_contact c LEFT JOIN paid ON paid.contact_id = c.id LEFT JOIN reaction t ON t.contact_id = c.id
        LEFT JOIN already a ON a.id = c.id LEFT JOIN complaint i ON i.contact_id = c.id
        LEFT JOIN workbench_visit w ON w.contact_id = c.id LEFT JOIN segment g ON g.debtor_id = c.debtor_id
        LEFT JOIN strategy_strategyversion v ON v.id = c.strategy_version_id
        WHERE c.portfolio_id = ANY(%(portfolios)s) AND c.planned_for >= %(from_day)s AND c.planned_for <= %(to_day)s
            AND (%(channel)s = '' OR c.channel = %(channel)s)
            AND (%(template_code)s = '' OR c.template_code = %(template_code)s)
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
        FROM message WHERE counts AND has_left GROUP BY debtor_id) d"""
"""Rows of kind, names and the counts of COUNTED; `{dimension}` is the columns of the first kind."""

COVERAGE: Final = """
    WITH owing AS (
        SELECT s.portfolio_id, s.debtor_id, sum(s.overdue_minor) AS minor FROM strategy_accountstate s
        WHERE s.portfolio_id = ANY(%(portfolios)s) AND s.overdue_minor > 0 GROUP BY 1, 2
    ), middle AS (
        SELECT portfolio_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY minor) AS minor FROM owing GROUP BY 1
    ), treated AS (
        SELECT DISTINCT c.portfolio_id, c.debtor_id FROM messaging_contact c
        WHERE c.portfolio_id = ANY(%(portfolios)s) AND c.planned_for >= %(from_day)s AND c.planned_for <= %(to_day)s
            AND c.status IN ('SENT', 'UNCERTAIN') AND c.purpose <> 'REPLY' AND c.author = ''
            AND (%(channel)s = '' OR c.channel = %(channel)s)
            AND (%(template_code)s = '' OR c.template_code = %(template_code)s)
    )
    SELECT count(*), count(t.debtor_id) FROM owing o
    JOIN middle m ON m.portfolio_id = o.portfolio_id AND o.minor <= m.minor
    LEFT JOIN treated t ON t.portfolio_id = o.portfolio_id AND t.debtor_id = o.debtor_id"""
