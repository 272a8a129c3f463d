"""The creditor's own columns that a load fills: declared by the first, of the same type in every later one."""

from __future__ import annotations

from recobra.intake.load_context import LoadContext
from recobra.intake.refusals import LoadRefused
from recobra.portfolio import own_columns
from recobra.portfolio.own_columns import LABEL_MAX, TYPE_LABELS, OwnColumn


def refuse_clash(context: LoadContext) -> None:
    """Raise LoadRefused where the mapping reads a column in another type than the portfolio declares."""
    attributes = context.document.attributes
    if not attributes:
        return
    context.portfolio.refresh_from_db(fields=["attributes"])
    known = own_columns.own_columns(context.portfolio)
    for name, attribute in attributes.items():
        if name in known and known[name].type != attribute.type:
            raise LoadRefused(
                "own_column",
                column=" + ".join(attribute.columns) or name,
                name=name,
                label=known[name].label,
                found=str(TYPE_LABELS[attribute.type]).lower(),
                expected=str(TYPE_LABELS[known[name].type]).lower(),
            )


def declare(context: LoadContext) -> None:
    """Declare the columns that the portfolio does not know yet."""
    columns = [
        OwnColumn(
            name=name,
            type=attribute.type,
            label=(attribute.label or " ".join(attribute.columns) or name)[:LABEL_MAX],
            is_private=attribute.private,
        )
        for name, attribute in context.document.attributes.items()
    ]
    if columns:
        own_columns.declare_columns(portfolio_id=context.portfolio.pk, columns=columns, actor=context.actor)
