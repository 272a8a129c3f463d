"""Pacing of calls: as many as keep gestores busy, while hardly anybody who picks up finds nobody there."""

from recobra_core.dial.pacing import Decision, pace_calls
from recobra_core.dial.state import Durations, Floor, Limits, Rate

__all__ = ["Decision", "Durations", "Floor", "Limits", "Rate", "pace_calls"]
