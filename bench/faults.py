"""Break an installation, again and again, while twenty people work in it; print what was lost, and how long it took.

    python bench/faults.py --minutes 6

Kills each process, fills the disk, ends the database and cuts the lines to the mail server and to an SMS gateway. An
installation of its own in a temporary folder, with an embedded database, is served as its systemd unit says. A full
disk needs a disk of its own, which only root can mount; elsewhere that fault is left out, and the answer says so.
Progress goes to standard error, one JSON object to standard output; exit code 1 where anything was lost, came twice,
or did not come back by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import secrets
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

import psutil  # noqa: E402 - after the path is set
from bench import fault_accounts as accounts  # noqa: E402
from bench.fault_installation import DISPATCHERS, Cable, Installation, wait_until  # noqa: E402
from bench.fault_users import Browser, Debtor, Person, Watcher, Write, make_file  # noqa: E402

ROLES = ("GESTOR",) * 9 + ("SUPERVISOR",) * 6 + ("MANAGER",) * 3 + ("ADMINISTRATOR",) * 2
BESIDE = ("worker", "dispatch")
OF_DATABASE = frozenset({"postmaster", "backend", "full"})
"""Faults that cost worker and dispatchers their sessions; a full disk may end the database."""
KILLED = ("serve", "worker", "dispatch", "cage", "postmaster", "backend", "all")
BACK_SECONDS = 240.0
"""How long a fault may take to be over by itself."""
SETTLE_SECONDS = 420.0
"""How long the work that was begun may take to end afterwards: a job of a killed worker waits up to 90 seconds."""
FULL_SECONDS = 12.0
CUT_SECONDS = 12.0
PAID_ON = "2026-11-20"
ANSWERED_EACH = 6
"""How many debtors have written to each of the people before they begin."""
CALM_SECONDS = 1.0
"""How long answers stay good before a fault counts as over."""
LATE_SECONDS = 30.0
"""How long a fault of the database is watched while a process from before it still runs.

