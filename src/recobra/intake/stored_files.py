"""The files that loads name: those that wait for confirmation."""

from collections.abc import Iterator

from recobra.intake.files import held_file
from recobra.intake.models import Load
from recobra.kit.database import data_dir


def list_held_files() -> Iterator[str]:
    """Yield the paths of held files, relative to the data directory."""
    for load in Load.objects.filter(status=Load.Status.HELD).exclude(stored_as=""):
        yield str(held_file(load.stored_as).relative_to(data_dir()))


STORED_FILES = (list_held_files,)
