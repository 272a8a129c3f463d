"""pyarrow does its work where pandas is missing, and does not ask for it."""

import subprocess
import sys

WORK = """
import sys
from recobra.kit.without_pandas import do_without_pandas
do_without_pandas()
import pyarrow as pa
rows = pa.Table.from_pylist([{"debtor_id": 1, "name": "Rosa"}, {"debtor_id": None, "name": None}])
assert pa.array([1, None], pa.int64()).to_pylist() == [1, None]
assert rows.to_pylist() == [{"debtor_id": 1, "name": "Rosa"}, {"debtor_id": None, "name": None}]
assert "pandas" not in sys.modules
"""


def test_tables_are_made_without_pandas():
    subprocess.run([sys.executable, "-c", WORK], check=True)