Worker and dispatchers that lost their sessions end when they ask for something next: a dispatcher after the messages
that are on their way, a worker after its job or ten seconds, and each is started again five seconds later.
"""


@dataclass
class Fault:
    """One fault: seconds from it, or from the end of what caused it, until health, a page and the process are back."""

    kind: str
    what: str
    at_s: float
    health_s: float | None = None
    page_s: float | None = None
    back_s: float | None = None


class Simulation:
    """The people, the watcher, and the faults that happen to them."""

    def __init__(self, place: Installation, people: Sequence[Person], watcher: Watcher, *, seed: str) -> None:
        self.place = place
        self.people = people
        self.watcher = watcher
        self.faults: list[Fault] = []
        self.begin = time.monotonic()
        self.batch: list[Write] = []
        self._chance = random.Random(seed)

    def break_all(self, plan: Sequence[str], *, until: float) -> None:
        """Let the faults of a plan happen one after the other, each when the one before is over, spread over time."""
        for number, kind in enumerate(plan):
            pause = max((until - time.monotonic()) / (len(plan) - number) - 9.0, 0.5)
            time.sleep(self._chance.uniform(0.3, 1.0) * min(pause, 15.0))
            fault = self._break(kind)
            self.faults.append(fault)
            times = f"health {fault.health_s} page {fault.page_s} back {fault.back_s}"
            report(f"{fault.at_s:6.1f} s  {fault.kind:10} {fault.what:14} {times}")

    def _break(self, kind: str) -> Fault:
        if kind == "disk":
            return self._fill_disk()
        if kind == "restart":
            return self._hit("restart", "postmaster", signal.SIGINT)
        return self._hit("kill", kind, signal.SIGKILL)

    def _hit(self, kind: str, what: str, number: signal.Signals) -> Fault:
        """Send a signal to a process of a kind, or to all of them, and wait until it is back."""
        if what == "cage":
            self.watcher.guest.get("/cargas/nueva/")  # whoever opens the page lets one get ready
        targets: list[psutil.Process] = []
        wait_until(lambda: targets.extend(self.place.list_processes(what)) or targets, seconds=30)
        fault = Fault(kind, what, self._now())
        if not targets:
            return fault
        if what == "cage":
            fault.what = f"cage of {len(targets)}"
        elif what not in {"serve", "all", "postmaster"}:
            targets = [self._chance.choice(targets)]
        before = self._list_running()
        at, wall = time.monotonic(), time.time()
        for each in targets:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(number)
        self._wait_until_back(fault, what, before, since=at, wall=wall)
        return fault

    def _is_back(self, what: str, before: set[int], wall: float) -> bool:
        """Tell if new processes are at work in the place of those that were ended, and all that lost their sessions."""
        if what == "cage":
            return self._can_preview()
        kinds = (what,) if what in BESIDE else BESIDE
        ended = {"full": ()}.get(what, (what,) if what in OF_DATABASE else kinds)
        if any(self._list_running(kind) <= before for kind in ended):
            return False
        expected = {"worker": 1, "dispatch": DISPATCHERS}
        return all(
            len(self._list_running(kind)) >= expected[kind]
            and self.place.count_signs_of_life(kind, since=wall) >= expected[kind]
            for kind in kinds
        )

    def _list_running(self, *kinds: str) -> set[int]:
        """Return the processes of some kinds, or of all."""
        return {each.pid for kind in kinds or ("all",) for each in self.place.list_processes(kind)}

    def _can_preview(self) -> bool:
        """Tell if a file that is uploaded now is read: that takes a new child process."""
        browser = self.watcher.guest
        browser.get("/cargas/nueva/")
        name, content = make_file(f"vista-{secrets.token_hex(4)}")
        sent = browser.send_file("/cargas/nueva/", {"portfolio": "PE-CONSUMO"}, name, content)
        return sent.status == 302 and browser.get(sent.location).status == 200

    def _fill_disk(self) -> Fault:
        """Leave no room for a while; the time counts from when there is room again."""
        fault = Fault("disk", "full", self._now())
        before = self._list_running()
        with self.place.full_disk():
            time.sleep(FULL_SECONDS)
        self._wait_until_back(fault, fault.what, before, since=time.monotonic(), wall=time.time())
        return fault

    def _wait_until_back(self, fault: Fault, what: str, before: set[int], *, since: float, wall: float) -> None:
        """Wait until all is back and stays so, as long as what the fault has done may still show."""

        def is_over() -> bool:
            passed = time.monotonic() - since
            return passed > LATE_SECONDS or what not in OF_DATABASE or not before & self._list_running(*BESIDE)

        back_at: float | None = None
        calm_at = since
        while time.monotonic() - since < BACK_SECONDS:
            if not self._is_back(what, before, wall):
                back_at = None
            elif back_at is None:
                back_at = time.monotonic()
            if back_at is None or None in self._times(since) or not is_over():
                calm_at = time.monotonic()
            elif time.monotonic() - calm_at > CALM_SECONDS:
                break
            # To list processes costs what the installation could use: what is there again is looked at less often.
            time.sleep(0.1 if back_at is None else 0.5)
        fault.health_s, fault.page_s = self._times(since)
        if back_at is not None:
            fault.back_s = round(max(back_at - since, fault.health_s or 0.0, fault.page_s or 0.0), 2)

    def _times(self, since: float) -> list[float | None]:
        return [self.watcher.seconds_until_good(name, since) for name in ("health", "page")]

    def _now(self) -> float:
        return round(time.monotonic() - self.begin, 1)

    def cut_lines(self, cables: dict[str, Cable], arrived: dict[str, Counter[str]], *, until: float) -> None:
        """Cut each line in each way, and measure how long after its mending the next message arrives."""
        plan = [(name, way) for way in Cable.WAYS for name in cables]
        for number, (name, way) in enumerate(plan):
            time.sleep(max((until - time.monotonic()) / (len(plan) - number) - CUT_SECONDS, 1.0) / 2)
            fault = Fault("provider", f"{name} {way}", self._now())
            cables[name].cut(way)
            time.sleep(CUT_SECONDS)
            count = arrived[name].total()
            cables[name].mend()
            taken = wait_until(lambda n=name, c=count: arrived[n].total() > c, seconds=45)
            fault.back_s = None if taken is None else round(taken, 2)
            self.faults.append(fault)
            report(f"{fault.at_s:6.1f} s  provider   {fault.what:14} next message after {fault.back_s}")

    def load_payment_files(self, account_numbers: Sequence[str], stopped: threading.Event) -> None:
        """Load files of payments by the command, as a schedule of the machine does; one that fails is tried again."""
        rows = 5
        while not stopped.wait(8):
            write = Write("file", f"abono-{secrets.token_hex(6)}", "command", {"rows": str(rows)})
            chosen = self._chance.sample(account_numbers, rows)
            lines = [f"{number},1.50,{PAID_ON},{write.token}-{at}" for at, number in enumerate(chosen)]
            path = Path(tempfile.gettempdir()) / f"{self.place.home.name}-{write.token}.csv"
            path.write_text("\n".join(["account,amount,date,reference", *lines]), encoding="utf-8")
            self.batch.append(write)
            for _attempt in range(10):
                done = self.place.command("payments", "load", str(path), "--portfolio", "PE-CONSUMO")
                write.answers.append("unanswered" if done.returncode else "done")
                if not done.returncode or stopped.wait(3):
                    break
            path.unlink()


def main() -> None:
    """Run it and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=6.0, help="over how long the faults are spread")
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--disks", type=int, default=3, help="how often the disk is full")
    parser.add_argument("--restarts", type=int, default=2, help="how often the database is ended in order")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    options = parser.parse_args()
    report(f"seed {options.seed}")
    with contextlib.ExitStack() as stack:
        figures = _play(options, stack)
    print(json.dumps(figures, indent=2))
    sys.exit(1 if figures["wrong_figures"] else 0)


