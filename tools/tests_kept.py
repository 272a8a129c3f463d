"""Account for the tests of an earlier state: `tests_kept.py BEFORE [AFTER]`, each a git revision or a file of node ids.

Every test collected in BEFORE is collected in AFTER (by default what is checked out) under the same node id, or
tools/tests_moved.txt names the test that proves it now, or says why there is nothing left to prove. Prints the counts
and the unmapped; exits with 1 where there are any. A line of that file is `OLD -> NEW` or `OLD -> gone: REASON`; a `*`
in OLD stands for any text, and a `*` in NEW for the text that the same one of OLD stood for.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOVES = ROOT / "tools" / "tests_moved.txt"


@dataclass(frozen=True)
class Move:
    """Where the proof of the tests that a pattern matches went."""

    pattern: str
    target: str

    def apply(self, test: str) -> str | None:
        """Return the node id that proves a test now, or `gone: …`; None where the move is not about it."""
        match = re.fullmatch(re.escape(self.pattern).replace(r"\*", "(.*)"), test)
        if match is None:
            return None
        texts = iter(match.groups())
        return re.sub(r"\*", lambda _star: next(texts), self.target)


@dataclass
class Account:
    """What became of the tests."""

    kept: int = 0
    moved: int = 0
    gone: list[str] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def account_for(before: Iterable[str], after: Iterable[str], moves: Sequence[Move]) -> Account:
    """Compare two collections of node ids."""
    now, account, used = set(after), Account(), set()
    for test in before:
        if test in now:
            account.kept += 1
            continue
        targets = [(move, target) for move in moves if (target := move.apply(test)) is not None]
        used.update(move for move, _target in targets)
        gone = next((target for _move, target in targets if target.startswith("gone:")), None)
        if any(target in now for _move, target in targets):
            account.moved += 1
        elif gone:
            account.gone.append(f"{test} {gone}")
        else:
            account.unmapped.append(test)
    account.unused = [f"{move.pattern} -> {move.target}" for move in moves if move not in used]
    return account


def read_moves(text: str) -> list[Move]:
    """Read the lines of tools/tests_moved.txt. Raises ValueError with the line that is none."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    parts = [line.split(" -> ") for line in lines]
    wrong = [line for line, part in zip(lines, parts, strict=True) if len(part) != 2]
    if wrong:
        raise ValueError(f"«{wrong[0]}» is not «OLD -> NEW».")
    return [Move(old.strip(), new.strip()) for old, new in parts]


def collect(source: str) -> list[str]:
    """Return the node ids of a file, of what is checked out («.»), or of a git revision."""
    if Path(source).is_file():
        return _node_ids(Path(source).read_text(encoding="utf-8"))
    if source == ".":
        return _collected_in(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), source], cwd=ROOT, check=True)
        try:
            return _collected_in(tree)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


def _collected_in(tree: Path) -> list[str]:
    whole = ["--whole"] if "--whole" in (tree / "Makefile").read_text(encoding="utf-8") else []
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "not spark", *whole],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"The tests of {tree} could not be collected:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return _node_ids(done.stdout)


def _node_ids(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("tests/") and "::" in line]


def main(arguments: Sequence[str]) -> int:
    """Print the account; return 1 where a test is unmapped."""
    if not 1 <= len(arguments) <= 2:
        print(__doc__)
        return 2
    before, after = collect(arguments[0]), collect((*arguments, ".")[1])
    account = account_for(before, after, read_moves(MOVES.read_text(encoding="utf-8")))
    print(f"before: {len(before)}\nafter: {len(after)}\nkept: {account.kept}\nmoved: {account.moved}")
    print(f"gone with what they proved: {len(account.gone)}")
    for line in account.unused:
        print(f"nothing matches: {line}")
    print(f"unmapped: {len(account.unmapped)}")
    for test in account.unmapped:
        print(f"  {test}")
    return 1 if account.unmapped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
