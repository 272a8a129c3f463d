"""Kept installations: each is restored as it was, brought to the present by the product's command, and compared.

How they are made and renewed is in docs/testing.md.
"""

from __future__ import annotations

import lzma
import os
import pickle
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from cryptography import x509
from django.db import connection, migrations, transaction
from django.db.migrations.state import ProjectState
from django.test import Client

from recobra.access.models import User
from recobra.approvals.models import Approval
from recobra.installation.data_files import RESTORED_DATABASE
from recobra.journal.facts import FactRefused
from recobra.journal.models import Entry
from recobra.journal.seal_signature import trusted_signers
from recobra.journal.verification import verify_journal
from recobra.kit import clock, privileges
from recobra.kit.database_roles import OWNER
from recobra.portfolio import snapshot
from recobra.portfolio.models import Account, Creditor, Portfolio
from tests import databases
from tests.cli.commands import run_here
from tests.cli.conftest import database_addresses
from tests.environment import HOME, WORKER

from .figures import Figures, find_losses, read_figures

DUMPS = sorted(Path(__file__).parent.glob("*.dump.xz"))
# The oldest one runs every migration and the newest one has rows of every table; those between do both in part.
KEPT = [pytest.param(dump, marks=pytest.mark.long if dump in DUMPS[1:-1] else ()) for dump in DUMPS]
PAGES = (
    "/",
    "/cartera/",
    "/mensajes/",
    "/mensajes/plantillas/",
    "/conversaciones/",
    "/conversaciones/1/",
    "/estrategias/consumo/",
    "/campanas/recordatorio-whatsapp/",
    "/cargas/",
    "/ciclo/",
    "/reglas/",
    "/auditoria/",
    "/incidentes/",
    "/cumplimiento/",
    "/alcance/",
)


