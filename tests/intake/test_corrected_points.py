"""What a person corrected or took out of use is not undone by the next file."""

from __future__ import annotations

from datetime import date

import pytest

from recobra.consent.opt_out import record_wrong_person
from recobra.portfolio.contact_points import add_contact_point, correct_contact_point, retire_contact_point
from recobra.portfolio.models import ContactPoint, Debtor
from tests.people import acting

from .conftest import FILE, MAPPING

OLD, NEW, MAIL = "+51987654321", "+51955666777", "rosa@example.com"
NEXT_DAY = FILE.replace("1.234,50", "1.200,50")


@pytest.fixture
def rosa(load):
    load()
    return Debtor.objects.get(external_id="C1")


def in_use(debtor):
    points = debtor.points.filter(retired_at=None).exclude(kind="ADDRESS").order_by("-quality", "pk")
    return list(points.values_list("value", flat=True))


def correct(debtor, now):
    """Let Ana correct the telephone and retire the e-mail on 2026-11-23."""
    ana = acting("ana", now=now)
    phone, mail = (debtor.points.get(value=value) for value in (OLD, MAIL))
    correct_contact_point(point_id=phone.pk, value="955 666 777", note="Lo dio ella", actor=ana)
    retire_contact_point(point_id=mail.pk, reason="NO_LONGER", actor=ana)


def test_the_next_file_leaves_what_a_person_corrected(rosa, load, now):
    correct(rosa, now)
    result = load(NEXT_DAY, as_of=date(2026, 11, 25))
    assert result["updated"] == 1
    assert in_use(rosa) == [NEW]
    # What the file brings for the first time comes after what a person has just found.
    load(NEXT_DAY.replace("987 654 321", "911 222 333"), as_of=date(2026, 11, 26))
    assert in_use(rosa) == [NEW, "+51911222333"]


def test_a_later_file_counts_where_the_mapping_says_so_and_never_for_somebody_elses(rosa, load, now):
    correct(rosa, now)
    files_win = MAPPING | {"options": {"corrections": "file"}}
    load(NEXT_DAY, mapping=files_win, as_of=date(2026, 11, 23))
    assert in_use(rosa) == [NEW], "a file of the same day is not newer"
    load(FILE.replace("1.234,50", "1.100,50"), mapping=files_win, as_of=date(2026, 11, 25))
    assert in_use(rosa) == [OLD, MAIL, NEW]
    record_wrong_person(kind="PHONE", value=OLD, source="STAFF", said="No", actor=acting("ana", now=now))
    load(FILE.replace("1.234,50", "1.000,50"), mapping=files_win, as_of=date(2026, 11, 26))
    assert in_use(rosa) == [MAIL, NEW]


def test_another_spelling_of_a_retired_number_does_not_bring_it_back(rosa, load, now):
    ana = acting("ana", now=now)
    point = add_contact_point(debtor_id=rosa.pk, kind="PHONE", value="+54 9 11 2345 6789", note="Lo dio", actor=ana)
    retire_contact_point(point_id=point.pk, reason="OUT_OF_SERVICE", actor=ana)
    load(NEXT_DAY.replace("987 654 321", "+54 11 2345 6789"), as_of=date(2026, 11, 25))
    other = ContactPoint.objects.get(debtor=rosa, value="+541123456789")
    assert (other.retired_because, set(in_use(rosa))) == ("OUT_OF_SERVICE", {OLD, MAIL})
