"""`recobra bot`: how well the bot understands what debtors write."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from recobra.cli import options
from recobra.cli.answer import Answer


def add(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "bot", "the bot that answers debtors")
    measure = options.add_command(verbs, "measure", "measure it on phrases that it was not trained on")
    measure.set_defaults(run=_measure)


def _measure(_chosen: argparse.Namespace) -> Answer:
    from recobra.conversations.bot import evaluation  # noqa: PLC0415 - loads and trains the classifier

    document = evaluation.measure_bot()
    return Answer(document=document, lines=_lines(document))


def _lines(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the figures and the confusion table: a row per intent meant, a column per intent taken."""
    figures = [f"{name}: {value}" for name, value in document.items() if not isinstance(value, dict)]
    recall = [f"recall {name}: {share}" for name, share in document["recall"].items()]
    variants = [f"{name}: {of['accuracy']} of {of['phrases']}" for name, of in document["variants"].items()]
    confusion = [
        f"{meant}: " + ", ".join(f"{taken} {n}" for taken, n in sorted(row.items(), key=lambda each: -each[1]))
        for meant, row in document["confusion"].items()
    ]
    negatives = [
        f"sounds like {name} and is not: {of['acted_on']} of {of['phrases']} acted on"
        for name, of in document["hard_negatives"].items()
    ]
    return (*figures, *recall, *variants, *negatives, "meant: taken", *confusion)
