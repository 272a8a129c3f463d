"""The register of incidents and the month of a country."""

from datetime import date, timedelta

import pytest

from recobra.compliance.incidents import (
    IncidentRefused,
    close_incident,
    record_attempts,
    record_breaches,
    record_complaints,
    record_incident,
)
from recobra.compliance.models import Incident
from recobra.compliance.report import report_pdf
from recobra.consent.opt_out import record_opt_out
from recobra.insight.queries.compliance import compliance_month, compliance_report, spreadsheet_rows
from recobra.messaging.models import Contact
from tests.messaging.letters.pdf_text import pages
from tests.people import acting


def recorded(now, **changes):
    facts = {
        "kind": "COMPLAINT",
        "country": "PE",
        "happened_at": now,
        "description": "Llamó molesta.",
        "actor": acting("bruno", now=now),
    }
    return record_incident(**facts | changes)


def test_an_incident_says_what_the_law_threatens(db, now):
    assert "INDECOPI" in recorded(now).potential_fine


SILENT = "law silent; project default: one contact a day per channel"


@pytest.mark.parametrize(
    ("country", "facts", "cost"),
    [
        ("PE", {"rule": "PE/call/window"}, ("hours", 450, "UIT", "Ley 29571 arts. 108 and 110")),
        ("MX", {"rule": "MX/call/window"}, ("hours", 2_000, "días", "LTOSF art. 41 ff.")),
        ("MX", {"rule": "MX/default/cap-1", "article": SILENT}, ("", None, "", "")),
        ("MX", {"breach": "content"}, ("content", 300_000, "MXN", "CPF art. 284 Bis (number from memory)")),
        ("BO", {"breach": "hours"}, ("hours", None, "", "company decides")),
        ("PE", {"rule": "HOUSE/suave.1/1"}, ("", None, "", "")),
    ],
)
def test_an_incident_is_valued_by_its_kind_of_breach(db, now, country, facts, cost):
    incident = recorded(now, country=country, **facts)
    assert (incident.breach, incident.fine_most, incident.fine_unit, incident.fine_source) == cost


def test_a_kind_of_breach_that_nobody_knows_is_refused(db, now):
    with pytest.raises(IncidentRefused):
        recorded(now, breach="luna")


def test_an_incident_is_closed_with_what_was_done(db, now):
    incident = recorded(now)
    with pytest.raises(IncidentRefused):
        close_incident(incident_id=incident.pk, corrective_action=" ", actor=acting("carla", now=now))
    close_incident(incident_id=incident.pk, corrective_action="Se habló con el gestor.", actor=acting("carla", now=now))
    with pytest.raises(IncidentRefused):
        close_incident(incident_id=incident.pk, corrective_action="Otra vez", actor=acting("carla", now=now))


def test_a_form_that_comes_twice_is_one_incident_and_the_same_words_of_another_hour_are_another(db, now):
    def again(happened_at):
        return recorded(now, happened_at=happened_at, actor=acting("bruno", now=later))

    later = now + timedelta(minutes=1)
    recorded(now)
    earlier = now - timedelta(hours=3)
    again(earlier)
    for instant in (later, earlier):
        with pytest.raises(IncidentRefused):
            again(instant)


def test_what_cannot_be_an_incident_is_refused(db, now):
    for wrong in (
        {"kind": "JOKE"},
        {"country": "XX"},
        {"description": " "},
        {"happened_at": now + timedelta(days=1)},
        {"debtor_id": 999_999},
        {"contact_id": 999_999},
    ):
        with pytest.raises(IncidentRefused):
            recorded(now, **wrong)


def test_a_message_after_a_baja_is_a_breach_also_when_nobody_knows_if_it_arrived(post, now):
    debtor = post.debtor()
    point = debtor.points.get()
    post.sent(debtor, handed_over_at=post.later(hours=-2), planned_for=date(2026, 11, 20))
    record_opt_out(point_id=point.pk, source="STAFF", actor=acting("ana", now=post.later(hours=-1)))
    post.sent(debtor, status="UNCERTAIN", reason="lost", sent_at=None)
    assert record_breaches(since=post.later(days=-3), actor=acting("system", now=now)) == 1
    assert record_breaches(since=post.later(days=-3), actor=acting("system", now=now)) == 0
    breach = Incident.objects.get()
    assert (breach.kind, breach.country, breach.contact.status) == ("BREACH", "PE", "UNCERTAIN")
    assert breach.potential_fine


