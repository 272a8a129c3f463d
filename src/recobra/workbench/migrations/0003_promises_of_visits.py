"""Make rows of the promises that were made at the door: until now a visit left only its result and a hold."""

from django.db import migrations

# The hold was placed at the instant at which the result was noted, until the promised day. What was promised was all
# that was overdue; where nothing was, all that was owed.
FORWARD = """
INSERT INTO agreements_promise (
    portfolio_id, debtor_id, amount_minor, currency, promised_on, grace_days, channel, contact_id,
    registered_on, registered_at, registered_by, registered_by_id)
SELECT contact.portfolio_id, contact.debtor_id, amount.minor, portfolio.currency, hold.ends_on, 0, 'visit', contact.id,
    hold.starts_on, visit.noted_at, visit.noted_by, NULL
FROM workbench_visit visit
JOIN messaging_contact contact ON contact.id = visit.contact_id
JOIN portfolio_portfolio portfolio ON portfolio.id = contact.portfolio_id
JOIN portfolio_hold hold ON hold.debtor_id = contact.debtor_id AND hold.reason = 'PROMISE'
    AND hold.created_at = visit.noted_at AND hold.ends_on IS NOT NULL
CROSS JOIN LATERAL (
    SELECT sum(posting.amount_minor) FILTER (WHERE instalment.due_date < hold.starts_on) AS overdue,
        sum(posting.amount_minor) AS owed
    FROM portfolio_account account
    JOIN portfolio_portfolio place ON place.id = account.portfolio_id AND place.currency = portfolio.currency
    JOIN portfolio_posting posting ON posting.account_id = account.id AND posting.booked_at <= visit.noted_at
    JOIN portfolio_instalment instalment ON instalment.id = posting.instalment_id
    WHERE account.debtor_id = contact.debtor_id) ledger
CROSS JOIN LATERAL (SELECT coalesce(nullif(greatest(ledger.overdue, 0), 0), ledger.owed) AS minor) amount
WHERE visit.result = 'PROMISE' AND amount.minor > 0
ORDER BY visit.id
"""
BACKWARD = "DELETE FROM agreements_promise WHERE channel = 'visit'"


class Migration(migrations.Migration):
    dependencies = [
        ("workbench", "0002_task_queue"),
        ("agreements", "0002_promises_of_the_journal"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
