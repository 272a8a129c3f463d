"""Simulate days of predictive and of one-each dialling and print how busy people are and who picks up for nothing.

    python bench/dialling.py --days 5 --hours 8

Seeded: the same options print the same figures. No network, no database.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from recobra_core.dial.simulate import Day, Scene, build_scenes, pace_progressively, predictive_pacing, simulate_day  # noqa: E402

HEAD = (
    "| people | answers | talk, s | one each, busy | predictive, busy | gain | abandoned, mean | abandoned, worst day |"
)


def main() -> None:
    """Print one row per scene and what held over all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=5, help="days per scene, each with a seed of its own")
    parser.add_argument("--hours", type=float, default=8.0)
    options = parser.parse_args()
    print(HEAD, "|---|---|---|---|---|---|---|---|", sep="\n", flush=True)
    predictive_days, progressive_days = [], []
    for scene in build_scenes(agents=(2, 5, 10, 20, 50), rates=(0.1, 0.3, 0.6), hours=options.hours):
        days = [simulate_day(scene, pacing=predictive_pacing(), seed=seed) for seed in range(options.days)]
        base = [simulate_day(scene, pacing=pace_progressively, seed=seed) for seed in range(options.days)]
        print(format_row(scene, days, base), flush=True)
        predictive_days += days
        progressive_days += base
    worst = max(day.abandonment for day in predictive_days)
    lost = sum(day.abandoned for day in predictive_days) / sum(day.answered for day in predictive_days)
    print(f"\n{len(predictive_days)} days, {sum(day.attempts for day in predictive_days):,} calls.")
    used, usual = (mean(day.used for day in group) for group in (predictive_days, progressive_days))
    print(f"Busy {used:.1%} against {usual:.1%}.")
    print(f"Abandoned {lost:.2%} of all answers, on the worst day {worst:.2%}.")


def format_row(scene: Scene, days: list[Day], base: list[Day]) -> str:
    """Return one line of the table."""
    used, usual = mean(day.used for day in days), mean(day.used for day in base)
    lost = [day.abandonment for day in days]
    return (
        f"| {scene.agents} | {scene.answer_rate:.0%} | {scene.talk_mean:.0f} | {usual:.1%} | {used:.1%} |"
        f" {used - usual:+.1%} | {mean(lost):.2%} | {max(lost):.2%} |"
    )


if __name__ == "__main__":
    main()
