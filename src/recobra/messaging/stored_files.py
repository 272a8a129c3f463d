"""The files that letters name: what was printed."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from recobra.kit.database import data_dir
from recobra.messaging.models import LetterBatch


def list_batches() -> Iterator[str]:
    """Yield the folders of the printed batches, relative to the data directory."""
    for path in LetterBatch.objects.exclude(path="").values_list("path", flat=True).iterator():
        yield str((Path(settings.MEDIA_ROOT) / path).relative_to(data_dir()))


STORED_FILES = (list_batches,)
