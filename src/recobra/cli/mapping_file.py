"""Mapping files that a command is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recobra.cli.answer import CommandRefused

if TYPE_CHECKING:
    from recobra_core.yaml_source import YamlSource


def read_mapping(path: Path) -> YamlSource:
    """Return the parsed mapping file. Raises CommandRefused where it is no YAML."""
    from recobra.kit.language import screen_language  # noqa: PLC0415
    from recobra_core.documents import DocumentError  # noqa: PLC0415
    from recobra_core.yaml_source import parse_yaml  # noqa: PLC0415

    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandRefused("The mapping %(path)s cannot be read: %(error)s.", path=path, error=error) from error
    except DocumentError as error:
        messages = " ".join(error.messages(screen_language()))
        raise CommandRefused("The mapping %(path)s is not YAML: %(error)s", path=path, error=messages) from error
