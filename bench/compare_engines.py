"""Decide one day of a portfolio on DuckDB and on Spark and compare every row; print figures as JSON.

    python bench/compare_engines.py --accounts 50000 --json

Needs the extra `spark` and Java; uses temporary folders and loopback only. Ends with 1 where a row differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pyarrow as pa
from ibis.backends import BaseBackend

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

SHOWN = 20


def main() -> None:
    """Compare the engines and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=50_000)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    options = parser.parse_args()
    # Spark's client leaves sockets to the garbage collector and calls pandas in old ways.
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="recobra-engines-") as home:
        figures, different = compare(Path(home), accounts=options.accounts)
    print(json.dumps(figures) if options.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    print("\n".join(different[:SHOWN]), file=sys.stderr)
    sys.exit(1 if different else 0)


def compare(home: Path, *, accounts: int) -> tuple[dict[str, object], list[str]]:
    """Return the figures, and in words every row that the engines decide differently."""
    import ibis
    from tests.core.daily.deciding import differences
    from tests.core.daily.portfolio import write_portfolio
    from tests.core.spark_session import spark_session

    facts = home / "facts"
    facts.mkdir()
    write_portfolio(facts, accounts=accounts)
    on_duckdb, duckdb_s = _decide(ibis.duckdb.connect(), facts, home / "duckdb")
    started = time.perf_counter()
    spark = spark_session(cores=2)
    start_s = time.perf_counter() - started
    on_spark, spark_s = _decide(spark, facts, home / "spark")
    spark.disconnect()
    different = differences(on_duckdb, on_spark)
    figures: dict[str, object] = {
        "accounts": on_duckdb["classified"].num_rows,
        "contacts": on_duckdb["contacts"].num_rows,
        "due_steps": on_duckdb["due"].num_rows,
        "differences": len(different),
        "duckdb_s": round(duckdb_s, 1),
        "spark_s": round(spark_s, 1),
        "spark_start_s": round(start_s, 1),
        "rows": {name: table.num_rows for name, table in on_duckdb.items()},
    }
    return figures, different


def _decide(engine: BaseBackend, facts: Path, decided: Path) -> tuple[dict[str, pa.Table], float]:
    from tests.core.daily.deciding import Desk, decide
    from tests.core.daily.portfolio import AS_OF, CHANNELS_OPEN, POLICIES

    decided.mkdir()
    started = time.perf_counter()
    day = decide(Desk(engine=engine, facts=facts, decided=decided), POLICIES, as_of=AS_OF, channels_open=CHANNELS_OPEN)
    return day, time.perf_counter() - started


if __name__ == "__main__":
    main()
