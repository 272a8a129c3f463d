"""The day that is decided: a date, or a value that the engine gives when the statement runs.

With a date the compiled statement is that day's. With a value one statement serves every day: the caller says what the
value is when it runs, and the same decisions come out.
"""

from datetime import date, timedelta
from typing import TypeAlias

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

AsOf: TypeAlias = date | ir.DateScalar
"""A day as decisions take it."""


def day_value(as_of: AsOf) -> ir.DateScalar:
    """Return a day as a value of an expression."""
    return ibis.literal(as_of) if isinstance(as_of, date) else as_of


def days_before(as_of: AsOf, days: int) -> AsOf:
    """Return the day that lies some days before a day."""
    if isinstance(as_of, date):
        return as_of - timedelta(days)
    # DuckDB makes an instant of it; Ibis takes it for a date, and leaves out a cast by `.cast`.
    earlier: ir.DateScalar = ops.Cast(as_of - ibis.interval(days=days), "date").to_expr()
    return earlier
