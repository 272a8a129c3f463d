"""Tasks that break the child they run in, each in its own way."""

import os
import signal
import time
from pathlib import Path


def answer(*, folder, value):
    return {"value": value, "environment": sorted(os.environ), "folder": folder}


def raise_error(*, folder):
    raise ValueError(folder)


def abort(*, folder):
    os.abort()


def die(*, folder):
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(*, folder, witness):
    (Path(folder) / "left").touch(exist_ok=False)
    if not Path(witness).exists():
        Path(witness).touch()
        die(folder=folder)
    return {}


def sleep(*, folder):
    time.sleep(60)
    return {}


def fill_memory(*, folder):
    held = []
    while True:
        held.append(b"x" * 10_000_000)


def ask_for_all_memory(*, folder):
    return {"length": len(bytearray(64 * 1024**3))}


def fill_disk(*, folder):
    for number in range(10_000):
        (Path(folder) / str(number)).write_bytes(b"x" * 1_000_000)
        time.sleep(0.01)
    return {}


def write_large_file(*, folder):
    (Path(folder) / "large").write_bytes(b"x" * 100_000_000)
    return {}


def open_files(*, folder):
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1_000)]
    return {"count": len(held)}


def print_answer(*, folder):
    os.write(1, b'{"result": {"value": "forged"}}\n')
    return {"value": "true"}
