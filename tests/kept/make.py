"""Make the dump of a small installation: `python -m tests.kept.make tests/kept/NAME.dump.xz`.

The installation is made by the product's own commands and screens alone: a demonstration of a few dozen accounts, then
what each of its five users does on four days. So the same file makes one with an earlier state of the product too: see
docs/testing.md.
"""

from __future__ import annotations

import lzma
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ACCOUNTS = "64"
TUESDAY = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PRESET = 9 | lzma.PRESET_EXTREME


def make(target: Path) -> None:
    """Make an installation in a folder of its own and write its dump, compressed."""
    with tempfile.TemporaryDirectory(prefix="recobra-kept-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"RECOBRA_DATA_DIR": folder, "RECOBRA_DEMO": "1", "RECOBRA_LANGUAGE": "es"}
        command = [sys.executable, "-m", "recobra.cli"]
        demo = ["demo", "--accounts", ACCOUNTS, "--as-of", TUESDAY.date().isoformat(), "--no-serve"]
        subprocess.run([*command, *demo], check=True, stdin=subprocess.DEVNULL)
        another = [*command, "user", "password", "hilda", "--password-stdin"]
        subprocess.run(another, check=True, input="una-clave-de-ejemplo\n", text=True)
        os.environ["RECOBRA_WORKS_HERE"] = folder
        subprocess.run([sys.executable, "-m", "tests.kept.make"], check=True)
        subprocess.run([*command, "journal", "verify"], check=True)
        # Its key is not kept, so whoever verifies its seals needs to know who signed them.
        certificate = target.with_name(f"{target.name.partition('.')[0]}.pem")
        subprocess.run([*command, "evidence", "certificate", "--output", str(certificate)], check=True)
        dump = Path(folder) / "files.dump"
        # As `recobra db backup`, but the compression of the whole is better than that of each table.
        subprocess.run([sys.executable, "-m", "tests.kept.make", "dump", str(dump)], check=True)
        target.write_bytes(lzma.compress(dump.read_bytes(), preset=PRESET))
    print(f"{target}: {target.stat().st_size:,} bytes")  # noqa: T201 - the answer of this command


def write_dump(target: str) -> None:
    """Write the database to a file without compressing it."""
    from recobra.cli import bootstrap  # noqa: PLC0415 - needs the environment
    from recobra.kit import pg_client  # noqa: PLC0415

    bootstrap.set_up()
    pg_client.run("pg_dump", "--format=custom", "--compress=none", "--no-owner", "--no-privileges", f"--file={target}")


class Staff:
    """The users of the demonstration at their desks, on a clock that stands."""

    def __init__(self) -> None:
        from django.test import Client  # noqa: PLC0415 - needs the settings

        from recobra.access.models import User  # noqa: PLC0415

        self.now = TUESDAY
        self.clients = {"visitor": Client()}
        for name in ("ana", "bruno", "carla", "dario", "hilda"):
            self.clients[name] = Client()
            self.clients[name].force_login(User.objects.get(username=name))

    def post(self, name: str, address: str, form: Mapping[str, Any] | None = None) -> Any:
        """Post a form as a user. Raises RuntimeError unless the screen takes it."""
        answer = self.clients[name].post(address, form or {}, headers={"host": "localhost"})
        if answer.status_code not in {200, 204, 302}:
            said = re.sub(r"<[^>]+>|\s+", " ", answer.content.decode().partition("<main")[2])
            raise RuntimeError(f"{name} {address}: {answer.status_code} {said}")
        return answer

    def get(self, name: str, address: str) -> Any:
        """Open a page as a user."""
        return self.clients[name].get(address, headers={"host": "localhost"})


def work() -> None:
    """Do what the users do on four days."""
    from recobra.cli import bootstrap  # noqa: PLC0415 - needs the environment

    bootstrap.set_up()
    from django.conf import settings  # noqa: PLC0415 - needs the settings
    from django.test.utils import setup_test_environment  # noqa: PLC0415
    from django.utils import translation  # noqa: PLC0415

    from recobra.kit import clock  # noqa: PLC0415
    from tests.kept import days  # noqa: PLC0415

    setup_test_environment()
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
    translation.activate("es")
    staff = Staff()
    clock.now = lambda: staff.now
    for day in (days.first_day, days.second_day, days.third_day, days.fourth_day):
        day(staff)
        staff.now += DAY


if __name__ == "__main__":
    if sys.argv[1:2] == ["dump"]:
        write_dump(sys.argv[2])
    elif "RECOBRA_WORKS_HERE" in os.environ:
        work()
    else:
        make(Path(sys.argv[1]).resolve())
