"""The zones of a debtor are one text, and come out of it as they went in."""

import pytest

from recobra_core.zones import join_zones, split_zones


@pytest.mark.parametrize("names", [(), ("America/Lima",), ("America/Santiago", "Pacific/Easter")])
def test_zones_come_out_of_their_text_as_they_went_in(names):
    assert split_zones(join_zones(names)) == names
