"""Days past due, buckets, the four stages and the roll between two days."""

from recobra_core.stages.days import arrears_level_of, bucket_of, compute_arrears, days_past_due, stage_of
from recobra_core.stages.limits import DEFAULT_BUCKETS, UNKNOWN_BUCKET, Bucket, Limits, LimitsError, Stage
from recobra_core.stages.roll import GONE, NEW, add_roll_rates, build_roll_matrix

__all__ = [
    "DEFAULT_BUCKETS",
    "GONE",
    "NEW",
    "UNKNOWN_BUCKET",
    "Bucket",
    "Limits",
    "LimitsError",
    "Stage",
    "add_roll_rates",
    "arrears_level_of",
    "bucket_of",
    "build_roll_matrix",
    "compute_arrears",
    "days_past_due",
    "stage_of",
]
