"""A mail server that is asked by IMAP: a small one made from the grammar of RFC 3501 (9) and RFC 9051 (9).

It knows what a reader of one mailbox uses: CAPABILITY, LOGIN, EXAMINE and SELECT, UID SEARCH, UID FETCH, LOGOUT. Every
argument is read as the grammar has it (atom, quoted, literal), and whatever is not by the grammar is answered BAD.
"""

from __future__ import annotations

import base64
import re
import socket
import threading
from datetime import date

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# tag = 1*<any ASTRING-CHAR except "+">; the command follows a single space.
_COMMAND = re.compile(rb"([!-~]+) (UID )?([A-Za-z]+)(?: (.*))?", re.DOTALL)
_ASTRING = re.compile(rb'"((?:[^"\\\r\n]|\\["\\])*)"|([!#-\'*+,./0-9:;<=>?@A-Z\[\]^_`a-z|}~-]+)')
_BODY = re.compile(rb"\(UID INTERNALDATE BODY\.PEEK\[\]<(\d+)\.(\d+)>\)")
_SINCE = re.compile(rb"SINCE (\d{2})-([A-Z][a-z]{2})-(\d{4})")
_RANGE = re.compile(rb"UID (\d+):\*")


def _unquote(quoted):
    return re.sub(rb"\\(.)", rb"\1", quoted)


class ImapServer:
    """A mailbox on a real socket of this machine. `messages` are (uid, when it came, content)."""

    def __init__(self, *, user="cobranzas@sur.example", password="contraseña", uid_validity=7):
        self.user, self.password, self.uid_validity = user, password, uid_validity
        self.messages = []
        self.commands = []
        self.break_after = None
        self.withheld = set()
        self.has_plain = True
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self):
        port = self._socket.getsockname()[1]
        return f"imap://{self.user.replace('@', '%40')}@127.0.0.1:{port}"

    def receive(self, content, at):
        """Put a message into the mailbox."""
        uid = max((uid for uid, _at, _content in self.messages), default=0) + 1
        self.messages.append((uid, at, content if isinstance(content, bytes) else content.encode()))

    def close(self):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream):
        stream.write(b"* OK IMAP4rev1 ready\r\n")
        stream.flush()
        while True:
            line = self._read_command(stream)
            if not line:
                return
            match = _COMMAND.fullmatch(line)
            if match is None:
                stream.write(b"* BAD not by the grammar\r\n")
                stream.flush()
                continue
            tag, is_uid, name, arguments = match.groups()
            command = f"{'UID ' if is_uid else ''}{name.decode().upper()}"
            self.commands.append(command)
            if self.break_after is not None and self.commands.count("UID FETCH") > self.break_after:
                return  # the line goes down in the middle
            if command == "AUTHENTICATE":
                stream.write(b"+ \r\n")
                stream.flush()
                arguments = base64.b64decode(stream.readline().strip())
            stream.write(self._answer(tag, command, arguments or b""))
            stream.flush()
            if command == "LOGOUT":
                return

    def _read_command(self, stream):
        """Return a command without its line's end, with its literals in the places of their announcements."""
        whole = b""
        while True:
            line = stream.readline()
            if not line.endswith(b"\r\n"):
                return b""
            literal = re.search(rb"\{(\d+)\}\r\n$", line)
            if literal is None:
                return whole + line[:-2]
            stream.write(b"+ go on\r\n")
            stream.flush()
            content = stream.read(int(literal[1]))
            whole += line[: literal.start()] + b'"' + content.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    def _answer(self, tag, command, arguments):
        lines, status = [], b"OK done"
        match command:
            case "CAPABILITY":
                lines = [b"* CAPABILITY IMAP4rev1" + (b" AUTH=PLAIN" if self.has_plain else b"")]
            case "LOGIN":
                words = [_unquote(quoted) if quoted else atom for quoted, atom in _ASTRING.findall(arguments)]
                status = self._judge(words)
            case "AUTHENTICATE":
                status = self._judge(arguments.split(b"\0")[1:])
            case "EXAMINE" | "SELECT":
                lines = [
                    b"* FLAGS (\\Seen)",
                    f"* {len(self.messages)} EXISTS".encode(),
                    f"* OK [UIDVALIDITY {self.uid_validity}] valid".encode(),
                ]
                status = b"OK [READ-ONLY] done"
            case "UID SEARCH":
                found = self._search(arguments)
                lines = [b"* SEARCH" + b"".join(f" {uid}".encode() for uid in found)] if found is not None else []
                status = status if found is not None else b"BAD not by the grammar"
            case "UID FETCH":
                lines, status = self._fetch(arguments, status)
            case "LOGOUT":
                lines = [b"* BYE"]
            case _:
                status = b"BAD unknown"
        return b"".join(line + b"\r\n" for line in lines) + tag + b" " + status + b"\r\n"

    def _judge(self, words):
        """Return the answer to who signs in with a name and a password."""
        is_right = words == [self.user.encode(), self.password.encode()]
        return b"OK done" if is_right else b"NO [AUTHENTICATIONFAILED] wrong"

    def _search(self, arguments):
        uids = [uid for uid, _at, _content in self.messages]
        if match := _RANGE.fullmatch(arguments):
            # «*» is the highest number there is, and a range may be written backwards.
            first, last = int(match[1]), max(uids, default=0)
            return [uid for uid in uids if min(first, last) <= uid <= max(first, last)]
        if match := _SINCE.fullmatch(arguments):
            day = date(int(match[3]), _MONTHS.index(match[2].decode()) + 1, int(match[1]))
            return [uid for uid, at, _content in self.messages if at.date() >= day]
        return None

    def _fetch(self, arguments, status):
        number, _space, items = arguments.partition(b" ")
        match = _BODY.fullmatch(items)
        if match is None or not number.isdigit():
            return [], b"BAD not by the grammar"
        if int(number) in self.withheld:
            return [], b"NO [SERVERBUG] not to be read"
        begin, count = int(match[1]), int(match[2])
        lines = []
        for sequence, (uid, at, content) in enumerate(self.messages, 1):
            if uid == int(number):
                part = content[begin : begin + count]
                date = f"{at.day:02}-{_MONTHS[at.month - 1]}-{at.year} {at:%H:%M:%S} +0000"
                head = f'* {sequence} FETCH (UID {uid} INTERNALDATE "{date}" BODY[]<{begin}> {{{len(part)}}}'
                lines.append(head.encode() + b"\r\n" + part + b")")
        return lines, status
