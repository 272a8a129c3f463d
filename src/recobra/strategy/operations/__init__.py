"""Public writes of strategies: versions, the daily cycle, and the re-decision of one debtor."""

from recobra.strategy.operations.fallback_channel import look_for_another_way
from recobra.strategy.operations.reach_preview import would_touch

from .commit import share_decisions
from .cycle import CycleRefused, run_cycle
from .firings import void_firings
from .redecide import redecide
from .versions import StrategyRefused, assign, ensure_ready, publish, retire, save_draft

__all__ = [
    "CycleRefused",
    "StrategyRefused",
    "assign",
    "ensure_ready",
    "look_for_another_way",
    "publish",
    "redecide",
    "retire",
    "run_cycle",
    "save_draft",
    "share_decisions",
    "void_firings",
    "would_touch",
]
