"""Twenty people work while processes die, the disk is full, the database ends and providers are cut off."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "faults.py"
KINDS = {
    *(f"kill {what}" for what in ("all", "backend", "cage", "dispatch", "postmaster", "serve", "worker")),
    "restart postmaster",
    *(f"provider {line} {way}" for line in ("mail", "gateway") for way in ("refused", "hanging", "halfway")),
}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_no_fault_loses_anything_or_does_it_twice_and_all_is_back_without_a_person():
    words = [sys.executable, BENCH, "--minutes", "2", "--kills", "7", "--disks", "1", "--restarts", "1"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["wrong_figures"], done.returncode) == ([], 0), done.stdout
    assert figures["recovery"].keys() >= KINDS
    assert {"payment", "file", "hold", "load", "message", "incident"} <= figures["writes"].keys()
    if figures["full_disk"] != "tried":
        pytest.skip(f"all but the full disk was tried, which was {figures['full_disk']}")
