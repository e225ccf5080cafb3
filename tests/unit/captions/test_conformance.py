"""The vectors that the Python module and its TypeScript twin both pass."""

import json
from pathlib import Path

import pytest

from inference import captions
from inference.captions import (
    DEFAULT_SCHEMA,
    MESSAGES,
    RULES,
    CaptionError,
    Field,
    FieldError,
    Schema,
    World,
    agreement,
    compare,
    findings,
    format_caption,
    match_boxes,
    normalise_value,
    parse,
    parse_chinese,
    parse_condition,
    parse_quantity,
    parse_spec,
    values_from_json,
    values_to_json,
)

VECTORS = json.loads((Path(captions.__file__).parent / "conformance.json").read_text("utf-8"))
SCHEMAS = {name: Schema.from_json(data) for name, data in VECTORS["schemas"].items()}


def each(section):
    """The vectors of a section, one test case each."""
    return pytest.mark.parametrize("vector", VECTORS[section], ids=lambda v: repr(v)[:60])


def schema_of(vector):
    return SCHEMAS[vector.get("schema", "default")]


def value_of(data):
    return None if data is None else values_from_json({"x": data})["x"]


def test_the_default_schema_and_the_messages_are_those_of_the_vectors():
    assert DEFAULT_SCHEMA.to_json() == VECTORS["schemas"]["default"]
    assert VECTORS["messages"] == MESSAGES


@each("parse")
def test_parse(vector):
    result = parse(vector["text"], schema_of(vector))
    errors = [{"code": e.code, "field": e.field, "position": e.position} for e in result.errors]
    assert values_to_json(result.values) == vector["values"]
    assert errors == vector["errors"]
    assert result.canonical == vector.get("canonical", result.canonical)
    for error in result.errors:
        assert {"{", "}"}.isdisjoint(error.message("en"))


@each("format")
def test_format(vector):
    values = values_from_json(vector["values"])
    if "caption" in vector:
        assert format_caption(values, schema_of(vector)) == vector["caption"]
    else:
        with pytest.raises(CaptionError) as raised:
            format_caption(values, schema_of(vector))
        errors = [{"code": e.code, "field": e.field} for e in raised.value.errors]
        assert errors == vector["errors"]


@each("normalise")
def test_normalise(vector):
    labels = {"zh": "字段", "en": "Field", "ja": "項目"}
    field = Field("x", vector["kind"], labels, options=tuple(vector.get("options", ())))
    value = normalise_value(field, vector["raw"])
    if "error" in vector:
        assert isinstance(value, FieldError)
        assert (value.code, value.field) == (vector["error"], "x")
    else:
        assert value == vector["value"]


@each("spec")
def test_spec(vector):
    spec = parse_spec(vector["raw"])
    if "error" in vector:
        assert isinstance(spec, FieldError)
        assert spec.code == vector["error"]
        return
    assert not isinstance(spec, FieldError)
    assert spec.text == vector["text"]
    assert [list(measure) for measure in spec.measures] == vector["measures"]
    assert list(spec.counts) == vector["counts"]
    assert sorted(spec.words) == vector["words"]
    total = spec.total()
    assert (list(total) if total else None) == vector["total"]


@each("quantity")
def test_quantity(vector):
    quantity = parse_quantity(vector["raw"])
    if "error" in vector:
        assert isinstance(quantity, FieldError)
        assert quantity.code == vector["error"]
        return
    assert not isinstance(quantity, FieldError)
    assert quantity.text() == vector["text"]
    assert [list(amount) for amount in quantity.amounts()] == vector["amounts"]


@each("condition")
def test_condition(vector):
    condition = parse_condition(vector["raw"])
    if "error" in vector:
        assert isinstance(condition, FieldError)
        assert condition.code == vector["error"]
        return
    assert not isinstance(condition, FieldError)
    assert (condition.grade, condition.detail) == (vector["grade"], vector["detail"])
    assert condition.text() == vector["text"]


@each("compare")
def test_compare(vector):
    field = SCHEMAS["wide"].get(vector["field"])
    a, b = value_of(vector["a"]), value_of(vector["b"])
    assert compare(field, a, b, VECTORS["category_parent"]) == pytest.approx(vector["score"])
    assert compare(field, b, a, VECTORS["category_parent"]) == pytest.approx(vector["score"])


@each("agreement")
def test_agreement(vector):
    options = {key: vector[key] for key in ("threshold", "minimum_iou", "boxes") if key in vector}
    result = agreement(
        values_from_json(vector["a"]),
        values_from_json(vector["b"]),
        schema_of(vector),
        VECTORS["category_parent"],
        **options,
    )
    assert result.score == pytest.approx(vector["score"])
    assert [reason.code for reason in result.reasons] == vector["reasons"]
    assert result.disputed == bool(vector["reasons"])
    if "per_field" in vector:
        assert result.per_field == pytest.approx(vector["per_field"])


@each("boxes")
def test_boxes(vector):
    pairs = match_boxes(vector["a"], vector["b"])
    assert [list(pair) for pair in pairs] == [pytest.approx(pair) for pair in vector["pairs"]]


@each("numerals")
def test_numerals(vector):
    text, number = vector
    assert parse_chinese(text) == number


@each("language")
def test_language(vector):
    world = World(**vector.get("world", {}))
    found = findings(values_from_json(vector["values"]), schema_of(vector), world)
    assert [[f.field, f.rule, f.start, f.end, f.fix] for f in found] == vector["findings"]
    for finding in found:
        assert all("{" not in finding.message(language) for language in ("zh", "en", "ja"))


def test_the_rules_of_the_language_are_those_of_the_vectors():
    assert {rule: list(words) for rule, words in RULES.items()} == VECTORS["language_rules"]
    assert {f[1] for v in VECTORS["language"] for f in v["findings"]} == set(RULES)
