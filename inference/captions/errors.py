"""What can be wrong with a caption, by code, with its words in Chinese, English and Japanese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

Language = Literal["zh", "en", "ja"]

MESSAGES: Final[Mapping[str, Mapping[Language, str]]] = {
    "unlabelled_text": {
        "zh": "“{text}”前缺少字段名，请写成【字段】内容",
        "en": "“{text}” has no field label; write 【label】value",
        "ja": "「{text}」の前に項目名がありません。【項目】値と書いてください",
    },
    "unknown_field": {
        "zh": "没有“{label}”这个字段，可用：{labels}；若是内容，请在括号前加反斜杠",
        "en": "There is no field “{label}”; use {labels}, or put \\ before a literal bracket",
        "ja": "項目「{label}」はありません。使えるのは {labels}。値の括弧なら前に \\ を付けます",
    },
    "duplicate_field": {
        "zh": "“{label}”写了两次且内容不同，请只留一个",
        "en": "“{label}” is given twice with different values; keep one",
        "ja": "「{label}」が異なる値で二度あります。一つにしてください",
    },
    "missing_field": {
        "zh": "缺少“{label}”，请补上；看不清时写“看不清”",
        "en": "“{label}” is missing; fill it in, or write 看不清 when it cannot be seen",
        "ja": "「{label}」がありません。見えない場合は「看不清」と書いてください",
    },
    "empty_value": {
        "zh": "“{label}”没有内容，请补上；看不清时写“看不清”",
        "en": "“{label}” is empty; fill it in, or write 看不清 when it cannot be seen",
        "ja": "「{label}」が空です。見えない場合は「看不清」と書いてください",
    },
    "too_long": {
        "zh": "“{label}”有 {length} 字，最多 {limit} 字",
        "en": "“{label}” has {length} characters; at most {limit}",
        "ja": "「{label}」は {length} 文字です。{limit} 文字以内にしてください",
    },
    "invalid_sku": {
        "zh": "“{text}”不是 SKU 编码，编码里要有字母或数字",
        "en": "“{text}” is not an SKU code; a code has letters or digits",
        "ja": "「{text}」は SKU コードではありません。文字か数字が必要です",
    },
    "invalid_spec": {
        "zh": "规格“{text}”读不懂，请写成 500ml×6瓶/箱 的形式",
        "en": "The spec “{text}” cannot be read; write it like 500ml×6瓶/箱",
        "ja": "規格「{text}」を読めません。500ml×6瓶/箱 のように書いてください",
    },
    "dangling_operator": {
        "zh": "规格里的“{operator}”前后要有内容，例如 500ml×6瓶/箱",
        "en": "“{operator}” in the spec needs something on both sides, as in 500ml×6瓶/箱",
        "ja": "規格の「{operator}」の前後に値が必要です。例：500ml×6瓶/箱",
    },
    "zero_amount": {
        "zh": "规格里的数不能是 0",
        "en": "An amount in the spec cannot be 0",
        "ja": "規格の数値は 0 にできません",
    },
    "number_out_of_range": {
        "zh": "“{text}”超出范围：整数部分最多 9 位，小数最多 6 位",
        "en": "“{text}” is out of range: at most 9 digits before the point and 6 after",
        "ja": "「{text}」は範囲外です。整数部は 9 桁、小数部は 6 桁までです",
    },
    "invalid_quantity": {
        "zh": "数量“{text}”读不懂，请写数字加单位，例如 12箱",
        "en": "The quantity “{text}” cannot be read; write a number and a unit, as in 12箱",
        "ja": "数量「{text}」を読めません。12箱 のように数と単位で書いてください",
    },
    "repeated_unit": {
        "zh": "数量里“{unit}”出现了两次，请合并成一个数",
        "en": "The unit “{unit}” occurs twice in the quantity; add the numbers up",
        "ja": "数量に単位「{unit}」が二度あります。一つの数にまとめてください",
    },
    "invalid_condition": {
        "zh": "状态“{text}”读不懂，请以这些词开头：{grades}（或 1–5）",
        "en": "The condition “{text}” cannot be read; start with one of {grades} (or 1–5)",
        "ja": "状態「{text}」を読めません。{grades}（または 1–5）で始めてください",
    },
    "invalid_date": {
        "zh": "“{text}”不是日期，请写成 2025-03-01",
        "en": "“{text}” is not a date; write it like 2025-03-01",
        "ja": "「{text}」は日付ではありません。2025-03-01 のように書いてください",
    },
    "not_an_option": {
        "zh": "“{text}”不在选项中，可选：{options}",
        "en": "“{text}” is not an option; choose from {options}",
        "ja": "「{text}」は選択肢にありません。{options} から選んでください",
    },
    "too_many_errors": {
        "zh": "问题太多，只列出前 {limit} 个",
        "en": "Too many problems; only the first {limit} are listed",
        "ja": "問題が多すぎるため、最初の {limit} 件のみ表示します",
    },
    "low_agreement": {
        "zh": "一致度 {score} 低于 {threshold}",
        "en": "Agreement {score} is below {threshold}",
        "ja": "一致度 {score} が {threshold} を下回っています",
    },
    "sku_differs": {
        "zh": "SKU 不同",
        "en": "The SKUs differ",
        "ja": "SKU が異なります",
    },
    "quantity_differs": {
        "zh": "数量不同",
        "en": "The quantities differ",
        "ja": "数量が異なります",
    },
    "condition_differs": {
        "zh": "状态相差 {grades} 级",
        "en": "The conditions are {grades} grades apart",
        "ja": "状態が {grades} 段階違います",
    },
    "boxes_differ": {
        "zh": "框不一致：最低 IoU {iou}，要求 {minimum}",
        "en": "The boxes differ: lowest IoU {iou}, required {minimum}",
        "ja": "枠が一致しません。最小 IoU {iou}、必要 {minimum}",
    },
}
"""Text by code and language; ``{name}`` stands for a parameter."""


def message(code: str, params: Mapping[str, Any], language: Language = "zh") -> str:
    """The text of ``code`` in ``language``. Raises :class:`KeyError` for a code that is not known."""
    text = MESSAGES[code][language]
    for name, value in params.items():
        text = text.replace("{" + name + "}", _param_text(value))
    return text


def _param_text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " / ".join(str(item) for item in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong: ``code`` is stable, ``params`` fill its message.

    ``field`` is the field's key, or None when no field is concerned. ``position`` counts Unicode
    characters from the start of the text that was read, or is None when there is no place.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    field: str | None = None
    position: int | None = None

    def message(self, language: Language = "zh") -> str:
        """What is wrong and how to mend it, in ``language``."""
        return message(self.code, self.params, language)

    def at(self, position: int | None, field: str | None = None) -> FieldError:
        """This error at another place (and of another field, when one is given)."""
        return replace(self, position=position, field=field or self.field)

    def to_json(self, language: Language = "zh") -> dict[str, Any]:
        return {
            "field": self.field,
            "position": self.position,
            "code": self.code,
            "params": dict(self.params),
            "message": self.message(language),
        }


class CaptionError(ValueError):
    """Values that cannot be written as a caption; ``errors`` says which and why."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{e.field or '-'}: {e.message('en')}" for e in self.errors))


