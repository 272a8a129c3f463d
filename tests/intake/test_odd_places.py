"""Odd file names mean one file; a trial that the database breaks off says why and leaves nothing behind."""

import pyarrow as pa
import pytest
from django.db import connection
from pyarrow import parquet

from recobra.intake.models import Load
from recobra.intake.operations import LoadRefused
from recobra.portfolio.models import Account
from tests import databases, extent

from .conftest import SHORT

ROWS = "cuenta;vence;saldo\n{};01/10/2026;1\n"


NAMES = ["c[ab]", "[1] cartera * (2)", "c*", "c?"]


@pytest.mark.parametrize("name", extent.choose(daily=NAMES[:2], whole=NAMES))
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_name_with_stars_or_brackets_is_one_file(load, tmp_path, name, ending):
    for number, each in enumerate([name, "ca", "cb"]):
        path = tmp_path / f"{each}.{ending}"
        if ending == "csv":
            path.write_text(ROWS.format(f"A{number}"))
        else:
            rows = {"cuenta": [f"A{number}"], "vence": ["2026-10-01"], "saldo": [1.5]}
            parquet.write_table(pa.table(rows), path)
    assert load(tmp_path / f"{name}.{ending}", mapping=SHORT)["rows"] == 1
    assert Account.objects.get().external_id == "A0"


@pytest.fixture(params=["portfolio_debtor", "intake_mapping"])
def broken(company, request):
    """The database refuses whatever is new in a table."""
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {request.param} ADD CONSTRAINT broken CHECK (id < 0) NOT VALID")


@pytest.mark.usefixtures("broken")
def test_a_trial_that_the_database_breaks_off_says_why(load):
    with pytest.raises(LoadRefused, match=r'(IntegrityError|CheckViolation): .*"broken"') as refusal:
        load(ROWS.format("A"), mapping=SHORT, dry_run=True)
    assert refusal.value.code == "failed"
    assert (Load.objects.count(), Account.objects.count()) == (0, 0)


def test_a_trial_that_breaks_outside_every_savepoint_gives_the_lock_back(load, company):
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE portfolio_account RENAME COLUMN status TO state")
    with pytest.raises(LoadRefused, match="status"):
        load(ROWS.format("A"), mapping=SHORT, dry_run=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND pid = pg_backend_pid()",
            [company.pk],
        )
        assert cursor.fetchone() == (0,)
