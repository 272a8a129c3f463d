"""Texts are compared without accents, capitals and disguises, in one way everywhere."""

import unicodedata

import pytest

from recobra_core.folding import fold_name, fold_words, is_invisible, replace_lookalikes, strip_accents


@pytest.mark.parametrize(
    ("text", "options", "bare"),
    [
        ("Región de Ñuñoa", {}, "Region de Nunoa"),
        ("año, pingüino", {"keep": "ñ"}, "año, pinguino"),
        (unicodedata.normalize("NFD", "año, pingüino"), {"keep": "ñ"}, "año, pinguino"),
        ("Ｎº 1½ ﬁn", {}, "Ｎº 1½ ﬁn"),
        ("Ｎº 1 ﬁn", {"plain_forms": True}, "No 1 fin"),
        ("1´234", {}, "1´234"),
    ],
)
def test_accents_go_and_letters_stay(text, options, bare):
    assert strip_accents(text, **options) == bare


@pytest.mark.parametrize("text", ["ВАЈА", "ΒΑJΑ", "BAJA"])
def test_letters_of_other_alphabets_read_as_what_they_look_like(text):
    assert replace_lookalikes(text) == "BAJA"
    assert replace_lookalikes(text.lower()).upper() == "BAJA"


def test_a_capital_looks_like_another_letter_than_its_small_one():
    assert (replace_lookalikes("ΜΝ"), replace_lookalikes("ν")) == ("MN", "n")


def test_signs_without_a_shape_are_known():
    assert [is_invisible(sign) for sign in ("\u200b", "\u3164", "a", " ")] == [True, True, False, False]


def test_names_of_columns_are_compared_by_their_letters():
    assert fold_name("  Nº  Cédula ") == fold_name("no cedula") == "no cedula"
    assert [fold_words(name) for name in ("Nro_Préstamo", "NroPrestamo", "Fecha de pago:")] == [
        "nro prestamo",
        "nro prestamo",
        "fecha de pago",
    ]
