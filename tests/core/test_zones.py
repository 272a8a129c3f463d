"""The zones of a debtor are one text, and come out of it as they went in."""

import os
import struct
import subprocess
import sys
import zoneinfo

import pytest

from recobra_core.zones import join_zones, split_zones, zone_release


@pytest.mark.parametrize("names", [(), ("America/Lima",), ("America/Santiago", "Pacific/Easter")])
def test_zones_come_out_of_their_text_as_they_went_in(names):
    assert split_zones(join_zones(names)) == names


def _fixed_zone(hours):
    """A file of time zones in which the clock never changes."""
    head = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    return head + struct.pack(">lbb", hours * 3600, 0, 0) + b"-04\0"


def test_hours_are_judged_by_the_data_that_comes_with_the_product(tmp_path):
    """A machine from before October 2024 has Paraguay an hour behind in winter."""
    (tmp_path / "America").mkdir()
    (tmp_path / "America" / "Asuncion").write_bytes(_fixed_zone(-4))
    program = """
from datetime import datetime
from zoneinfo import ZoneInfo
print(datetime(2026, 7, 6, tzinfo=ZoneInfo("America/Asuncion")).utcoffset())
import recobra_core
print(datetime(2026, 7, 6, tzinfo=ZoneInfo("America/Asuncion")).utcoffset())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["-1 day, 20:00:00", "-1 day, 21:00:00"]
    assert zoneinfo.TZPATH == ()
    assert zone_release() >= "2025b"
