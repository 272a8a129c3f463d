"""A state or province is one that the country has, however it is written; another is an error of its row."""

from recobra.intake.mapping import guess_mapping
from recobra.intake.models import RejectedRow
from recobra.portfolio.models import Debtor

from .conftest import SHORT

PLACED = SHORT | {"debtor": {"external_id": "cliente", "subdivision": "departamento"}}


def _file(places):
    rows = "".join(f"A{n};C{n};2026-10-01;1;{place}\n" for n, place in enumerate(places))
    return f"cuenta;cliente;vence;saldo;departamento\n{rows}"


def test_a_place_is_taken_by_name_or_code(load):
    load(_file(["Cusco", "CUS", "pe-lim", "Departamento de Áncash", "-", ""]), mapping=PLACED)
    places = dict(Debtor.objects.values_list("external_id", "subdivision"))
    assert places == {"C0": "PE-CUS", "C1": "CUS", "C2": "PE-LIM", "C3": "PE-ANC", "C4": "", "C5": ""}


def test_a_place_that_the_country_does_not_have_is_refused_with_what_was_expected(load):
    result = load(_file(["Cusco", "Antioquia", "BR-SP"]), mapping=PLACED)
    assert (result["accepted"], result["rejected"]) == (1, 2)
    errors = {row.line: row.errors for row in RejectedRow.objects.all()}
    assert [error["code"] for error in errors[3]] == ["place"]
    assert errors[4][0]["value"] == "BR-SP"
    assert errors[3][0]["params"] == {"country": "PE", "example": "Amazonas (PE-AMA)"}


def test_the_state_of_a_debt_is_not_taken_for_the_state_of_its_debtor():
    headers = ["cuenta", "vence", "saldo", "estado"]
    assert "debtor" not in guess_mapping(headers, [["A1", "2026-10-01", "1", "Vencido"]])
    assert guess_mapping(headers, [["A1", "2026-10-01", "1", "Jalisco"]])["debtor"] == {"subdivision": "estado"}
