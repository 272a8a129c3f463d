"""The type of a table of labels, and tables that take theirs from a model."""

from __future__ import annotations

from django.apps import apps
from django.db.models import Field
from django.utils.functional import Promise

# The label, and the tone of its badge: calm, good, warn, bad or quiet.
Label = tuple[str | Promise, str]
# Family -> code -> label.
Families = dict[str, dict[str, Label]]


def field_labels(model: str, name: str, **tones: str) -> dict[str, Label]:
    """Return the labels of a model's field, which are those of its choices, each with its tone.

    A code without a tone is quiet; the empty code has no label. Raises ValueError for a tone of a code that is no
    choice.
    """
    field = apps.get_model(model)._meta.get_field(name)  # noqa: SLF001 - Django's public way to a model's fields
    assert isinstance(field, Field), "a relation has no choices"
    labels = {str(code): label for code, label in field.flatchoices if code}
    if unknown := tones.keys() - labels.keys():
        raise ValueError(f"{model}.{name} has no choice {', '.join(sorted(unknown))}.")
    return {code: (label, tones.get(code, "quiet")) for code, label in labels.items()}
