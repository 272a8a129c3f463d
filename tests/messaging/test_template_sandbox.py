"""Whoever writes a template gets the fields of its rows, and nothing behind them."""

from __future__ import annotations

from dataclasses import fields

import pytest
from jinja2 import UndefinedError
from jinja2.sandbox import SandboxedEnvironment, SecurityError

from recobra.messaging.templates.check import find_mistakes
from recobra.messaging.templates.facts import ConceptLine, CurrencyGroup, DocumentLine
from recobra.messaging.templates.sandbox import TemplateSandbox

DOCUMENT = DocumentLine(numero="F-1", vencimiento="1/11/26", importe="S/ 10.00", dias=24)
GROUP = CurrencyGroup(
    moneda="PEN",
    documentos=(DOCUMENT,),
    conceptos=(ConceptLine(nombre="<b>Capital</b>", importe="S/ 10.00"),),
    total="S/ 10.00",
)


class Tampered(DocumentLine):
    """A row of another class, whose field is not that of its parent."""

    @property
    def numero(self):
        """Give away what no template may have."""
        return "{0.__class__}".format


def fill_in(source, *, autoescape=False, **values):
    return TemplateSandbox(autoescape=autoescape).from_string(source).render(g=GROUP, d=DOCUMENT, **values)


@pytest.mark.parametrize("row", [GROUP, DOCUMENT, GROUP.conceptos[0]], ids=lambda row: type(row).__name__)
def test_every_field_of_a_row_is_given_as_the_plain_sandbox_gives_it(row):
    plain = SandboxedEnvironment()
    for field in fields(row):
        assert not field.name.startswith("_")
        assert TemplateSandbox(autoescape=False).getattr(row, field.name) is plain.getattr(row, field.name)
        assert not callable(getattr(row, field.name))


def test_what_is_filled_into_html_is_escaped():
    row = "{% for c in g.conceptos %}{{ c.nombre }} {{ c.importe }}{% endfor %}"
    assert fill_in(row, autoescape=True) == "&lt;b&gt;Capital&lt;/b&gt; S/ 10.00"
    assert fill_in(row) == "<b>Capital</b> S/ 10.00"


@pytest.mark.parametrize(
    "attack",
    [
        "{{ g.__class__ }}",
        "{{ g.__class__.__mro__[1].__subclasses__() }}",
        "{{ g.__dataclass_fields__ }}",
        "{{ g.__slots__ }}",
        "{{ d.__eq__(d) }}",
        "{{ d.__init__.__globals__ }}",
        "{{ d.__reduce__() }}",
        "{{ d.__getattribute__('numero') }}",
        "{{ d['__class__'].__mro__ }}",
        "{{ (d|attr('__class__')).__mro__ }}",
        "{{ d.numero.__class__.__mro__ }}",
        "{{ g.documentos.__class__.__base__ }}",
        "{{ g.documentos.__len__.__self__ }}",
        "{{ '{0.__class__.__mro__}'.format(d) }}",
        "{{ '{d.__init__.__globals__}'.format_map({'d': d}) }}",
        "{{ d.numero.format.__self__ }}",
        "{% set f = '{0.__class__}'.format %}{{ f(g) }}",
        "{{ ('{0.__class__}'|attr('format'))(g) }}",
        "{{ fields(g) }}",
        "{{ range.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ d.otro }}",
        "{{ d.numero.numero }}",
        "{{ otro }}",
    ],
)
@pytest.mark.parametrize("autoescape", [False, True])
def test_nothing_behind_a_row_is_reached(attack, autoescape):
    with pytest.raises((SecurityError, UndefinedError)):
        fill_in(attack, autoescape=autoescape)


def test_a_format_string_in_a_field_is_only_text():
    trap = DocumentLine(numero="{0.__class__}", vencimiento="{{ d.__class__ }}", importe="%s", dias=1)
    assert fill_in("{{ t.numero }} {{ t.vencimiento }} {{ t.importe }}", t=trap) == (
        "{0.__class__} {{ d.__class__ }} %s"
    )
    with pytest.raises(SecurityError):
        fill_in("{{ t.numero.format(d) }}", t=trap)


def test_a_class_derived_from_a_row_is_no_row():
    tampered = Tampered.__new__(Tampered)
    with pytest.raises(SecurityError):
        fill_in("{{ t.numero(d) }}", t=tampered)


TOO_DEEP = {
    "parentheses": "{{ " + "(" * 400 + "deudor" + ")" * 400 + " }}",
    "brackets": "{{ " + "[" * 400 + "]" * 400 + " }}",
    "conditions": "{% if deudor %}" * 400 + "{% endif %}" * 400,
    "loops": "{% for x in grupos %}" * 400 + "{% endfor %}" * 400,
    "negations": "{% if " + "not " * 2000 + "deudor %}a{% endif %}",
    "filters": "{{ deudor" + "|upper" * 2000 + " }}",
    "fields": "{{ deudor" + ".total" * 2000 + " }}",
    "choices": "{{ " + "deudor if deudor else " * 2000 + "deudor }}",
    "sums": "{{ " + "1 + " * 2000 + "1 }}",
    "joined conditions": "{% if " + "deudor and " * 2000 + "deudor %}a{% endif %}",
}


@pytest.mark.parametrize("kind", TOO_DEEP)
def test_a_template_that_nests_without_end_is_refused_with_its_line(kind):
    (mistake, *_others) = find_mistakes(subject="Su cuota", text=f"Hola\n{TOO_DEEP[kind]}", html="<p>a</p>")
    assert (mistake.part, mistake.line) == ("text", 2)


@pytest.mark.parametrize(
    "source",
    ["{{ grupos|join(', ', 'total') }}", "{{ grupos|join(attribute='total') }}", "{{ deudor|default(*grupos) }}"],
)
def test_a_filter_reads_no_attributes(source):
    found = [mistake.found for mistake in find_mistakes(subject="a", text=source, html="<p>a</p>")]
    assert any("argumentos" in each for each in found)


def test_a_test_that_there_is_not_is_refused_before_it_is_sent():
    source = "{% if deudor is definido %}a{% endif %}"
    found = [mistake.found for mistake in find_mistakes(subject="a", text=source, html="<p>a</p>")]
    assert any("definido" in each for each in found)
