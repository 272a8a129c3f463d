"""`recobra journal`: proof that nobody altered what happened."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused

if TYPE_CHECKING:
    from cryptography import x509

_HASH_DIGITS = 64


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "journal", "the record of everything that happened")
    verify = options.add_command(verbs, "verify", "recompute every row and seal; name the first altered one")
    verify.add_argument(
        "--expect",
        type=_parse_hash,
        metavar="HASH",
        help="the hash of a seal that was printed or sent: the journal must still hold it",
    )
    verify.add_argument(
        "--certificate",
        type=Path,
        action="append",
        default=[],
        metavar="CERT.pem",
        help="who else may have signed seals; may be given several times",
    )
    verify.set_defaults(run=verify_journal)
    seal = options.add_command(verbs, "seal", "seal what was written since the last seal, and print it")
    seal.add_argument("--send", action="store_true", help="send it by the ways of the settings too, as every day")
    seal.set_defaults(run=seal_journal)


def verify_journal(arguments: argparse.Namespace) -> Answer:
    """Verify the whole journal; nothing is sealed."""
    certificates = [_read_certificate(path) for path in arguments.certificate]
    bootstrap.set_up()
    from recobra.journal import kept_seals, seal_signature, verification  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415

    signers = seal_signature.trusted_signers(certificates=certificates, now=clock.now())
    verdict = verification.verify_journal(signers=signers, expected_hash=arguments.expect or "")
    first = verdict.first_altered
    return Answer(
        document={
            "ok": verdict.ok,
            "rows": verdict.rows,
            "days": verdict.days,
            "seals": verdict.seals,
            "unsealed": verdict.unsealed,
            "unsigned": verdict.unsigned,
            "last_seal": dict(kept_seals.describe(verdict.last)) if verdict.last else None,
            "first_altered": asdict(first) if first else None,
        },
        ok=verdict.ok,
        reason=f"the journal was altered: {_place(first.day, first.id)}{first.what}" if first else "",
    )


def seal_journal(arguments: argparse.Namespace) -> Answer:
    """Seal what was written since the last seal, and answer with the newest seal and where it was sent."""
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.compliance import seal_delivery, seal_ways  # noqa: PLC0415
    from recobra.journal import kept_seals, seal  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    actor = service_actor(Service.COMMAND, now=clock.now())
    newest = seal.seal_journal(now=actor.now)
    if newest is None:
        raise CommandRefused("There is nothing to seal: nothing has happened yet.")
    document = dict(kept_seals.describe(newest))
    if not arguments.send:
        return Answer(document=document)
    if not seal_ways.configured_ways():
        raise CommandRefused("No way is set: give RECOBRA_SEAL_MAIL or RECOBRA_SEAL_WEBHOOK.")
    deliveries = seal_delivery.deliver_seal(actor=actor, again=True)
    failed = [f"{each.way}: {each.error}" for each in deliveries if each.error]
    document["sent"] = [{"way": each.way, "error": each.error or None} for each in deliveries]
    return Answer(document=document, ok=not failed, reason=f"the seal could not be sent: {'; '.join(failed)}")


def _place(day: object, row_id: int | None) -> str:
    """Return where something was altered, "" where it is the journal as a whole."""
    if day is None and row_id is None:
        return ""
    return f"day {day}, row {row_id}: " if row_id is not None else f"day {day}: "


def _parse_hash(text: str) -> str:
    """Parse the hash of a seal, 64 hexadecimal digits."""
    digits = text.strip().lower()
    if len(digits) != _HASH_DIGITS or set(digits) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"«{text}» is no hash of a seal; {_HASH_DIGITS} hexadecimal digits are")
    return digits


def _read_certificate(path: Path) -> x509.Certificate:
    """Return a certificate. Raises CommandRefused."""
    from cryptography import x509  # noqa: PLC0415 - only where one is given

    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise CommandRefused("%(path)s cannot be read: %(why)s.", path=path, why=error.strerror or error) from error
    except ValueError as error:
        raise CommandRefused("%(path)s is no certificate: %(why)s.", path=path, why=error) from error
