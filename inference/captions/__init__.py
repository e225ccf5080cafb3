"""The caption language: 【SKU】…|【品类】…|【规格】…|【数量】…|【状态】….

Parse, format, normalise and compare captions by a schema that is data. Standard library only, and
nothing of the rest of the project: both the platform and the recognizer depend on it. The browser
has a twin in ``frontend/src/lib/captions``; ``conformance.json`` here holds for both.
"""

from .boxes import Box, Pair, average_boxes, iou, lowest_iou, match_boxes
from .compare import Agreement, CategoryParent, agreement, agreement_of_all, compare
from .condition import GRADES, Condition, grades_apart, parse_condition
from .errors import (
    MESSAGES,
    CaptionError,
    FieldError,
    Language,
    SchemaError,
    SchemaProblem,
    message,
)
from .format import format_caption
from .language import RULES, Finding, World, findings
from .numerals import parse_chinese, to_chinese
from .parse import ParseResult, parse
from .quantity import Quantity, parse_quantity
from .schema import DEFAULT_SCHEMA, KINDS, Field, Kind, Schema
from .settle import Settled, settle
from .spec import Spec, parse_spec
from .text import fold, similarity
from .values import (
    MAX_LENGTH,
    Unknown,
    Value,
    normalise_value,
    parse_unknown,
    validate,
    values_from_json,
    values_to_json,
)

__all__ = [
    "DEFAULT_SCHEMA",
    "GRADES",
    "KINDS",
    "MAX_LENGTH",
    "MESSAGES",
    "RULES",
    "Agreement",
    "Box",
    "CaptionError",
    "CategoryParent",
    "Condition",
    "Field",
    "FieldError",
    "Finding",
    "Kind",
    "Language",
    "Pair",
    "ParseResult",
    "Quantity",
    "Schema",
    "SchemaError",
    "SchemaProblem",
    "Settled",
    "Spec",
    "Unknown",
    "Value",
    "World",
    "agreement",
    "agreement_of_all",
    "average_boxes",
    "compare",
    "findings",
    "fold",
    "format_caption",
    "grades_apart",
    "iou",
    "lowest_iou",
    "match_boxes",
    "message",
    "normalise_value",
    "parse",
    "parse_chinese",
    "parse_condition",
    "parse_quantity",
    "parse_spec",
    "parse_unknown",
    "settle",
    "similarity",
    "to_chinese",
    "validate",
    "values_from_json",
    "values_to_json",
]
