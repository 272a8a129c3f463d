"""The files that conversations name: what debtors sent along."""

from collections.abc import Iterator

from recobra.conversations.attachments import path_of
from recobra.conversations.models import Attachment
from recobra.kit.database import data_dir


def list_attachments() -> Iterator[str]:
    """Yield the paths of the attachments that are kept, relative to the data directory."""
    for attachment in Attachment.objects.filter(status=Attachment.Status.KEPT).exclude(path="").iterator():
        yield str(path_of(attachment).relative_to(data_dir()))


STORED_FILES = (list_attachments,)
