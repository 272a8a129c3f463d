"""A strategy: segments, stops and steps, as a document that people write and versions keep."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from recobra_core.decide.steps import STOPS, Days, Reading, Segment, Send, Step
from recobra_core.documents import DocumentModel, Expected, Items, Key, Text, choice, refuse
from recobra_core.rules import ACCOUNT_COLUMNS, Catalogue
from recobra_core.yaml_source import YamlSource, read_source

STEPS_MAX = 100
SEGMENTS_MAX = 100


class Strategy(DocumentModel):
    """What is done with a portfolio, rung by rung. Order matters: a later step outranks an earlier one."""

    code: Key
    name: Text
    purpose: Text | None = None
    objective: Text | None = None
    stops: dict[Annotated[str, choice(*STOPS)], Days | None] = {}
    segments: Annotated[Items[Segment], Field(max_length=SEGMENTS_MAX)] = ()
    steps: Annotated[Items[Step], Field(max_length=STEPS_MAX)]

    @classmethod
    def parse(cls, document: Any, *, catalogue: Catalogue = ACCOUNT_COLUMNS) -> "Strategy":
        """Read a plain mapping, or a YAML source. Raises DocumentError with all faults.

        `catalogue` holds the columns of which rules may speak: the portfolio's own attributes may extend it.
        """
        source = document if isinstance(document, YamlSource) else YamlSource(document)
        return read_source(cls, source, context=Reading(catalogue))

    @field_validator("stops")
    @classmethod
    def _sort_stops(cls, stops: dict[str, int | None]) -> dict[str, int | None]:
        return {event: stops[event] for event in STOPS if event in stops}

    @field_validator("steps")
    @classmethod
    def _check_steps(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if not steps:
            raise refuse(Expected("at least one step", "al menos un paso"), found="")
        return steps

    def step(self, key: str) -> Step:
        """Return a step by its key. Raises KeyError."""
        for step in self.steps:
            if step.key == key:
                return step
        raise KeyError(key)


def list_templates(strategy: Strategy) -> frozenset[str]:
    """Return the codes of the templates that the strategy sends."""
    return frozenset(step.do.template for step in strategy.steps if isinstance(step.do, Send))
