"""Labels of codes, and the tones of their badges; each module has the families of one subject."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext_lazy as _

from recobra.journal.labels import fact_label
from recobra.kit.language import screen_language
from recobra_core.stages import Bucket

from . import cases, compliance, exports, strategy
from .family import Families

LABELS: Final[Families] = {
    **cases.FAMILIES,
    **strategy.FAMILIES,
    **compliance.FAMILIES,
    **exports.FAMILIES,
}


def label_of(family: str, code: str) -> str:
    """Return the label of a code in the screen's language; an unknown code as it is."""
    label, _tone = LABELS[family].get(code, (code, "quiet"))
    return str(label)


def tone_of(family: str, code: str) -> str:
    """Return the tone of a code's badge: calm, good, warn, bad or quiet."""
    _label, tone = LABELS[family].get(code, (code, "quiet"))
    return tone


def describe_condition(name: str, value: str) -> tuple[str, str]:
    """Return a condition of an export in words: its name, and what was asked for."""
    if value == "given":
        text = str(_("given; the journal does not keep what"))
    elif name == "hecho":
        text = ", ".join(fact_label(kind) for kind in value.split(","))
    else:
        text = label_of(exports.VALUES[name], value) if name in exports.VALUES else value
    return label_of("export_condition", name), text


def choices(family: str) -> list[tuple[str, str]]:
    """Return the codes of a family with their labels, as a form field takes them."""
    return [(code, str(label)) for code, (label, _tone) in LABELS[family].items()]


def bucket_label(key: str, buckets: Iterable[Bucket]) -> str:
    """Return a bucket's label as the portfolios name it; one that is in none of their policies as it is."""
    unclassified = {"unknown": _("Without a due date"), "new": _("Not classified yet")}
    if key in unclassified:
        return str(unclassified[key])
    for bucket in buckets:
        if bucket.key == key:
            return bucket.label(screen_language())
    return key
