"""Evidence, incidents, the monthly report, letters and visits: at a desk and on a phone, judged by axe."""

import pytest

from recobra.compliance.incidents import record_incident
from recobra.compliance.models import Incident
from recobra.kit import clock
from recobra.messaging.models import Letter, LetterBatch
from recobra.workbench.models import Visit
from tests.people import acting

from .scenes import assert_accessible, visit

pytestmark = pytest.mark.browser
PAGES = {
    "constancia": ("/ficha/{debtor}/constancia/", "claro"),
    "incidentes": ("/incidentes/", "claro"),
    "cumplimiento": ("/cumplimiento/?pais=PE", "claro"),
    "cartas": ("/cartas/", "claro"),
    "visitas": ("/visitas/", "telefono"),
    "visita": ("/visitas/{visit}/", "telefono"),
}


@pytest.fixture
def numbers(world):
    """An open and a closed incident, letters in the tray and printed, a visit to make."""
    now, sent = clock.now(), world.sent
    for kind in ("COMPLAINT", "BREACH"):
        record_incident(
            kind=kind,
            country="PE",
            happened_at=now,
            description="Se quejó del tono.",
            debtor_id=sent.debtor_id,
            actor=acting("bruno", now=now),
        )
    Incident.objects.filter(kind="BREACH").update(
        closed_at=now, closed_by="carla", corrective_action="Se habló con el gestor."
    )
    LetterBatch.objects.create(created_at=now, created_by="bruno", courier="Serpost", letters_count=12)
    Letter.objects.create(contact=sent, reference="PE-1", changed_at=now)
    visit = Visit.objects.create(contact=sent, area="PE-LIM 15001", route_date=now.date())
    return {"debtor": sent.debtor_id, "visit": visit.pk}


def test_the_pages_of_paper_are_accessible(page_for, numbers, look):
    pages = {scene: page_for("bruno", scene) for scene in ("claro", "telefono")}
    for name, (address, scene) in PAGES.items():
        page = pages[scene]
        visit(page, address.format(**numbers))
        page.wait_for_selector("#main h1")
        look(page, name)
        assert_accessible(page)
