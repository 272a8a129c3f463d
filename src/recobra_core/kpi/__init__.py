"""One definition per indicator, used by every board, report and export."""

from recobra_core.kpi.ageing import CREDIT_BUCKET, compute_ageing
from recobra_core.kpi.collected import compute_days_to_collect

__all__ = ["CREDIT_BUCKET", "compute_ageing", "compute_days_to_collect"]
