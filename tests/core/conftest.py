"""One `engine` fixture for every test of the core: DuckDB always, Spark with `-m spark`."""

import warnings
from collections.abc import Iterator

import ibis
import pytest
from ibis.backends import BaseBackend

# Spark's client leaves its sockets to the garbage collector and calls pandas in old ways; none of it is ours.
SPARK_NOISE = [
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pyspark.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pyspark.*"),
    pytest.mark.filterwarnings("ignore::UserWarning:pyspark.*"),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        engines = ["duckdb"]
        # Only when asked for: starting a session costs seconds and needs Java.
        if "spark" in metafunc.config.getoption("markexpr"):
            engines.append(pytest.param("spark", marks=[pytest.mark.spark, *SPARK_NOISE]))
        metafunc.parametrize("engine", engines, indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[BaseBackend]:
    """An ibis connection; evaluate an expression with `engine.to_pyarrow(expression)`."""
    if request.param == "duckdb":
        connection = ibis.duckdb.connect()
        yield connection
        connection.disconnect()
        return
    with warnings.catch_warnings():
        # The words of third parties about their own insides; warnings of ours still fail the test.
        warnings.simplefilter("ignore")
        from pyspark.sql import SparkSession  # noqa: PLC0415 - the extra `spark` may be absent

        session = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .getOrCreate()
        )
        connection = ibis.pyspark.connect(session)
    yield connection
    session.stop()
