"""Templates say what a debtor must be told, and say it right in every country."""

from __future__ import annotations

import pytest
from django.utils import translation

from recobra.messaging import operations as messaging
from recobra.messaging import queries
from recobra.messaging.models import Template
from recobra.messaging.templates.check import find_mistakes
from recobra.messaging.templates.render import NotRendered, is_notice
from recobra.portfolio.models import Hold, Portfolio
from tests.people import acting
from tests.worlds import TODAY

GOOD = "{{ acreedor }} {{ total_vencido }} {{ como_pagar }} {{ como_reclamar }}"
LIBRARY = {
    "aviso-preventivo",
    "aviso-vencimiento",
    "recordatorio",
    "recordatorio-firme",
    "aviso-extrajudicial",
}
LEGAL = "aviso-prelegal"
LINKED = "recordatorio-detalle"
LOOKS_JUDICIAL = (
    "juzgado",
    "demanda",
    "embargo",
    "notificación judicial",
    "expediente",
    "último aviso",
    "central de riesgo",
)


def words(template_code, debtor, now):
    template = queries.template_versions().get(code=template_code, channel="email", country="", tone="")
    return messaging.preview_message(template=template, debtor_id=debtor.pk, now=now)


def own_words(now, **changes):
    """A version of the reminder by Carla."""
    given = {
        "code": "recordatorio",
        "channel": "email",
        "name": "Nuestro",
        "subject": "{{ acreedor }}",
        "text": GOOD,
        "html": GOOD,
        "actor": acting("carla", now=now),
    }
    return messaging.save_template(**given | changes)


def test_the_library_is_added_once_and_never_over_a_companys_own_words(world):
    assert set(queries.template_versions().values_list("code", flat=True)) == {*LIBRARY, LEGAL, LINKED}
    assert messaging.ensure_library(actor=acting("library", now=world.now)) == 0
    # New words of the library follow its own ones, and neither a person's nor retired ones.
    outdated = list(Template.objects.filter(channel="whatsapp", country="").order_by("pk")[:3])
    Template.objects.filter(pk__in=[each.pk for each in outdated]).update(created_by="library")
    for each in outdated:
        each.text = each.text.replace("Hola", "Buenos días")
        each.save(update_fields=["text"])
    Template.objects.filter(pk=outdated[1].pk).update(created_by="carla")
    Template.objects.filter(pk=outdated[2].pk).update(retired_at=world.now)
    assert messaging.ensure_library(actor=acting("library", now=world.now)) == 1
    assert Template.objects.get(code=outdated[0].code, version=2, channel="whatsapp", country="").text.startswith(
        "Hola"
    )
    assert messaging.ensure_library(actor=acting("library", now=world.now)) == 0
    own = own_words(world.now)
    assert own.version == 2
    assert messaging.ensure_library(actor=acting("library", now=world.now)) == 0
    general = queries.template_versions().filter(code="recordatorio", channel="email", country="", tone="")
    assert general.get().version == 1
    messaging.submit_template(template_id=own.pk, actor=acting("carla", now=world.now))
    assert general.get() == own
    messaging.retire_template(template_id=own.pk, actor=acting("bruno", now=world.now))
    assert general.get().version == 1


def test_notices_are_told_from_claims(world):
    notices = {template.code for template in queries.template_versions() if is_notice(template)}
    assert notices == {"aviso-preventivo", "aviso-vencimiento"}
    assert is_notice(queries.template_versions().get(code="aviso-preventivo", channel="sms", country=""))


@pytest.mark.parametrize("code", sorted(LIBRARY))
def test_every_starter_text_tells_all_a_debtor_must_know_and_threatens_nobody(world, code):
    debtor = world.debtor(name="Rosa Quispe")
    world.owes(debtor, amount_minor=150_000, days=20, number="F-VIEJA")
    world.owes(debtor, amount_minor=50_050, days=-3, number="F-NUEVA")
    world.company.creditor.complaint_contact = "reclamos@bancosur.example"
    world.company.creditor.save()
    letter = words(code, debtor, world.now)
    for part in (letter.text, letter.html):
        for told in (
            "Rosa Quispe",
            "Banco Sur",
            "Pague en bancosur.example",
            "reclamos@bancosur.example",
            "F-VIEJA",
            "3/11/26",
            "S/\xa01,500.00",
            "20",
            "/d/baja/",
            "cobranzas@localhost",
        ):
            assert told in part, told
        assert not [word for word in LOOKS_JUDICIAL if word in part.lower()]
    assert "Banco Sur" in letter.subject
    assert ("F-NUEVA" in letter.text) == (code in {"aviso-preventivo", "aviso-vencimiento"})


def test_one_message_has_everything_overdue_oldest_first_over_all_portfolios_by_currency(world):
    dollars = Portfolio.objects.create(
        creditor=world.company.creditor,
        code="PE-USD",
        name="Dólares",
        industry="INVOICES",
        country="PE",
        currency="USD",
        time_zone="America/Lima",
    )
    debtor = world.debtor()
    world.owes(debtor, amount_minor=10_000, days=5, number="NUEVA")
    world.owes(debtor, amount_minor=20_050, days=40, number="VIEJA")
    world.owes(debtor, amount_minor=99_900, days=15, number="DOLAR", portfolio=dollars)
    world.owes(debtor, amount_minor=7_700, days=-15, number="FUTURA")
    paid = world.owes(debtor, amount_minor=5_500, days=30, number="PAGADA")
    world.pays(paid)
    text = words("recordatorio", debtor, world.now).text
    places = [text.index(number) for number in ("VIEJA", "NUEVA", "DOLAR")]
    assert places == sorted(places)
    assert "Total en PEN: S/\xa0300.50" in text
    assert "Total en USD: USD\xa0999.00" in text
    assert "Total vencido: S/\xa0300.50 + USD\xa0999.00" in text
    assert "FUTURA" not in text
    assert "PAGADA" not in text


