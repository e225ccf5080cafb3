"""Small tables that people and machines hand in: a CSV, or a JSON list of objects."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .messages import text

MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one cell; ``line`` counts lines of the file (of JSON: objects) from 1."""

    line: int
    column: str
    value: str
    code: str
    message: str


def row_error(line: int, column: str, value: str, code: str, /, **params: object) -> RowError:
    """One in the words of whoever asks."""
    return RowError(line, column, value[:80], code, text(code, **params))


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row's cells by column, stripped; absent ones are empty."""

    line: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class ListTable:
    """A whole list: its rows, and what is wrong with it."""

    rows: list[ListRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


def read_list(data: bytes, columns: Sequence[str]) -> ListTable:
    """Rows with these columns, all of which a row must fill; other columns are left alone. CSV in UTF-8 (with
    or without BOM) or GB18030, parted by comma, semicolon or tab."""
    table = ListTable()
    try:
        found = _json_rows(data) if data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"[" else _rows(data)
        for line, cells in found:
            if len(table.rows) == MOST_ROWS:
                table.errors.append(row_error(line, "", "", "too_many_rows", limit=MOST_ROWS))
                break
            row = ListRow(line, {name: str(cells.get(name) or "").strip() for name in columns})
            missing = [name for name in columns if not row.cells[name]]
            table.errors += [row_error(line, name, "", "required") for name in missing]
            if not missing:
                table.rows.append(row)
    except (ValueError, csv.Error, RecursionError) as error:
        table.errors.append(row_error(1, "", "", "bad_list", detail=str(error)[:120]))
    return table


def _rows(data: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        content = data.decode("gb18030")
    delimiter = max(",;\t", key=content.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    header = [name.strip().lower() for name in next(reader, [])]
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, dict(zip(header, cells, strict=False))


def _json_rows(data: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for n, item in enumerate(json.loads(data.decode("utf-8-sig")), start=1):
        if not isinstance(item, Mapping):
            raise ValueError(f"{n}: {item!r} is no object")
        yield n, item
