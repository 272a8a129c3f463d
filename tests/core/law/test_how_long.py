"""Until when an allowed contact stays allowed, for who judges now and sends a moment later."""

import pytest

from recobra_core.law import LAW_ALONE

CASES = [
    ({"at": "2026-11-23 10:00"}, (True, "2026-11-23 20:00")),
    ({"at": "2026-11-23 19:59"}, (True, "2026-11-23 20:00")),
    ({"at": "2026-11-23 20:00"}, (False, None)),
    ({"at": "2026-11-22 10:00"}, (False, None)),
    # An answer may leave at any hour for a quarter of an hour, in the opening hours for a day (data/PE.yaml).
    ({"at": "2026-11-22 10:00", "answers": 5}, (True, "2026-11-22 10:10")),
    ({"at": "2026-11-22 10:00", "answers": 15}, (False, None)),
    ({"at": "2026-11-23 21:00", "answers": 5}, (True, "2026-11-23 21:10")),
    ({"at": "2026-11-23 19:58", "answers": 5}, (True, "2026-11-23 20:08")),
    ({"at": "2026-11-23 10:00", "answers": 5}, (True, "2026-11-23 20:00")),
    ({"at": "2026-11-23 10:00", "answers": 23 * 60 + 30}, (True, "2026-11-23 10:30")),
]


@pytest.fixture(scope="module")
def answers(until):
    return until([case for case, _answer in CASES])


@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(case) for case, _answer in CASES])
def test_an_allowed_contact_is_so_until_its_hour_or_its_answer_ends(answers, number):
    assert answers[number] == CASES[number][1]


def test_the_company_s_own_hours_end_it_too(until):
    narrow = {"at": "2026-11-23 11:00", "channel": "call", "facts": {"house": "prudente"}}
    assert until([narrow, narrow | {"facts": {"house": LAW_ALONE}}]) == [
        (True, "2026-11-23 12:00"),
        (True, "2026-11-23 20:00"),
    ]
