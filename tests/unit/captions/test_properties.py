"""What holds for every value and every text."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.captions import (
    DEFAULT_SCHEMA,
    GRADES,
    Field,
    FieldError,
    Schema,
    Unknown,
    agreement,
    agreement_of_all,
    average_boxes,
    compare,
    format_caption,
    iou,
    match_boxes,
    normalise_value,
    parse,
    parse_chinese,
    parse_condition,
    parse_quantity,
    parse_spec,
    settle,
    to_chinese,
)

LABELS = {"zh": "备注", "en": "Note", "ja": "備考"}
WIDE_SCHEMA = Schema(
    (
        *DEFAULT_SCHEMA.fields,
        Field("note", "text", LABELS, required=False, weight=0.1),
        Field("expiry", "date", {"zh": "保质期", "en": "Expiry", "ja": "期限"}, required=False),
        Field(
            "origin",
            "choice",
            {"zh": "产地", "en": "Origin", "ja": "産地"},
            required=False,
            options=("中国", "日本", "a|b"),
        ),
    )
)

tricky = st.text("看不清()（）|｜【】[]［］\\:：,，; 数量SKU备注0a一\n\u3000😀", max_size=24)
any_text = st.one_of(tricky, st.text(max_size=40))
spec_text = st.one_of(
    st.text("0123456789.,×xX*/ mlLkgG克斤瓶箱盒装A半一十三明bottle()-＊", max_size=16), any_text
)
quantity_text = st.one_of(
    st.text("0123456789., 箱瓶个打零一两十百千万半又加和+克box½", max_size=10), any_text
)
condition_text = st.one_of(
    st.builds(str.__add__, st.sampled_from([*GRADES, "完好", "3", "ok "]), any_text), any_text
)
RAW = {"spec": spec_text, "quantity": quantity_text, "condition": condition_text}


def values_of(schema):
    """Valid values: what raw texts normalise to, and unknowns."""

    def of_field(field):
        if field.kind == "date":
            raw = st.dates().map(str)
        elif field.kind == "choice":
            raw = st.sampled_from(field.options)
        else:
            raw = RAW.get(field.kind, any_text)
        normal = raw.map(lambda text: normalise_value(field, text))
        readable = normal.filter(lambda value: not isinstance(value, FieldError))
        unknown = any_text.map(lambda text: Unknown(" ".join(text.split("\n")).strip()))
        return st.one_of(readable, unknown)

    return st.fixed_dictionaries({}, optional={f.key: of_field(f) for f in schema.fields})


@settings(max_examples=400)
@given(values_of(WIDE_SCHEMA))
def test_a_formatted_caption_reads_back_as_the_same_values(values):
    caption = format_caption(values, WIDE_SCHEMA)
    result = parse(caption, WIDE_SCHEMA)
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    unknowns = {key for key, value in values.items() if isinstance(value, Unknown)}
    assert {key: value for key, value in result.values.items() if isinstance(value, str)} == texts
    assert {k for k, value in result.values.items() if isinstance(value, Unknown)} == unknowns
    assert all(error.code == "missing_field" for error in result.errors)
    assert result.canonical == caption


@given(st.text("看不清abc反光()|【】\\: 数量", min_size=1, max_size=12).map(str.strip))
def test_the_reason_of_an_unknown_reads_back(reason):
    reason = " ".join(reason.split())
    values = {"sku": Unknown(reason)}
    assert parse(format_caption(values)).values == values


@settings(max_examples=300)
@given(any_text)
def test_reading_never_raises_and_its_canonical_form_is_stable(text):
    result = parse(text, WIDE_SCHEMA)
    again = parse(result.canonical, WIDE_SCHEMA)
    assert again.values == result.values
    assert again.canonical == result.canonical
    assert all(e.position is None or 0 <= e.position <= len(text) for e in result.errors)
    for error in result.errors:
        assert all("{" not in error.message(language) or "{" in text for language in ("zh", "en"))


@settings(max_examples=400)
@pytest.mark.parametrize("kind", ["sku", "spec", "quantity", "condition", "text"])
@given(data=st.data())
def test_normalising_twice_changes_nothing(kind, data):
    field = Field("x", kind, LABELS, weight=1)
    value = normalise_value(field, data.draw(RAW.get(kind, any_text)))
    if isinstance(value, str):
        assert normalise_value(field, value) == value


def widen(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and c != "\\" else c for c in text)


@given(
    st.from_regex(r"[A-Z]{2,5}-[0-9]{1,4}", fullmatch=True),
    st.integers(1, 999),
    st.sampled_from(["ml", "L", "g", "kg"]),
    st.integers(1, 99),
    st.sampled_from(GRADES),
)
def test_full_width_reads_like_half_width(sku, size, unit, count, grade):
    text = f"[SKU]{sku}|[品类]饮料|[规格]{size}{unit}*{count}瓶|[数量]{count}箱|[状态]{grade}"
    assert unicodedata.normalize("NFKC", widen(text)) == text
    narrow, wide = parse(text), parse(widen(text))
    assert narrow.ok
    assert wide.values == narrow.values


@given(st.integers(0, 10**12 - 1))
def test_chinese_numerals_read_back(number):
    assert parse_chinese(to_chinese(number)) == number


@given(st.integers(0, 999_999_999), st.sampled_from(["箱", "瓶", "千克", "盒"]))
def test_a_quantity_in_chinese_is_the_same_quantity(number, unit):
    chinese, plain, grouped = (
        parse_quantity(text + unit) for text in (to_chinese(number), str(number), f"{number:,}")
    )
    assert chinese == plain == grouped
    assert plain.amounts() == ((number, unit),)


@given(st.integers(1, 5000), st.integers(2, 50))
def test_specs_are_equal_after_unit_conversion(ml, count):
    field = Field("spec", "spec", LABELS)
    litres = f"{ml / 1000:.3f}L"
    assert compare(field, f"{ml}ml×{count}瓶", f"{litres}*{count}") == 1
    assert compare(field, f"{ml}ml×{count}瓶", f"{count}x{ml}毫升") == 1
    assert compare(field, f"{ml}ml×{count}", f"{to_chinese(count)}瓶×{ml}ml") == 1
    assert compare(field, f"{ml}ml×{count}", f"{ml * count}ml") == 0.5
    assert compare(field, f"{ml}ml×{count}", f"{ml}ml×{count + 1}") == 0
    assert compare(field, f"{ml}ml×{count}", f"{ml}g×{count}") == 0
    assert parse_spec(f"{ml}ml×{count}").total() == ("volume", ml * count)


@settings(max_examples=300)
@given(st.sampled_from(WIDE_SCHEMA.fields), st.data())
def test_compare_is_symmetric_and_bounded(field, data):
    raw = st.one_of(RAW.get(field.kind, any_text), st.none(), st.builds(Unknown, any_text))
    a, b = data.draw(raw), data.draw(raw)
    parents = {"a": "b"}
    score = compare(field, a, b, parents)
    assert 0 <= score <= 1
    assert score == compare(field, b, a, parents)
    assert compare(field, a, a, parents) == 1


@given(values_of(WIDE_SCHEMA), values_of(WIDE_SCHEMA), values_of(WIDE_SCHEMA))
def test_agreement_is_symmetric_and_bounded(a, b, c):
    one, other = agreement(a, b, WIDE_SCHEMA), agreement(b, a, WIDE_SCHEMA)
    assert 0 <= one.score <= 1
    assert one.score == pytest.approx(other.score)
    assert one.disputed == other.disputed
    assert not agreement(a, a, WIDE_SCHEMA).disputed
    assert agreement(a, a, WIDE_SCHEMA).score == pytest.approx(1)
    together = agreement_of_all([a, b, c], WIDE_SCHEMA)
    pairs = [agreement(x, y, WIDE_SCHEMA).score for x, y in ((a, b), (a, c), (b, c))]
    assert together.score == pytest.approx(sum(pairs) / 3)


@given(st.lists(values_of(WIDE_SCHEMA), min_size=1, max_size=4), values_of(WIDE_SCHEMA))
def test_settled_values_make_a_caption_and_come_from_somebody(annotations, catalog):
    settled = settle(annotations, WIDE_SCHEMA, catalog)
    format_caption(settled.values, WIDE_SCHEMA)
    for key, value in settled.values.items():
        assert value in [a.get(key) for a in annotations] or value == catalog.get(key)
        if settled.sources[key] == "agreed":
            assert all(compare(WIDE_SCHEMA.get(key), value, a.get(key)) == 1 for a in annotations)


boxes = st.lists(
    st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 40)] * 2), min_size=0, max_size=5
)


@given(boxes, boxes)
def test_matching_is_the_best_one(a, b):
    def best(rest_a, rest_b):
        if not rest_a or not rest_b:
            return 0.0
        first, *others = rest_a
        taken = [
            iou(first, box) + best(others, rest_b[:j] + rest_b[j + 1 :])
            for j, box in enumerate(rest_b)
        ]
        return max(best(others, rest_b), *taken)

    pairs = match_boxes(a, b)
    assert sum(pair.iou for pair in pairs) == pytest.approx(best(a, b))
    assert len({p.a for p in pairs}) == len({p.b for p in pairs}) == len(pairs)
    assert all(pair.iou == iou(a[pair.a], b[pair.b]) for pair in pairs)


@given(boxes)
def test_the_average_of_equal_boxes_is_those_boxes(some):
    distinct = list(dict.fromkeys(some))
    assert average_boxes([distinct, distinct[::-1]]) == distinct


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "【",
        " ",
        "\\",
        "a:",
        "|",
        "【数量】",
        "1",
        "，",
        "sku ",
        "（",
        "三",
        "1,000",
        "a，",
        "[a",
        "数量",
    ],
)
def test_hostile_text_is_read_in_linear_time(piece):
    start = time.process_time()
    for prefix in ("", "【规格】", "【数量】", "【状态】", "【SKU】"):
        parse(prefix + piece * (100_000 // len(piece)))
    assert time.process_time() - start < 5  # five texts of 100,000 characters


@given(condition_text)
def test_a_condition_that_reads_has_a_grade(text):
    condition = parse_condition(text)
    if not isinstance(condition, FieldError):
        assert 0 <= condition.grade <= 4
        assert condition.text().startswith(GRADES[condition.grade])
