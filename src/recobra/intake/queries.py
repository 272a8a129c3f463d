"""Read access to loads, scoped to the portfolios that the user may see."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Max, QuerySet

from recobra.access.models import User
from recobra.access.queries import portfolio_codes

from .models import Load
from .models import Mapping as Mapping  # noqa: PLC0414 - the doors name the type from here
from .refusals import expected_words

PAGE_ROWS = 50


def loads_for(user: User) -> QuerySet[Load]:
    """Return the loads a user may see, newest first."""
    loads = Load.objects.select_related("portfolio", "mapping")
    codes = portfolio_codes(user)
    return loads if codes is None else loads.filter(portfolio__code__in=codes)


def load_for(user: User, load_id: int) -> Load:
    """Return one load. Raises Load.DoesNotExist where there is none for this user."""
    return loads_for(user).get(pk=load_id)


def last_loads(portfolio_ids: Iterable[int]) -> dict[int, date]:
    """Return the day of the data that each portfolio was loaded with last; one that was never loaded is left out."""
    done = Load.objects.filter(portfolio__in=list(portfolio_ids), status=Load.Status.DONE)
    # Without the ordering of the model, which would be grouped by too.
    return dict(done.order_by().values_list("portfolio").annotate(last=Max("as_of")))


def errors_for(load: Load, *, page: int = 1) -> list[dict[str, Any]]:
    """Return a page of rejected rows: line, row as delivered and errors with `expected` in words."""
    start = (page - 1) * PAGE_ROWS
    rows = load.rejected.order_by("line", "id")[start : start + PAGE_ROWS]
    shown = []
    for row in rows:
        errors = [{**error, "expected": expected_words(error)} for error in row.errors]
        shown.append({"line": row.line, "row": row.row, "errors": errors})
    return shown


def mappings_for(user: User, portfolio_code: str) -> QuerySet[Mapping]:
    """Return the newest version of each mapping of a portfolio, if the user may see it."""
    codes = portfolio_codes(user)
    if codes is not None and portfolio_code not in codes:
        return Mapping.objects.none()
    versions = Mapping.objects.filter(portfolio__code=portfolio_code)
    newest = versions.order_by("name", "-version").distinct("name").values("pk")
    return versions.filter(pk__in=newest).order_by("name")
