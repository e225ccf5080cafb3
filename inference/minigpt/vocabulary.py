"""The tokens of captions: one for each character, and one for each field's header.

A caption is its fields in order, each a header token and the characters of its value, and an end::

    <sku> W A S H - 1 <category> 洗 衣 液 <spec> … <end>

Headers are slots: a project's new field takes a free one, so that nothing else changes. What is not
among the characters is written in UTF-8 bytes, a token each; every text can be written and read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, Self

PAD: Final = 0
END: Final = 1
UNKNOWN: Final = 2
"""看不清: the value of a field that cannot be seen."""
PRINTED: Final = 3
"""Begins a line of printed words, given before the caption."""
BARCODE: Final = 4
"""Begins a barcode's text, given before the caption."""
SENSOR: Final = 5
"""Begins a reading such as ``weight 12.5kg``, given before the caption."""
_FIRST_SLOT: Final = 8
SLOTS: Final = 32
_FIRST_BYTE: Final = _FIRST_SLOT + SLOTS
_FIRST_CHARACTER: Final = _FIRST_BYTE + 256

DEFAULT_FIELDS: Final = ("sku", "category", "spec", "quantity", "condition")


class Vocabulary:
    """Characters and field slots. ``characters`` are distinct; ``fields`` are keys by slot."""

    def __init__(self, characters: str, fields: Sequence[str] = DEFAULT_FIELDS) -> None:
        if len(set(characters)) != len(characters):
            raise ValueError("the characters of a vocabulary must be distinct")
        if len(set(fields)) != len(fields) or len(fields) > SLOTS:
            raise ValueError(f"the fields of a vocabulary must be distinct and at most {SLOTS}")
        self.characters = characters
        self.fields = tuple(fields)
        self._id_of = {c: _FIRST_CHARACTER + n for n, c in enumerate(characters)}
        self._slot_of = {key: _FIRST_SLOT + n for n, key in enumerate(self.fields)}

    def __len__(self) -> int:
        return _FIRST_CHARACTER + len(self.characters)

    @classmethod
    def default(cls) -> Self:
        """Latin, kana, the 3,755 commonest Chinese characters (GB 2312, level 1) and what stands
        on packs besides."""
        return cls(_default_characters())

    def with_fields(self, keys: Iterable[str]) -> Vocabulary:
        """The same with a slot for each of ``keys``; those that have one keep it."""
        new = [key for key in keys if key not in self._slot_of]
        return Vocabulary(self.characters, [*self.fields, *new])

    def header(self, key: str) -> int:
        """The token that begins field ``key``. Raises KeyError for a field without a slot."""
        return self._slot_of[key]

    def field_of(self, token: int) -> str | None:
        """The field that ``token`` begins, if it is a header."""
        slot = token - _FIRST_SLOT
        return self.fields[slot] if 0 <= slot < len(self.fields) else None

    def encode(self, text: str) -> list[int]:
        """The tokens of a text."""
        tokens = []
        for character in text:
            known = self._id_of.get(character)
            if known is None:
                tokens += [_FIRST_BYTE + byte for byte in character.encode()]
            else:
                tokens.append(known)
        return tokens

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; headers, marks and broken bytes leave nothing."""
        data = bytearray()
        for token in tokens:
            if _FIRST_BYTE <= token < _FIRST_CHARACTER:
                data.append(token - _FIRST_BYTE)
            elif token >= _FIRST_CHARACTER:
                data += self.characters[token - _FIRST_CHARACTER].encode()
        return data.decode(errors="ignore")

    @property
    def letters(self) -> list[int]:
        """The tokens that a value can be made of."""
        return [UNKNOWN, *range(_FIRST_BYTE, len(self))]

    def value(self, tokens: Sequence[int]) -> str | None:
        """The value that tokens write, None for 看不清."""
        return None if UNKNOWN in tokens else self.decode(tokens)

    def encode_caption(self, values: Mapping[str, str | None]) -> list[int]:
        """The tokens of a caption: ``values`` by field key in order, None for what is unknown."""
        tokens = []
        for key, value in values.items():
            tokens.append(self.header(key))
            tokens += [UNKNOWN] if value is None else self.encode(value)
        return [*tokens, END]

    def decode_caption(self, tokens: Iterable[int]) -> dict[str, str | None]:
        """The values of a caption up to its end. A field that comes twice keeps the first value."""
        found: dict[str, list[int]] = {}
        current: list[int] = []
        for token in tokens:
            if token == END:
                break
            key = self.field_of(token)
            if key is None:
                current.append(token)
            else:
                current = []
                found.setdefault(key, current)
        return {key: self.value(value) for key, value in found.items()}

    def to_json(self) -> dict[str, object]:
        return {"characters": self.characters, "fields": list(self.fields)}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        fields = data["fields"]
        assert isinstance(fields, list)
        return cls(str(data["characters"]), fields)


@cache
def _default_characters() -> str:
    ascii_ = "".join(map(chr, range(0x20, 0x7F)))
    latin = "".join(map(chr, range(0xC0, 0x100))) + "°±²³·"
    kana = "".join(map(chr, [*range(0x3041, 0x3097), *range(0x30A1, 0x30FD)]))
    marks = "、。「」『』《》〈〉【】…—‘’“”！（），：；？％／＋－＝～℃№①②③④⑤⑥⑦⑧⑨⑩"
    rows = range(0xB0, 0xD8)
    chinese = "".join(
        bytes([row, cell]).decode("gb2312")
        for row in rows
        for cell in range(0xA1, 0xFF)
        if not (row == 0xD7 and cell > 0xF9)
    )
    return "".join(dict.fromkeys(ascii_ + latin + kana + marks + chinese))
