"""Replies of the demonstration's debtors: most messages arrive, and a few debtors answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from recobra.cli import bootstrap

TURN_LENGTH: Final = timedelta(seconds=30)
FIGURES: Final = "{figures}"  # the last digits of the identity document, which the bot asks for
# The messages of each debtor, one a turn: the bot answers each before the next is written.
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
    """What one debtor writes in answer to a message: a line a turn. `figures` end the debtor's identity document."""

    public_id: str
    figures: str
    lines: tuple[str, ...]


def play_replies(*, at: datetime) -> int:
    """Let messages sent since an instant arrive and some be answered; return how many replies came in."""
    from django.conf import settings  # noqa: PLC0415 - needs the settings
    from django.utils import translation  # noqa: PLC0415 - needs the settings

    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.demo import simulate_debtor  # noqa: PLC0415

    # Texts that the bot stores are read in the console, in the language of the installation.
    with translation.override(settings.LANGUAGE_CODE):
        receipts = simulate_debtor.simulate_receipts(since=at, actor=service_actor(Service.DEMO, now=at))
        bootstrap.report_progress(f"Receipts: {receipts}. Some debtors answer …")
        # Not strict: there are more messages than scenes, or, in a small demonstration, fewer.
        messages_and_lines = zip(simulate_debtor.answerable_messages(since=at), SCENES, strict=False)
        scenes = [
            _Scene(public_id=str(message.public_id), figures=message.figures, lines=lines)
            for message, lines in messages_and_lines
        ]
        turns = max(len(lines) for lines in SCENES)
        count = 0
        for number in range(turns):
            count += _play_turn(scenes, number, now=at + TURN_LENGTH * (number + 1))
        return count


def _play_turn(scenes: list[_Scene], number: int, *, now: datetime) -> int:
    """Let every debtor write the line of a turn, the bot answer, and the answers be sent.

    Turns are numbered from 0. Returns how many debtors wrote: those whose scene has not ended.
    """
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.conversations import operations as conversations  # noqa: PLC0415
    from recobra.demo import simulate_debtor  # noqa: PLC0415
    from recobra.messaging import operations as messaging  # noqa: PLC0415

    count = 0
    for scene in scenes:
        if number >= len(scene.lines):
            continue
        conversation_id = simulate_debtor.answer_as_debtor(
            public_id=scene.public_id,
            text=scene.lines[number].replace(FIGURES, scene.figures),
            key=f"{scene.public_id}-{number}",
            actor=service_actor(Service.DEMO, now=now),
        )
        if conversation_id is not None:
            conversations.answer_conversation(
                conversation_id=conversation_id, actor=service_actor(Service.BOT, now=now)
            )
        count += 1
    messaging.dispatch_once(actor=service_actor(Service.DISPATCH, now=now))
    return count
