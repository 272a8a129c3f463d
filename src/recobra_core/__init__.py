"""The pure decision core: tables in, tables out.

Everything here is Ibis expressions, frozen dataclasses and dated YAML. No connection, clock, setting or file but the
package's own data; the same expressions run on DuckDB and on Apache Spark.
"""

from recobra_core.zones import pin_zones

pin_zones()
