"""What is stored of the law in the words of its data is read in the reader's language, on reports and on paper."""

from datetime import date

import pytest
from django.utils import translation

from recobra.compliance.incidents import record_incident
from recobra.compliance.report import report_pdf
from recobra.insight.queries.compliance import compliance_month, compliance_report, spreadsheet_rows
from recobra.messaging.queries import cite_article
from tests.messaging.letters.pdf_text import pages
from tests.people import acting

SILENT = "law silent; project default: one contact a day per channel"


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (SILENT, "La ley calla; criterio del proyecto: un contacto al día por canal"),
        ("Ley 2300 de 2023 art. 3", "Ley 2300 de 2023 art. 3"),
        ("DISPUTE", "Disputa"),
        ("Project default", "Norma propia del producto"),
        ("art. 62.b", "art. 62.b"),
        ("", ""),
    ],
)
def test_an_article_is_cited_in_spanish(stored, read):
    with translation.override("es"):
        assert cite_article(stored) == read


def test_an_article_is_cited_in_english_as_it_is_stored():
    with translation.override("en"):
        assert cite_article(SILENT) == SILENT
        assert cite_article("DISPUTE") == "Dispute"


@pytest.fixture
def stopped(post, now):
    """A letter that a limit of the project stopped in Peru this month."""
    return post.sent(
        post.debtor(),
        status="BLOCKED",
        reason="day_cap",
        rule="PE/default/cap-1",
        article=SILENT,
        handed_over_at=None,
        sent_at=None,
        judged_at=now,
    )


def test_the_monthly_report_of_peru_is_spanish(stopped, cast, now):
    record_incident(
        kind="BREACH",
        country="PE",
        happened_at=now,
        description="Llamó a las once de la noche.",
        breach="hours",
        actor=acting("bruno", now=now),
    )
    found = compliance_month(cast["carla"], country="PE", month=date(2026, 11, 1))
    assert [each.article for each in found.stopped] == [SILENT]
    with translation.override("es"):
        paper = " ".join(
            " ".join(pages(report_pdf(compliance_report(found, made_by="carla", now=now), at=now))).split()
        )
        lines = spreadsheet_rows(found)
    assert "leve hasta 50 UIT, grave 150" in paper
    assert "La ley calla" in paper
    assert "law silent" not in paper
    assert "minor up to" not in paper
    assert ["PE/default/cap-1 La ley calla; criterio del proyecto: un contacto al día por canal", 1] in lines
