"""Twenty people at the screens: each works, and writes down what was answered as done and what was left unanswered."""

from __future__ import annotations

import html
import http.client
import random
import re
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from recobra.kit import clock

ANSWER_SECONDS = 40.0
REPEAT_SECONDS = 120.0
"""How long a person waits for the pages to be back before the form is sent again."""
ROWS_OF_FILE = 12
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_OPTION = r'<select[^>]*name="{name}".*?</select>'
_VALUES = re.compile(r'<option value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What a browser got; status 0: the connection broke before there was an answer."""

    status: int
    text: str = ""
    location: str = ""


@dataclass
class Write:
    """One thing that a person did; `token` is in what was written, and nowhere else."""

    kind: str
    token: str
    user: str
    details: Mapping[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether it was answered as done."""
        return "done" in self.answers


class Browser:
    """One session over HTTP, with its cookies."""

    def __init__(self, port: int, username: str, password: str) -> None:
        self.username = username
        self.sign_ins = 0
        self._port = port
        self._password = password
        self._cookies: dict[str, str] = {}
        self._token = ""

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._ask("GET", path)

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send a form."""
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self._token}).encode()
        return self._ask("POST", path, body, "application/x-www-form-urlencoded")

    def send_file(self, path: str, fields: Mapping[str, str], name: str, content: bytes) -> Answer:
        """Send a form with a file."""
        edge = uuid.uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in {**fields, "csrfmiddlewaretoken": self._token}.items()
        ]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        body = b"".join([*parts, head, content, f"\r\n--{edge}--\r\n".encode()])
        return self._ask("POST", path, body, f"multipart/form-data; boundary={edge}")

    def sign_in(self) -> bool:
        """Sign in; return whether that worked."""
        self.get("/entrar/")
        answer = self.post("/entrar/", {"username": self.username, "password": self._password})
        self.sign_ins += answer.status == HTTPStatus.FOUND
        return answer.status == HTTPStatus.FOUND and self.get("/").status == HTTPStatus.OK

    def _ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if kind:
            headers["Content-Type"] = kind
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        if found := _TOKEN.search(text):
            self._token = found.group(1)
        return Answer(response.status, text, response.headers.get("Location", ""))


@dataclass(frozen=True)
class Debtor:
    """A debtor whom one person alone works on."""

    pk: int
    account_id: int


