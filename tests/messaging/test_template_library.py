"""The starter library is right for its channels and inside the law of its countries; networks' limits are counted."""

from __future__ import annotations

from datetime import date

import ibis
import pytest

from recobra.messaging.models import Template
from recobra.messaging.templates import facts, law_findings
from recobra.messaging.templates.check import find_mistakes, find_variables
from recobra.messaging.templates.lengths import count_segments
from recobra.messaging.templates.library import load_starter_templates
from recobra.messaging.templates.selection import draw_variant
from recobra.messaging.templates.variables import VARIABLES
from recobra.messaging.templates.whatsapp_form import number_variables
from recobra_core.decide import assign_arm
from recobra_core.law.content import SENTENCES, has_blocking

TODAY = date(2026, 11, 23)
LIBRARY = list(load_starter_templates("es"))
WORDS = "Hola, {{ nombre }}. Le escribimos de {{ acreedor }} por {{ total_vencido }}: {{ nombre }}, gracias."


@pytest.mark.parametrize(
    "document", LIBRARY, ids=[f"{d['channel']}-{d['code']}-{d['country']}-{d['tone']}" for d in LIBRARY]
)
def test_every_starter_template_is_right_and_inside_the_law(document):
    parts = {part: document[part] for part in ("subject", "text", "html")}
    assert find_mistakes(**parts, channel=document["channel"], buttons=document.get("buttons", ())) == []
    found = law_findings.lint_everywhere(
        **parts,
        channel=document["channel"],
        country=document["country"],
        language="es",
        legal=document["legal"],
        on=TODAY,
    )
    blocked = set(law_findings.blocked_countries(found, country=document["country"], language="es"))
    assert blocked == (set() if document["country"] else blocked & {"CL", "MX", "PY"})
    assert "PY" not in blocked or document["channel"] == "ivr"
    worded = [each for each in found if each.finding.end and each.finding.severity == "block"]
    assert not worded or (document["legal"] and {code for each in worded for code in each.countries} == {"CL"})


def test_the_library_has_every_stage_on_every_channel():
    have = {(d["channel"], d["stage"]) for d in LIBRARY}
    assert have >= {
        (channel, stage)
        for channel in ("email", "sms", "whatsapp", "ivr", "letter")
        for stage in ("PREVENTIVE", "ADMINISTRATIVE", "EXTRAJUDICIAL")
    }
    assert {d["code"] for d in LIBRARY if d["legal"]} == {"aviso-prelegal"}
    assert not [d for d in LIBRARY if d["legal"] and d["country"] == "CL"]
    for country in ("CL", "MX"):
        assert {d["channel"] for d in LIBRARY if d["country"] == country} >= {"email", "letter", "whatsapp", "sms"}


@pytest.mark.parametrize("country", ["CL", "MX", "PY"])
@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_every_short_message_may_leave_where_the_law_wants_much_said(country, channel):
    fit = {
        d["code"]
        for d in LIBRARY
        if d["channel"] == channel
        and d["country"] in {"", country}
        and not has_blocking(
            law_findings.lint_for_country(
                subject="",
                text=d["text"],
                html="",
                channel=channel,
                country=country,
                language="es",
                legal=False,
                on=TODAY,
            )
        )
    }
    assert fit == {d["code"] for d in LIBRARY if d["channel"] == channel}
    (linked,) = [
        d
        for d in LIBRARY
        if d["channel"] == channel and d["country"] == country and d["code"] == "recordatorio-detalle"
    ]
    assert "{{ enlace_detalle }}" in linked["text"]
    # Without the page the same words would not do.
    bare = linked["text"].replace("{{ enlace_detalle }}", "")
    assert has_blocking(
        law_findings.lint_for_country(
            subject="", text=bare, html="", channel=channel, country=country, language="es", legal=False, on=TODAY
        )
    )


# What every message of a channel names, itself or on the page that it links to: creditor, origin, what the sum is made
# of, date and how to object. A call says nothing of a debt before it knows who listens.
SAID = {
    "email": ({"acreedor"}, {"origen"}, {"desglose"}, {"fecha"}, {"como_reclamar"}),
    "letter": ({"acreedor"}, {"origen"}, {"desglose"}, {"fecha"}, {"como_reclamar"}),
    "sms": (
        {"acreedor"},
        {"origen"},
        {"fecha"},
        {"capital", "enlace_detalle"},
        {"como_reclamar", "enlace_detalle"},
    ),
    "whatsapp": (
        {"acreedor"},
        {"origen"},
        {"fecha"},
        {"capital", "enlace_detalle"},
        {"como_reclamar", "enlace_detalle"},
    ),
}


