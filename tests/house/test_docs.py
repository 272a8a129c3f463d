"""The documentation names what exists: links lead somewhere, every command and option is described."""

from __future__ import annotations

import argparse
import pkgutil
import re

import pytest

from recobra.cli.main import build_parser

from .conftest import ROOT, tracked

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
PAGES = tracked("*.md", "docs/**/*.md", "examples/**/*.md")
ADRS = tracked("docs/adr/*.md")
ALWAYS = {"--help", "-h", "--json", "--data-dir"}


def _anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _anchors(path):
    return {_anchor(title) for title in re.findall(r"^#+\s+(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    here = ROOT / page
    broken = []
    for target in LINK.findall(here.read_text(encoding="utf-8")):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (here.parent / path).resolve() if path else here
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in _anchors(there)):
            broken.append(target)
    assert not broken


def _commands(parser, words=()):
    """Yield (words, parser) of every command that can be given."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield words, parser
    for group in groups:
        for name, child in group.choices.items():
            yield from _commands(child, (*words, name))


COMMANDS = dict(_commands(build_parser(), ("recobra",)))


def _sections():
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^### `([^`]+)`$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_described(words):
    section = _sections().get(" ".join(words))
    assert section is not None, f"docs/commands.md has no section `{' '.join(words)}`"
    options = {name for action in COMMANDS[words]._actions for name in action.option_strings} - ALWAYS
    positional = {
        str(action.metavar) for action in COMMANDS[words]._actions if not action.option_strings and action.metavar
    }
    assert {name for name in options | positional if f"`{name}" not in section} == set()


def test_no_command_is_described_that_does_not_exist():
    assert set(_sections()) <= {" ".join(words) for words in COMMANDS}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_named_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"```(?:sh|console|bash)?\n(.*?)```", text, re.DOTALL))
    known = {" ".join(words) for words in COMMANDS}
    named = re.findall(r"(?m)^\s*\$?\s*(?:\.venv/bin/)?(recobra(?: [a-z]+)*)", fenced)
    assert [
        name
        for name in named
        if not any(name == k or name.startswith(f"{k} ") or k.startswith(f"{name} ") for k in known)
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_named_exists(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8")))
    assert named <= targets


def test_every_setting_is_described():
    read = set()
    for name in tracked("src/recobra/**/*.py", "tools/*.py"):
        read |= set(re.findall(r"\"(RECOBRA_[A-Z_]+)\"", (ROOT / name).read_text(encoding="utf-8")))
    described = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    internal = {"RECOBRA_PARENT", "RECOBRA_HEARTBEAT"}
    assert {name for name in read - internal if f"`{name}`" not in described} == set()


@pytest.mark.parametrize("page", ADRS)
def test_every_adr_has_its_parts(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert titles == ["Context", "Decision", "Consequences", "Alternatives"]


def test_the_adrs_are_numbered_without_gaps():
    numbers = [int(page.split("/")[-1][:4]) for page in ADRS]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 16


def test_every_direct_dependency_has_its_reason():
    text = (ROOT / "docs" / "adr" / "0017-dependencies.md").read_text(encoding="utf-8")
    names = []
    for name in ("base", "dev", "spark"):
        lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
        names += [re.split(r"[\[<>=~]", line)[0] for line in lines if line and not line.startswith("-r")]
    assert {name for name in names if f"`{name}`" not in text} == set()


GUIDES = tracked("ARCHITECTURE.md", "docs/adding/*.md", "docs/where_is_what.md", "src/**/README.md")
SPAN = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w.\-]+(?:/[\w.\-]+)*(?:/|\.(?:css|html|js|md|mo|po|py|svg|toml|txt|typ|yaml))(?:::\w+)?")
APPS = {path.name for path in (ROOT / "src" / "recobra").iterdir() if path.is_dir()} | {"recobra_core"}


def _is_there(page, name):
    """Tell if a file, and the test named after it, is below the root, a package, or the page's own folder."""
    path, _, function = name.partition("::")
    own = (ROOT / page).parent
    folders = (own, own / "templates", ROOT, ROOT / "src" / "recobra", ROOT / "src" / "recobra_core")
    found = next((folder / path for folder in folders if (folder / path).exists()), None)
    return found is not None and (not function or f"def {function}(" in found.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", GUIDES)
def test_every_file_that_a_guide_names_exists(page):
    """A bare name is a file only in the README of its folder; elsewhere it may stand for one of many."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    named = {span for span in SPAN.findall(text) if FILE.fullmatch(span)}
    if not page.endswith("README.md"):
        named = {name for name in named if "/" in name.rstrip("/")}
    assert {name for name in named if not _is_there(page, name)} == set()


def _resolves(name):
    try:
        return pkgutil.resolve_name(name) is not None
    except (ImportError, AttributeError):
        return False


def test_every_function_that_the_architecture_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = {span for span in SPAN.findall(text) if span.count(".") > 1 and span.partition(".")[0] in APPS}
    assert len(named) > 80
    whole = (name if name.startswith("recobra_core.") else f"recobra.{name}" for name in named)
    assert [name for name in whole if not _resolves(name)] == []