def _play(options: argparse.Namespace, stack: contextlib.ExitStack) -> dict[str, object]:
    """Make the installation, let the people work while it is broken, and compare."""
    from tests.messaging.smtp_sink import Sink

    class CountingSink(Sink):
        """Counts messages by their Message-ID too."""

        message_ids: Counter[str] = Counter()

        def _keep(self, content: bytes) -> None:
            super()._keep(content)
            found = re.search(rb"^Message-ID: *(\S+)", content, re.MULTILINE | re.IGNORECASE)
            self.message_ids[found.group(1).decode() if found else ""] += 1

    mail = stack.enter_context(CountingSink(faults={}, delay_seconds=0.4))
    mail_line = stack.enter_context(Cable(mail.port, chance=random.Random(options.seed)))
    place = Installation(mail_line.port)
    stack.callback(place.remove)
    report(f"making the installation in {place.home}")
    # Nor may this process read with the keys of another installation.
    for name in [name for name in os.environ if name.startswith("RECOBRA_")]:
        del os.environ[name]
    os.environ.update(place.environment)
    made = place.command("demo", "--accounts", str(options.accounts), "--no-dispatch", "--no-serve")
    if made.returncode:
        sys.exit(made.stderr)
    import django

    django.setup()
    from tests.messaging.http_sink import DOCUMENT, Gateway

    gateway = stack.enter_context(Gateway(faults={}, delay_seconds=0.4))
    gateway_line = stack.enter_context(Cable(gateway.port, chance=random.Random(options.seed)))
    from recobra.kit import clock

    gateway.provider(now=clock.now(), settings={"document": DOCUMENT.format(port=gateway_line.port)})
    stack.callback(place.stop)
    simulation, account_numbers = _prepare(place, options)
    arrived = {"mail": mail.accepted, "gateway": gateway.accepted}
    with _working(simulation, account_numbers):
        plan = [KILLED[number % len(KILLED)] for number in range(options.kills)]
        plan += ["disk"] * (options.disks if place.has_own_disk else 0) + ["restart"] * options.restarts
        random.Random(options.seed).shuffle(plan)
        until = time.monotonic() + options.minutes * 60
        lines = {"mail": mail_line, "gateway": gateway_line}
        cutter = threading.Thread(target=simulation.cut_lines, args=(lines, arrived), kwargs={"until": until})
        cutter.start()
        simulation.break_all(plan, until=until)
        cutter.join()
    return {
        "seed": options.seed,
        "minutes": round((time.monotonic() - simulation.begin) / 60, 1),
        "accounts": options.accounts,
        "full_disk": "tried" if place.has_own_disk else "left out: only root can mount a small disk",
        **_compare(simulation, lambda: mail.accepted + gateway.accepted, mail.message_ids),
    }


