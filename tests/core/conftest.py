"""One `engine` fixture for every test of the core: DuckDB always, Spark with `-m spark`."""

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import ibis
import pytest
from ibis.backends import BaseBackend
from tests.core.spark_session import spark_session

# What Spark's client says about its own insides, and why none of it is ours.
SPARK_NOISE = (
    # Its sockets are left to the garbage collector, which may come by in any later test.
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning",
    "ignore:unclosed.*socket:ResourceWarning",
    # It calls pandas in ways that pandas has given up.
    "ignore::DeprecationWarning:pyspark.*",
    "ignore::FutureWarning:pyspark.*",
    # It tells that it could not, or need not, use Arrow for a table.
    "ignore::UserWarning:pyspark.*",
)


def _spark_is_asked_for(config: pytest.Config) -> bool:
    # Only when asked for: starting a session costs seconds and needs Java.
    expression = config.getoption("markexpr")
    return "spark" in expression and "not spark" not in expression


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        engines: list[Any] = ["duckdb"]
        if _spark_is_asked_for(metafunc.config):
            engines.append(pytest.param("spark", marks=pytest.mark.spark))
        metafunc.parametrize("engine", engines, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("spark"):
            for noise in SPARK_NOISE:
                item.add_marker(pytest.mark.filterwarnings(noise))


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[BaseBackend]:
    """An ibis connection; evaluate an expression with `engine.to_pyarrow(expression)`."""
    if request.param == "spark":
        yield request.getfixturevalue("spark")
        return
    connection = ibis.duckdb.connect()
    yield connection
    connection.disconnect()


@pytest.fixture(scope="session")
def spark() -> Iterator[BaseBackend]:
    """An ibis connection to a Spark of one's own; only for tests marked `spark`."""
    with warnings.catch_warnings():
        # Starting and stopping happen in the name of whichever test comes first and last.
        warnings.simplefilter("ignore")
        connection = spark_session(cores=2)
    yield connection
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connection.disconnect()
        gc.collect()