class Person(threading.Thread):
    """One of the people: opens pages and fills in forms, until told to stop."""

    def __init__(
        self,
        browser: Browser,
        role: str,
        debtors: Sequence[Debtor],
        conversations: Sequence[str],
        *,
        seed: str,
        stopped: threading.Event,
    ) -> None:
        super().__init__(daemon=True)
        self.browser = browser
        self.writes: list[Write] = []
        self.pages = {"good": 0, "bad": 0, "signed_out": 0}
        self._debtors = debtors
        self._chance = random.Random(seed)
        self._stopped = stopped
        self._conversations = list(conversations)
        self._points: set[str] = set()
        self._reversible: list[Debtor] = []
        works: list[Callable[[], None]] = [self._look_around, self._record_payment, self._record_payment]
        works += [self._place_hold, self._write_message, self._note, self._close_task, self._grant]
        if role in {"SUPERVISOR", "MANAGER"}:
            works += [self._reverse_payment, self._lift_hold, self._record_incident, self._load_file]
        if role == "MANAGER":
            works += [self._ask_for_cycle]
        if role == "ADMINISTRATOR":
            works = [self._look_around, self._load_file]
        self._works = works

    def stop_all(self) -> None:
        """Let all people end when they have finished what they are doing."""
        self._stopped.set()

    def run(self) -> None:
        """Work."""
        while not self._stopped.is_set():
            self._chance.choice(self._works)()
            self._stopped.wait(self._chance.uniform(0.5, 3.0))

    def _open(self, path: str) -> str:
        """Open a page and return its text, '' where it did not come; sign in again where that is asked for."""
        answer = self.browser.get(path)
        if answer.location.startswith("/entrar/"):
            self.pages["signed_out"] += 1
            self.browser.sign_in()
            answer = self.browser.get(path)
        is_good = answer.status == HTTPStatus.OK
        self.pages["good" if is_good else "bad"] += 1
        return answer.text if is_good else ""

    def _do(self, write: Write, send: Callable[[], Answer], *, has_notice: bool = False) -> None:
        """Send a form and write down the answer; one left without any is sent again once the pages are back.

        `has_notice`: whether it was done is said by the page to which the answer leads.
        """
        self.writes.append(write)
        self._send(write, send, has_notice=has_notice)
        if write.answers[-1] != "unanswered" or self._chance.random() < 0.3:
            return
        until = time.monotonic() + REPEAT_SECONDS
        while time.monotonic() < until:
            time.sleep(0.5)
            if self.browser.get("/").status == HTTPStatus.OK:
                self._send(write, send, has_notice=has_notice)
                return

    def _send(self, write: Write, send: Callable[[], Answer], *, has_notice: bool) -> None:
        write.answers.append("unanswered")
        answer = send()
        if answer.status == 0 or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return
        if answer.status != HTTPStatus.FOUND or answer.location.startswith("/entrar/"):
            write.answers[-1] = "refused"
        elif not has_notice:
            write.answers[-1] = "done"
        else:
            page = self._open(answer.location)
            if page:
                write.answers[-1] = "done" if "notice-success" in page else "refused"

    def _new(self, kind: str, **details: str) -> Write:
        return Write(
            kind, f"{kind}-{uuid.UUID(int=self._chance.getrandbits(128)).hex[:12]}", self.browser.username, details
        )

    def _choose(self) -> Debtor:
        return self._chance.choice(self._debtors)

    def _today(self) -> str:
        return clock.today("America/Lima").isoformat()

    def _look_around(self) -> None:
        debtor = self._choose()
        paths = [
            "/",
            "/mensajes/",
            "/cargas/",
            f"/ficha/{debtor.pk}/",
            f"/ficha/{debtor.pk}/cuentas/{debtor.account_id}/",
        ]
        self._open(self._chance.choice([*paths, "/cuentas/?q=quispe", "/cuentas/", "/conversaciones/"]))

    def _record_payment(self) -> None:
        debtor = self._choose()
        self._open(f"/ficha/{debtor.pk}/pagos/nuevo/")
        write = self._new("payment", amount=str(self._chance.randint(5, 90)), account=str(debtor.account_id))
        fields = {"account": write.details["account"], "amount_minor": write.details["amount"]}
        fields |= {"paid_date": self._today(), "reference": write.token}
        self._do(write, lambda: self.browser.post(f"/ficha/{debtor.pk}/pagos/nuevo/", fields))
        if write.is_done:
            self._reversible.append(debtor)

    def _reverse_payment(self) -> None:
        if not self._reversible:
            return
        debtor = self._reversible.pop()
        paths = re.findall(rf"/ficha/{debtor.pk}/pagos/\d+/reversa/", self._open(f"/ficha/{debtor.pk}/"))
        if paths:
            write = self._new("reversal")
            self._do(write, lambda: self.browser.post(paths[0], {"reason": write.token}))

    def _place_hold(self) -> None:
        debtor = self._choose()
        self._open(f"/ficha/{debtor.pk}/pausas/nueva/")
        write = self._new("hold")
        fields = {"account": str(debtor.account_id), "reason": "OTHER", "note": write.token, "ends_on": ""}
        fields |= {"starts_on": self._today(), "disputed_minor": ""}
        self._do(write, lambda: self.browser.post(f"/ficha/{debtor.pk}/pausas/nueva/", fields))

    def _lift_hold(self) -> None:
        debtor = self._choose()
        paths = re.findall(rf"/ficha/{debtor.pk}/pausas/(\d+)/levantar/", self._open(f"/ficha/{debtor.pk}/"))
        if paths:
            write = Write("lift", paths[0], self.browser.username)
            self._do(
                write, lambda: self.browser.post(f"/ficha/{debtor.pk}/pausas/{paths[0]}/levantar/", {}), has_notice=True
            )

    def _close_task(self) -> None:
        debtor = self._choose()
        page = self._open(f"/ficha/{debtor.pk}/")
        tasks = re.findall(rf"/ficha/{debtor.pk}/tareas/(\d+)/cerrar/", page)
        outcomes = _list_options(page, "outcome")
        if tasks and outcomes:
            write = Write("task", tasks[0], self.browser.username)
            path = f"/ficha/{debtor.pk}/tareas/{tasks[0]}/cerrar/"
            self._do(write, lambda: self.browser.post(path, {"outcome": outcomes[0]}), has_notice=True)

    def _write_message(self) -> None:
        debtor = self._choose()
        path = f"/ficha/{debtor.pk}/escribir/"
        lines = _list_options(self._open(path), "line")
        if not lines:
            return
        write = self._new("message")
        text = f"Buenos días. Le escribimos de Banco Sur; quedamos atentos a su consulta. Ref. {write.token}"
        fields = {"line": self._chance.choice(lines), "text": text, "subject": "Consulta", "queue": "1"}

        def send() -> Answer:
            answer = self.browser.post(path, fields)
            if answer.status == HTTPStatus.FOUND and "/conversaciones/" in answer.location:
                self._conversations.append(answer.location)
            return answer

        self._do(write, send)

    def _note(self) -> None:
        """Write a note for colleagues, or an answer, into a conversation that one has begun."""
        if not self._conversations:
            return
        place = self._chance.choice(self._conversations)
        page = self._open(place)
        if self._chance.random() < 0.5:
            note = self._new("note")
            self._do(note, lambda: self.browser.post(f"{place}nota/", {"text": note.token}), has_notice=True)
        elif after := re.search(r'name="after" value="(\d+)"', page):
            reply = self._new("reply")
            text = f"Buenos días. Le escribimos de Banco Sur: gracias por su tiempo. Ref. {reply.token}"
            fields = {"after": after.group(1), "text": text, "queue": "1"}
            self._do(reply, lambda: self.browser.post(f"{place}responder/", fields))

    def _grant(self) -> None:
        debtor = self._choose()
        found = re.findall(rf"/ficha/{debtor.pk}/voluntad/\d+/anotar/", self._open(f"/ficha/{debtor.pk}/voluntad/"))
        paths = sorted(set(found) - self._points)
        if not paths:
            return
        path = self._chance.choice(paths)
        self._points.add(path)  # what was withdrawn already is not written down again
        write = self._new("wish", point=path)
        fields = {"act": "WITHDRAWN", "channel": "whatsapp", "said": f"Lo dijo por teléfono. Ref. {write.token}"}
        self._do(write, lambda: self.browser.post(path, fields), has_notice=True)

    def _record_incident(self) -> None:
        debtor = self._choose()
        self._open("/incidentes/")
        write = self._new("incident")
        fields = {"tipo": "COMPLAINT", "pais": "PE", "descripcion": f"Se quejó. Ref. {write.token}", "cuando": ""}
        fields["deudor"] = str(debtor.pk)
        self._do(write, lambda: self.browser.post("/incidentes/registrar/", fields), has_notice=True)

    def _load_file(self) -> None:
        """Upload a part of a portfolio with new accounts, choose its columns and let it be loaded."""
        self._open("/cargas/nueva/")
        write = self._new("load")
        name, content = make_file(write.token)
        sent = self.browser.send_file("/cargas/nueva/", {"portfolio": "PE-CONSUMO"}, name, content)
        if sent.status == HTTPStatus.FOUND and self._open(sent.location):
            self._do(write, lambda: self.browser.post(sent.location, {**LOAD_FORM, "as_of": self._today()}))

    def _ask_for_cycle(self) -> None:
        self._open("/ciclo/")
        write = self._new("cycle")
        self._do(write, lambda: self.browser.post("/ciclo/correr/", {"day": self._today()}))


