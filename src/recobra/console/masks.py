"""Masks of personal data for screens: the same as everywhere else."""

from recobra.access.masks import mask_contact, mask_document, mask_document_in, mask_text

__all__ = ["mask_contact", "mask_document", "mask_document_in", "mask_text"]
