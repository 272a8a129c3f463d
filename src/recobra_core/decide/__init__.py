"""Strategies and what they decide: which steps are due, whom to contact and how, and who is left to chance."""

from recobra_core.decide.chance import arm, held_out
from recobra_core.decide.description import Change, diff, in_words, stops_in_words
from recobra_core.decide.due import due_steps, silenced
from recobra_core.decide.nodes import Problem
from recobra_core.decide.plan import CHANNELS_OPEN, Plan, contacts, holds, stage_changes, tasks
from recobra_core.decide.reach_preview import would_touch
from recobra_core.decide.steps import NO_SEGMENT, Segment, Step
from recobra_core.decide.strategy import Strategy, StrategyError, templates_used
from recobra_core.decide.tables import ACCOUNTS, DUE, FIRINGS, SILENCED

__all__ = [
    "ACCOUNTS",
    "CHANNELS_OPEN",
    "DUE",
    "FIRINGS",
    "NO_SEGMENT",
    "SILENCED",
    "Change",
    "Plan",
    "Problem",
    "Segment",
    "Step",
    "Strategy",
    "StrategyError",
    "arm",
    "contacts",
    "diff",
    "due_steps",
    "held_out",
    "holds",
    "in_words",
    "silenced",
    "stage_changes",
    "stops_in_words",
    "tasks",
    "templates_used",
    "would_touch",
]