LOAD_FORM = {
    "column-0": "account.external_id",
    "column-1": "debtor.external_id",
    "column-2": "debtor.name",
    "column-3": "instalment.due_date",
    "column-4": "balance",
    "column-5": "emails",
    "name": "parte",
    "decimal": "point",
    "date_order": "ymd",
    "due_rows": "one",
    "gone": "keep",
    "partial": "1",
    "do": "load",
}


def make_file(token: str) -> tuple[str, bytes]:
    """Return name and bytes of a file with new accounts, each of which names the token and owes 100.00."""
    names = [f"{token}-{number}" for number in range(ROWS_OF_FILE)]
    rows = [f"{name},C{name},Rosa Nueva {name},2026-10-01,100.00,{name}@example.com" for name in names]
    lines = ["cuenta,cliente,nombre,vence,saldo,correo", *rows]
    return f"{token}.csv", "\n".join(lines).encode()


def _list_options(page: str, name: str) -> list[str]:
    """Return the values of a choice on a page, without the empty one."""
    found = re.search(_OPTION.format(name=name), page, re.DOTALL)
    return [html.unescape(value) for value in _VALUES.findall(found.group(0))] if found else []


class Watcher(threading.Thread):
    """Asks for `/healthz` and for a page of somebody signed in several times a second, and remembers the answers."""

    def __init__(self, port: int, browser: Browser) -> None:
        super().__init__(daemon=True)
        self.answers: dict[str, list[tuple[float, float, bool]]] = {"health": [], "page": []}
        self.guest = browser
        self._stopped = threading.Event()
        self._plain = Browser(port, "", "")

    def run(self) -> None:
        """Ask until stopped."""
        while not self._stopped.wait(0.2):
            for name, browser, path in (("health", self._plain, "/healthz"), ("page", self.guest, "/")):
                begin = time.monotonic()
                is_good = browser.get(path).status == HTTPStatus.OK
                self.answers[name].append((begin, time.monotonic(), is_good))

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def seconds_until_good(self, name: str, since: float) -> float | None:
        """Return the seconds from an instant until answers were good and stayed so, None where they are not."""
        answers = [each for each in list(self.answers[name]) if each[0] >= since]
        if not answers or not answers[-1][2]:
            return None
        last_bad = max((number for number, (*_times, is_good) in enumerate(answers) if not is_good), default=-1)
        return round(answers[last_bad + 1][1] - since, 2)
