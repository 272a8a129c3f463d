"""Days past due, buckets, the four stages and the roll between two days."""

from recobra_core.stages.days import arrears, arrears_of, bucket_of, days_past_due, stage_of
from recobra_core.stages.limits import DEFAULT_BUCKETS, UNKNOWN_BUCKET, Bucket, Limits, LimitsError, Stage
from recobra_core.stages.roll import GONE, NEW, roll, roll_rates

__all__ = [
    "DEFAULT_BUCKETS",
    "GONE",
    "NEW",
    "UNKNOWN_BUCKET",
    "Bucket",
    "Limits",
    "LimitsError",
    "Stage",
    "arrears",
    "arrears_of",
    "bucket_of",
    "days_past_due",
    "roll",
    "roll_rates",
    "stage_of",
]
