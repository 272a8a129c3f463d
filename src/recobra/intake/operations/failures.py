"""Failed loads without a row of their own: files whose load broke off before it was recorded."""

from __future__ import annotations

from datetime import date, datetime

from recobra.intake.models import Load
from recobra.intake.refusals import LoadRefused
from recobra.portfolio.models import Portfolio


def newest_load_id(portfolio_code: str) -> int:
    """Return the id of the portfolio's newest load, 0 where there is none."""
    return Load.objects.filter(portfolio__code=portfolio_code).values_list("pk", flat=True).first() or 0


def record_failure(
    error: Exception, *, portfolio_code: str, file_name: str, as_of: date, actor: str, since: int, now: datetime
) -> None:
    """Record a load that broke off before it had a row of its own; one newer than `since` is that row."""
    request = {"portfolio__code": portfolio_code, "file_name": file_name, "actor": actor}
    portfolio = Portfolio.objects.filter(code=portfolio_code).first()
    if portfolio is None or Load.objects.filter(pk__gt=since, **request).exists():
        return
    is_refused = isinstance(error, LoadRefused)
    Load.objects.create(
        portfolio=portfolio,
        file_name=file_name,
        file_sha256="",
        as_of=as_of,
        actor=actor,
        started_at=now,
        finished_at=now,
        status=Load.Status.REFUSED if is_refused else Load.Status.FAILED,
        reason=str(error if is_refused else LoadRefused("failed", detail=type(error).__name__)),
    )
