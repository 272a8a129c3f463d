"""Records of loads that broke off before they had a row; errors of single rows are in `errors`."""

from __future__ import annotations

from datetime import date

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.intake.models import Load
from recobra.intake.refusals import LoadRefused
from recobra.portfolio.models import Portfolio


def newest_load_id(portfolio_code: str) -> int:
    """Return the id of the portfolio's newest load, 0 where there is none."""
    return Load.objects.filter(portfolio__code=portfolio_code).values_list("pk", flat=True).first() or 0


@consequence
def record_failure(
    error: Exception, *, portfolio_code: str, file_name: str, as_of: date, since: int, actor: Actor
) -> None:
    """Record a load that broke off before it had a row of its own; one newer than `since` is that row."""
    portfolio = Portfolio.objects.filter(code=portfolio_code).first()
    if portfolio is None:
        return
    if Load.objects.filter(pk__gt=since, portfolio=portfolio, file_name=file_name, actor=actor.name).exists():
        return
    if isinstance(error, LoadRefused):
        status = Load.Status.REFUSED
        reason = str(error)
    else:
        # The class alone: the text of an error may quote the file, and so personal data.
        status = Load.Status.FAILED
        reason = str(LoadRefused("failed", detail=type(error).__name__))
    Load.objects.create(
        portfolio=portfolio,
        file_name=file_name,
        file_sha256="",
        as_of=as_of,
        actor=actor.name,
        started_at=actor.now,
        finished_at=actor.now,
        status=status,
        reason=reason,
    )
