"""What the server says, it says in three languages: no code without words, no words outside the table."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
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
# Words that are data, not messages: the demo's and the colleagues' content, headings that are read.
DATA = {
    "core/messages.py", "pipeline/demo.py", "pipeline/colleagues.py", "catalog/table.py",
    "accounts/models.py", "quality/fluency.py", "accounts/schema.py",
    "captures/sources/archive.py", "settings/base.py",
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
