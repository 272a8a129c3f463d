"""A file is shown to ClamAV's daemon by its own protocol; what nobody looked at is not taken for clean."""

from __future__ import annotations

import pytest

from recobra.conversations.antivirus import ScannerFailed, find_malware
from tests.clamd import BYTES_MAX, EICAR, clamd


@pytest.mark.parametrize("is_unix", [True, False])
def test_malware_is_named_and_what_cannot_be_looked_at_is_an_error(settings, tmp_path, is_unix):
    with clamd(tmp_path if is_unix else None) as settings.ANTIVIRUS:
        assert find_malware(b"%PDF-1.4" + bytes(2_000_000)) == ""
        assert find_malware(bytes(1_500_000) + EICAR) == "Eicar-Signature"
        with pytest.raises(ScannerFailed, match="size limit"):
            find_malware(bytes(BYTES_MAX + 1))


@pytest.mark.parametrize("address", ["tcp:127.0.0.1:1", "unix:/no/hay", "tcp:127.0.0.1:99999"])
def test_a_scanner_that_is_not_there_is_an_error(settings, address):
    settings.ANTIVIRUS = address
    with pytest.raises(ScannerFailed):
        find_malware(b"x")


def test_without_a_scanner_nothing_is_found(settings):
    settings.ANTIVIRUS = ""
    assert find_malware(EICAR) == ""
