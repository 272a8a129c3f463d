"""No parameter of an address and no field of a form, whatever it holds, ends in a failure of ours.

The names are not listed: a page is asked once while the names that it reads are written down, and then again with odd
values for them. So a new screen is asked too.
"""

import pytest
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from tests import extent

from .addresses import ADDRESSES, numbers
from .test_scope import body, undone

ODD = {
    "null character": "BAJA\0",
    "five thousand digits": "1" * 5_000,
    "other digits": "٣٤",
    "nineteen digits": "9" * 19,
    "below zero": "-1",
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "last month": "9999-12",
    "first instant": "0001-01-01T00:00",
    "a week": "2026-W53-7",
    "exponent": "1e1000000000",
    "no number": "NaN",
    "quotation marks": "'\"`;--\\",
    "wildcards": "%_%\\",
    "long": "á" * 9_000,
    "nested": "(" * 400 + ")" * 400,
    "sum": "dpd > " + "1+" * 290 + "1",
    "JSON": '{"a": [null, 1e999]}',
    "half an address": "https://[",
    "half a mail server": "smtp://[:",
    "empty": "",
}
DAILY = ["five thousand digits", "last day"]
NAMES = extent.choose(daily=DAILY, whole=list(ODD))
ASKED = extent.choose(daily=sorted(ADDRESSES)[::4], whole=sorted(ADDRESSES))


@pytest.mark.parametrize("name", ASKED)
def test_an_odd_value_of_any_parameter_is_answered(at_desk, world, asked_for, name):
    method, may, form = ADDRESSES[name]
    person = at_desk(min(may))
    address = reverse(f"console:{name}", kwargs=numbers(name, world))
    with undone():
        body(getattr(person, method)(address, form))  # reading a download to its end is what closes it
    parameters = sorted(asked_for - {"csrfmiddlewaretoken"})
    failed = []
    for odd in NAMES:
        # Each by itself in the long run, all at once day by day.
        for together in extent.choose(daily=[parameters], whole=[[each] for each in parameters]):
            fields = MultiValueDict({**{key: [value] for key, value in form.items()}})
            for parameter in together:
                fields[parameter] = ODD[odd]
            with undone():
                answer = getattr(person, method)(address, fields.dict())
                body(answer)
            status = answer.status_code
            if status >= 500 or (together and odd == "null character" and status != 400):
                failed.append((odd, together, status))
    assert failed == []


@pytest.mark.parametrize(
    "address", ["/ficha/99999999999999999999/", "/ficha/" + "1" * 5_000 + "/", "/cargas/nueva/%00/"]
)
def test_a_number_that_no_row_can_have_leads_nowhere(at_desk, world, address):
    assert at_desk("carla").get(address).status_code == 404


@pytest.mark.parametrize("address", ["/entrar/?next=%00", "/cartera/?q=%ff%fe", "/d/estado/%00"])
def test_addresses_that_nobody_signs_in_for_are_answered_too(client, db, address):
    assert client.get(address).status_code in {200, 302, 400, 404}


def test_a_field_that_nobody_types_is_refused_on_a_page_of_the_portal(client, db):
    assert client.post("/d/estado/ninguno", {"figures": "12\0"}).status_code == 400
