"""Small functions, small files, operations that cannot be called with arguments in the wrong order."""

from __future__ import annotations

import ast
import re

from .conftest import ROOT, tracked

FUNCTION_LINES = 60
FILE_LINES = 500
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _functions(tree):
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


def test_no_function_is_longer_than_a_screen(sources):
    long = [
        f"{name}:{node.lineno} {node.name}: {lines} lines"
        for name, (_text, tree) in sources.items()
        for node in _functions(tree)
        if (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_no_file_outgrows_its_subject(sources):
    long = {name: lines for name, (text, _tree) in sources.items() if (lines := text.count("\n")) > FILE_LINES}
    assert not long


def _public_operations(sources):
    """Yield (where, function) of what other apps may call.

    All of `operations.py`, with what it takes in from other modules of its app, and every module of `operations/`.
    """
    for name, (_text, tree) in sources.items():
        if name.endswith("/operations.py"):
            yield from _public_functions(name, tree)
            for node in tree.body:
                if isinstance(node, ast.ImportFrom):
                    yield from _functions_taken_in(sources, name, node)
        elif "/operations/" in name:
            yield from _public_functions(name, tree)


def _public_functions(name, tree):
    """Yield (where, function) of the public functions of a module."""
    return ((name, node) for node in tree.body if isinstance(node, FUNCTIONS) and not node.name.startswith("_"))


def _functions_taken_in(sources, name, node):
    """Yield (where, function) of what a module imports from another module of its app to hand it on."""
    folder = name.rsplit("/", 1)[0]
    module = (node.module or "").replace(".", "/")
    path = f"{folder}/{module}.py" if node.level else f"src/{module}.py"
    exported = _exported(sources[name][1]) & {alias.name for alias in node.names}
    if path.startswith(f"{folder}/") and path in sources:
        yield from (found for found in _public_functions(path, sources[path][1]) if found[1].name in exported)


def _exported(tree):
    """Return the names in `__all__` of a module, none where it has no such list."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_public_operations_take_keywords_only(sources):
    """A function of one parameter cannot be called in the wrong order; `journal.record` begins with its kind."""
    public = list(_public_operations(sources))
    assert len(public) > 100
    loose = [
        f"{name}:{node.lineno} {node.name}: {positional} positional parameters"
        for name, node in public
        if (positional := len(node.args.posonlyargs) + len(node.args.args)) > 1 and "/journal/" not in name
    ]
    assert not loose, "\n".join(loose)


def test_a_command_imports_what_needs_the_settings_after_they_are_read(sources):
    """Commands are tested in a process in which Django stands already (tests/cli), which would not notice."""
    early, seen = [], 0
    for name, (_text, tree) in sources.items():
        for function in _functions(tree) if name.startswith("src/recobra/cli/") else ():
            calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
            entered = [node.lineno for node in calls if ast.unparse(node.func) == "bootstrap.set_up"]
            imports = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
            seen += bool(entered)
            early += [f"{name}:{node.lineno}" for node in imports if entered and node.lineno < min(entered)]
    assert seen > 15
    assert not early, "\n".join(early)


def test_every_model_says_its_personal_data(sources):
    silent, seen = [], 0
    for name, (_text, tree) in sources.items():
        if not (name.endswith("/models.py") or "/models/" in name):
            continue
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any(
                "Model" in ast.unparse(b) or "User" in ast.unparse(b) for b in node.bases
            ):
                seen += 1
                if "Personal data:" not in (ast.get_docstring(node) or ""):
                    silent.append(f"{name}:{node.lineno} {node.name}")
    assert seen > 40
    assert not silent, "\n".join(silent)


def test_only_the_clock_module_and_the_doors_read_the_clock(sources):
    """Time is passed in (ADR 0009)."""
    readers = [
        f"{name}:{node.lineno}"
        for name, (_text, tree) in sources.items()
        if name != "src/recobra/kit/clock.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.fullmatch(
            r"(.*\.)?(datetime\.(utc)?now|date(time)?\.today|timezone\.now|time\.time)", ast.unparse(node.func)
        )
    ]
    assert not readers, "\n".join(readers)


def test_lock_files_name_no_host_and_contain_one_another():
    pins = {}
    for name in ("base", "dev", "spark"):
        text = (ROOT / "requirements" / f"{name}.lock").read_text()
        assert not re.findall(r"https?://\S+|--(?:index-url|extra-index-url|find-links|trusted-host)\s+\S+", text)
        pins[name] = set(re.findall(r"^([\w.\-]+==\S+)", text, re.MULTILINE))
        assert len(pins[name]) > 40
    assert pins["base"] <= pins["dev"] <= pins["spark"]


def test_every_locked_package_has_its_hashes():
    for name in ("base", "dev", "spark"):
        text = (ROOT / "requirements" / f"{name}.lock").read_text()
        blocks = re.split(r"^(?=[\w.\-]+==)", text, flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in block for block in blocks)


def test_the_front_end_lock_names_no_host_to_fetch_from():
    text = (ROOT / "package-lock.json").read_text()
    assert re.findall(r'"resolved": "https?://([^/"]+)', text) == []
    assert '"integrity"' in text


def test_no_path_of_somebodys_machine_is_tracked():
    machine = re.compile(r"(?<![\w.{}$<-])/(?:work|root|home/[a-z]+|Users/[A-Za-z]+|tmp/[a-z]+)/[\w.]")
    named = []
    for name in tracked():
        if name.endswith((".lock", ".png", ".woff2", ".gz", ".mo")) or name == "package-lock.json":
            continue
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if machine.search(line):
                named.append(f"{name}:{number}: {line.strip()[:100]}")
    assert not named, "\n".join(named)
