"""Parts of each channel's templates, and checks for what its networks refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from recobra.messaging.templates import whatsapp_form
from recobra.messaging.templates.lengths import MAX_PARTS, count_segments

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("subject", "text", "html"),
    "letter": ("subject", "text"),
    "sms": ("text",),
    "whatsapp": ("text",),
    "ivr": ("text",),
    "call": ("text",),
    "visit": ("text",),
}
"""The parts that a channel's templates have; the others stay empty."""

KEYS: Final = frozenset("0123456789")
BUTTONS: Final[Mapping[str, int]] = {"whatsapp": whatsapp_form.MAX_BUTTONS, "ivr": len(KEYS)}
MAX_SPOKEN_CHARACTERS: Final = 1_200
"""About a minute and a half of speech."""


class ChannelMistake(NamedTuple):
    """What a channel refuses: the part of the template, what is wrong there, and what is expected."""

    part: str
    found: str
    expected: str


def find_channel_mistakes(*, channel: str, text: str, buttons: Sequence[Mapping[str, str]]) -> Iterator[ChannelMistake]:
    """Yield what a channel refuses in a template, whose syntax has been checked."""
    yield from _check_buttons(channel, buttons)
    if channel == "sms":
        parts = count_segments(text).parts
        if parts > MAX_PARTS:
            yield ChannelMistake(
                "text",
                _("it makes %(count)s messages before it is filled in") % {"count": parts},
                _("Up to %(count)s.") % {"count": MAX_PARTS},
            )
    if channel == "whatsapp":
        yield from _check_whatsapp(text)
    if channel == "ivr":
        yield from _check_speech(text, buttons)


def _check_whatsapp(text: str) -> Iterator[ChannelMistake]:
    """Yield what Meta refuses in the body of a template."""
    if whatsapp_form.has_logic(text):
        yield ChannelMistake(
            "text", _("WhatsApp's templates have no loops, conditions or filters"), _("Use plain variables.")
        )
        return
    body, _names = whatsapp_form.number_variables(text)
    if len(body) > whatsapp_form.MAX_BODY_CHARACTERS:
        yield ChannelMistake(
            "text",
            _("it is too long"),
            _("Up to %(count)s characters.") % {"count": whatsapp_form.MAX_BODY_CHARACTERS},
        )
    if whatsapp_form.has_adjacent_variables(text):
        yield ChannelMistake("text", _("two variables have no words between them"), _("Meta rejects that: add words."))
    if whatsapp_form.has_variable_at_edge(text):
        yield ChannelMistake(
            "text", _("it begins or ends with a variable"), _("WhatsApp wants words before and after.")
        )


def _check_speech(text: str, buttons: Sequence[Mapping[str, str]]) -> Iterator[ChannelMistake]:
    """Yield what a spoken text lacks: that it is automatic, for whom it calls, a key for each option."""
    # Spanish, Portuguese and English spell the word with one of these stems.
    if "automátic" not in text.lower() and "automatic" not in text.lower():
        yield ChannelMistake(
            "text", _("it does not say that it is automatic"), _("Say at the start that the call is automatic.")
        )
    if "acreedor" not in text:
        yield ChannelMistake(
            "text", _("it does not say for whom it calls"), _("Add %(names)s.") % {"names": "{{ acreedor }}"}
        )
    if len(text) > MAX_SPOKEN_CHARACTERS:
        yield ChannelMistake(
            "text", _("it is too long"), _("Up to %(count)s characters.") % {"count": MAX_SPOKEN_CHARACTERS}
        )
    keys = [button.get("key", "") for button in buttons]
    are_all_digits = all(key in KEYS for key in keys)
    has_repeated_key = len(set(keys)) < len(keys)
    if not are_all_digits or has_repeated_key:
        yield ChannelMistake(
            "buttons", _("the keys are not all different digits"), _("Give each option a digit of its own.")
        )


def _check_buttons(channel: str, buttons: Sequence[Mapping[str, str]]) -> Iterator[ChannelMistake]:
    """Yield what is wrong with the buttons: too many, without code or title, or too long."""
    max_buttons = BUTTONS.get(channel, 0)
    if len(buttons) > max_buttons:
        yield ChannelMistake("buttons", _("there are too many buttons"), _("Up to %(count)s.") % {"count": max_buttons})
    for button in buttons:
        title = button.get("title", "").strip()
        if not title or not button.get("code", "").strip():
            yield ChannelMistake(
                "buttons", _("a button has no code or no title"), _("Write one per line: code | title.")
            )
        elif channel == "whatsapp" and len(title) > whatsapp_form.MAX_TITLE_CHARACTERS:
            yield ChannelMistake(
                "buttons",
                _("«%(title)s» is too long") % {"title": title},
                _("Up to %(count)s characters.") % {"count": whatsapp_form.MAX_TITLE_CHARACTERS},
            )
