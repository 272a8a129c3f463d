"""What the demonstration's debtors do with what they were sent: most of it arrives, and a few of them answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from recobra.cli import bootstrap

TURN_LENGTH: Final = timedelta(seconds=30)
FIGURES: Final = "{figures}"  # the last ones of the identity document, which the bot asks for
# What each debtor writes, one message a turn: who asks first is answered before the next is written.
SCENES: Final[tuple[tuple[str, ...], ...]] = (
    ("Hola, ¿cuánto debo?", FIGURES),
    ("¿Cuánto debo?", FIGURES, "pago todo mañana", "sí"),
    ("Buenos días, ¿cuánto debo?", FIGURES, "ya pagué ayer en el banco"),
    ("¿Cuánto debo?", FIGURES, "no reconozco esa deuda, yo nunca compré eso"),
    ("BAJA",),
    ("NO SOY",),
    ("quiero hablar con una persona",),
    ("el perro de mi tía se llama Firulais",),
    ("¿Cómo puedo pagar?",),
    ("ya pagué la semana pasada",),
)


@dataclass(slots=True)
class _Scene:
    public_id: str
    figures: str
    lines: tuple[str, ...]


def play_replies(*, at: datetime) -> int:
    """Let what was sent since an instant arrive and some of it be answered; return how many messages came in."""
    from django.conf import settings  # noqa: PLC0415 - needs the settings
    from django.utils import translation  # noqa: PLC0415 - needs the settings

    from recobra.demo import simulate_debtor as trying  # noqa: PLC0415

    # What is written down is read in the console, in the language of the installation.
    with translation.override(settings.LANGUAGE_CODE):
        told = trying.simulate_receipts(since=at, now=at)
        bootstrap.report_progress(f"Receipts: {told}. Some debtors answer …")
        scenes = list(_build_scenes(at))
        return sum(
            _play_turn(scenes, number, at + TURN_LENGTH * (number + 1)) for number in range(max(map(len, SCENES)))
        )


def _build_scenes(at: datetime) -> Iterator[_Scene]:
    from recobra.demo import simulate_debtor as trying  # noqa: PLC0415 - needs the settings

    for part, lines in zip(trying.answerable_messages(since=at), SCENES, strict=False):
        yield _Scene(public_id=str(part.public_id), figures=part.figures, lines=lines)


def _play_turn(scenes: list[_Scene], number: int, now: datetime) -> int:
    """Let everybody write a line, the bot read them, and its answers leave; return how many lines."""
    from recobra.conversations import operations as conversations  # noqa: PLC0415 - needs the settings
    from recobra.demo import simulate_debtor as trying  # noqa: PLC0415
    from recobra.messaging import operations as messaging  # noqa: PLC0415

    count = 0
    for each in scenes:
        if number < len(each.lines):
            conversation_id = trying.answer_as_debtor(
                public_id=each.public_id,
                text=each.lines[number].replace(FIGURES, each.figures),
                key=f"{each.public_id}-{number}",
                now=now,
            )
            if conversation_id is not None:
                conversations.answer_conversation(conversation_id=conversation_id, now=now)
            count += 1
    messaging.dispatch_once(now=now)
    return count
