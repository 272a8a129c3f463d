"""What a message must say, by country and channel."""

from __future__ import annotations

from datetime import date

import pytest

from recobra_core.law.content import MessageFacts, has_blocking, lint_text

TODAY = date(2026, 11, 23)
TEN = (
    "acreedor",
    "contratos",
    "mora_desde",
    "total_vencido",
    "desglose",
    "liquidacion",
    "gastos_detalle",
    "como_pagar",
    "derechos",
    "contacto",
    "no_judicial",
)
WHOLE = ("acreedor", "emisor", "total_vencido", "desglose", "como_pagar", "como_reclamar", "enlace_baja")


def missing(names, *, country, channel="email", kind="template", text="", **facts):
    words = text or " ".join(f"{{{{ {name} }}}}" for name in names)
    found = lint_text(words, country=country, channel=channel, kind=kind, facts=MessageFacts(on=TODAY, **facts))
    return {finding.code.removeprefix("missing_"): finding.severity for finding in found}


def test_a_chilean_message_says_all_that_article_37_asks():
    assert missing((*TEN, "emisor", "como_reclamar", "enlace_baja", "oficina_reclamos"), country="CL") == {}


@pytest.mark.parametrize(
    ("left_out", "part"),
    [
        ("acreedor", "creditor"),
        ("desglose", "breakdown"),
        ("liquidacion", "interest"),
        ("gastos_detalle", "fees"),
        ("como_pagar", "how_to_pay"),
        ("derechos", "rights"),
        ("contacto", "contact"),
        ("no_judicial", "not_judicial"),
    ],
)
def test_what_a_chilean_message_leaves_out_keeps_it_from_leaving(left_out, part):
    names = [name for name in (*TEN, "como_reclamar", "enlace_baja") if name != left_out]
    assert missing(names, country="CL").get(part) == "block"


def test_a_chilean_statement_may_be_said_in_words():
    told = " ".join(f"{{{{ {name} }}}}" for name in TEN if name != "no_judicial")
    words = told + " Esta gestión no constituye un procedimiento para embargar bienes."
    assert "not_judicial" not in missing((), country="CL", text=words)


def test_the_page_of_the_statement_may_carry_what_the_law_leaves_open():
    short = ("acreedor", "total_vencido", "como_pagar", "contacto", "no_judicial", "enlace_detalle", "enlace_baja")
    assert missing(short, country="CL", channel="sms") == {}
    without_total = [name for name in short if name != "total_vencido"]
    assert missing(without_total, country="CL", channel="sms") == {"amount": "block"}


def test_a_mexican_message_names_creditor_agency_and_the_office_for_complaints():
    assert {
        "agency_address": "block",
        "agency_phone": "block",
        "contract": "block",
        "complaint_office": "block",
    }.items() <= (
        missing(
            ("acreedor", "emisor", "total_vencido", "desglose", "como_pagar", "como_reclamar"), country="MX"
        ).items()
    )


def test_a_brazilian_message_identifies_the_creditor():
    found = missing(WHOLE, country="BR")
    assert found["creditor_address"] == found["creditor_tax_id"] == "block"
    named = (*WHOLE, "acreedor_domicilio", "acreedor_identificacion")
    assert "block" not in missing(named, country="BR").values()


def test_a_paraguayan_message_breaks_the_total_down():
    assert missing([name for name in WHOLE if name != "desglose"], country="PY")["breakdown"] == "block"


@pytest.mark.parametrize("country", ["PE", "CO", "AR", "EC", "BO", "UY", "PA", "CR", "GT", "SV", "HN", "DO", "ES"])
def test_where_the_law_is_silent_the_project_asks_for_creditor_payment_and_complaint(country):
    assert "block" not in missing(WHOLE, country=country).values()
    for name, part in (("acreedor", "creditor"), ("como_pagar", "how_to_pay"), ("como_reclamar", "how_to_object")):
        assert missing([each for each in WHOLE if each != name], country=country)[part] == "block"


def test_a_person_is_told_what_is_missing_but_not_held_back():
    found = missing((), country="CL", kind="hand", text="Hola, quisiera conversar con usted")
    assert found
    assert set(found.values()) == {"warn"}


def test_an_answer_need_not_say_it_all_again():
    assert missing((), country="CL", kind="hand", text="Sí, hasta el viernes", reply=True) == {}


def test_free_text_is_read_for_the_creditors_name():
    words = "Banco Sur: puede pagar en bancosur.example. Si no reconoce el pago, reclame."
    assert "creditor" not in missing((), country="PE", kind="free", text=words, creditor_name="Banco Sur")
    assert "creditor" in missing((), country="PE", kind="free", text=words, creditor_name="Financiera Norte")


def test_nothing_is_asked_of_a_message_to_somebody_else():
    found = lint_text(
        "Por favor, pídale que nos llame",
        country="CL",
        channel="sms",
        kind="hand",
        facts=MessageFacts(on=TODAY, third_party=True),
    )
    assert found == ()
    assert not has_blocking(found)
