"""A Spark of one's own on this machine, for tests and the bench."""

import ibis
from ibis.backends import BaseBackend


def spark_session(*, cores: int) -> BaseBackend:
    """Start Spark in local mode, on loopback only, and connect to it; `disconnect` stops it. Needs Java 17."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - the extra `spark` may be absent

    session = (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        # A session of minutes does not earn back what the second compiler costs.
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
        .config("spark.sql.shuffle.partitions", str(cores))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return ibis.pyspark.connect(session)
