"""Dispatcher of the bench: gets ready, says so, waits for the start and then sends what is due, on one core."""

# ruff: noqa: PLC0415 - Django is set up before anything of ours is imported

from __future__ import annotations

import json
import os
import resource
import sys
import time
from datetime import datetime


def main() -> None:
    """`dispatcher.py CORE INSTANT`: write one line when ready, and the figures at the end."""
    core = int(sys.argv[1])
    now = datetime.fromisoformat(sys.argv[2])
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})
    from recobra.kit.without_pandas import do_without_pandas

    do_without_pandas()  # as the program itself
    import django

    django.setup()
    from recobra.access.actors import Service, service_actor
    from recobra.messaging import operations as messaging

    messaging.warm_up(now=now)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    before = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.monotonic()
    figures = messaging.dispatch_once(actor=service_actor(Service.DISPATCH, now=now))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sys.stdout.write(json.dumps({**figures, "cpu_s": cpu, "seconds": time.monotonic() - begin}) + "\n")


if __name__ == "__main__":
    main()
