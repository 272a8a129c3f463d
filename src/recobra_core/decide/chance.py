"""Chance as a hash of the debtor and the experiment: the same on every engine, day and rerun (decision 14)."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

_DIGITS = 8
"""Hexadecimal digits of the hash that are used: 4,294,967,296 draws, fine enough for any share in basis points."""
_WHOLE_BPS = 10_000


def is_held_out(debtor_id: ir.Value, *, experiment: str, share_bps: int) -> ir.BooleanValue:
    """Tell if a debtor belongs to the control group, which holds `share_bps` of 10,000. Raises ValueError."""
    return _is_below(_draw_hash(debtor_id, experiment), share_bps)


def assign_arm(debtor_id: ir.Value, *, experiment: str, shares_bps: Mapping[str, int]) -> ir.StringValue:
    """Return the arm of an experiment that a debtor falls into, null where the shares leave the debtor out.

    The order of the arms is part of the experiment. Raises ValueError when the shares pass 10,000.
    """
    draw = _draw_hash(debtor_id, experiment)
    cases = []
    upto_bps = 0
    # Shares lie end to end: only the last arm can grow without moving debtors between the others.
    for name, share_bps in shares_bps.items():
        upto_bps += share_bps
        cases.append((_is_below(draw, upto_bps), ibis.literal(name)))
    return ibis.cases(*cases, else_=ibis.null("string"))


def _draw_hash(debtor_id: ir.Value, experiment: str) -> ir.StringValue:
    """Return a debtor's draw in an experiment: hexadecimal digits, evenly spread. Raises ValueError."""
    if not experiment:
        raise ValueError("An experiment needs a name: without one every experiment would draw the same debtors.")
    # Nothing is kept secret here: md5 is what every engine has, with the same digits.
    return (debtor_id.cast("string") + "/" + experiment).hexdigest("md5").substr(0, _DIGITS)


def _is_below(draw: ir.StringValue, upto_bps: int) -> ir.BooleanValue:
    """Return whether a draw falls in the first `upto_bps` basis points of all draws. Raises ValueError."""
    if not 0 <= upto_bps <= _WHOLE_BPS:
        raise ValueError(f"Shares run from 0 to {_WHOLE_BPS} basis points; found {upto_bps}.")
    # Text order equals number order only among eight digits, and the whole space needs nine.
    if upto_bps == _WHOLE_BPS:
        return ibis.literal(True)
    limit = upto_bps * 16**_DIGITS // _WHOLE_BPS
    return draw < f"{limit:0{_DIGITS}x}"