SCHEMA_MESSAGES: Final[Mapping[str, Mapping[Language, str]]] = {
    "not_a_schema": {
        "zh": '要写成 {"fields": [...]}',
        "en": 'must be an object like {"fields": [...]}',
        "ja": '{"fields": [...]} の形で書いてください',
    },
    "no_fields": {
        "zh": "至少要有一个字段",
        "en": "must have at least one field",
        "ja": "項目が一つ以上必要です",
    },
    "no_weight": {
        "zh": "至少一个字段的权重要大于 0",
        "en": "at least one field needs a weight above 0",
        "ja": "重みが 0 より大きい項目が一つ以上必要です",
    },
    "not_an_object": {
        "zh": "要是一个对象",
        "en": "must be an object",
        "ja": "オブジェクトでなければなりません",
    },
    "unknown_property": {
        "zh": "字段没有这个属性，请去掉",
        "en": "is not a property of a field; remove it",
        "ja": "項目にない属性です。削除してください",
    },
    "bad_key": {
        "zh": "键名用 1–40 个小写字母、数字或下划线，以字母开头",
        "en": "must be 1–40 of a–z, 0–9, _ and start with a letter",
        "ja": "a–z・0–9・_ を 1–40 文字、先頭は英字にしてください",
    },
    "duplicate_key": {
        "zh": "键名 {key} 用了两次，请换一个",
        "en": "{key} is used twice; keys must be unique",
        "ja": "キー {key} が二度使われています。変えてください",
    },
    "bad_kind": {
        "zh": "类型只能是 {kinds}",
        "en": "must be one of {kinds}",
        "ja": "種類は {kinds} のいずれかです",
    },
    "bad_label": {
        "zh": "要有 zh、en、ja 三种名称",
        "en": "must be an object with zh, en and ja",
        "ja": "zh・en・ja の名称が必要です",
    },
    "empty_name": {
        "zh": "不能为空",
        "en": "must be a non-empty text",
        "ja": "空にできません",
    },
    "long_name": {
        "zh": "最多 {limit} 个字",
        "en": "must have at most {limit} characters",
        "ja": "{limit} 文字以内にしてください",
    },
    "forbidden_in_name": {
        "zh": "不能含有 | 【 】 [ ] \\ : , ; 或换行",
        "en": "must not contain | 【 】 [ ] \\ : , ; or a line end",
        "ja": "| 【 】 [ ] \\ : , ; と改行は使えません",
    },
    "name_taken": {
        "zh": "“{name}”已是字段 {field} 的名称",
        "en": "{name} already names the field {field}",
        "ja": "「{name}」は項目 {field} の名称です",
    },
    "not_a_list": {
        "zh": "要是文本的列表",
        "en": "must be a list of texts",
        "ja": "テキストのリストにしてください",
    },
    "not_a_boolean": {
        "zh": "只能是 true 或 false",
        "en": "must be true or false",
        "ja": "true か false にしてください",
    },
    "bad_weight": {
        "zh": "权重要是不小于 0 的数",
        "en": "must be a number of 0 or more",
        "ja": "重みは 0 以上の数にしてください",
    },
    "bad_options": {
        "zh": "选项要是非空文本的列表",
        "en": "must be a list of non-empty texts",
        "ja": "空でないテキストのリストにしてください",
    },
    "no_options": {
        "zh": "选项字段至少要有一个选项",
        "en": "a choice needs at least one option",
        "ja": "選択項目には選択肢が一つ以上必要です",
    },
    "options_not_for_kind": {
        "zh": "只有选项字段才有选项，请去掉",
        "en": "only a choice has options; remove them",
        "ja": "選択肢を持てるのは選択項目だけです",
    },
    "alike_options": {
        "zh": "有两个选项读起来一样，请区分开",
        "en": "two options read alike; make them distinct",
        "ja": "同じに読める選択肢があります。区別してください",
    },
}
"""What can be wrong with a schema, by code and language. Only the server checks schemas, so that
these have no twin in the browser."""


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """One thing that is wrong with a schema: ``where`` is a path such as ``fields.0.label.zh``."""

    where: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def message(self, language: Language = "en") -> str:
        """What is wrong and how to mend it, in ``language``."""
        text = SCHEMA_MESSAGES[self.code][language]
        for name, value in self.params.items():
            text = text.replace("{" + name + "}", _param_text(value))
        return text

    def __str__(self) -> str:
        return f"{self.where or 'schema'}: {self.message()}"


class SchemaError(ValueError):
    """A schema that cannot be used; ``problems`` says what, where and how to mend it."""

    def __init__(self, problems: Iterable[SchemaProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def excerpt(text: str, limit: int = 40) -> str:
    """``text``, cut to ``limit`` characters for use in a message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
