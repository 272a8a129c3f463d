"""Write docs/requirements.md from docs/requirements.yaml, or say with `--check` that the page is behind.

Usage: requirements_page.py [--check]
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "requirements.yaml"
PAGE = ROOT / "docs" / "requirements.md"

Rows = dict[str, dict[str, Any]]
STATES = ("works", "part", "none")
SEEDS = {
    "S0": "Guide to the management of collections",
    "S1": "Artificial intelligence in collections, payments, seven techniques",
    "S2": "The model process in three subprocesses",
    "S3": "What a collections system does for its users",
    "S4": "The collections plan",
}
WORKS = (
    "Safe ground",
    "True facts",
    "Every door",
    "The desk",
    "Around the desk",
    "Charges",
    "The bank",
    "Ways to pay",
    "Agreements",
    "Portal",
    "Insight",
    "Engine",
    "The team",
    "Machine door",
    "The last stage",
)
INTRODUCTION = """\
# Requirements

<!-- Made by `make requirements` from requirements.yaml; change that file. -->

How far the product goes, requirement by requirement, and the door through which its user reaches it. A row **works** \
if the person it is for reaches all of it without a developer; **part** if something of it can be reached; **none** \
if nothing can. Doors are screens, commands and addresses that other systems call. Each test named here walks through \
a door of its row, and [fails where it does not](testing.md#the-trace-of-requirements).
"""


def read(path: Path = FILE) -> Rows:
    """Return the rows of the file by their id, in its order. Raises yaml.YAMLError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def page(rows: Rows) -> str:
    """Return the page as Markdown."""
    parts = [INTRODUCTION, _totals(rows), _works(rows), *(_seed(seed, rows) for seed in SEEDS)]
    return "\n".join(parts)


def _totals(rows: Rows) -> str:
    counts = Counter((row_id[:2], row["state"]) for row_id, row in rows.items())
    lines = [_line(seed, title, *_by_state(seed, counts)) for seed, title in SEEDS.items()]
    overall = [sum(counts[seed, state] for seed in SEEDS) for state in STATES]
    return "\n".join(
        [
            "## Totals\n",
            _line("Seed", "Subject", *STATES, "of"),
            _line("---", "---", *["---:"] * 4),
            *lines,
            _line("", "**All**", *(f"**{number}**" for number in (*overall, sum(overall)))),
            "",
        ]
    )


def _by_state(seed: str, counts: Counter[tuple[str, str]]) -> list[int]:
    numbers = [counts[seed, state] for state in STATES]
    return [*numbers, sum(numbers)]


def _works(rows: Rows) -> str:
    counts = Counter((row["by"], row["state"]) for row in rows.values() if "by" in row)
    lines = [_line(work, counts[work, "part"], counts[work, "none"]) for work in WORKS]
    heading = ["## What is to bring the rest\n", _line("Work", "to complete", "to begin"), _line("---", "---:", "---:")]
    return "\n".join([*heading, *lines, ""])


def _seed(seed: str, rows: Rows) -> str:
    heading = _line("Id", "Asks", "State", "Doors", "Tests", "Missing", "By")
    lines = [_row(row_id, row) for row_id, row in rows.items() if row_id.startswith(f"{seed}-")]
    return "\n".join([f"## {seed} · {SEEDS[seed]}\n", heading, _line(*["---"] * 7), *lines, ""])


def _row(row_id: str, row: dict[str, Any]) -> str:
    doors = "<br>".join(f"`{door}`" for door in row.get("doors", ()))
    tests = "<br>".join(_tests(row.get("tests", ())))
    state = f"**{row['state']}**" if row["state"] == "works" else row["state"]
    return _line(row_id, row["asks"], state, doors, tests, row.get("missing", ""), row.get("by", ""))


def _tests(nodes: list[str]) -> Iterator[str]:
    for node in nodes:
        path, _, name = node.partition("::")
        sentence = name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        yield f"[{sentence}](../{path})"


def _line(*cells: object) -> str:
    return f"| {' | '.join(str(cell).replace('|', '&#124;') for cell in cells)} |"


def main(words: list[str]) -> int:
    """Write the page, or compare it."""
    text = page(read())
    if words == ["--check"]:
        behind = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
        print("docs/requirements.md is behind: make requirements" if behind else "docs/requirements.md is up to date")
        return int(behind)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
