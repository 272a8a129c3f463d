"""A strategy: segments, stops and steps, as a document that people write and versions keep."""

from dataclasses import dataclass, field
from typing import Any

from recobra_core.decide.nodes import Node, Problem
from recobra_core.decide.step_documents import read_segments, read_steps, read_stops
from recobra_core.decide.steps import Document, Segment, Send, Step
from recobra_core.rules import ACCOUNT_COLUMNS, Catalogue


class StrategyError(ValueError):
    """The document is not a valid strategy. `problems` holds every fault, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.message("en") for problem in problems))

    def messages(self, lang: str = "es") -> list[str]:
        """Return every problem as a sentence to show."""
        return [problem.message(lang) for problem in self.problems]


@dataclass(frozen=True)
class Strategy:
    """What is done with a portfolio, rung by rung. Order matters: a later step outranks an earlier one."""

    code: str
    name: str
    steps: tuple[Step, ...]
    segments: tuple[Segment, ...] = ()
    stops: dict[str, int | None] = field(default_factory=dict, hash=False)
    purpose: str | None = None
    objective: str | None = None

    @classmethod
    def parse(cls, document: Any, *, catalogue: Catalogue = ACCOUNT_COLUMNS) -> "Strategy":
        """Read a plain mapping (from YAML or JSON). Raises StrategyError with all problems.

        `catalogue` holds the columns of which rules may speak: the portfolio's own attributes may extend it.
        """
        problems: list[Problem] = []
        node = Node(document, "", problems)
        # Built even from a faulty document, with stand-ins for what cannot be read, so that every problem is found.
        if node.check_fields("code", "name", "purpose", "objective", "stops", "segments", "steps"):
            segments = read_segments(node.get_field("segments"), catalogue)
            strategy = cls(
                code=node.get_field("code").read_key(),
                name=node.get_field("name").read_text(),
                purpose=node.get_field("purpose").read_optional(Node.read_text),
                objective=node.get_field("objective").read_optional(Node.read_text),
                stops=read_stops(node.get_field("stops")),
                segments=segments,
                steps=read_steps(node.get_field("steps"), segments, catalogue),
            )
        if problems:
            raise StrategyError(problems)
        return strategy

    def to_document(self) -> Document:
        """Return the plain form, from which `parse` gives an equal strategy."""
        optional = {
            "purpose": self.purpose,
            "objective": self.objective,
            "stops": self.stops,
            "segments": [segment.to_document() for segment in self.segments],
        }
        document: Document = {"code": self.code, "name": self.name}
        document |= {key: value for key, value in optional.items() if value}
        return document | {"steps": [step.to_document() for step in self.steps]}

    def step(self, key: str) -> Step:
        """Return a step by its key. Raises KeyError."""
        for step in self.steps:
            if step.key == key:
                return step
        raise KeyError(key)


def list_templates(strategy: Strategy) -> frozenset[str]:
    """Return the codes of the templates that the strategy sends."""
    return frozenset(step.do.template for step in strategy.steps if isinstance(step.do, Send))
