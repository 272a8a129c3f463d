"""`recobra evidence`: signed evidence of the contacts with a debtor, and its verification."""

from __future__ import annotations

import argparse
from pathlib import Path

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused
from recobra.kit import durable_files
from recobra.kit.sizes import MEGABYTE

MAX_BYTES = 512 * MEGABYTE


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "evidence", "the proof of the contacts with a debtor")
    export = options.add_command(verbs, "export", "write the signed evidence of one debtor")
    export.add_argument("--debtor", required=True, metavar="NUMBER", help="the creditor's number of the debtor")
    export.add_argument("--creditor", default="", metavar="CODE", help="needed where several creditors use the number")
    export.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="where it goes; .pdf or .json says in which form"
    )
    export.set_defaults(run=export_evidence)
    verify = options.add_command(verbs, "verify", "tell if a file is as it was signed")
    verify.add_argument("file", type=Path, metavar="FILE", help="signed evidence, PDF or JSON")
    verify.add_argument(
        "--certificate",
        type=Path,
        action="append",
        default=[],
        metavar="CERT.pem",
        help="who may have signed; may be given several times (default: this installation)",
    )
    verify.set_defaults(run=verify_evidence)
    certificate = options.add_command(
        verbs, "certificate", "write the certificate that others need to check signatures"
    )
    certificate.add_argument("--output", type=Path, required=True, metavar="CERT.pem", help="where it goes")
    certificate.set_defaults(run=write_certificate)


def export_evidence(arguments: argparse.Namespace) -> Answer:
    """Write the signed evidence of one debtor to a file."""
    form = arguments.output.suffix.lower().lstrip(".")
    if form not in {"pdf", "json"}:
        raise CommandRefused("%(path)s should end in %(ending)s.", path=arguments.output, ending=".pdf, .json")
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.compliance.evidence import export as evidence  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415

    exported = evidence.export_evidence_by_number(
        creditor=arguments.creditor,
        number=arguments.debtor,
        form=form,
        actor=service_actor(Service.COMMAND, now=clock.now()),
    )
    _write_file(arguments.output, exported.content)
    return Answer(
        document={
            "debtor": arguments.debtor,
            "contacts": exported.contacts,
            "digest": exported.digest,
            "signer": exported.signer,
            "output": str(arguments.output),
        }
    )


def verify_evidence(arguments: argparse.Namespace) -> Answer:
    """Tell if a file is as it was signed, and by whom."""
    content = _read_file(arguments.file)
    bootstrap.set_up(tables=False)
    from cryptography import x509  # noqa: PLC0415 - wrong usage is answered without loading it

    from recobra.compliance.evidence.export import own_identity  # noqa: PLC0415 - needs the settings
    from recobra.compliance.evidence.verification import verify_file  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    now = clock.now()
    trusted: list[x509.Certificate] = []
    try:
        for path in arguments.certificate:
            trusted += x509.load_pem_x509_certificates(_read_file(path))
    except ValueError as error:
        raise CommandRefused("A certificate cannot be read: %(why)s.", why=error) from error
    if not trusted:
        trusted = [own_identity(now=now).certificate]
    verification = verify_file(content, trusted=trusted, now=now)
    reason = f"{arguments.file} is not valid: {verification.what}"
    if verification.where:
        reason += f": {', '.join(verification.where)}"
    return Answer(
        document={
            "finding": verification.finding.value,
            "what": verification.what,
            "where": list(verification.where),
            "signer": verification.signer,
            "signed_at": verification.signed_at or None,
        },
        ok=verification.ok,
        reason=reason,
    )


def write_certificate(arguments: argparse.Namespace) -> Answer:
    """Write the certificate of this installation to a file."""
    bootstrap.set_up(tables=False)
    from recobra.compliance.evidence.export import own_identity  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.kit.typeset.signature import certificate_pem  # noqa: PLC0415

    own = own_identity(now=clock.now())
    _write_file(arguments.output, certificate_pem(own))
    return Answer(document={"fingerprint": own.fingerprint, "output": str(arguments.output)})


def _read_file(path: Path) -> bytes:
    """Return the content of a file of at most MAX_BYTES. Raises CommandRefused."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CommandRefused("%(path)s is larger than %(limit)s bytes.", path=path, limit=MAX_BYTES)
        return path.read_bytes()
    except OSError as error:
        raise CommandRefused("%(path)s cannot be read: %(why)s.", path=path, why=error.strerror or error) from error


def _write_file(path: Path, content: bytes) -> None:
    """Write a file, in place of one that is there. Raises CommandRefused."""
    try:
        durable_files.write_file(path, content)
    except OSError as error:
        raise CommandRefused("%(path)s cannot be written: %(why)s.", path=path, why=error.strerror or error) from error
