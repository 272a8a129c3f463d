"""`recobra bot`: measures of how well the bot understands debtors."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from recobra.cli import options
from recobra.cli.answer import Answer


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "bot", "the bot that answers debtors")
    measure = options.add_command(verbs, "measure", "measure it on phrases that it was not trained on")
    measure.set_defaults(run=measure_bot)


def measure_bot(_arguments: argparse.Namespace) -> Answer:
    """Measure the bot on phrases that it was not trained on."""
    from recobra.conversations.bot import evaluation  # noqa: PLC0415 - loads and trains the classifier

    document = evaluation.measure_bot()
    return Answer(document=document, lines=_report_lines(document))


def _report_lines(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the figures of a measurement, one a line, and the confusion table.

    A line of the table has the intent that was meant, and the intents that its phrases were taken for, most first.
    """
    figures = [f"{name}: {value}" for name, value in document.items() if not isinstance(value, dict)]
    recall = [f"recall {name}: {share}" for name, share in document["recall"].items()]
    variants = [f"{name}: {row['accuracy']} of {row['phrases']}" for name, row in document["variants"].items()]
    confusion = []
    for meant, count_by_intent in document["confusion"].items():
        most_first = sorted(count_by_intent.items(), key=lambda pair: -pair[1])
        taken_for = ", ".join(f"{intent} {count}" for intent, count in most_first)
        confusion.append(f"{meant}: {taken_for}")
    negatives = [
        f"sounds like {name} and is not: {row['acted_on']} of {row['phrases']} acted on"
        for name, row in document["hard_negatives"].items()
    ]
    return (*figures, *recall, *variants, *negatives, "meant: taken", *confusion)
