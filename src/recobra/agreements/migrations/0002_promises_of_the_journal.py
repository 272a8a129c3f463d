"""Make rows of the promises that the journal tells of."""

from django.db import migrations

# A promise without an amount, given on a keypad, was of all that was overdue; where nothing was, of all that was owed.
# Who promised when nothing was owed promised nothing. A day that was past already by the clock of the portfolio was
# promised on itself.
FORWARD = """
INSERT INTO agreements_promise (
    portfolio_id, debtor_id, amount_minor, currency, promised_on, grace_days, channel, contact_id,
    registered_on, registered_at, registered_by, registered_by_id)
SELECT entry.portfolio_id, entry.debtor_id, amount.minor, portfolio.currency, promised.day,
    coalesce((entry.payload ->> 'grace_days')::smallint, 0),
    coalesce(entry.payload ->> 'channel', conversation.channel, ''), contact.id,
    least(today.day, promised.day), entry.at, entry.actor, entry.actor_id
FROM journal_entry entry
JOIN portfolio_portfolio portfolio ON portfolio.id = entry.portfolio_id
JOIN portfolio_debtor debtor ON debtor.id = entry.debtor_id
LEFT JOIN messaging_contact contact ON contact.id = entry.contact_id
LEFT JOIN conversations_conversation conversation
    ON conversation.id = (entry.payload ->> 'conversation_id')::bigint
CROSS JOIN LATERAL (SELECT (entry.payload ->> 'date')::date AS day) promised
CROSS JOIN LATERAL (SELECT (entry.at AT TIME ZONE portfolio.time_zone)::date AS day) today
CROSS JOIN LATERAL (
    SELECT sum(posting.amount_minor) FILTER (WHERE instalment.due_date < today.day) AS overdue,
        sum(posting.amount_minor) AS owed
    FROM portfolio_account account
    JOIN portfolio_portfolio place ON place.id = account.portfolio_id AND place.currency = portfolio.currency
    JOIN portfolio_posting posting ON posting.account_id = account.id AND posting.booked_at <= entry.at
    JOIN portfolio_instalment instalment ON instalment.id = posting.instalment_id
    WHERE account.debtor_id = entry.debtor_id) ledger
CROSS JOIN LATERAL (
    SELECT coalesce((entry.payload ->> 'amount_minor')::bigint, nullif(greatest(ledger.overdue, 0), 0), ledger.owed)
        AS minor) amount
WHERE entry.kind = 'promise.registered' AND promised.day IS NOT NULL AND amount.minor > 0
ORDER BY entry.id
"""
BACKWARD = "DELETE FROM agreements_promiseshare; DELETE FROM agreements_promise"


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0001_initial"),
        ("conversations", "0001_initial"),
        ("journal", "0001_initial"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
