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
    """Return the figures and the confusion table: a row for each intent meant, with the intents it was taken for."""
    figures = [f"{name}: {value}" for name, value in document.items() if not isinstance(value, dict)]
    recall = [f"recall {name}: {share}" for name, share in document["recall"].items()]
    variants = [f"{name}: {row['accuracy']} of {row['phrases']}" for name, row in document["variants"].items()]
    confusion = [
        f"{meant}: " + ", ".join(f"{taken} {n}" for taken, n in sorted(row.items(), key=lambda pair: -pair[1]))
        for meant, row in document["confusion"].items()
    ]
    negatives = [
        f"sounds like {name} and is not: {row['acted_on']} of {row['phrases']} acted on"
        for name, row in document["hard_negatives"].items()
    ]
    return (*figures, *recall, *variants, *negatives, "meant: taken", *confusion)
