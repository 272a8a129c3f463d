"""E-mails as programs and mail servers write them: answers of people, automatic ones, reports. All people are invented.

The shapes are those of the programs' own formats (attributions, separators, encodings), which people of the region use.
"""

from __future__ import annotations

import base64
import quopri
from itertools import islice, product
from uuid import UUID

SENDER = "cobranzas@sur.example"
CONTACT = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
QUOTED = ["Estimada Rosa:", "Debe S/ 123.45 desde el 13 de noviembre.", "Responda BAJA para no recibir mensajes."]
# What people write, and the act that it is.
SAID = (
    ("BAJA", "OPTED_OUT"),
    ("Por favor dejen de escribirme", "OPTED_OUT"),
    ("No soy esa persona", "NOT_ME"),
    ("¿Cuánto debo?", ""),
    ("Ya pagué el viernes, adjunto el voucher", ""),
    ("Buenos días, ¿puedo pagar en dos partes?\n\nGracias de antemano.", ""),
    ("Señores:\n\nNiego la obligación. Mi abogada los llamará.\n\nAtentamente,\nMaría Ñahui", ""),
    ("ok", ""),
)


def _gmail(said):
    return f"{said}\n\nEl lun, 23 nov 2026 a las 10:00, Cobranzas (<{SENDER}>) escribió:\n\n" + _marked()


def _gmail_broken(said):
    return f"{said}\n\nEl lun., 23 de nov. de 2026 10:00, Cobranzas Banco Sur <\n{SENDER}> escribió:\n\n" + _marked()


def _below(said):
    return f"On Mon, Nov 23, 2026 at 10:00 AM Cobranzas <{SENDER}> wrote:\n{_marked()}\n\n{said}\n"


def _outlook(said):
    head = f"De: Cobranzas <{SENDER}>\nEnviado: lunes, 23 de noviembre de 2026 10:00\nPara: Rosa\nAsunto: Su cuota\n\n"
    return f"{said}\n\n________________________________\n{head}" + "\n".join(QUOTED)


def _outlook_english(said):
    head = f"From: Cobranzas <{SENDER}>\nSent: Monday, November 23, 2026 10:00 AM\nTo: Rosa\nSubject: Su cuota\n\n"
    return f"{said}\n\n{head}" + "\n".join(QUOTED)


def _apple(said):
    body = f"> El 23 nov 2026, a las 10:00, Cobranzas <{SENDER}> escribió:\n> \n{_marked()}"
    return f"{said}\n\nEnviado desde mi iPhone\n\n{body}"


def _old(said):
    return f"{said}\n\n-----Mensaje original-----\nDe: {SENDER}\nPara: Rosa\n\n" + "\n".join(QUOTED)


def _bare(said):
    return f"{said}\n-- \nRosa Quispe\nTel. 987 654 321"


def _marked():
    return "\n".join(f"> {line}" for line in QUOTED)


PROGRAMS = (_gmail, _gmail_broken, _below, _outlook, _outlook_english, _apple, _old, _bare)
ENCODINGS = (("utf-8", "quoted-printable"), ("iso-8859-1", "quoted-printable"), ("windows-1252", "8bit"),
             ("utf-8", "base64"))  # fmt: skip


def _encode(text, charset, how):
    octets = text.replace("\n", "\r\n").encode(charset, "replace")
    if how == "base64":
        return base64.encodebytes(octets)
    return quopri.encodestring(octets) if how == "quoted-printable" else octets


def answer(number, said, program, encoding):
    """Return an answer of a person: its plain text, or an alternative of text and HTML."""
    charset, how = encoding
    head = (
        f"Return-Path: <rosa{number}@correo.example>\r\nReceived: by mx.sur.example; Mon, 23 Nov 2026 15:00:00 +0000\r\n"
        f"From: =?utf-8?q?Rosa_Qu=C3=ADspe?= <rosa{number}@correo.example>\r\nTo: {SENDER}\r\n"
        f"Subject: =?utf-8?q?Re=3A_Su_cuota_venci=C3=B3?=\r\nMessage-ID: <r{number}@correo.example>\r\n"
        f"In-Reply-To: <{CONTACT}@sur.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 -0500\r\nMIME-Version: 1.0\r\n"
    )
    part = (
        f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {how}\r\n\r\n".encode()
        + _encode(program(said), charset, how)
    )
    if number % 3:
        return head.encode() + part
    quoted = "".join(f"<p>{line}</p>" for line in QUOTED)
    html = f'<div dir="ltr">{said}</div><div class="gmail_quote"><blockquote>{quoted}</blockquote></div>'
    other = f"Content-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n".encode()
    boundary = f"b{number}"
    opening = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n--{boundary}\r\n'
    between = f"\r\n--{boundary}\r\n"
    return head.encode() + opening.encode() + part + between.encode() + other + f"--{boundary}--\r\n".encode()


def automatic(number, subject, header):
    """Return an answer of a program, in which somebody's words stand."""
    return (
        f"From: Rosa <rosa@correo.example>\r\nTo: {SENDER}\r\nSubject: {subject}\r\nMessage-ID: <a{number}@x.example>\r\n"
        f"{header}\r\n\r\nBAJA\r\n\r\nEstoy fuera de la oficina hasta el lunes.\r\n"
    ).encode()


def report(number, action, status):
    """Return the report of a mail server (RFC 3464)."""
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {SENDER}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        f"Auto-Submitted: auto-replied\r\nMessage-ID: <d{number}@mx.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; rosa@correo.example\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{CONTACT}@sur.example>\r\n\r\n--B--\r\n"
    ).encode()


def two_hundred():
    """Return 200 e-mails: (kind, act, content); kind is «person», «program» or «server»."""
    said = product(SAID, PROGRAMS, ENCODINGS)
    people = [
        ("person", act, answer(number, text, program, encoding))
        for number, ((text, act), program, encoding) in enumerate(islice(said, 170))
    ]
    headers = ("Auto-Submitted: auto-replied", "Precedence: auto_reply", "X-Autoreply: yes", "X-Mailer: x")
    subjects = ("Respuesta automática: Su cuota", "Automatic reply: Su cuota", "Fuera de la oficina")
    programs = [
        ("program", "", automatic(number, subject, header))
        for number, (subject, header) in enumerate(product(subjects, headers))
    ]
    results = (("failed", "5.1.1"), ("failed", "5.2.2"), ("failed", "4.4.7"), ("delayed", "4.4.1"), ("delivered", "2.0.0"),
               ("relayed", "2.0.0"))  # fmt: skip
    servers = [("server", "", report(number, *results[number % len(results)])) for number in range(18)]
    return [*people, *programs, *servers]