def _prepare(place: Installation, options: argparse.Namespace) -> tuple[Simulation, list[str]]:
    """Make the people, begin to serve and let them sign in; return also the numbers of accounts to pay into."""
    from recobra.access import users
    from recobra.access.actors import Service, service_actor
    from recobra.kit import clock
    from recobra.portfolio.models import Account

    password = secrets.token_urlsafe(16)
    names = [f"{role.lower()}{number}" for number, role in enumerate(ROLES)]
    for name, role in zip([*names, "vigia"], [*ROLES, "SUPERVISOR"], strict=True):
        details = users.UserDetails(
            role=role, portfolios=frozenset({"PE-CONSUMO"}) if role in ROLES[:15] else frozenset()
        )
        actor = service_actor(Service.DEMO, now=clock.now())
        users.create_user(username=name, password=password, details=details, actor=actor)
    open_accounts = Account.objects.filter(portfolio__code="PE-CONSUMO", status="OPEN").order_by("debtor_id", "pk")
    rows = list(open_accounts.distinct("debtor_id").values_list("debtor_id", "pk", "external_id"))
    conversations = _let_debtors_write([row[0] for row in rows[: ANSWERED_EACH * len(ROLES)]])
    _let_go_of_database()
    place.serve()
    guest = Browser(place.port, "vigia", password)
    if wait_until(lambda: guest.get("/healthz").status == 200, seconds=90) is None or not guest.sign_in():
        sys.exit(place.log.read_text(errors="replace"))
    stopped = threading.Event()
    people = [
        Person(
            Browser(place.port, name, password),
            role,
            [Debtor(debtor_id, account_id) for debtor_id, account_id, _number in rows[number :: len(ROLES)]],
            conversations[number :: len(ROLES)],
            seed=f"{options.seed}-{name}",
            stopped=stopped,
        )
        for number, (name, role) in enumerate(zip(names, ROLES, strict=True))
    ]
    for person in people:
        if not person.browser.sign_in():
            sys.exit(f"{person.browser.username} does not get in")
    return Simulation(place, people, Watcher(place.port, guest), seed=options.seed), [row[2] for row in rows]


def _let_debtors_write(debtor_ids: Sequence[int]) -> list[str]:
    """Let debtors write by SMS, as a gateway reports it; return the addresses of their conversations."""
    from recobra.access.actors import Service, service_actor
    from recobra.conversations.models import Conversation
    from recobra.conversations.webhooks.apply import apply_events
    from recobra.kit import clock
    from recobra.messaging.channels.adapter import InboundEvent
    from recobra.portfolio.models import ContactPoint

    now = clock.now()
    points = ContactPoint.objects.filter(debtor_id__in=debtor_ids, kind="PHONE", valid=True).order_by("debtor_id", "pk")
    for debtor_id, number in points.distinct("debtor_id").values_list("debtor_id", "value"):
        key = f"gateway-{debtor_id}"
        text = "Buenos días, quiero hablar con una persona"
        event = InboundEvent(address=number, text=text, at=now, event_key=key, provider_reference=key)
        apply_events(events=[event], provider_id=None, channel="sms", actor=service_actor(Service.PROVIDER, now=now))
    known = Conversation.objects.filter(debtor_id__in=debtor_ids).order_by("debtor_id")
    return [f"/conversaciones/{pk}/" for pk in known.values_list("pk", flat=True)]