def test_a_baja_of_a_line_counts_in_all_ways_of_writing_it(post, now, cast):
    debtor = post.debtor()
    point = debtor.points.create(kind="PHONE", value="+5215512345678", valid=True)
    record_opt_out(kind="PHONE", value="+525512345678", source="STAFF", actor=acting("ana", now=post.later(hours=-1)))
    post.sent(debtor, channel="sms", point=point, address=point.value)
    assert record_breaches(since=post.later(days=-3), actor=acting("system", now=now)) == 1
    assert compliance_month(cast["carla"], country="PE", month=date(2026, 11, 1)).opt_outs == 1


def test_what_the_last_check_stopped_is_an_attempt_what_lacked_a_template_is_none(post, now):
    stopped = post.sent(
        post.debtor(),
        status="BLOCKED",
        reason="closed_day",
        rule="PE/letter/hours",
        article="art. 62.b",
        handed_over_at=None,
        sent_at=None,
        judged_at=now,
    )
    lacking = post.sent(post.debtor(), status="BLOCKED", reason="no_template", handed_over_at=None, sent_at=None)
    assert record_attempts(contact_ids=[stopped.pk, lacking.pk], actor=acting("dispatch", now=now)) == 1
    assert Incident.objects.get().article == "art. 62.b"


def test_a_complaint_that_came_in_is_entered_once(post, now):
    contact = post.sent(post.debtor(), complained_at=now)
    assert [record_complaints(contact_ids=[contact.pk], actor=acting("provider", now=now)) for _ in range(2)] == [1, 0]


@pytest.fixture
def month(post, now):
    """Two letters sent, one stopped, one complaint, one baja."""
    first, second = post.debtor("Ana"), post.debtor("Luz", address="Otra calle 1")
    post.sent(first)
    complained = post.sent(second, complained_at=now)
    post.sent(
        post.debtor("Eva", address="Calle 3"),
        status="BLOCKED",
        reason="closed_day",
        rule="PE/letter/hours",
        article="art. 62.b",
        handed_over_at=None,
        sent_at=None,
        judged_at=now,
    )
    record_complaints(contact_ids=[complained.pk], actor=acting("provider", now=now))
    record_opt_out(point_id=first.points.get().pk, source="STAFF", actor=acting("ana", now=now))
    return date(2026, 11, 1)


def test_the_month_counts_what_happened(month, cast, now):
    found = compliance_month(cast["carla"], country="PE", month=month)
    assert found.sent == {"letter": 2}
    assert [(each.rule, each.count) for each in found.stopped] == [("PE/letter/hours", 1)]
    assert found.incidents == {"ATTEMPT": 0, "BREACH": 0, "COMPLAINT": 1}
    assert (found.opt_outs, found.debtors, found.compliance_rate) == (1, 2, 1.0)
    assert found.complaints_per_1000 == 500


def test_a_breach_of_which_nobody_knows_if_it_arrived_counts_among_what_left(month, cast, post, now):
    lost = post.sent(post.debtor("Iris", address="Calle 9"), status="UNCERTAIN", reason="lost", sent_at=None)
    recorded(now, kind="BREACH", contact_id=lost.pk)
    found = compliance_month(cast["carla"], country="PE", month=month)
    assert (found.all_sent, found.uncertain, found.compliance_rate) == (2, 1, 1 - 1 / 3)


def test_another_month_and_another_persons_portfolios_are_empty(month, cast):
    assert compliance_month(cast["carla"], country="PE", month=date(2026, 12, 1)).all_sent == 0
    nothing = compliance_month(cast["zoe"], country="PE", month=month)
    assert (nothing.all_sent, nothing.all_stopped, nothing.opt_outs, len(nothing.register)) == (0, 0, 0, 0)


def test_the_month_starts_at_midnight_of_the_country(month, cast, post, now):
    Contact.objects.filter(status="SENT").update(handed_over_at=post.now.replace(day=1, hour=4, minute=59))
    assert compliance_month(cast["carla"], country="PE", month=month).all_sent == 0
    assert compliance_month(cast["carla"], country="PE", month=date(2026, 10, 1)).all_sent == 2


def test_the_report_is_a_document_and_a_table(month, cast, now):
    found = compliance_month(cast["carla"], country="PE", month=month)
    text = "".join(pages(report_pdf(compliance_report(found, made_by="carla", now=now), at=now)))
    for part in ("Perú", "2026-11", "PE/letter/hours", "art. 62.b", "INDECOPI"):
        assert part in text
    assert len({len(line) for line in spreadsheet_rows(found)}) == 1