def test_every_message_names_creditor_origin_parts_date_and_how_to_object():
    lacking = [
        (document["channel"], document["code"], document["country"], document["tone"], ways)
        for document in LIBRARY
        for ways in SAID.get(document["channel"], ())
        if not ways & find_variables(document["text"])
    ]
    assert lacking == []


def test_starter_text_messages_need_no_expensive_letters():
    for document in LIBRARY:
        if document["channel"] == "sms":
            assert count_segments(document["text"]).encoding == "GSM-7", document["code"]


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("", "GSM-7", 0),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("ñ" * 160, "GSM-7", 1),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("á" * 70, "UCS-2", 1),
        ("á" * 71, "UCS-2", 2),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        ("a" * 152 + "€" + "a" * 10, "GSM-7", 2),
    ],
)
def test_messages_are_counted_as_the_networks_count_them(text, encoding, parts):
    counted = count_segments(text)
    assert (counted.encoding, counted.parts) == (encoding, parts)


def test_whatsapps_places_are_numbered_in_the_order_of_their_names():
    body, names = number_variables(WORDS)
    assert body == "Hola, {{1}}. Le escribimos de {{2}} por {{3}}: {{1}}, gracias."
    assert names == ("nombre", "acreedor", "total_vencido")


@pytest.mark.parametrize(
    ("channel", "text", "buttons", "part"),
    [
        ("whatsapp", "Hola {% if vencidos %}x{% endif %} y", (), "text"),
        ("whatsapp", "{{ nombre }}, hola", (), "text"),
        ("whatsapp", "Hola {{ nombre }}", (), "text"),
        ("whatsapp", "Hola {{ nombre }} {{ acreedor }}, gracias", (), "text"),
        ("whatsapp", f"Hola {'x' * 1_100} fin", (), "text"),
        ("whatsapp", WORDS, [{"code": "a", "title": "x" * 21}], "buttons"),
        ("whatsapp", WORDS, [{"code": str(n), "title": "x"} for n in range(4)], "buttons"),
        ("whatsapp", WORDS, [{"code": "", "title": "x"}], "buttons"),
        ("sms", "a" * 1_600, (), "text"),
        ("sms", "hola", [{"code": "a", "title": "x"}], "buttons"),
        ("ivr", "Le llamamos de {{ acreedor }}", (), "text"),
        ("ivr", "Mensaje automático para usted", (), "text"),
        ("ivr", "Mensaje automático de {{ acreedor }}", [{"key": "x", "code": "a", "title": "b"}], "buttons"),
        ("ivr", "Mensaje automático de {{ acreedor }}", [{"key": "1", "code": "a", "title": "b"}] * 2, "buttons"),
    ],
)
def test_what_a_channel_refuses_is_said_before_it_is_kept(channel, text, buttons, part):
    assert part in {
        each.part for each in find_mistakes(subject="", text=text, html="", channel=channel, buttons=buttons)
    }


def test_a_part_that_a_channel_has_not_stays_empty():
    found = find_mistakes(subject="Hola", text="hola", html="<p>hola</p>", channel="sms")
    assert {each.part for each in found} == {"subject", "html"}


def test_every_variable_that_is_offered_is_worked_out():
    assert {variable.name for variable in VARIABLES} == set(facts._FACTS)


def test_the_screens_know_every_sentence_of_the_linter():
    assert set(SENTENCES.values()) == law_findings.SENTENCES


def test_chance_draws_variants_as_the_decision_core_does():
    variants = [
        Template(code="x", channel="sms", language="es", country="PE", tone="", variant=name, weight=weight)
        for name, weight in (("A", 1), ("B", 3))
    ]
    people = ibis.memtable({"debtor_id": list(range(1, 501))})
    shares = {"A": 2_500, "B": 7_500}
    expected = people.mutate(arm=assign_arm(people.debtor_id, experiment="template/x/sms/es/PE/", shares_bps=shares))
    for row in expected.to_pyarrow().to_pylist():
        assert draw_variant(variants, debtor_id=row["debtor_id"]).variant == row["arm"]
