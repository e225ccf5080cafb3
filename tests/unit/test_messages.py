"""What the server says, it says in three languages: no code without words, no words outside the table."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings

from annotator.core import messages

ROOT = Path(settings.BASE_DIR) / "annotator"
SOURCES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if "migrations" not in path.parts and "management" not in path.parts
]
# call → which positional argument is the code
CODED = {"Conflict": 0, "Forbidden": 0, "NotFound": 0, "Unavailable": 0, "FieldError": 1}
CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
TABLES = {path.stem: path for path in (ROOT / "core/messages").glob("[a-z]*.py")}
# Words that are data, not messages: the demo's and the colleagues' content, headings that are read.
DATA = {
    *(f"core/messages/{path.name}" for path in TABLES.values()),
    "pipeline/demo.py", "pipeline/colleagues.py", "catalog/table.py", "accounts/models.py",
    "quality/fluency.py", "accounts/schema.py", "captures/sources/archive.py", "settings/base.py",
}  # fmt: skip


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in CODED:
                yield name, node


def _said(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) and node.value else set()
    return _said(node.body) | _said(node.orelse) if isinstance(node, ast.IfExp) else set()


def codes(source: str) -> set[str]:
    """The codes of errors that ``source`` raises, where they are written out."""
    found = set()
    for name, call in calls(ast.parse(source)):
        place = CODED[name]
        if len(call.args) > place:
            found |= _said(call.args[place])
    return found


def words(source: str) -> list[str]:
    """Chinese and Japanese texts of ``source`` that are neither docstrings nor comments."""
    tree = ast.parse(source)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    loose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }  # the words below a constant
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docs | loose
        and CJK.search(node.value)
    ]


def test_every_code_has_words() -> None:
    used = {code for path in SOURCES for code in codes(path.read_text(encoding="utf-8"))}
    assert len(used) > 40
    assert not sorted(used - set(messages._TABLE))


def codes_of(app: str) -> set[str]:
    """The codes whose words stand in the table of ``app``."""
    if app not in TABLES:
        return set()
    return set(import_module(f"annotator.core.messages.{app}").MESSAGES)


def layers() -> list[set[str]]:
    """The apps in the order in which they may import each other, the first by all others."""
    settings_of = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings_of["tool"]["importlinter"]["contracts"][0]
    return [set(re.findall(r"annotator\.(\w+)", layer)) for layer in reversed(contract["layers"])]


def test_words_stand_with_the_app_that_says_them() -> None:
    assert set(TABLES) <= set().union(*layers())
    above: set[str] = set()
    for layer in layers():
        for app in layer:
            used = {
                c for path in (ROOT / app).rglob("*.py") for c in codes(path.read_text("utf-8"))
            }
            assert not sorted(used - above - codes_of(app)), app
        above |= {code for app in layer for code in codes_of(app)}


def test_every_table_counts_and_no_code_stands_twice() -> None:
    assert sum(len(codes_of(app)) for app in TABLES) == len(messages._TABLE)
    assert set().union(*map(codes_of, TABLES)) == set(messages._TABLE)


def test_no_words_are_hard_coded() -> None:
    found = {
        str(path.relative_to(ROOT)): texts
        for path in SOURCES
        if str(path.relative_to(ROOT)) not in DATA
        and (texts := words(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize("code", sorted(messages._TABLE))
def test_the_languages_say_the_same(code: str) -> None:
    row = messages._TABLE[code]
    assert len(row) == 3 and all(row)
    assert (
        len({frozenset(f for _, f, _, _ in string.Formatter().parse(text) if f) for text in row})
        == 1
    )
    assert not any(mark in text for text in row for mark in "!！")


def test_what_is_missing_would_be_found() -> None:
    assert codes('raise Conflict("no_such_code")') == {"no_such_code"}
    assert codes('FieldError("name", "odd", {})') == {"odd"}
    assert words('"""文档"""\nx = "你好"') == ["你好"]
