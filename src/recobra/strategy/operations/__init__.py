"""Public writes of strategies: versions, the daily cycle, and the re-decision of one debtor."""

from recobra.strategy.operations.day_preview import DayPreview, preview_day
from recobra.strategy.operations.fallback_channel import plan_fallback_channels
from recobra.strategy.operations.reach_preview import preview_reach
from recobra.strategy.operations.rule_matches import RuleMatches, count_matches, find_matches

from .commit import block_cycle_commit
from .cycle import CycleRefused, DiskFull, fail_interrupted_runs, run_cycle, warm_up
from .firings import void_firings
from .new_portfolio import READY_MADE, open_described_portfolio, open_followed_portfolio
from .publication import ensure_ready_made, publish_version
from .redecide import redecide_debtors
from .take_back import PlannedDay, describe_planned_day, take_back_day
from .versions import (
    PUBLICATION,
    StrategyChanged,
    StrategyRefused,
    assign_strategy,
    mark_of,
    retire_version,
    save_draft,
)

__all__ = [
    "PUBLICATION",
    "READY_MADE",
    "CycleRefused",
    "DayPreview",
    "DiskFull",
    "PlannedDay",
    "RuleMatches",
    "StrategyChanged",
    "StrategyRefused",
    "assign_strategy",
    "block_cycle_commit",
    "count_matches",
    "describe_planned_day",
    "ensure_ready_made",
    "fail_interrupted_runs",
    "find_matches",
    "mark_of",
    "open_described_portfolio",
    "open_followed_portfolio",
    "plan_fallback_channels",
    "preview_day",
    "preview_reach",
    "publish_version",
    "redecide_debtors",
    "retire_version",
    "run_cycle",
    "save_draft",
    "take_back_day",
    "void_firings",
    "warm_up",
]
