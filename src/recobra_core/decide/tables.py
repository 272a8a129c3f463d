"""The tables that decisions read and give, as schemas."""

import ibis

# What a decision needs of an account beside the columns that the strategy's own rules read.
# `cycle_date` is the start of the present delinquency cycle, or the next due date when nothing is overdue;
# null means that nothing can be due. `last_*_on` is the day of the account's latest event of that kind.
ACCOUNTS = ibis.schema(
    {
        "account_id": "int64",
        "debtor_id": "int64",
        "portfolio_id": "int64",
        "dpd": "int64",
        "overdue_minor": "int64",
        "balance_minor": "int64",
        "currency_exponent": "int64",
        "cycle_date": "date",
        "stage": "string",
        "segment": "string",
        "held": "boolean",
        "last_payment_on": "date",
        "last_promise_on": "date",
        "last_dispute_on": "date",
        "last_reply_on": "date",
        "last_contact_on": "date",
    }
)

# What has fired, once per account, step, cycle and occurrence; only grows.
FIRINGS = ibis.schema(
    {
        "account_id": "int64",
        "step_key": "string",
        "cycle_date": "date",
        "occurrence": "int64",
        "fired_on": "date",
    }
)

# A due step. `action` is the template, the kind of task, the stage or the reason of the hold, as `track` says.
# `order` is the place of the step in its strategy, from 0; `channels` are those of a message, the best one first;
# `days` is the term of a task or the length of a hold.
DUE = ibis.schema(
    {
        "account_id": "int64",
        "debtor_id": "int64",
        "portfolio_id": "int64",
        "strategy_code": "string",
        "step_key": "string",
        "occurrence": "int64",
        "cycle_date": "date",
        "action": "string",
        "track": "string",
        "order": "int64",
        "message_class": "string",
        "channels": "array<string>",
        "title": "string",
        "queue": "string",
        "days": "int64",
    }
)

SILENCED = ibis.schema({"account_id": "int64", "reason": "string"})
