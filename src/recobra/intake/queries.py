"""Read access to loads, scoped to the portfolios that the user may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Max, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext

from recobra.access.models import User
from recobra.access.queries import portfolio_codes

from .models import Load, RejectedRow
from .models import Mapping as Mapping  # noqa: PLC0414 - the doors name the type from here
from .refusals import LINE_KINDS, expected_words

PAGE_ROWS = 50
TREND_LOADS = 12


def loads_for(user: User) -> QuerySet[Load]:
    """Return the loads a user may see, newest first."""
    loads = Load.objects.select_related("portfolio", "mapping")
    codes = portfolio_codes(user)
    return loads if codes is None else loads.filter(portfolio__code__in=codes)


def load_for(user: User, load_id: int) -> Load:
    """Return one load. Raises Load.DoesNotExist where there is none for this user."""
    return loads_for(user).get(pk=load_id)


def last_loads(portfolio_ids: Iterable[int], *, is_worked: bool = False) -> dict[int, date]:
    """Return the day of the data that each portfolio was loaded with last.

    One that was never loaded is left out; with `is_worked` also one that is disabled.
    """
    done = Load.objects.filter(portfolio__in=list(portfolio_ids), status=Load.Status.DONE)
    if is_worked:
        done = done.filter(portfolio__disabled_at__isnull=True)
    # Without the ordering of the model, which would be grouped by too.
    return dict(done.order_by().values_list("portfolio").annotate(last=Max("as_of")))


def errors_for(load: Load, *, page: int = 1) -> list[dict[str, Any]]:
    """Return a page of rejected rows: line, row as delivered and errors with `expected` in words."""
    start = (page - 1) * PAGE_ROWS
    rows = shown_order(load)[start : start + PAGE_ROWS]
    shown = []
    for row in rows:
        errors = [{**error, "expected": expected_words(error)} for error in row.errors]
        shown.append({"line": row.line, "row": row.row, "errors": errors})
    return shown


def shown_order(load: Load) -> QuerySet[RejectedRow]:
    """Return the rows of a load that were not accepted; of a held one those to decide about come first."""
    return load.rejected.order_by(*(["id"] if load.status == Load.Status.HELD else ["line", "id"]))


def warning_lines(load: Load) -> Iterator[list[str | int]]:
    """Yield the head and a row for each line that a load warns of or set aside: line, column and why."""
    yield [gettext("Line in the file"), gettext("Column"), gettext("Warning")]
    for warning in load.warnings.order_by("code", "column").iterator(chunk_size=1):
        for line in warning.lines:
            yield [line, warning.column, str(LINE_KINDS[warning.code])]


class ScoredLoad(NamedTuple):
    """The score of the data that a load brought, 0 to 100."""

    load_id: int
    as_of: date
    score: int


def quality_trend(portfolio_ids: Sequence[int]) -> dict[int, list[ScoredLoad]]:
    """Return the scores of each portfolio's newest loads that have one, oldest first, at most TREND_LOADS."""
    place = Window(RowNumber(), partition_by="portfolio", order_by="-id")
    newest = _scored_loads(portfolio_ids).annotate(place=place).filter(place__lte=TREND_LOADS).order_by("id")
    trend: dict[int, list[ScoredLoad]] = {}
    for portfolio_id, *row in newest.values_list("portfolio", "pk", "as_of", "figures__quality__score"):
        trend.setdefault(portfolio_id, []).append(ScoredLoad(*row))
    return trend


class LoadQuality(NamedTuple):
    """The score of a load and its parts, as `measure_quality` returns them."""

    load_id: int
    quality: dict[str, Any]


def newest_quality(portfolio_ids: Sequence[int]) -> dict[int, LoadQuality]:
    """Return the quality of the data of each portfolio: that of its newest load that has a score."""
    newest = _scored_loads(portfolio_ids).order_by("portfolio", "-id").distinct("portfolio")
    rows = newest.values_list("portfolio", "pk", "figures__quality")
    return {portfolio_id: LoadQuality(load_id, quality) for portfolio_id, load_id, quality in rows}


def _scored_loads(portfolio_ids: Sequence[int]) -> QuerySet[Load]:
    return Load.objects.filter(portfolio__in=portfolio_ids, status=Load.Status.DONE, figures__quality__has_key="score")


def loads_by_id(user: User, load_ids: Iterable[int | None]) -> dict[int, Load]:
    """Return loads that a user may see, by id."""
    return loads_for(user).in_bulk([load_id for load_id in load_ids if load_id is not None])


def mappings_for(user: User, portfolio_code: str) -> QuerySet[Mapping]:
    """Return the newest version of each mapping of a portfolio, if the user may see it."""
    codes = portfolio_codes(user)
    if codes is not None and portfolio_code not in codes:
        return Mapping.objects.none()
    versions = Mapping.objects.filter(portfolio__code=portfolio_code)
    newest = versions.order_by("name", "-version").distinct("name").values("pk")
    return versions.filter(pk__in=newest).order_by("name")
