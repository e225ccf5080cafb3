"""Reading a catalog file: a pure function from bytes to rows and errors."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tablib import Dataset

from annotator.core.lists import RowError
from annotator.core.messages import text
from inference.captions import FieldError as SpecError
from inference.captions import parse_spec

from .naming import code_key, gtin_is_valid, is_code

COLUMNS = (
    "code",
    "name",
    "brand",
    "category",
    "spec",
    "unit",
    "barcode",
    "pack_text",
    "sales_volume",
    "weight_g",
    "reference_image",
)
REQUIRED = ("code", "name")
_ALIASES = {
    "sku": "code",
    "sku_code": "code",
    "sku_id": "code",
    "编码": "code",
    "货号": "code",
    "名称": "name",
    "品名": "name",
    "品牌": "brand",
    "品类": "category",
    "分类": "category",
    "规格": "spec",
    "单位": "unit",
    "条码": "barcode",
    "销量": "sales_volume",
    "单件重量": "weight_g",
    "重量(g)": "weight_g",
    "参考图": "reference_image",
}
_LIMITS = {"name": 256, "brand": 128, "category": 512, "spec": 128, "unit": 32, "barcode": 64}


@dataclass(frozen=True, slots=True)
class Row:
    """One good row."""

    line: int
    values: dict[str, str]
    extra: dict[str, str]

    @property
    def sales_volume(self) -> float:
        return float(self.values.get("sales_volume") or 0)

    @property
    def weight_g(self) -> float | None:
        stated = self.values.get("weight_g")
        return float(stated) if stated else None


@dataclass(frozen=True, slots=True)
class Table:
    """A whole file: its good rows, what is wrong with the others, and which columns it has."""

    rows: list[Row] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    """The keys of codes in bad rows: a file that names a SKU badly still names it."""


MAX_XLSX_BYTES = 256 << 20
"""Unpacked; a workbook that claims more is refused before it is opened."""


def read_table(data: bytes) -> Table:
    """Read a catalog file, an Excel workbook's first sheet or a CSV, columns in any order. Bad rows
    are reported, good ones kept."""
    return _read_xlsx(data) if data[:4] == b"PK\x03\x04" else read_csv(data)


def read_csv(data: bytes) -> Table:
    """Read a CSV: UTF-8 (with or without BOM) or GB18030, comma, semicolon or tab."""
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            content = data.decode("gb18030")
        except UnicodeDecodeError as error:
            return Table(errors=[_error(1, "", "", "bad_csv", detail=str(error))])
    first = content.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        for cells in reader:
            yield reader.line_num, cells

    table = Table()
    try:
        _read(rows(), table)
    except csv.Error as error:
        table.errors.append(_error(reader.line_num, "", "", "bad_csv", detail=str(error)))
    return table


def _read_xlsx(data: bytes) -> Table:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_XLSX_BYTES:
            raise ValueError(f"{unpacked >> 20} MB > {MAX_XLSX_BYTES >> 20} MB")
        sheet = Dataset().load(io.BytesIO(data), format="xlsx", headers=False)
        rows = [[_cell(value) for value in row] for row in sheet]
    except Exception as error:  # the reader raises nearly anything on what is no workbook
        return Table(errors=[_error(1, "", "", "bad_xlsx", detail=str(error)[:120])])
    table = Table()
    _read(iter(enumerate(rows, start=1)), table)
    return table


def _cell(value: object) -> str:
    """A cell as a CSV would have it: codes that Excel took for numbers lose their ".0"."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _read(rows: Iterator[tuple[int, Sequence[str]]], table: Table) -> None:
    _, first = next(rows, (1, []))
    header = [name.strip() for name in first]
    known = [_known(name) for name in header]
    table.known.extend(name for name in known if name in COLUMNS)
    table.extra.extend(name for name in header if name and _known(name) not in COLUMNS)
    table.missing.extend(name for name in REQUIRED if name not in known)
    for name in table.missing:
        table.errors.append(_error(1, name, "", "missing_column", column=name))
    if not table.missing:
        _read_rows(rows, known, header, table)


def _known(name: str) -> str:
    low = name.strip().lower()
    return _ALIASES.get(low, low)


def _read_rows(
    rows: Iterator[tuple[int, Sequence[str]]],
    columns: Sequence[str],
    header: Sequence[str],
    table: Table,
) -> None:
    first_line: dict[str, int] = {}
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        values = {
            name: cell.strip()
            for name, cell in zip(columns, cells, strict=False)
            if name in COLUMNS
        }
        extra = {
            title.strip(): cell.strip()
            for name, title, cell in zip(columns, header, cells, strict=False)
            if name not in COLUMNS and title.strip() and cell.strip()
        }
        errors = _row_errors(line, values)
        code = values.get("code", "")
        if not errors and (earlier := first_line.setdefault(code_key(code), line)) != line:
            errors = [_error(line, "code", code, "duplicate_code", line_of=earlier)]
        if errors:
            table.errors.extend(errors)
            table.named.add(code_key(code))
        else:
            table.rows.append(Row(line, values, extra))


def _row_errors(line: int, values: dict[str, str]) -> list[RowError]:
    errors = []
    code = values.get("code", "")
    if not is_code(code):
        errors.append(_error(line, "code", code, "bad_code", value=code[:80]))
    if not values.get("name"):
        errors.append(_error(line, "name", "", "required"))
    for column, value in values.items():
        if "\x00" in value and column != "code":
            errors.append(_error(line, column, value[:80], "bad_record", detail="NUL"))
    for column, limit in _LIMITS.items():
        if len(values.get(column, "")) > limit:
            value = values[column]
            errors.append(
                _error(line, column, value[:80], "bad_record", detail=f"> {limit} characters")
            )
    spec = values.get("spec", "")
    if spec and isinstance(parse_spec(spec), SpecError):
        errors.append(_error(line, "spec", spec, "bad_spec", value=spec[:80]))
    barcode = values.get("barcode", "")
    if barcode and not gtin_is_valid(barcode):
        errors.append(_error(line, "barcode", barcode, "bad_barcode", value=barcode[:80]))
    volume = values.get("sales_volume", "")
    if volume and not _is_number(volume):
        errors.append(_error(line, "sales_volume", volume, "bad_number", value=volume[:80]))
    weight = values.get("weight_g", "")
    if weight and not (_is_number(weight) and float(weight) > 0):
        errors.append(_error(line, "weight_g", weight, "bad_weight", value=weight[:80]))
    return errors


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _error(line: int, column: str, value: str, code: str, /, **params: object) -> RowError:
    if "line_of" in params:
        params["line"] = params.pop("line_of")
    return RowError(line, column, value, code, text(code, **params))
