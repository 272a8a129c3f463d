"""Tables that SQL text names, and the apps that own them."""

from __future__ import annotations

import ast
import re
from functools import cache

_MODEL_BASES = re.compile(r"\b(Model|AbstractUser|AbstractBaseUser)\b")
_DUCK_CALLS = {"execute", "sql", "query"}
# What only DuckDB understands.
_DUCK_WORDS = re.compile(
    r"read_parquet|json_extract_string|TRY_CAST|FORMAT parquet|CREATE OR REPLACE TEMP|\bEXCLUDE \("
)


def is_model_file(name):
    """Return whether a file holds models: `models.py`, or any file of a package `models/`."""
    return name.endswith("/models.py") or "/models/" in name


def app_of(name):
    """Return the app of a file of the product, '' for the core."""
    return name.split("/")[2] if name.startswith("src/recobra/") else ""


def models_of(sources):
    """Yield (file, class) of every model."""
    for name, (_text, tree) in sources.items():
        if is_model_file(name):
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and any(_MODEL_BASES.search(ast.unparse(b)) for b in node.bases):
                    yield name, node


def owned_tables(sources):
    """Return {table: app} by Django's own naming."""
    return {f"{app_of(name)}_{node.name.lower()}": app_of(name) for name, node in models_of(sources)}


@cache
def texts_of(tree):
    """Return (line, text) of the string constants, parts of f-strings included and docstrings left out."""
    prose = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose.add(id(node.value))
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]


def foreign_tables(name, texts, owners):
    """Return {table: line} of the tables of other apps that the texts of a file name."""
    named = re.compile(rf"\b({'|'.join(sorted(owners, key=len, reverse=True))})\b")
    app = app_of(name)
    found = {}
    for line, text in texts:
        for match in named.finditer(text):
            if owners[match[1]] != app:
                found.setdefault(match[1], line)
    return found


def duck_texts(tree):
    """Return the lines of SQL text for DuckDB: literals handed to a connection, and words that only DuckDB has."""
    lines = {line for line, text in texts_of(tree) if _DUCK_WORDS.search(text)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        is_duck = node.func.attr in _DUCK_CALLS and "duck" in ast.unparse(node.func.value)
        if is_duck and isinstance(node.args[0], ast.Constant | ast.JoinedStr):
            lines.add(node.lineno)
    return sorted(lines)