@pytest.mark.parametrize(
    ("country", "currency", "minor", "shown", "day"),
    [
        ("CL", "CLP", 1_234_567, "$1.234.567", "13-11-26"),
        ("CO", "COP", 123_456_789, "$1.234.567,89", "13/11/26"),
        ("MX", "MXN", 123_456_789, "$1,234,567.89", "13/11/26"),
        ("PY", "PYG", 1_234_567, "Gs.\xa01.234.567", "13/11/26"),
        ("ES", "EUR", 123_456_789, "1.234.567,89\xa0€", "13/11/26"),
    ],
)
def test_money_and_dates_are_written_as_in_the_debtors_country(world, country, currency, *, minor, shown, day):
    portfolio = Portfolio.objects.create(
        creditor=world.company.creditor,
        code="OTRO",
        name="Otro",
        industry="INVOICES",
        country=country,
        currency=currency,
        time_zone="America/Lima",
    )
    debtor = world.debtor(portfolio=portfolio)
    world.owes(debtor, amount_minor=minor, days=10, portfolio=portfolio)
    text = words("recordatorio", debtor, world.now).text
    assert shown in text
    assert day in text


def test_a_disputed_account_is_not_asked_for(world):
    debtor = world.debtor()
    world.owes(debtor, number="CLARA")
    disputed = world.owes(debtor, number="DISPUTADA")
    Hold.objects.create(
        debtor=debtor, account=disputed, reason="DISPUTE", starts_on=TODAY, author="ana", created_at=world.now
    )
    text = words("recordatorio", debtor, world.now).text
    assert "CLARA" in text
    assert "DISPUTADA" not in text


def test_a_name_cannot_become_html(world):
    debtor = world.debtor(name="<script>alert(1)</script>")
    world.owes(debtor)
    letter = words("recordatorio", debtor, world.now)
    assert "<script>" not in letter.html
    assert "&lt;script&gt;" in letter.html


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{GOOD}\n{{{{ acredor }}}}", "text, line 2: unknown variable «acredor». Did you mean «acreedor»?"),
        (GOOD + "{% for g in vencidos %}{{ g.totales }}{% endfor %}", "unknown field «totales»"),
        (GOOD + "{{ nombre|uper }}", "Did you mean «upper»?"),
        (GOOD + "{% if %}", "text, line 1"),
        (GOOD + "{{ nombre.__class__ }}", "unknown field «__class__»"),
        (GOOD + "{{ nombre['x'] }}", "is not allowed"),
        (GOOD + "{{ lipsum() }}", "unknown variable «lipsum»"),
        (GOOD + "{{ nombre * 999999999 }}", "«Mul» is not allowed"),
        (GOOD + "{% include 'x' %}", "«Include» is not allowed"),
        (GOOD + "{% autoescape false %}{{ nombre }}{% endautoescape %}", "«ScopedEvalContextModifier» is not allowed"),
        ("", "it is empty"),
        (GOOD + "x" * 100_001, "it is too long"),
        (GOOD.replace("{{ acreedor }}", ""), "it does not say the creditor"),
        (GOOD.replace("{{ total_vencido }}", ""), "it does not say the total"),
        (GOOD.replace("{{ como_pagar }}", ""), "it does not say how to pay"),
        (GOOD.replace("{{ como_reclamar }}", ""), "it does not say how to object"),
    ],
)
def test_a_wrong_template_is_refused_with_place_and_nearest_name(db, now, text, said):
    with translation.override("en"), pytest.raises(messaging.TemplateRefused) as refused:
        own_words(now, text=text)
    with translation.override("en"):
        assert said in str(refused.value)
    assert not Template.objects.exists()


def test_all_mistakes_are_said_at_once():
    found = find_mistakes(subject="{{ aa }}", text="{{ bb }}\n{{ cc }}", html="{{ dd }}")
    assert [(mistake.part, mistake.line) for mistake in found] == [
        ("subject", 1),
        ("text", 1),
        ("text", 2),
        ("html", 1),
    ]


def test_data_that_do_not_fit_are_said(world):
    debtor = world.debtor()
    template = Template(
        channel="email", language="es", subject="x", text=GOOD + "{{ vencidos.total.numero }}", html=GOOD
    )
    with pytest.raises(NotRendered):
        messaging.preview_message(template=template, debtor_id=debtor.pk, now=world.now)


@pytest.mark.parametrize(
    "bomb",
    [
        "{{ '%999999999s' % nombre }}",
        "{{ nombre * 999999999 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{% set a = nombre ~ nombre %}{{ a }}",
        "{{ nombre + nombre }}",
        "{% for a in vencidos %}{% for b in vencidos %}{% for c in vencidos %}.{% endfor %}{% endfor %}{% endfor %}",
    ],
)
def test_what_could_fill_the_memory_is_not_kept(bomb):
    found = find_mistakes(subject="{{ acreedor }}", text=GOOD + bomb, html=GOOD)
    assert found
    assert {mistake.part for mistake in found} == {"text"}


def test_groups_their_documents_conditions_and_filters_are_kept():
    rows = "{% for g in vencidos %}{% for d in g.documentos %}{{ d.numero|upper }}{% endfor %}{% endfor %}"
    asked = "{% if por_vencer|length > 1 and not vencidos %}{{ nombre|default('-') if nombre else fecha }}{% endif %}"
    assert not find_mistakes(subject="{{ acreedor }}", text=GOOD + rows + asked, html=GOOD + rows + asked)
