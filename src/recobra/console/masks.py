"""Personal data for eyes that need only recognise it: the same masks as everywhere else."""

from recobra.access.masks import contact, document, prose

__all__ = ["contact", "document", "prose"]
