"""`recobra keys`: the keys of the installation, and their rotation."""

from __future__ import annotations

import argparse
import os

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "keys", "look after the installation's keys")
    options.add_command(verbs, "list", "say which keys there are and what each one encrypts").set_defaults(
        run=list_keys
    )
    rotate = options.add_command(verbs, "rotate", "encrypt everything with a new key, while the product runs")
    rotate.add_argument(
        "--drawn", action="store_true", help="the new key stands first in data-keys already: a vault keeps that file"
    )
    rotate.add_argument(
        "--signing",
        action="store_true",
        help="renew the key of links instead; what it signed still counts",
    )
    rotate.set_defaults(run=rotate_keys)
    options.add_command(verbs, "draw", "print a line with a new data key, for a vault").set_defaults(run=draw_key)


def list_keys(_arguments: argparse.Namespace) -> Answer:
    """Answer with the data keys, how many values each one encrypts, and who may read the files."""
    bootstrap.set_up()
    from recobra.installation import encryption_pass  # noqa: PLC0415 - needs the settings
    from recobra.kit import key_rotation, keys  # noqa: PLC0415

    counts = key_rotation.count_values()
    ring = keys.read_key_ring()
    rows: list[dict[str, object]] = []
    for number, key in enumerate(ring.keys):
        state = "retired" if key.retired_at else "decrypts"
        rows.append(
            {
                "id": key.id,
                "state": "encrypts" if number == 0 else state,
                "created_at": key.created_at,
                "retired_at": key.retired_at,
                "values": counts[key.id],
            }
        )
    known = {key_rotation.PLAIN, *(key.id for key in ring.keys)}
    files = {}
    for name in keys.KEY_FILES:
        path = keys.find_key_file(name)
        if path.exists():
            files[name] = f"{path.stat().st_mode & 0o777:04o}"
    return Answer(
        document={
            "folder": str(keys.keys_dir()),
            "files": files,
            "keys": rows,
            "plain": counts[key_rotation.PLAIN],
            "rows_left": encryption_pass.count_left(),
            "unreadable": sum(count for key_id, count in counts.items() if key_id not in known),
        }
    )


def rotate_keys(arguments: argparse.Namespace) -> Answer:
    """Encrypt everything with a new key, or renew the key of links."""
    if arguments.signing and os.environ.get("RECOBRA_SECRET_KEY"):
        raise CommandRefused(
            "RECOBRA_SECRET_KEY gives the key of links: change it there, and put the old one first in "
            "RECOBRA_SECRET_KEY_FALLBACKS."
        )
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.installation import keys  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    actor = service_actor(Service.COMMAND, now=clock.now())
    if arguments.signing:
        earlier = keys.rotate_signing_key(actor=actor)
        return Answer(
            document={"earlier": earlier},
            lines=(f"A new key signs links from the next start on. Earlier ones that still count: {earlier}.",),
        )
    rotation = keys.rotate_data_keys(is_drawn=arguments.drawn, actor=actor)
    return Answer(
        document={
            "key": rotation.key_id,
            "rewritten": rotation.rewritten,
            "unreadable": rotation.unreadable,
            "retired": list(rotation.retired),
            "destroyed": list(rotation.destroyed),
        },
        ok=not rotation.unreadable,
        reason=f"{rotation.unreadable} values belong to another installation's key and stayed as they are.",
    )


def draw_key(_arguments: argparse.Namespace) -> Answer:
    """Print a line with a new key."""
    from recobra.kit import clock, keys  # noqa: PLC0415 - other commands start without them

    line = keys.draw_key_line(now=clock.now())
    return Answer(document={"line": line}, lines=(line,))
