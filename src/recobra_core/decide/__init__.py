"""Strategies and what they decide: which steps are due, whom to contact and how, and who is left to chance."""

from recobra_core.decide.chance import assign_arm, is_held_out
from recobra_core.decide.description import Change, describe_step, describe_stops, diff_strategies
from recobra_core.decide.due import find_due_steps, find_silenced
from recobra_core.decide.plan import CHANNELS_OPEN, Plan, plan_contacts, plan_holds, plan_stage_changes, plan_tasks
from recobra_core.decide.reach_preview import count_reach
from recobra_core.decide.steps import NO_SEGMENT, Segment, Step
from recobra_core.decide.strategy import Strategy, list_templates
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
    "Segment",
    "Step",
    "Strategy",
    "assign_arm",
    "count_reach",
    "describe_step",
    "describe_stops",
    "diff_strategies",
    "find_due_steps",
    "find_silenced",
    "is_held_out",
    "list_templates",
    "plan_contacts",
    "plan_holds",
    "plan_stage_changes",
    "plan_tasks",
]
