"""What a password may be: any characters, long, stolen nowhere, and more than what anybody would try here."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from tests.people import create_company

from recobra.access.models import User
from recobra.access.passwords import LENGTH_MAX


@pytest.fixture(autouse=True)
def _company(db):
    create_company()


def refusals(password, **user):
    """Return why a password is refused; [] for one that is good."""
    try:
        validate_password(password, user=User(**{"username": "rosa.quispe", "email": "rquispe@sur.example", **user}))
    except ValidationError as error:
        return error.messages
    return []


@pytest.mark.parametrize(
    "password",
    [
        "una clave larga y rara",
        "ventana azul con lluvia",
        "             mil hojas",
        "мои любимые книги",
        "7y!Kq#2mZ&vP",
        "x" * 3 + "correo lento de ayer" * 3,
        "canción-über-naïve-42",
    ],
)
def test_any_characters_make_a_password(password):
    assert refusals(password) == []


@pytest.mark.parametrize(
    "password",
    [
        "gestor2gestor2",
        "Recobra2026!!",
        "RecobraLima2026",
        "enero2026enero2026",
        "Cobranzas-2026",
        "contraseña2026",
        "BancoSur-2026-Lima",
        "PE-CONSUMO-1234",
        "rosaquispe1234",
        "Quispe.Rosa.99",
        "asdfghjkl1234567890",
        "abababababababab",
        "111111111111111",
        "Qwerty-Poiuyt-2026",
    ],
)
def test_words_that_anybody_would_try_here_are_no_password(password):
    assert any("cualquiera probaría" in text for text in refusals(password)), refusals(password)


@pytest.mark.parametrize("password", ["123qweasdzxc", "q1w2e3r4t5y6", "qwerty123456", "LEAVEMEALONE", "1qaz2wsx3edc"])
def test_passwords_of_thefts_are_refused_whatever_their_capitals(password):
    assert any("robo de datos" in text for text in refusals(password))


def test_it_has_twelve_characters_at_least_and_an_end():
    assert len(refusals("vK7#pQ2!zR9")) == 1
    assert refusals("v" + "K7#pQ2!zR9a" * 23) == []
    assert refusals("vK7#pQ2!zR9a" * 30) == [f"{LENGTH_MAX} caracteres como máximo."]
