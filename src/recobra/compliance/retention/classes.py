"""Classes of personal data, as `classes.yaml` has them: event, outcome, dated periods and what laws demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from recobra.kit.language import screen_language
from recobra_core import yaml_text

COMPANY_DECIDES: Final = "company decides"
"""The source of a period for which no law is at hand; it is no article and is not shown as one."""
_FILE: Final = Path(__file__).with_name("classes.yaml")


class Event(StrEnum):
    """What a period begins with."""

    CLOSED = "closed"
    LOADED = "loaded"
    RECEIVED = "received"
    PRINTED = "printed"
    LAST_WORD = "last_word"
    DAY = "day"
    LEFT = "left"
    NONE = "none"


EVENTS: Final = MappingProxyType(
    {
        Event.CLOSED: _("nothing is owed any more and nothing has moved since"),
        Event.LOADED: _("the file was loaded"),
        Event.RECEIVED: _("the call came in"),
        Event.PRINTED: _("the batch was printed"),
        Event.LAST_WORD: _("the last message of the conversation"),
        Event.DAY: _("the day that the snapshot shows"),
        Event.LEFT: _("the person left the company"),
        Event.NONE: _("it is kept"),
    }
)
"""The events in words."""


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    en: str
    es: str

    def __str__(self) -> str:
        """Return the words in the language of the screen."""
        return self.es if screen_language() == "es" else self.en


class Period(BaseModel):
    """How many days a class stays, from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    since: Annotated[date, Field(alias="from")]
    days: Annotated[int, Field(gt=0)]
    source: Annotated[str, Field(min_length=1)]


class Minimum(Period):
    """What the law of a country demands, with its article. `certainty` is that of the law's own data."""

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    certainty: Literal["verified", "memory"]


class DataClass(BaseModel):
    """A class of personal data; one that is kept has its reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: str
    name: _Words
    event: Event
    outcome: Literal["anonymise", "delete", "keep"]
    reason: _Words | None = None
    periods: tuple[Period, ...] = ()
    minimums: tuple[Minimum, ...] = ()

    @property
    def is_of_debtors(self) -> bool:
        """Whether it is erased debtor by debtor, after the last debt is closed."""
        return self.event is Event.CLOSED

    @property
    def event_in_words(self) -> str:
        """The event as screens write it."""
        return str(EVENTS[self.event])

    def minimum_on(self, country: str, day: date) -> Minimum | None:
        """Return what a country's law demands on a day, None where no law is at hand."""
        known = [each for each in self.minimums if each.country == country and each.since <= day]
        return max(known, key=lambda each: each.since, default=None)

    def default_on(self, day: date) -> Period:
        """Return the period of the product in force on a day. Raises LookupError for a class that is kept."""
        known = [each for each in self.periods if each.since <= day]
        if not known:
            raise LookupError(f"The class «{self.key}» has no period on {day}.")
        return max(known, key=lambda each: each.since)


@dataclass(frozen=True, kw_only=True)
class Term:
    """How long a class stays in a country: `days`, and why: the law's article, the company's reason or neither."""

    days: int
    article: str = ""
    reason: str = ""
    is_own: bool = False

    def ends_on(self, event_day: date) -> date:
        """Return the first day on which the data may go."""
        return event_day + timedelta(days=self.days)


@lru_cache(maxsize=1)
def data_classes() -> MappingProxyType[str, DataClass]:
    """Return the classes by their keys, in the order of the file. Raises pydantic.ValidationError for a bad file."""
    document = yaml_text.load(_FILE.read_text(encoding="utf-8"))
    classes = TypeAdapter(list[DataClass]).validate_python(document["classes"])
    return MappingProxyType({each.key: each for each in classes})


def classes_of_debtors() -> list[DataClass]:
    """Return the classes that are erased debtor by debtor; `identity` is the last, since it names the others."""
    return [each for each in data_classes().values() if each.is_of_debtors]