def _has(figures: Figures, name: str) -> bool:
    """Return whether there is a table, or a column of one, of that name."""
    table, _dot, column = name.partition(".")
    return table in figures and (not column or column in figures[table].digests)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What a migration moved or encrypted, and a query that gives it before and one that gives it at the present.

    `left` are the columns and tables that it left, `to` the table that it made. The installations that have all of the
    first and not the second are compared. What only the product's own field can decrypt is read by a function.
    """

    was: str
    now: str | Callable[[], list[tuple[object, ...]]]
    to: str
    left: tuple[str, ...] = ()

    def applies_to(self, figures: Figures) -> bool:
        """Return whether an installation holds it where it was."""
        return self.to not in figures and all(_has(figures, name) for name in self.left)


MOVED = {
    "decisions about templates are approvals": Moved(
        to="approvals_approval",
        left=("messaging_template.decided_at", "messaging_template.decided_by", "messaging_template.decision_note"),
        was="""SELECT id, status, decided_by, decision_note, decided_at FROM messaging_template
            WHERE decided_by NOT IN ('', 'library') ORDER BY id""",
        now="""SELECT subject::bigint AS id, decision, decided_by, reason, decided_at FROM approvals_approval
            WHERE kind = 'template' AND decision <> 'WAITING' ORDER BY id""",
    ),
    "settings of a portfolio are the first version of its policy": Moved(
        to="policy_portfoliopolicy",
        left=(
            "portfolio_portfolio.freshness_days",
            "portfolio_portfolio.waterfall",
            "portfolio_portfolio.limits",
            "portfolio_portfolio.attributes",
        ),
        was="""SELECT code, freshness_days, waterfall ->> 'by', (limits ->> 'administrative_from')::int,
                (limits ->> 'late_from')::int, (attributes #>> '{conversation,promise_days}')::int,
                attributes #>> '{conversation,people_from}', (attributes - 'conversation')::text
            FROM portfolio_portfolio ORDER BY code""",
        now="""SELECT code, (document ->> 'freshness_days')::int, document #>> '{waterfall,by}',
                (document ->> 'administrative_from')::int, (document ->> 'late_from')::int,
                (document ->> 'promise_days')::int, document ->> 'people_from',
                attributes::text
            FROM portfolio_portfolio portfolio JOIN policy_portfoliopolicy ON portfolio_id = portfolio.id
            ORDER BY code""",
    ),
    "the company's holidays are in the policies of the country": Moved(
        to="policy_portfoliopolicy",
        left=("portfolio_companyholiday",),
        was="SELECT day::text, name FROM portfolio_companyholiday ORDER BY day",
        now="""SELECT DISTINCT holiday ->> 'day', holiday ->> 'name' FROM policy_portfoliopolicy,
                jsonb_array_elements(document -> 'holidays') AS holiday ORDER BY 1""",
    ),
    "where debtors pay is encrypted": Moved(
        to="installation_backuprun",
        left=("portfolio_creditor.payment_instructions",),
        was="SELECT code, payment_instructions FROM portfolio_creditor ORDER BY code",
        now=lambda: [(creditor.code, creditor.payment_instructions) for creditor in Creditor.objects.order_by("code")],
    ),
    "what approvals compare is encrypted": Moved(
        to="approvals_secondpersonrule",
        left=("approvals_approval.old", "approvals_approval.new"),
        was="SELECT id, old, new FROM approvals_approval ORDER BY id",
        now=lambda: [(approval.pk, approval.old, approval.new) for approval in Approval.objects.order_by("pk")],
    ),
    "promises are rows": Moved(
        to="agreements_promise",
        was="""SELECT debtor_id, payload ->> 'date', (payload ->> 'amount_minor')::bigint, actor FROM journal_entry
            WHERE kind = 'promise.registered' ORDER BY id""",
        now="SELECT debtor_id, promised_on::text, amount_minor, registered_by FROM agreements_promise ORDER BY id",
    ),
    "wrong proofs of identity are rows": Moved(
        to="conversations_identityattempt",
        was="SELECT debtor_id, at FROM journal_entry WHERE kind = 'identity.refused' ORDER BY id",
        now="SELECT debtor_id, at FROM conversations_identityattempt ORDER BY id",
    ),
    "disputes are rows": Moved(
        to="conversations_dispute",
        was="SELECT debtor_id, at FROM journal_entry WHERE kind = 'dispute.opened' ORDER BY id",
        now="SELECT debtor_id, opened_at FROM conversations_dispute ORDER BY id",
    ),
    "what Meta says of a template is kept by provider": Moved(
        to="messaging_templateregistration",
        left=(
            "messaging_template.provider_name",
            "messaging_template.provider_status",
            "messaging_template.provider_reference",
            "messaging_template.provider_asked_at",
        ),
        was="""SELECT template.id, provider.id, provider_name, provider_status, provider_reference
            FROM messaging_template template JOIN messaging_provider provider ON provider.kind = 'whatsapp'
            WHERE provider_name <> '' ORDER BY 1, 2""",
        now="""SELECT template_id, provider_id, name, status, reference FROM messaging_templateregistration
            ORDER BY 1, 2""",
    ),
    "how people take a template is kept by provider": Moved(
        to="messaging_templateregistration",
        left=("messaging_template.provider_quality",),
        was="""SELECT template.id, provider.id, provider_quality
            FROM messaging_template template JOIN messaging_provider provider ON provider.kind = 'whatsapp'
            WHERE provider_name <> '' ORDER BY 1, 2""",
        now="SELECT template_id, provider_id, quality FROM messaging_templateregistration ORDER BY 1, 2",
    ),
}
FAULTS = {
    "rows are dropped": "DELETE FROM portfolio_hold WHERE id = (SELECT min(id) FROM portfolio_hold)",
    "an amount is changed": "UPDATE payments_payment SET amount_minor = amount_minor + 1 WHERE id = 1",
    "a date is lost": "UPDATE payments_payment SET paid_date = paid_date + 1 WHERE id = 2",
    "a column is emptied": "UPDATE portfolio_debtor SET name = ''",
    "a table is dropped": "DROP TABLE strategy_kpiday",
}


@dataclass(frozen=True, kw_only=True)
class Before:
    """What an installation held before it was brought to the present."""

    figures: Figures
    balances: Mapping[int, int]
    moved: Mapping[str, list[tuple[object, ...]]]


def _restore(dump: Path, memory: Path) -> None:
    """Fill the empty database that Django uses with a dump, and bring it to the present by the product's commands."""
    url = databases.url_of(OWNER)
    with TemporaryDirectory(prefix="kept-", dir=HOME) as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "installation.dump"
        file.write_bytes(lzma.decompress(dump.read_bytes()))
        environment = {**os.environ, "RECOBRA_DATA_DIR": folder, **database_addresses(url)}
        restored = run_here("db", "restore", file, environment=environment)
        assert restored.code == 0, restored.err
        with psycopg.connect(url) as server:
            owed = server.execute("SELECT account_id, sum(amount_minor) FROM portfolio_posting GROUP BY account_id")
            balances = {account_id: int(total) for account_id, total in owed if total}
            figures = read_figures(server)
            moved = {}
            for name, each in MOVED.items():
                if each.applies_to(figures):
                    moved[name] = server.execute(each.was).fetchall()
            memory.write_bytes(pickle.dumps(Before(figures=figures, balances=balances, moved=moved)))
        # That sending stops after a restore is proved in tests/cli/test_database.py; here nothing is to be added. A
        # dump of the present state has stopped it already, before it was looked at.
        (Path(folder) / RESTORED_DATABASE).unlink(missing_ok=True)
        migrated = run_here("db", "migrate", environment=environment)
        assert migrated.code == 0, migrated.err


@pytest.fixture(scope="module", params=KEPT, ids=lambda dump: dump.name.partition(".")[0])
def before(request, django_db_setup, django_db_blocker):
    """Let Django use an installation that was kept and is at the present; give what it held before."""
    name = request.param.name.partition(".")[0]
    memory = HOME / f"kept_{name}.pickle"
    with django_db_blocker.unblock():
        restore = partial(_restore, request.param, memory)
        databases.create_database(f"{WORKER}_kept_{name}", template=f"kept_{name}", fill=restore, source="template1")
        databases.connect_django_to(f"{WORKER}_kept_{name}")
    yield pickle.loads(memory.read_bytes())
    with django_db_blocker.unblock():
        databases.connect_django_to(WORKER)


@pytest.fixture
def db(before, db):
    """Ask for the kept installation, to leave it as it was."""


def _losses(before: Before) -> list[str]:
    connection.ensure_connection()
    moved = {left for name in before.moved for left in MOVED[name].left}
    return find_losses(before.figures, read_figures(connection.connection), moved=moved)


def test_everything_that_was_there_is_there(before, db):
    assert _losses(before) == []


def test_what_was_moved_is_where_it_was_moved_to(before, db):
    with connection.cursor() as cursor:
        for name, rows in before.moved.items():
            now = MOVED[name].now
            if isinstance(now, str):
                cursor.execute(now)
                assert cursor.fetchall() == rows, name
            else:
                assert now() == rows, name


def test_every_account_owes_to_the_cent_what_it_owed(before, db):
    scope = snapshot.Scope(portfolio_ids=list(Portfolio.objects.values_list("pk", flat=True)))
    owed: Counter[int] = Counter()
    for item in snapshot.read_open_items(scope, as_of=date(2100, 1, 1)).to_pylist():
        owed[item["account_id"]] += item["open_minor"]
    assert len(before.balances) > 20
    assert {account_id: total for account_id, total in owed.items() if total} == before.balances


def test_the_journal_agrees_with_its_seals(before, db):
    kept = [x509.load_pem_x509_certificate(file.read_bytes()) for file in Path(__file__).parent.glob("*.pem")]
    verified = verify_journal(signers=trusted_signers(certificates=kept, now=clock.now()))
    assert (verified.first_altered, verified.days > 1) == (None, True)
    assert verified.rows == before.figures["journal_entry"].rows


def test_every_fact_of_the_journal_is_read_back_as_its_type(before, db):
    kinds = set()
    refused = {}
    for entry in Entry.objects.all():
        kinds.add(entry.kind)
        try:
            entry.fact()
        except FactRefused as error:
            refused[entry.kind] = str(error)
    assert refused == {}
    assert len(kinds) > 50, "an installation has facts of many kinds"


def test_its_pages_open(before, db):
    client = Client()
    client.force_login(User.objects.get(username="carla"))
    closed = [page for page in PAGES if client.get(page).status_code != 200]
    account = Account.objects.get(pk=min(before.balances))
    assert client.get(f"/ficha/{account.debtor_id}/cuentas/{account.pk}/").status_code == 200
    assert client.get(f"/ficha/{account.debtor_id}/").status_code == 200
    assert closed == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_migration_is_found(before, db, fault):
    class Planted(migrations.Migration):
        operations = [migrations.RunSQL(FAULTS[fault])]

    with transaction.atomic():
        with databases.acting_as_owner(), connection.schema_editor(atomic=False) as editor:
            privileges.drop_reporting()
            Planted("planted", "journal").apply(ProjectState(), editor)
        losses = _losses(before)
        transaction.set_rollback(True)
    assert len(losses) == 1
    assert re.split("[.: ]", losses[0])[0] in FAULTS[fault]