@contextlib.contextmanager
def _working(simulation: Simulation, account_numbers: Sequence[str]) -> Iterator[None]:
    """Let everybody work meanwhile; at the end each finishes what he or she is doing."""
    stopped = threading.Event()
    batch = threading.Thread(target=simulation.load_payment_files, args=(account_numbers, stopped))
    for thread in (simulation.watcher, batch, *simulation.people):
        thread.start()
    try:
        yield
    finally:
        simulation.people[0].stop_all()
        stopped.set()
        for thread in (batch, *simulation.people):
            thread.join()
        simulation.watcher.stop()
        simulation.watcher.join()


def _compare(
    simulation: Simulation, count_arrived: Callable[[], Counter[str]], message_ids: Counter[str]
) -> dict[str, object]:
    """Wait until the work that was begun has ended, and compare what was done with what is there."""
    from django.db import connection

    from recobra.kit import database

    database.embedded_server(simulation.place.home).start()

    def is_settled() -> bool:
        connection.close()
        return accounts.is_settled()

    settled_s = wait_until(is_settled, seconds=SETTLE_SECONDS, every=2.0)
    report(f"settled after {settled_s} s")
    people = simulation.people
    writes = [write for person in people for write in person.writes] + simulation.batch
    journal = simulation.place.command("journal", "verify")
    health = simulation.place.command("health")
    figures: dict[str, object] = {
        "people": len(people),
        "pages": dict(sum((Counter(person.pages) for person in people), Counter())),
        "signed_out": sum(person.pages["signed_out"] for person in people),
        **accounts.count_writes(writes, minor_per_unit=100),
        "money": accounts.count_money(),
        "messages": accounts.count_messages(count_arrived() + accounts.count_mailbox(), message_ids),
        "jobs": accounts.count_jobs(),
        "hanging": accounts.count_hanging(),
        "settled_s": settled_s and round(settled_s, 1),
        "unsettled": settled_s is None,
        "journal_ok": json.loads(journal.stdout or "{}").get("ok", False),
        "health_ok": health.returncode == 0,
        "not_back": [asdict(each) for each in simulation.faults if each.back_s is None and each.kind != "provider"],
        "recovery": _summarise(simulation.faults),
        "faults": [asdict(each) for each in simulation.faults],
    }
    _let_go_of_database()
    return figures | {"wrong_figures": accounts.find_faults(figures)}


def _summarise(faults: Sequence[Fault]) -> dict[str, dict[str, object]]:
    """Return by kind of fault how often it happened, and the median and the worst of each of its times."""
    by_kind: dict[str, list[Fault]] = {}
    for fault in faults:
        what = "cage" if fault.what.startswith("cage") else fault.what
        by_kind.setdefault(f"{fault.kind} {what}", []).append(fault)
    summary: dict[str, dict[str, object]] = {}
    for kind, group in sorted(by_kind.items()):
        row: dict[str, object] = {"times": len(group)}
        for name in ("health_s", "page_s", "back_s"):
            seconds = [getattr(each, name) for each in group if getattr(each, name) is not None]
            if seconds:
                row[name] = {"median": round(statistics.median(seconds), 2), "worst": max(seconds)}
        summary[kind] = row
    return summary


def _let_go_of_database() -> None:
    """Leave the embedded server to those who serve."""
    from django.db import connections

    from recobra.kit import database

    connections.close_all()
    database.embedded_server(database.data_dir()).stop()


def report(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
