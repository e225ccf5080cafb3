"""The caption schema: which fields a project's captions have. It is data, kept as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as property_of
from typing import Any, Final, Literal, Self, get_args

from .errors import SchemaError, SchemaProblem
from .text import fold, tidy

Kind = Literal["sku", "category", "spec", "quantity", "condition", "text", "date", "choice"]
KINDS: Final = get_args(Kind)
LANGUAGES: Final = ("zh", "en", "ja")

_KEY = re.compile(r"^[a-z][a-z0-9_]{0,39}$")
_LABEL_FORBIDDEN = re.compile(r"[|｜【】\[\]［］\\:：\n,，;；]")
_MAX_LABEL = 40
_PROPERTIES = frozenset({"key", "kind", "label", "required", "weight", "options", "aliases"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a caption.

    ``label`` has ``zh``, ``en`` and ``ja``; captions are written with ``zh`` and read with all of
    them, with ``key`` and with ``aliases``. ``weight`` is the field's share in agreement.
    ``options`` are the allowed values of a ``choice``.
    """

    key: str
    kind: Kind
    label: Mapping[str, str]
    required: bool = True
    weight: float = 0.0
    options: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Every name under which the field is read."""
        return tuple(name for _, name in self.places())

    def places(self) -> tuple[tuple[str, str], ...]:
        """Its names, each with the property that it stands in."""
        labels = ((f"label.{language}", name) for language, name in self.label.items())
        aliases = ((f"aliases.{n}", name) for n, name in enumerate(self.aliases))
        return (*labels, ("key", self.key), *aliases)

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "kind": self.kind,
            "label": dict(self.label),
            "required": self.required,
            "weight": self.weight,
            "options": list(self.options),
            "aliases": list(self.aliases),
        }


@dataclass(frozen=True, slots=True)
class Schema:
    """The ordered fields of a project's captions. Raises :class:`SchemaError` when unusable."""

    fields: tuple[Field, ...]
    _names: dict[str, Field] = property_of(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if problems := _problems_between(self.fields):
            raise SchemaError(problems)

    def get(self, key: str) -> Field | None:
        """The field with ``key``, or None."""
        return next((f for f in self.fields if f.key == key), None)

    def of_kind(self, kind: Kind) -> tuple[Field, ...]:
        """The fields of ``kind``, in order."""
        return tuple(f for f in self.fields if f.kind == kind)

    def by_name(self) -> Mapping[str, Field]:
        """Fields by the :func:`~.text.fold` form of each of their names; worked out once."""
        if not self._names:
            self._names.update({fold(name): f for f in self.fields for name in f.names()})
        return self._names

    def to_json(self) -> dict[str, Any]:
        return {"fields": [f.to_json() for f in self.fields]}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read ``{"fields": [...]}``. Raises :class:`SchemaError` naming every problem."""
        if not isinstance(data, Mapping) or not isinstance(data.get("fields"), list):
            raise SchemaError([SchemaProblem("", "not_a_schema")])
        problems: list[SchemaProblem] = []
        fields = []
        for index, item in enumerate(data["fields"]):
            found = _field_problems(item, f"fields.{index}")
            problems += found
            if not found:
                fields.append(_field(item))
        if problems:
            raise SchemaError(problems)
        return cls(tuple(fields))


def _field(item: Mapping[str, Any]) -> Field:
    return Field(
        key=item["key"],
        kind=item["kind"],
        label={language: tidy(item["label"][language]) for language in LANGUAGES},
        required=item.get("required", True),
        weight=float(item.get("weight", 0.0)),
        options=tuple(tidy(option) for option in item.get("options", ())),
        aliases=tuple(tidy(alias) for alias in item.get("aliases", ())),
    )


def _field_problems(item: Any, where: str) -> list[SchemaProblem]:
    """What is wrong with one field's JSON."""
    if not isinstance(item, Mapping):
        return [SchemaProblem(where, "not_an_object")]
    problems = [
        SchemaProblem(f"{where}.{name}", "unknown_property")
        for name in item
        if name not in _PROPERTIES
    ]
    key, kind, label = item.get("key"), item.get("kind"), item.get("label")
    if not isinstance(key, str) or not _KEY.match(key):
        problems.append(SchemaProblem(f"{where}.key", "bad_key"))
    if kind not in KINDS:
        problems.append(SchemaProblem(f"{where}.kind", "bad_kind", {"kinds": KINDS}))
    if not isinstance(label, Mapping):
        problems.append(SchemaProblem(f"{where}.label", "bad_label"))
    else:
        for language in LANGUAGES:
            problems += _name_problems(label.get(language), f"{where}.label.{language}")
    if not isinstance(item.get("required", True), bool):
        problems.append(SchemaProblem(f"{where}.required", "not_a_boolean"))
    weight = item.get("weight", 0.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        problems.append(SchemaProblem(f"{where}.weight", "bad_weight"))
    problems += _names_problems(item.get("aliases", []), f"{where}.aliases")
    options = item.get("options", [])
    if not isinstance(options, list) or not all(isinstance(o, str) and tidy(o) for o in options):
        problems.append(SchemaProblem(f"{where}.options", "bad_options"))
    return problems


def _names_problems(names: Any, where: str) -> list[SchemaProblem]:
    if not isinstance(names, list):
        return [SchemaProblem(where, "not_a_list")]
    return [p for i, name in enumerate(names) for p in _name_problems(name, f"{where}.{i}")]


def _name_problems(name: Any, where: str) -> list[SchemaProblem]:
    if not isinstance(name, str) or not fold(name):
        return [SchemaProblem(where, "empty_name")]
    if len(name) > _MAX_LABEL:
        return [SchemaProblem(where, "long_name", {"limit": _MAX_LABEL})]
    if _LABEL_FORBIDDEN.search(name):
        return [SchemaProblem(where, "forbidden_in_name")]
    return []


def _problems_between(fields: tuple[Field, ...]) -> list[SchemaProblem]:
    """What is wrong with fields taken together, and with values that JSON types do not rule out."""
    if not fields:
        return [SchemaProblem("fields", "no_fields")]
    problems: list[SchemaProblem] = []
    owner: dict[str, str] = {}
    seen: set[str] = set()
    for index, f in enumerate(fields):
        where = f"fields.{index}"
        if f.key in seen:
            problems.append(SchemaProblem(f"{where}.key", "duplicate_key", {"key": f.key}))
        seen.add(f.key)
        if not math.isfinite(f.weight) or f.weight < 0:
            problems.append(SchemaProblem(f"{where}.weight", "bad_weight"))
        if f.kind == "choice" and not f.options:
            problems.append(SchemaProblem(f"{where}.options", "no_options"))
        if f.kind != "choice" and f.options:
            problems.append(SchemaProblem(f"{where}.options", "options_not_for_kind"))
        if len({fold(option) for option in f.options}) < len(f.options):
            problems.append(SchemaProblem(f"{where}.options", "alike_options"))
        for place, name in f.places():
            other = owner.setdefault(fold(name), f.key)
            if other != f.key:
                params = {"name": name, "field": other}
                problems.append(SchemaProblem(f"{where}.{place}", "name_taken", params))
    if not problems and sum(f.weight for f in fields) <= 0:
        problems.append(SchemaProblem("fields", "no_weight"))
    return problems


DEFAULT_SCHEMA: Final = Schema(
    (
        Field(
            "sku",
            "sku",
            {"zh": "SKU", "en": "SKU", "ja": "SKU"},
            weight=0.40,
            aliases=("货号", "编码", "商品编码", "品番", "SKU编码", "SKU code"),
        ),
        Field(
            "category",
            "category",
            {"zh": "品类", "en": "Category", "ja": "カテゴリ"},
            weight=0.10,
            aliases=("类别", "分类", "品類", "カテゴリー"),
        ),
        Field(
            "spec",
            "spec",
            {"zh": "规格", "en": "Spec", "ja": "規格"},
            weight=0.15,
            aliases=("specification", "size", "仕様"),
        ),
        Field(
            "quantity",
            "quantity",
            {"zh": "数量", "en": "Quantity", "ja": "数量"},
            weight=0.20,
            aliases=("qty", "count", "數量", "個数"),
        ),
        Field(
            "condition",
            "condition",
            {"zh": "状态", "en": "Condition", "ja": "状態"},
            weight=0.15,
            aliases=("状况", "status", "state", "狀態"),
        ),
    )
)
"""The five fields every site starts with."""
