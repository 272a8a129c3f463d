"""The type of a table of labels."""

from __future__ import annotations

from django.utils.functional import Promise

# The label, and the tone of its badge: calm, good, warn, bad or quiet.
Label = tuple[str | Promise, str]
# Family -> code -> label.
Families = dict[str, dict[str, Label]]
