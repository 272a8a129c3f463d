"""Limits of the buckets, the stages and late arrears: dated, editable data of the company."""

from dataclasses import dataclass, field, fields
from typing import Literal

from recobra_core.rules.errors import Language

Stage = Literal["PREVENTIVE", "ADMINISTRATIVE", "EXTRAJUDICIAL", "JUDICIAL"]
UNKNOWN_BUCKET = "unknown"
BUCKETS_MAX = 50


class LimitsError(ValueError):
    """Limits that leave a day in no bucket or in two. The text names the days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A range of days past due, both ends included; None leaves an end open."""

    key: str
    from_days: int | None
    to_days: int | None
    label_en: str
    label_es: str

    def label(self, lang: Language) -> str:
        """Return the name that people see."""
        return self.label_es if lang == "es" else self.label_en


# Pre-arrears, early arrears to 30, 60 and 90 days, late arrears (requirement S0-56). Due today is not past due.
DEFAULT_BUCKETS = (
    Bucket(key="not_due", from_days=None, to_days=0, label_en="Not yet due", label_es="Pre mora (por vencer)"),
    Bucket(key="early_30", from_days=1, to_days=30, label_en="Early, 1–30", label_es="Mora temprana 1–30"),
    Bucket(key="early_60", from_days=31, to_days=60, label_en="Early, 31–60", label_es="Mora temprana 31–60"),
    Bucket(key="early_90", from_days=61, to_days=90, label_en="Early, 61–90", label_es="Mora temprana 61–90"),
    Bucket(key="late", from_days=91, to_days=None, label_en="Late, 91 or more", label_es="Mora tardía 91 o más"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The company's limits, in days past due. Raises LimitsError when they do not cover every day exactly once."""

    buckets: tuple[Bucket, ...] = field(default=DEFAULT_BUCKETS)
    administrative_from: int = 1
    extrajudicial_from: int = 61
    late_from: int = 91

    def __post_init__(self) -> None:
        _check_buckets(self.buckets)
        for limit in fields(self):
            value = getattr(self, limit.name)
            if limit.name != "buckets" and (not isinstance(value, int) or value < 1):
                raise LimitsError(f"{limit.name} must be a day past due, 1 or more, not {value!r}.")
        if self.extrajudicial_from <= self.administrative_from:
            raise LimitsError("extrajudicial_from must be later than administrative_from.")


def _check_buckets(buckets: tuple[Bucket, ...]) -> None:
    """Raise LimitsError unless the buckets hold every day exactly once, in order."""
    if not 2 <= len(buckets) <= BUCKETS_MAX:
        raise LimitsError(f"There must be 2 to {BUCKETS_MAX} buckets, not {len(buckets)}.")
    keys = [bucket.key for bucket in buckets]
    if len(set(keys)) < len(keys) or UNKNOWN_BUCKET in keys:
        raise LimitsError(f"Bucket keys must be unique and other than {UNKNOWN_BUCKET!r}: {', '.join(keys)}.")
    if buckets[0].from_days is not None or buckets[-1].to_days is not None:
        raise LimitsError(f"{keys[0]} must have no first day and {keys[-1]} no last day: they are open.")
    # Each bucket begins on the day after the one before it ends.
    previous: Bucket | None = None
    for bucket in buckets:
        start = bucket.from_days
        end = bucket.to_days
        if previous is not None:
            if start is None or previous.to_days is None:
                raise LimitsError(
                    f"Only the first and the last bucket may be open, not {previous.key} and {bucket.key}."
                )
            if start > previous.to_days + 1:
                raise LimitsError(f"Days {previous.to_days + 1} to {start - 1} are in no bucket.")
            if start <= previous.to_days:
                raise LimitsError(f"Days {start} to {previous.to_days} are in both {previous.key} and {bucket.key}.")
        if start is not None and end is not None and start > end:
            raise LimitsError(f"{bucket.key} ends (day {end}) before it begins (day {start}).")
        previous = bucket
